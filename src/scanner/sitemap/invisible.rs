//! Invisible characters that generators leave in URLs and dates.

use std::borrow::Cow;

/// Zero-width marks, joiners and spaces. They have no meaning at the ends of a text.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// The two joiners (U+200C, U+200D), which words in some scripts need. No word needs the other invisible characters.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

fn is_blank(character: char) -> bool {
    character.is_whitespace() || is_invisible(character)
}

/// A text without whitespace and invisible characters at its ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The same, at the beginning only.
pub(super) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// The same, and without invisible characters inside, except joiners.
pub(super) fn cleaned(text: &str) -> Cow<'_, str> {
    let is_dirt = |character: char| is_invisible(character) && !is_joiner(character);
    let text = trim(text);
    if text.contains(is_dirt) {
        Cow::Owned(text.replace(is_dirt, ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_go_and_joiners_stay_in_words() {
        assert_eq!(trim("\u{feff} \u{200b}https://a/\u{200d}\n"), "https://a/");
        assert_eq!(cleaned("https://\u{200b}a/b\u{ad}c\u{feff}"), "https://a/bc");
        assert_eq!(cleaned("\u{200f}می\u{200c}خواهم\u{200c}"), "می\u{200c}خواهم");
        assert!(matches!(cleaned("https://a/"), Cow::Borrowed(_)));
    }
}
