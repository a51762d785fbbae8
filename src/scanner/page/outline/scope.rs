//! Whether the reader is inside an element of some kind, without a tree to ask.

use crate::scanner::page::html::StartTag;

/// Elements followed inside one; deeper ones belong to it all the same.
const MAX_OPEN: usize = 64;

/// Names of open elements since one that began the scope.
#[derive(Debug, Default)]
pub(super) struct Scope(Vec<String>);

impl Scope {
    /// A start tag came; `begins` says whether it is of the kind.
    pub(super) fn enter(&mut self, tag: &StartTag<'_>, begins: impl Fn(&StartTag<'_>) -> bool) {
        const WITHOUT_END: &[&str] = &[
            "img", "br", "input", "meta", "link", "hr", "source", "path", "use", "body", "html",
        ];
        if WITHOUT_END.contains(&tag.name.as_str()) || tag.source.ends_with('/') || self.0.len() >= MAX_OPEN {
            return;
        }
        if self.is_inside() || begins(tag) {
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

/// Words of class and id, each as its parts (`header__logo`: `header`, `logo`).
fn words<'a>(tag: &StartTag<'a>) -> impl Iterator<Item = &'a str> {
    ["class", "id"]
        .into_iter()
        .filter_map(|attribute| tag.raw(attribute))
        .flat_map(str::split_ascii_whitespace)
}

fn parts(word: &str) -> impl DoubleEndedIterator<Item = &str> {
    word.split(['-', '_']).filter(|part| !part.is_empty())
}

fn is_any(part: &str, known: &[&str]) -> bool {
    known.iter().any(|word| part.eq_ignore_ascii_case(word))
}

/// Whether a container is the logo by class or id: `logo`, `site-logo`, `header__logo`, `logo-link`. Not where the
/// logo is (`logo_left` of a header), nor one of many (`client-logo`).
pub(super) fn is_called_logo(tag: &StartTag<'_>) -> bool {
    const AROUND: &[&str] = &[
        "wrap",
        "wrapper",
        "container",
        "link",
        "img",
        "image",
        "box",
        "area",
        "block",
        "inner",
        "holder",
        "text",
    ];
    const OTHERS: &[&str] = &[
        "client",
        "clients",
        "partner",
        "partners",
        "sponsor",
        "sponsors",
        "footer",
        "brands",
        "customer",
        "customers",
        "award",
        "awards",
        "payment",
    ];
    if matches!(tag.name.as_str(), "header" | "section" | "main" | "article") {
        return false;
    }
    let is_logo = |part: &str| {
        let part = part.to_ascii_lowercase();
        part.ends_with("logo") && !part.ends_with("alogo")
    };
    words(tag).any(|word| {
        // Bootstrap and its kin call the logo of a bar its brand.
        if is_any(
            word,
            &[
                "navbar-brand",
                "navbar-logo",
                "brand-logo",
                "site-branding",
                "site-brand",
                "header-brand",
                "nav-brand",
                "navbar__brand",
                "brandlogo",
            ],
        ) {
            return true;
        }
        let mut from_the_end = parts(word).rev();
        let last = from_the_end.next().unwrap_or_default();
        let first = parts(word).next().unwrap_or_default();
        let is_it = is_logo(last) || is_logo(first) && is_any(last, AROUND);
        is_it && !parts(word).any(|part| is_any(part, OTHERS))
    })
}

/// Whether a container holds what visitors wrote: `comments`, `comment-list`, `commentlist`, `comment-12`.
pub(super) fn is_called_comments(tag: &StartTag<'_>) -> bool {
    const NOT: &[&str] = &[
        "open", "closed", "link", "links", "count", "form", "no", "has", "button", "off", "on",
    ];
    if matches!(tag.name.as_str(), "header" | "main" | "a") {
        return false;
    }
    words(tag).any(|word| {
        let first = parts(word).next().unwrap_or_default();
        is_any(
            first,
            &["comment", "comments", "commentlist", "commentbody", "disqus"],
        ) && !parts(word).any(|part| is_any(part, NOT))
    })
}

/// Whether a container is what ends every page of a site.
pub(super) fn is_footer(tag: &StartTag<'_>) -> bool {
    tag.name == "footer"
        || matches!(tag.name.as_str(), "div" | "section" | "aside")
            && words(tag).any(|word| {
                parts(word).any(|part| is_any(part, &["footer", "colophon", "sitefooter", "pagefooter"]))
            })
}

/// Whether a container is what stands around the content on every page of a site.
pub(super) fn is_frame(tag: &StartTag<'_>) -> bool {
    const FRAME: &[&str] = &["header", "footer", "nav", "topbar", "navbar", "menu"];
    matches!(tag.name.as_str(), "footer" | "nav" | "header")
        || tag.name == "div"
            && ["id", "class"]
                .into_iter()
                .filter_map(|attribute| tag.raw(attribute))
                .flat_map(str::split_ascii_whitespace)
                .any(|word| {
                    is_any(word, FRAME)
                        || parts(word)
                            .next_back()
                            .is_some_and(|last| is_any(last, &["footer"]))
                })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::page::html::tag;

    #[test]
    fn a_logo_is_told_from_where_it_is_and_from_those_of_others() {
        for (source, wanted) in [
            ("div class='site-logo'", true),
            ("a class=header__logo", true),
            ("div id=logo", true),
            ("span class='logo-wrap x'", true),
            ("div class=siteLogo", true),
            ("header class='av_logo_left'", false),
            ("div class=av_logo_left", false),
            ("div class=client-logo", false),
            ("div class=logout", false),
            ("ul class=catalogo", false),
        ] {
            assert_eq!(is_called_logo(&tag(source)), wanted, "{source}");
        }
    }

    #[test]
    fn comments_are_told_from_links_to_them() {
        for (source, wanted) in [
            ("div id=comments", true),
            ("li id=comment-12", true),
            ("ol class=commentlist", true),
            ("span class=comments-link", false),
            ("div class=comments-closed", false),
            ("div class=content", false),
        ] {
            assert_eq!(is_called_comments(&tag(source)), wanted, "{source}");
        }
    }
}
