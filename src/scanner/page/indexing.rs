//! What a page tells search engines: whether to index it, and its canonical URL.

use url::Url;

use super::outline::outline;
use super::{RawPage, charset, head};

/// What a page tells search engines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indexing {
    /// The header or element that asks to leave the page out.
    pub noindex: Option<String>,
    /// The canonical URL that the page names, absolute.
    pub canonical: Option<String>,
}

/// Reads this from a response; the head of the page is enough.
pub fn indexing(page: &RawPage, is_html: bool) -> Indexing {
    let of_headers = noindex_of_headers(page);
    let canonical = canonical_of_headers(page);
    if !is_html {
        return Indexing {
            noindex: of_headers,
            canonical,
        };
    }
    let html = charset::decode(&page.bytes, page.headers.charset());
    let outline = outline(&html, &page.url);
    let of_elements = ["robots", "googlebot"].iter().find_map(|name| {
        let content = head::meta(&outline, &[name])?;
        says_noindex(&content).then(|| format!("meta {name}: {content}"))
    });
    Indexing {
        noindex: of_headers.or(of_elements),
        canonical: head::canonical(&outline).or(canonical),
    }
}

/// `X-Robots-Tag`, also if it is only for one named crawler.
fn noindex_of_headers(page: &RawPage) -> Option<String> {
    let tags = page.headers.iter().filter(|(name, _)| *name == "x-robots-tag");
    let (_, value) = tags.into_iter().find(|(_, value)| says_noindex(value))?;
    Some(format!("X-Robots-Tag: {value}"))
}

fn says_noindex(text: &str) -> bool {
    let words = text.split([',', ':', ' ']).map(str::trim);
    words
        .into_iter()
        .any(|word| word.eq_ignore_ascii_case("noindex") || word.eq_ignore_ascii_case("none"))
}

/// `Link: <…>; rel="canonical"` (RFC 6596).
fn canonical_of_headers(page: &RawPage) -> Option<String> {
    let links = page.headers.iter().filter(|(name, _)| *name == "link");
    let mut links = links.flat_map(|(_, value)| value.split(','));
    let link = links.find(|link| {
        let link = link.to_ascii_lowercase();
        link.contains("rel=canonical") || link.contains("rel=\"canonical\"")
    })?;
    let target = link.trim().strip_prefix('<')?.split('>').next()?;
    page.url.join(target).ok().map(Url::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Headers;

    fn read(headers: &[(&str, &str)], html: &str) -> Indexing {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let page = RawPage {
            url: Url::parse("https://a.test/x").unwrap(),
            headers: Headers::new(headers),
            bytes: html.as_bytes().to_vec(),
        };
        indexing(&page, true)
    }

    #[test]
    fn pages_that_are_to_be_left_out_say_so_in_an_element_or_a_header() {
        for (headers, html, wanted) in [
            (
                &[][..],
                "<meta name=ROBOTS content='NOINDEX, follow'>",
                Some("meta robots: NOINDEX, follow"),
            ),
            (
                &[],
                "<meta name=googlebot content=none>",
                Some("meta googlebot: none"),
            ),
            (
                &[("X-Robots-Tag", "googlebot: noindex")],
                "<p>",
                Some("X-Robots-Tag: googlebot: noindex"),
            ),
            (
                &[("X-Robots-Tag", "noarchive")],
                "<meta name=robots content='index, max-image-preview:large'>",
                None,
            ),
            (&[], "<meta name=description content=noindex>", None),
        ] {
            assert_eq!(read(headers, html).noindex.as_deref(), wanted, "{html}");
        }
    }

    #[test]
    fn the_proper_page_is_that_of_the_element_or_of_the_header() {
        let header = ("Link", "</a.css>; rel=preload, </y>; rel=\"canonical\"");
        for (headers, html, wanted) in [
            (&[][..], "<link rel=canonical href=/y>", Some("https://a.test/y")),
            (&[header][..], "<p>", Some("https://a.test/y")),
            (
                &[header][..],
                "<link rel=canonical href=/z>",
                Some("https://a.test/z"),
            ),
            (&[], "<link rel=alternate href=/y>", None),
        ] {
            assert_eq!(read(headers, html).canonical.as_deref(), wanted, "{html}");
        }
    }
}
