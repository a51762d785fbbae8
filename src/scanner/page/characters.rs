//! Characters that are written in place of others, and invisible ones.

/// Whether a reader does not see a character, and no word needs it: soft hyphens, zero-width blanks and joiners, marks
/// of direction.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// The text without them.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .filter(|character| !is_invisible(*character))
        .collect()
}

/// The ASCII digit of a digit in any script.
pub(super) fn digit(character: char) -> Option<char> {
    /// Where the ten digits of a script begin (Unicode general category Nd, those of living scripts).
    const ZEROS: &[u32] = &[
        0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
        0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10,
    ];
    if character.is_ascii() {
        return Some(character).filter(char::is_ascii_digit);
    }
    let code = u32::from(character);
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code))?;
    char::from_digit(code - zero, 10)
}

/// The ASCII character of a full-width character (`ａ`, `＠`, `．`), or the character itself.
pub(super) fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        '\u{3000}' => ' ',
        other => other,
    }
}

/// Whether a letter is written in Latin script.
pub(super) fn is_latin(letter: char) -> bool {
    letter.is_alphabetic() && matches!(letter, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts_are_digits() {
        for text in [
            "0123456789",
            "０１２３４５６７８９",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "๐๑๒๓๔๕๖๗๘๙",
        ] {
            let digits: String = text.chars().filter_map(digit).collect();
            assert_eq!(digits, "0123456789", "{text}");
        }
        assert_eq!(digit('x').or(digit('十')), None);
    }

    #[test]
    fn what_nobody_sees_is_taken_out() {
        assert_eq!(visible("\u{feff}in\u{ad}fo\u{200b}"), "info");
        assert_eq!(narrow('＠'), '@');
    }
}
