//! Splits a page into lines for addresses.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::parts::parts;
use super::shape::{is_code, is_street};
use crate::scanner::page::imprint::labels::{Label, without_label};
use crate::scanner::page::outline::PIN;

/// Lines of one page examined.
const MAX_LINES: usize = 10_000;

/// A line of a page.
#[derive(Debug)]
pub(in crate::scanner::page::imprint) struct Line {
    /// Without the label before it.
    pub(in crate::scanner::page::imprint) text: String,
    pub(in crate::scanner::page::imprint) label: Option<Label>,
    /// Whether the label is alone on its line.
    pub(in crate::scanner::page::imprint) is_below_label: bool,
    /// Whether the page marks it as an address, for example by a pin.
    pub(super) is_marked: bool,
}

/// The lines of a page without labels and pictures of letters, and a postal code that is alone joined with its
/// place.
pub(in crate::scanner::page::imprint) fn lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut label_above = None;
    let mut is_marked = false;
    // What is behind a pin is a line of its own.
    let all = text.lines().flat_map(|line| {
        let pieces = line.split(PIN).enumerate();
        pieces.map(|(at, piece)| (at > 0, piece))
    });
    for (is_pinned, line) in all {
        if lines.len() >= MAX_LINES {
            break;
        }
        is_marked |= is_pinned;
        let before = lines.len();
        for part in parts(line) {
            let line = without_signs(part.text);
            if line.is_empty() {
                continue;
            }
            let (own, rest) = without_label(line);
            let own = own.or(part.is_address.then_some(Label::Address));
            let rest = without_year(without_signs(rest));
            // A label on a line of its own is that of the next.
            let label = own.or(label_above);
            if rest.is_empty() {
                label_above = label;
                continue;
            }
            match lines.last_mut() {
                Some(last) if own.is_none() && is_code(&last.text) && begins_a_name(&rest) => {
                    last.text = format!("{} {rest}", last.text);
                }
                _ => lines.push(Line {
                    text: rest.into_owned(),
                    label,
                    is_below_label: own.is_none() && label.is_some(),
                    is_marked,
                }),
            }
            label_above = None;
        }
        is_marked &= lines.len() == before;
    }
    join_codes(lines)
}

/// Codes that are below their place go behind it.
fn join_codes(lines: Vec<Line>) -> Vec<Line> {
    let mut joined: Vec<Line> = Vec::with_capacity(lines.len());
    for line in lines {
        let place = joined.last_mut().filter(|last| {
            is_code(&line.text)
                && last.text.len() <= 60
                && begins_a_name(&last.text)
                && !is_street(&last.text)
        });
        match place {
            Some(place) => place.text = format!("{}, {}", place.text.trim_end_matches(','), line.text),
            None => joined.push(line),
        }
    }
    joined
}

/// The year of a copyright is not a postal code.
fn without_year(line: &str) -> Cow<'_, str> {
    static YEAR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:©|\(c\)|copyright)[\s©]*[0-9]{4}(?:\s?[-–/]\s?[0-9]{2,4})?")
            .expect("the pattern is constant")
    });
    YEAR.replace(line, "©")
}

fn begins_a_name(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_uppercase)
}

/// A line without the pictures and bullets that are before it.
fn without_signs(line: &str) -> &str {
    let begins = |sign: char| {
        sign.is_alphanumeric()
            || matches!(
                sign,
                '〒' | '('
                    | '（'
                    | '«'
                    | '"'
                    | '“'
                    | '„'
                    | '+'
                    | '#'
                    | '©'
                    | '㈱'
                    | '㈲'
                    | '㈜'
                    | '☎'
                    | '@'
                    | '['
            )
    };
    line.trim()
        .trim_start_matches(|sign: char| !begins(sign))
        .trim_end()
}
