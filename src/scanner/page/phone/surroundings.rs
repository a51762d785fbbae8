//! The text directly before and after digits: whether they are part of something else, or need a label to count as a
//! phone number.

use super::label::is_of_machine;
use super::shape::{is_domestic_with_slash, is_grouped_by_thousands};
use super::text::ascii;
use crate::scanner::page::characters::{digit, is_latin};

/// Shorter numbers are service numbers.
const MIN_DIGITS: usize = 7;

/// Whether a number needs a label to count; `None` if no label helps, because it is part of something else (`AB-123
/// 456`, `100 %`, `01 582 93 EUR`). `run` is the start of the run of digits that it belongs to.
pub(super) fn needs_label(line: &str, range: std::ops::Range<usize>, run: usize) -> Option<bool> {
    let text = &line[range.clone()];
    let (before, behind) = (&line[..range.start], &line[range.end..]);
    if is_in_code(before, behind) || is_in_figure(before, behind) {
        return None;
    }
    let groups = text
        .split(|character| digit(character).is_none())
        .filter(|group| !group.is_empty())
        .count();
    let is_bare = groups < 2 && !text.starts_with(['+', '＋', '(']);
    let is_short = text.chars().filter_map(digit).count() < MIN_DIGITS;
    Some(
        is_bare
            || is_short
            || is_glued(line, &range, run)
            || is_behind_sign(before)
            || is_behind_sign(&line[..run])
            || is_domestic_with_slash(text)
            || is_grouped_by_thousands(&ascii(text)),
    )
}

/// Whether a text ends with a symbol that can number anything: `KM# 43`.
fn is_behind_sign(text: &str) -> bool {
    text.trim_end().ends_with(['#', '№'])
}

/// Whether digits are part of an amount, a measure or a larger number.
fn is_in_figure(before: &str, behind: &str) -> bool {
    const UNITS: [char; 11] = ['%', '€', '$', '£', '¥', '°', '@', '=', '&', '#', '№'];
    const CURRENCIES: [char; 8] = ['€', '$', '£', '¥', '₽', '₴', '₺', '₹'];
    let last = before.chars().next_back();
    let mut next = behind.chars();
    let first = next.next();
    let is_unit = |sign: Option<char>| sign.is_some_and(|sign| UNITS.contains(&sign));
    let goes_on = matches!(first, Some(',' | ':')) && next.next().is_some_and(|next| next.is_ascii_digit());
    let has_begun = matches!(last, Some(',' | '.'))
        && before
            .chars()
            .rev()
            .nth(1)
            .is_some_and(|sign| sign.is_ascii_digit());
    is_unit(last)
        || is_unit(first) && first != Some('&')
        || goes_on
        || has_begun
        || before.trim_end().ends_with(CURRENCIES)
        || begins_currency(behind)
}

/// Whether a text begins with a currency, as after an amount: ` EUR`, ` Kč`.
fn begins_currency(text: &str) -> bool {
    const CURRENCIES: &[&str] = &[
        "eur", "euro", "usd", "gbp", "chf", "pln", "zł", "czk", "kč", "huf", "ft", "ron", "lei", "sek",
        "nok", "dkk", "kr", "rub", "руб", "грн", "uah", "kzt", "try", "tl", "aud", "cad", "jpy", "cny",
        "inr", "rs", "円", "元", "원",
    ];
    let text = text.trim_start_matches([' ', '\u{a0}']);
    if text.starts_with(['€', '$', '£', '₽', '₴', '₸', '₺', '₹']) {
        return true;
    }
    let word: String = text.chars().take_while(|sign| sign.is_alphabetic()).collect();
    CURRENCIES.contains(&word.to_lowercase().as_str())
}

