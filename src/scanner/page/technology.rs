//! Which software a site runs on, each with the evidence.
//!
//! Signs are looked for where only the software itself leaves them (generator, asset URLs, script text, attributes,
//! header fields), never in prose: a page about WordPress is no WordPress page. The signs are in [`table`].

mod signs;
mod table;

use std::borrow::Cow;

use regex::bytes::{Captures, Regex};

use self::signs::{KNOWN, Known, present};
use self::table::{Entry, Place, TECHNOLOGIES};
use super::outline::Outline;
use crate::fetch::Headers;
use crate::scanner::site::registrable;
use crate::values::findings::{TechStack, Technology};

/// Asset URLs looked at are no longer.
const MAX_ASSET: usize = 500;

/// Matches of one sign looked at for a version.
const MAX_MATCHES: usize = 20;

/// The places of a page in which signs are looked for, each a text of lines.
struct Places<'a> {
    generators: String,
    assets: String,
    /// Without the site's own hosts, so that a sign can ask for URLs of this site.
    tags: Cow<'a, str>,
    scripts: &'a str,
    comments: &'a str,
    /// `name: value`.
    headers: String,
    metas: String,
    links: String,
}

/// All technologies with a sign on the page, in the order of the table.
pub(super) fn technologies(page: &Outline, headers: &Headers) -> Vec<Technology> {
    let places = Places::of(page, headers);
    let present = Place::ALL.map(|place| present(place, places.text(place)));
    let mut found: Vec<Technology> = KNOWN
        .iter()
        .filter_map(|known| places.look_for(known, &present))
        .collect();
    let implied: Vec<&str> = found
        .iter()
        .flat_map(|technology| {
            let entry = TECHNOLOGIES.iter().find(|entry| entry.name == technology.name);
            entry.map_or(&[][..], |entry| entry.implies).iter().copied()
        })
        .collect();
    for name in implied {
        let entry = TECHNOLOGIES.iter().find(|entry| entry.name == name);
        if let (Some(entry), false) = (entry, found.iter().any(|technology| technology.name == name)) {
            found.push(told(entry, None, 50, "implied by another technology".to_owned()));
        }
    }
    found
}

/// The predecessor's four drawers.
pub(super) fn drawers(technologies: &[Technology]) -> TechStack {
    let mut stack = TechStack::default();
    for technology in technologies {
        let is = |names: &[&str]| {
            technology
                .categories
                .iter()
                .any(|category| names.contains(&category.as_str()))
        };
        let name = technology.name.clone();
        if is(&["cms", "ecommerce", "website builder"]) {
            stack.cms.push(name);
        } else if is(&["framework", "library", "page builder", "css framework"]) {
            stack.frameworks.push(name);
        } else if is(&["analytics", "tag manager", "advertising"]) {
            stack.analytics.push(name);
        } else if is(&["chat", "marketing", "widget", "cookie consent"]) {
            stack.widgets.push(name);
        }
    }
    stack
}

impl<'a> Places<'a> {
    fn of(page: &'a Outline, headers: &Headers) -> Self {
        let pairs = page.metas.iter().map(|(name, value)| format!("{name}: {value}"));
        let generators = page.metas.iter().filter(|(name, _)| name == "generator");
        let assets = page.assets.iter().filter(|url| url.len() <= MAX_ASSET);
        Self {
            generators: lines(generators.map(|(_, value)| value.clone())),
            assets: lines(assets.cloned()),
            tags: without_own_hosts(
                &page.tags,
                page.base.host_str().map(registrable).unwrap_or_default(),
            ),
            scripts: &page.scripts,
            comments: &page.comments,
            headers: lines(headers.iter().map(|(name, value)| format!("{name}: {value}"))),
            metas: lines(pairs),
            links: lines(page.links.iter().map(|link| link.href.clone())),
        }
    }

    /// A technology if any of its signs is there: the surest sign is the evidence, any sign may tell the version.
    fn look_for(&self, known: &Known, present: &[Vec<bool>]) -> Option<Technology> {
        let mut best: Option<(u8, String)> = None;
        let mut version: Option<String> = None;
        for sign in known
            .signs
            .iter()
            .filter(|sign| present[sign.place as usize][sign.number])
        {
            let Some((evidence, told_version)) = self.find(sign.place, sign.regex()) else {
                continue;
            };
            version = version.or(told_version);
            if best.as_ref().is_none_or(|(surest, _)| sign.confidence > *surest) {
                best = Some((sign.confidence, format!("{}: {evidence}", sign.place.as_str())));
            }
        }
        let (confidence, evidence) = best?;
        Some(told(known.entry, version, confidence, evidence))
    }

    fn text(&self, place: Place) -> &str {
        match place {
            Place::Generator => &self.generators,
            Place::Asset => &self.assets,
            Place::Tag => &self.tags,
            Place::Script => self.scripts,
            Place::Comment => self.comments,
            Place::Header => &self.headers,
            Place::Meta => &self.metas,
            Place::Link => &self.links,
        }
    }

    /// The evidence in a place, and the version in the first match that tells one.
    fn find(&self, place: Place, pattern: &Regex) -> Option<(String, Option<String>)> {
        let text = self.text(place);
        let mut hits = pattern.captures_iter(text.as_bytes()).take(MAX_MATCHES);
        let first = hits.next()?;
        let evidence = evidence(text, &first, place);
        let version = version(&first).or_else(|| {
            // Without a group for it there is no version to look for.
            if pattern.captures_len() > 1 {
                hits.find_map(|hit| version(&hit))
            } else {
                None
            }
        });
        Some((evidence, version))
    }
}

