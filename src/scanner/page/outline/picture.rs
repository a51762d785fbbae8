//! The picture that an element shows.

use scraper::node::Element;

use crate::scanner::page::tree::attribute;

/// The URL of the picture that an `<img>` finally shows: with lazy loading, scripts replace a placeholder with it.
pub(super) fn picture(element: &Element) -> Option<&str> {
    const LATER: &[&str] = &[
        "data-src",
        "data-lazy-src",
        "data-original",
        "data-lazy",
        "data-orig-src",
        "data-litespeed-src",
        "data-cfsrc",
        "data-pagespeed-lazy-src",
        "data-image",
        "data-url",
    ];
    let now = attribute(element, "src").filter(is_url);
    let later = || {
        LATER
            .iter()
            .find_map(|name| attribute(element, name))
            .filter(is_url)
    };
    match now {
        Some(url) if !is_placeholder_picture(url) => Some(url),
        now => later().or_else(|| of_set(element)).or(now),
    }
}

/// Whether a text may be the URL of a picture that can be fetched.
fn is_url(url: &&str) -> bool {
    !["data:", "blob:", "about:", "#"]
        .iter()
        .any(|start| url.starts_with(start))
}

/// The first picture of a set: `a.png 1x, b.png 2x`.
pub(super) fn of_set(element: &Element) -> Option<&str> {
    let sets = ["srcset", "data-srcset", "data-lazy-srcset"];
    let set = sets.iter().find_map(|name| attribute(element, name))?;
    let first = set.split(", ").next()?.split_whitespace().next()?;
    Some(first.trim_end_matches(',')).filter(is_url)
}

/// The background picture of an element, from its style: `background-image: url(a.png)`.
pub(super) fn of_style(style: &str) -> Option<&str> {
    let (_, background) = style.split_once("background")?;
    let (_, url) = background.split_once("url(")?;
    let (url, _) = url.split_once(')')?;
    let url = url.trim().trim_matches(['"', '\'']);
    Some(url).filter(|url| !url.is_empty() && is_url(url))
}

/// Whether a picture is only shown until the real one is loaded: `/img/blank.gif`.
fn is_placeholder_picture(url: &str) -> bool {
    const NAMES: &str = "blank placeholder spacer transparent lazy loading loader pixel 1x1 empty dummy clear preload grey \
        gray trans spinner white fallback dot";
    let name = url
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .rsplit('/')
        .next();
    let stem = name
        .and_then(|name| name.split('.').next())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is_one = |word: &str| NAMES.split_ascii_whitespace().any(|name| name == word);
    matches!(stem.as_str(), "px" | "s" | "t" | "x") || is_one(&stem) || stem.split(['-', '_']).any(is_one)
}
