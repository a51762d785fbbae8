//! `<meta http-equiv=refresh>` (HTML, 4.2.5.3): a page that redirects its visitors.

use url::Url;

use super::outline::Outline;

/// A page that redirects later than this has something to read.
const AT_ONCE: f64 = 10.0;

/// A page that says more than that is read as what it is: it reloads itself, or sends on those without scripts only.
const LITTLE_TEXT: usize = 600;

/// Where a page sends its visitors, if that is all it does.
pub(super) fn refresh(page: &Outline) -> Option<Url> {
    if page.text.split_whitespace().map(str::len).sum::<usize>() > LITTLE_TEXT {
        return None;
    }
    let mut metas = page.metas.iter();
    let (_, content) = metas.find(|(name, _)| name == "refresh")?;
    let (delay, target) = content.split_once([';', ',', ' '])?;
    let delay: f64 = delay.trim().parse().ok()?;
    let target = target.trim_start_matches([';', ',', ' ', '\t', '\n']);
    let target = match target.get(..3) {
        Some(key) if key.eq_ignore_ascii_case("url") => target[3..].trim_start().strip_prefix('=')?,
        _ => target,
    };
    let target = target.trim().trim_matches(['"', '\'']);
    let mut url = page.base.join(target).ok()?;
    url.set_fragment(None);
    let sends_on = !target.is_empty() && url != page.url && matches!(url.scheme(), "http" | "https");
    (sends_on && (0.0..=AT_ONCE).contains(&delay)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::super::outline::outline;
    use super::*;

    fn target(content: &str, text: &str) -> Option<String> {
        let here = Url::parse("https://site.test/a/").unwrap();
        let html = format!("<meta http-equiv=Refresh content=\"{content}\">{text}");
        refresh(&outline(&html, &here)).map(String::from)
    }

    #[test]
    fn a_page_that_only_sends_on_says_where() {
        for content in [
            "0;url=/de/",
            "0; URL='/de/'",
            "0;/de/",
            " 5 ; url = /de/ ",
            "0,url=/de/#top",
            "0.0 url=/de/",
        ] {
            assert_eq!(
                target(content, "Moment …").as_deref(),
                Some("https://site.test/de/"),
                "{content}"
            );
        }
    }

    #[test]
    fn a_page_that_reloads_or_has_something_to_say_stays() {
        for content in [
            "30",
            "0;url=",
            "0;url=/a/",
            "0;url=/a/#x",
            "300;url=/de/",
            "0;url=javascript:x()",
            "x;url=/de/",
        ] {
            assert_eq!(target(content, ""), None, "{content}");
        }
        assert_eq!(target("0;url=/de/", &"something to read ".repeat(100)), None);
    }
}
