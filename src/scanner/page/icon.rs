//! The favicon of a site.

use super::head::{absolute, has_word};
use super::outline::{Link, Outline};

/// The first `<link rel="icon">`, else the touch icon, else a mask icon; absolute. `/favicon.ico` is not assumed.
pub(super) fn favicon(page: &Outline) -> Option<String> {
    let first = |wanted: &dyn Fn(&Link) -> bool| {
        let mut links = page
            .links
            .iter()
            .filter(|link| wanted(link) && !link.href.starts_with("data:"));
        links.find_map(|link| absolute(page, &link.href))
    };
    first(&|link| has_word(&link.rel, "icon"))
        .or_else(|| first(&|link| link.rel.starts_with("apple-touch-icon")))
        .or_else(|| first(&|link| link.rel.contains("icon")))
}
