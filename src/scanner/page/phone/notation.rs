//! Converts the notations of some countries to the form that the general rules recognise.

use std::borrow::Cow;

use rlibphonenumber::Region;

use super::shape::is_domestic_with_slash;

/// A text in ASCII, in the form that the general rules for numbers expect.
pub(super) fn usual(text: &str, region: Option<Region>) -> Cow<'_, str> {
    // Slashes between all parts, as in `+36/20/829-3174`, look like a date.
    let is_slashed = text.matches('/').count() > 1;
    match region {
        // Only the area code is written, without a trunk prefix: `62/829-317`.
        Some(Region::HU) if is_domestic_with_slash(text) => {
            Cow::Owned(format!("06 {}", text.replace('/', " ")))
        }
        None | Some(Region::HU) if is_slashed => Cow::Owned(text.replace('/', " ")),
        // The zero that callers dialled until 2005: `(0-12) 345 67 89`.
        Some(Region::PL) => match text.trim_start_matches('(').strip_prefix("0-") {
            Some(rest) => Cow::Owned(rest.replacen(')', "", 1)),
            None => Cow::Borrowed(text),
        },
        // A closing bracket after the area code without an opening one: `02)829-3174`.
        Some(Region::KR) if text.contains(')') && !text.contains('(') => {
            Cow::Owned(text.replacen(')', "-", 1))
        }
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_a_country_are_made_usual() {
        for (text, region, wanted) in [
            ("62/829-317", Some(Region::HU), "06 62 829-317"),
            ("06/20/829-3174", Some(Region::HU), "06 20 829-3174"),
            ("+36/20/829-3174", None, "+36 20 829-3174"),
            ("030/901820", Some(Region::DE), "030/901820"),
            ("62/829-317", Some(Region::DE), "62/829-317"),
            ("(0-12) 345 67 89", Some(Region::PL), "12 345 67 89"),
            ("12 345 67 89", Some(Region::PL), "12 345 67 89"),
            ("02)829-3174", Some(Region::KR), "02-829-3174"),
            ("(02)829-3174", Some(Region::KR), "(02)829-3174"),
        ] {
            assert_eq!(usual(text, region), wanted, "{text}");
        }
    }
}
