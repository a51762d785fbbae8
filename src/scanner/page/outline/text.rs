//! Decides how the texts of a page's elements are joined.

use ego_tree::NodeRef;
use scraper::Node;

/// Whether a text that directly follows another, in a separate element, does not belong to the same word: an email
/// address after its label or a number, or a host after an address. Anything else may be a word that is partly bold.
pub(super) fn begins_address(before: &str, text: &str) -> bool {
    const LABELS: &[&str] = &[
        "mail", "email", "e-mail", "epost", "e-post", "eposta", "e-posta", "correo", "courriel",
    ];
    const SHORTEST_NUMBER: usize = 3;
    const MAX_WORD: usize = 320;
    let word = text.split(char::is_whitespace).next().unwrap_or_default();
    let is_address = word
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    let is_host = word
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("www."));
    if !is_address && !is_host {
        return false;
    }
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(MAX_WORD))..];
    let last = near.rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_label = || LABELS.iter().any(|label| last.eq_ignore_ascii_case(label));
    let is_number = || last.len() >= SHORTEST_NUMBER && last.bytes().all(|byte| byte.is_ascii_digit());
    is_host && last.contains('@') || is_address && (is_label() || is_number())
}

/// Whether this text of an inline element begins a new line, although nothing separates it from the element before:
/// both have several words, which nobody writes without a space, and styles show each on a separate line
/// (`<span>Kirchplatz 8</span><span>83024 Rosenheim</span>`).
pub(super) fn begins_line(node: NodeRef<'_, Node>, text: &str) -> bool {
    let is_inline = |node: NodeRef<'_, Node>| {
        let name = node.value().as_element().map(scraper::node::Element::name);
        name.is_some_and(|name| {
            matches!(
                name,
                "span" | "a" | "b" | "strong" | "em" | "i" | "small" | "font"
            )
        })
    };
    let has_words = |text: &str| text.trim().contains(' ') && text.contains(char::is_alphabetic);
    let begins = text.starts_with(|first: char| first.is_uppercase() || first.is_numeric());
    if !begins || !has_words(text) || node.prev_sibling().is_some() {
        return false;
    }
    let Some(parent) = node.parent().filter(|parent| is_inline(*parent)) else {
        return false;
    };
    let before = parent.prev_sibling().filter(|before| is_inline(*before));
    let last = before.and_then(|before| before.last_child());
    let last = last.as_ref().and_then(|last| last.value().as_text());
    last.is_some_and(|last| last.ends_with(char::is_alphanumeric) && has_words(last))
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn append(text: &mut String, more: &str, limit: usize) {
    if text.len() < limit {
        text.push(' ');
        text.extend(more.chars().take(limit));
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::outline;

    #[test]
    fn elements_side_by_side_are_lines_if_they_have_several_words() {
        let text = |html: &str| outline(html, &Url::parse("https://site.test/").unwrap()).text;
        for (html, wanted) in [
            (
                "<p><span>Acme Bau</span><span>Kirchplatz 8</span><span>83024 Rosenheim</span>",
                "Acme Bau\nKirchplatz 8\n83024 Rosenheim",
            ),
            ("<p><b>Ac</b><span>ME Tools</span>", "AcME Tools"),
            ("<p><span>0512 34</span><span>56 78</span>", "0512 3456 78"),
            ("<p><span>our new</span><span>er Tools</span>", "our newer Tools"),
            (
                "<p><span>Acme Bau</span> <span>Kirchplatz 8</span>",
                "Acme Bau Kirchplatz 8",
            ),
        ] {
            assert_eq!(text(html).trim(), wanted, "{html}");
        }
    }
}