/// Whether digits are part of a code, joined to its letters by a dash: `INV-2024-008293`, `218-555-0147-A`. A label
/// may be joined in the same way: `Tel-030 …`.
fn is_in_code(before: &str, behind: &str) -> bool {
    const LONGEST_PART: usize = 4;
    let is_dash = |sign: char| matches!(sign, '-' | '‐' | '‑' | '_');
    // Longer words are a department or a person: `OFFICE-1(516) …`.
    let is_part = |part: &[char]| {
        let is_of_code = |sign: &char| sign.is_uppercase() && is_latin(*sign) || sign.is_ascii_digit();
        let word: String = part.iter().collect();
        (1..=LONGEST_PART).contains(&part.len()) && part.iter().all(is_of_code) && !is_of_machine(&word)
    };
    let begins = before.strip_suffix(is_dash).is_some_and(|before| {
        let letters = before.chars().rev().take_while(|sign| sign.is_alphabetic());
        let part: Vec<char> = letters.take(LONGEST_PART + 1).collect();
        is_part(&part.into_iter().rev().collect::<Vec<_>>())
    });
    let ends = behind.strip_prefix(is_dash).is_some_and(|behind| {
        let signs = behind.chars().take_while(|sign| sign.is_alphanumeric());
        is_part(&signs.take(LONGEST_PART + 1).collect::<Vec<_>>())
    });
    begins || ends
}

/// Whether a number is joined without a space to its label (`Tel0316 …`), to the next label (`…Fax`), or to other
/// text.
fn is_glued(line: &str, range: &std::ops::Range<usize>, run: usize) -> bool {
    let is_letter = |sign: Option<char>| sign.is_some_and(|sign| is_latin(sign) || sign == '_');
    let before = line[..range.start].chars().next_back();
    let after = line[range.end..].chars().next();
    // The run may begin before the number: `DE89 3704 …`.
    let before_run = line[..run].chars().next_back();
    // `Tel.0316 …` has a label, `j.envint.2019.105078` does not.
    let is_behind_point = before == Some('.') && is_letter(line[..range.start].chars().rev().nth(1));
    is_letter(before)
        || is_behind_point
        || is_letter(before_run)
        || is_letter(after) && !begins_extension(&line[range.end..])
}

/// `…x12`, `…ext. 12`
fn begins_extension(text: &str) -> bool {
    let word: String = text.chars().take_while(|sign| sign.is_alphabetic()).collect();
    matches!(word.to_lowercase().as_str(), "x" | "ext" | "extn" | "extension")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, number: &str, behind: &str) -> Option<bool> {
        let line = format!("{before}{number}{behind}");
        let range = before.len()..before.len() + number.len();
        let run = range.start;
        needs_label(&line, range, run)
    }

    #[test]
    fn digits_of_codes_and_figures_are_no_numbers() {
        for (before, number, behind) in [
            ("INV-", "2024-008293", ""),
            ("CA-BIO-", "002-182 93", ""),
            ("Part 5: ", "218-555-0147", "-A"),
            ("Los 1: ", "01 582 93", " EUR"),
            ("€ ", "1 829 300", ""),
            ("", "12 345 67", " Kč"),
            ("", "12 345 67", "%"),
        ] {
            assert_eq!(of(before, number, behind), None, "{before}{number}{behind}");
        }
    }

    #[test]
    fn numbers_behind_a_sign_and_those_that_may_be_anything_need_a_label() {
        for (before, number) in [
            ("KM# ", "43 1582 9374"),
            ("", "62/829-317"),
            ("", "13 12 34"),
            ("", "4155550132"),
        ] {
            assert_eq!(of(before, number, ""), Some(true), "{before}{number}");
        }
        for (before, number, behind) in [
            ("Tel-", "030 901820", ""),
            ("OFFICE-", "1(516)733-3989", ""),
            ("Tel. ", "030 901820", "-Fax"),
            ("seit 98 ", "030 901820", ""),
            ("", "030 901820", " Kramer"),
            ("Büro: ", "+36/20/829-3174", ""),
        ] {
            assert_eq!(
                of(before, number, behind),
                Some(false),
                "{before}{number}{behind}"
            );
        }
    }
}
