//! Text from external sources, made safe for terminals and logs.

use std::fmt;

/// Shows a text in one line and writes out what would do something to a terminal or to the text around it: control
/// characters (C0, DEL, C1), line breaks, and characters that turn the direction of writing (Unicode, UAX #9).
///
/// They are written as in JSON (`\u001b`), so that a JSON text stays the same JSON. Tabs are kept.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, acting)) = rest.char_indices().find(|(_, character)| acts(*character)) {
            write!(f, "{}\\u{:04x}", &rest[..at], u32::from(acting))?;
            rest = &rest[at + acting.len_utf8()..];
        }
        f.write_str(rest)
    }
}

/// Whether a character does something instead of being seen. All of them have four hexadecimal digits.
fn acts(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || character.is_control() && character != '\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Printable(text).to_string()
    }

    #[test]
    fn what_acts_on_a_terminal_is_written_out() {
        for (text, wanted) in [
            ("\u{1b}]0;title\u{7}", "\\u001b]0;title\\u0007"),
            ("\u{9b}31m", "\\u009b31m"),
            ("a\u{7f}\u{8}b", "a\\u007f\\u0008b"),
            ("one\r\ntwo", "one\\u000d\\u000atwo"),
            ("\u{202e}gpj.exe\u{2066}", "\\u202egpj.exe\\u2066"),
            ("a\u{200f}\u{61c}\u{2028}", "a\\u200f\\u061c\\u2028"),
        ] {
            assert_eq!(shown(text), wanted);
        }
    }

    #[test]
    fn text_of_any_language_stays_as_it_is() {
        for text in [
            "",
            "Käse\t食品 עברית",
            "क्षि 👩\u{200d}🔬",
            "\\u001b",
            "a\u{a0}b\u{ad}c",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}[\u{7f}\u{202e}\n" });
        let text = shown(&value.to_string());
        assert!(!text.contains(['\u{9b}', '\u{7f}', '\u{202e}']));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }
}
