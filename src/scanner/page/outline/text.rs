//! Texts of a page as they are put together from those of its elements.

/// Whether a text right behind another, in an element of its own, is not a part of the same word: an address behind its
/// label or a number, or the host behind an address. Anything else may be a word with a part in bold.
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

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn append(text: &mut String, more: &str, limit: usize) {
    if text.len() < limit {
        text.push(' ');
        text.extend(more.chars().take(limit));
    }
}
