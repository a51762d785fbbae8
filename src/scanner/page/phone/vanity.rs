//! Toll-free numbers of North America that end with a word: `1-800-GOT-JUNK`.

use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

use super::label::{Kind, kinds};

/// Maximum number of words examined per page.
const MAX_WORDS: usize = 100;

/// Bytes in front of a number that may be its label.
const MAX_LABEL: usize = 60;

/// The numbers in a text that have a phone label, as written.
pub(super) fn toll_free_words(text: &str) -> impl Iterator<Item = (&str, PhoneNumber)> {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?:1[-. ])?\(?8(?:00|33|44|55|66|77|88)\)?[-. ]{1,2}[A-Z0-9]{1,7}(?:-[A-Z0-9]{1,6}){0,3}",
        )
        .expect("the pattern is constant")
    });
    WORDS.find_iter(text).take(MAX_WORDS).filter_map(move |found| {
        let (before, behind) = (&text[..found.start()], &text[found.end()..]);
        let goes_on = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '-');
        if goes_on(before.chars().next_back()) || goes_on(behind.chars().next()) {
            return None;
        }
        let near = &before[before.ceil_char_boundary(before.len().saturating_sub(MAX_LABEL))..];
        let label = near.rsplit('\n').next().unwrap_or_default();
        let letters = found.as_str().bytes().filter(u8::is_ascii_uppercase).count();
        let digits: String = found.as_str().chars().filter_map(key).collect();
        let is_whole = digits.trim_start_matches('1').len() == 10;
        if letters < 3 || !is_whole || !kinds(label).contains(&Kind::Phone) {
            return None;
        }
        let number = PHONE_NUMBER_UTIL.parse(&digits, Some(Region::US)).ok()?;
        number.is_valid().then(|| (found.as_str(), number))
    })
}

/// The phone key for a digit or letter (ITU-T E.161).
fn key(sign: char) -> Option<char> {
    const KEYS: [(&str, char); 8] = [
        ("ABC", '2'),
        ("DEF", '3'),
        ("GHI", '4'),
        ("JKL", '5'),
        ("MNO", '6'),
        ("PQRS", '7'),
        ("TUV", '8'),
        ("WXYZ", '9'),
    ];
    if sign.is_ascii_digit() {
        return Some(sign);
    }
    let mut keys = KEYS.iter();
    keys.find(|(letters, _)| letters.contains(sign))
        .map(|(_, key)| *key)
}

#[cfg(test)]
mod tests {
    use super::super::e164;
    use super::*;

    #[test]
    fn words_count_behind_toll_free_codes_and_a_label() {
        for (text, wanted) in [
            ("Book online or call 1-800-GOT-JUNK today!", Some("+18004685865")),
            ("Phone: (800) 555-HELP", Some("+18005554357")),
            ("1-800-GOT-JUNK", None),
            ("call 1-212-GOT-JUNK", None),
            ("call 1-800-GOT-JUNKYARD", None),
            ("call 800 AB12345-CDE", None),
            ("call 800 555 0199", None),
        ] {
            let found = toll_free_words(text).next().map(|(_, number)| e164(&number));
            assert_eq!(found.as_deref(), wanted, "{text}");
        }
    }
}
