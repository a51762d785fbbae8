//! Whether the reader is inside an element that is called a logo, without a tree to ask.

use crate::scanner::page::html::StartTag;

/// Elements followed inside a logo; a logo holds a link and a picture.
const MAX_OPEN: usize = 64;

/// Names of open elements since one that is called a logo.
#[derive(Debug, Default)]
pub(super) struct LogoScope(Vec<String>);

impl LogoScope {
    /// A start tag came.
    pub(super) fn enter(&mut self, tag: &StartTag<'_>) {
        const WITHOUT_END: &[&str] = &[
            "img", "br", "input", "meta", "link", "hr", "source", "path", "use", "body", "html",
        ];
        if WITHOUT_END.contains(&tag.name.as_str()) || tag.source.ends_with('/') || self.0.len() >= MAX_OPEN {
            return;
        }
        if self.is_inside() || is_called_logo(tag) {
            self.0.push(tag.name.clone());
        }
    }

    /// An end tag came (lower case).
    pub(super) fn leave(&mut self, name: &str) {
        if let Some(at) = self.0.iter().rposition(|open| open == name) {
            self.0.truncate(at);
        }
    }

    pub(super) fn is_inside(&self) -> bool {
        !self.0.is_empty()
    }
}

/// Whether a container is the logo by class or id (`logo`, `site-logo`, `header__logo`), and not one of many
/// (`client-logos`).
fn is_called_logo(tag: &StartTag<'_>) -> bool {
    const OTHERS: &[&str] = &[
        "client", "partner", "sponsor", "footer", "brands", "logos", "customer", "award",
    ];
    ["class", "id"]
        .iter()
        .filter_map(|attribute| tag.raw(attribute))
        .any(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("logo") && !OTHERS.iter().any(|other| value.contains(other))
        })
}
