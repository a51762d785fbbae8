//! What the head of a page says about it: title, description, canonical URL, picture, feeds, sitemaps.

use url::Url;

use super::json_ld::{Node, has_type, is_organization, texts};
use super::outline::Outline;

/// Longest description that is kept, in characters.
const MAX_DESCRIPTION: usize = 5_000;

/// `<title>`, else what the page is shared as.
pub(super) fn title(page: &Outline) -> Option<String> {
    page.title
        .clone()
        .or_else(|| meta(page, &["og:title", "twitter:title"]))
}

/// What the site calls itself: `og:site_name`, the name of its JSON-LD, the name of its application.
pub(super) fn site_name(page: &Outline, nodes: &[Node]) -> Option<String> {
    meta(page, &["og:site_name"])
        .or_else(|| name_of(nodes, |node| has_type(node, "WebSite")))
        .or_else(|| name_of(nodes, is_organization))
        .or_else(|| meta(page, &["application-name", "apple-mobile-web-app-title"]))
}

fn name_of(nodes: &[Node], is_wanted: impl Fn(&Node) -> bool) -> Option<String> {
    let wanted = nodes.iter().filter(|node| is_wanted(node));
    wanted.flat_map(|node| texts(node, "name")).next()
}

/// `<meta name=description>`, else what the page is shared with.
pub(super) fn description(page: &Outline) -> Option<String> {
    meta(
        page,
        &[
            "description",
            "og:description",
            "twitter:description",
            "dcterms.description",
            "dc.description",
        ],
    )
    .map(|text| text.chars().take(MAX_DESCRIPTION).collect())
}

/// `<link rel=canonical>`, absolute.
pub(super) fn canonical(page: &Outline) -> Option<String> {
    let link = page.links.iter().find(|link| has_word(&link.rel, "canonical"))?;
    absolute(page, &link.href)
}

/// The picture that the page is shared with, absolute.
pub(super) fn image(page: &Outline) -> Option<String> {
    let names = [
        "og:image:secure_url",
        "og:image",
        "og:image:url",
        "twitter:image",
        "twitter:image:src",
        "image",
    ];
    let shared = meta(page, &names).and_then(|url| absolute(page, &url));
    shared.or_else(|| {
        let link = page.links.iter().find(|link| has_word(&link.rel, "image_src"))?;
        absolute(page, &link.href)
    })
}

/// RSS, Atom and JSON feeds, absolute.
pub(super) fn feeds(page: &Outline) -> Vec<String> {
    const TYPES: &[&str] = &[
        "application/rss+xml",
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
    ];
    let is_feed = |media_type: &str| TYPES.iter().any(|known| media_type.starts_with(known));
    let links = page
        .links
        .iter()
        .filter(|link| has_word(&link.rel, "alternate") && is_feed(&link.media_type));
    distinct(links.filter_map(|link| absolute(page, &link.href)))
}

/// `<link rel=sitemap>`, absolute.
pub(super) fn sitemaps(page: &Outline) -> Vec<Url> {
    let links = page.links.iter().filter(|link| has_word(&link.rel, "sitemap"));
    links.filter_map(|link| page.base.join(&link.href).ok()).collect()
}

/// The first of some metas, in the order of the names.
pub(super) fn meta(page: &Outline, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let (_, content) = page.metas.iter().find(|(known, _)| known == name)?;
        let text = content.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    })
}

/// An http(s) URL in full.
pub(super) fn absolute(page: &Outline, url: &str) -> Option<String> {
    let url = page.base.join(url.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then(|| url.into())
}

pub(super) fn has_word(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

/// The first of each, in order.
pub(super) fn distinct(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in items.take(1_000) {
        if !found.contains(&item) {
            found.push(item);
        }
    }
    found
}
