//! Text from websites, made safe for the cells of a spreadsheet: it cannot run as a formula.

use std::borrow::Cow;

/// Escapes a cell that a spreadsheet would run as a formula, with a leading apostrophe (OWASP, CSV injection).
///
/// A plain number keeps its sign, so that phone numbers (E.164) and figures stay what they are.
pub fn inert_cell(text: &str) -> Cow<'_, str> {
    if is_number(text) || !begins_formula(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{text}"))
}

/// Spreadsheets pass over blanks in front, and some take the full-width forms for the plain ones.
fn begins_formula(text: &str) -> bool {
    let is_passed_over = |c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}';
    let first = text.chars().find(|c| !is_passed_over(*c));
    text.starts_with(['\t', '\r', '\n'])
        || matches!(
            first,
            Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠')
        )
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.splitn(2, '.');
    digits.len() <= 32 && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_a_formula_is_made_a_text() {
        for text in [
            "=1+1",
            "=HYPERLINK(\"http://evil.test\",\"x\")",
            "+cmd|' /C calc'!A0",
            "-2+3+cmd|' /C calc'!A0",
            "@SUM(1+9)*cmd|' /C calc'!A0",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "\u{a0}=1",
            "\u{feff}=1",
            "\0=1",
            "＝1+1",
            "|calc",
            "%0A",
            "+",
            "-",
            "+1.2.3",
            "+1 =2",
        ] {
            assert_eq!(inert_cell(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn what_is_none_stays_as_it_is() {
        for text in [
            "",
            "a",
            "a=b",
            "Tom & Jerry",
            "+4989123456",
            "-12.5",
            "0",
            "'=1",
            "x@y.test",
            "https://a.test/?q=1",
        ] {
            assert_eq!(inert_cell(text), text);
        }
    }
}