/// The line that matched, or of long texts the match alone.
fn evidence(text: &str, hit: &Captures<'_>, place: Place) -> String {
    let range = hit.get(0).map_or(0..0, |all| all.range());
    let bytes = text.as_bytes();
    let piece = if matches!(place, Place::Tag | Place::Script | Place::Comment) {
        &bytes[range]
    } else {
        let start = memchr::memrchr(b'\n', &bytes[..range.start]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &bytes[range.end..]).map_or(bytes.len(), |at| range.end + at);
        &bytes[start..end]
    };
    String::from_utf8_lossy(piece).trim().chars().take(200).collect()
}

/// Drops `//host` from URLs whose host belongs to a site.
fn without_own_hosts<'a>(tags: &'a str, site: &str) -> Cow<'a, str> {
    if site.is_empty() || memchr::memmem::find(tags.as_bytes(), site.as_bytes()).is_none() {
        return Cow::Borrowed(tags);
    }
    let mut kept = String::with_capacity(tags.len());
    let mut rest = tags;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"//") {
        let after = &rest[at + 2..];
        let length = after
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            .count();
        let is_own = after[..length]
            .strip_suffix(site)
            .is_some_and(|sub| sub.is_empty() || sub.ends_with('.'));
        kept.push_str(&rest[..at]);
        kept.push_str(if is_own { "" } else { &rest[at..at + 2 + length] });
        rest = &after[length..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

fn version(hit: &Captures<'_>) -> Option<String> {
    let group = (1..hit.len()).find_map(|group| hit.get(group))?;
    Some(String::from_utf8_lossy(group.as_bytes()).into_owned())
}

fn lines(items: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for item in items {
        text.push_str(&item.replace(['\n', '\r'], " "));
        text.push('\n');
    }
    text
}

fn told(entry: &Entry, version: Option<String>, confidence: u8, evidence: String) -> Technology {
    Technology {
        name: entry.name.to_owned(),
        version: version.map(|version| version.trim_end_matches('.').to_owned()),
        categories: entry
            .categories
            .iter()
            .map(|category| (*category).to_owned())
            .collect(),
        confidence,
        evidence,
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::outline::outline;
    use super::*;

    fn found(html: &str, headers: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let page = outline(html, &Url::parse("https://site.test/").unwrap());
        let headers = Headers::new(
            headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        technologies(&page, &headers)
            .into_iter()
            .map(|found| (found.name, found.version))
            .collect()
    }

    fn one(name: &str, version: Option<&str>) -> (String, Option<String>) {
        (name.to_owned(), version.map(str::to_owned))
    }

    #[test]
    fn wordpress_is_known_by_what_it_leaves_not_by_its_name() {
        assert_eq!(
            found(
                "<p>We love WordPress and Elementor, powered by wordpress</p><a href='https://wordpress.org'>",
                &[]
            ),
            []
        );
        assert!(
            found("<meta content='WordPress 6.4.2' name=generator>", &[])
                .contains(&one("WordPress", Some("6.4.2")))
        );
        let by_theme = "<script src='/wp-content/themes/x/a.js'></script>";
        assert!(found(by_theme, &[]).contains(&one("WordPress", None)));
        let own_picture = "<img src='https://cdn.site.test/blog/wp-content/uploads/a.png'>";
        assert!(found(own_picture, &[]).contains(&one("WordPress", None)));
        assert_eq!(
            found("<img src='https://other.test/wp-content/uploads/a.png'>", &[]),
            []
        );
    }

    #[test]
    fn elementor_tells_its_version_in_assets_and_generator() {
        let by_asset = "<link rel=stylesheet href='/wp-content/plugins/elementor/assets/css/frontend.min.css?ver=3.5.0'>";
        assert!(found(by_asset, &[]).contains(&one("Elementor", Some("3.5.0"))));
        let by_meta = "<meta name=generator content='Elementor 3.18.3; features: e_dom_optimization; settings: css_print'>";
        assert!(found(by_meta, &[]).contains(&one("Elementor", Some("3.18.3"))));
    }

    #[test]
    fn libraries_tell_versions_in_their_file_names_and_queries() {
        for (src, name, version) in [
            (
                "/wp-includes/js/jquery/jquery.min.js?ver=3.7.1",
                "jQuery",
                "3.7.1",
            ),
            ("https://code.jquery.com/jquery-3.6.0.min.js", "jQuery", "3.6.0"),
            (
                "https://cdn.jsdelivr.net/npm/bootstrap@5.1.3/dist/js/bootstrap.bundle.min.js",
                "Bootstrap",
                "5.1.3",
            ),
            (
                "https://unpkg.com/vue@3.2.1/dist/vue.global.js",
                "Vue.js",
                "3.2.1",
            ),
        ] {
            let technologies = found(&format!("<script src='{src}'></script>"), &[]);
            assert!(
                technologies.contains(&one(name, Some(version))),
                "{src}: {technologies:?}"
            );
        }
    }

    #[test]
    fn header_fields_tell_servers() {
        let headers = [
            ("server", "nginx/1.22.1"),
            ("x-powered-by", "PHP/8.2.1"),
            ("cf-ray", "1-VIE"),
        ];
        let technologies = found("", &headers);
        for wanted in [
            one("nginx", Some("1.22.1")),
            one("PHP", Some("8.2.1")),
            one("Cloudflare", None),
        ] {
            assert!(technologies.contains(&wanted), "{technologies:?}");
        }
    }

    #[test]
    fn what_a_technology_implies_is_told() {
        let technologies = found(
            "<script src='/wp-content/plugins/woocommerce/assets/js/x.js?ver=8.1'></script>",
            &[],
        );
        assert!(
            technologies.contains(&one("WooCommerce", Some("8.1")))
                && technologies.contains(&one("WordPress", None))
        );
    }
}
