//! Splits a page into the lines that are searched for addresses.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::Regex;

use super::code::{is_code, is_english_place, is_place_below_street, is_postcode};
use super::parts::parts;
use super::reach::is_contact;
use super::segment::is_told;
use super::shape::{is_english_street, is_short, is_street, is_unit};
use crate::scanner::page::country::country;
use crate::scanner::page::imprint::labels::{Label, without_label};
use crate::scanner::page::outline::PIN;

/// Maximum number of lines examined per page.
const MAX_LINES: usize = 10_000;

/// A line of a page.
#[derive(Debug)]
pub(in crate::scanner::page::imprint) struct Line {
    /// The text without its label.
    pub(in crate::scanner::page::imprint) text: String,
    pub(in crate::scanner::page::imprint) label: Option<Label>,
    /// Whether the label is alone on the line above.
    pub(in crate::scanner::page::imprint) is_below_label: bool,
    /// Whether the page marks the line as an address, for example by a pin.
    pub(super) is_marked: bool,
    /// The role that the lines around it give it.
    role: Option<Role>,
    /// Whether the text has a postal code and a place; computed on first use.
    is_postcode: OnceCell<bool>,
}

/// The role of a line that follows from its neighbours.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A street: its house number only looks like a postal code.
    Street,
    /// A place, although it has too few digits for a code, or none.
    Place,
}

impl Line {
    /// Whether the line has a postal code and a place.
    pub(super) fn has_place(&self) -> bool {
        match self.role {
            Some(role) => role == Role::Place,
            None => *self.is_postcode.get_or_init(|| is_postcode(&self.text)),
        }
    }
}

/// The lines of a page, without labels and without leading emoji and bullets. A postal code that is alone on its line
/// is joined with its place.
pub(in crate::scanner::page::imprint) fn lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut label_above = None;
    let mut is_marked = false;
    // What follows a pin is a line of its own.
    let all = text.lines().flat_map(|line| {
        let pieces = line.split(PIN).enumerate();
        pieces.flat_map(|(at, piece)| fields(piece).map(move |field| (at > 0, field)))
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
            // A label on a line of its own belongs to the next line.
            let label = own.or(label_above);
            if rest.is_empty() {
                label_above = label;
                continue;
            }
            let is_place_of_code = own.is_none()
                && lines.last().is_some_and(|last| is_code(&last.text))
                && may_be_place(&rest)
                && !(country(&rest).is_some() && has_place_above_code(&lines));
            match lines.last_mut() {
                Some(last) if is_place_of_code => {
                    last.text = format!("{} {rest}", last.text);
                }
                _ => lines.push(Line {
                    text: rest.into_owned(),
                    label,
                    is_below_label: own.is_none() && label.is_some(),
                    is_marked,
                    role: None,
                    is_postcode: OnceCell::new(),
                }),
            }
            label_above = None;
        }
        is_marked &= lines.len() == before;
    }
    let mut lines = join_codes(lines);
    assign_roles(&mut lines);
    lines
}

/// The fields of a line with several labels, separated by bars: `Address: … | Owner: …`.
fn fields(line: &str) -> impl Iterator<Item = &str> {
    let labels = line.matches([':', '：']).count();
    let separator = if labels > 1 { " | " } else { "\n" };
    line.split(separator)
}

/// Appends each code that is below its place to the place.
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

/// Sets the roles that follow from the lines around each line.
fn assign_roles(lines: &mut [Line]) {
    for at in 1..lines.len() {
        if is_english_place(&lines[at].text)
            && let Some(street) = street_of_place(lines, at)
        {
            lines[street].role = Some(Role::Street);
        }
        if is_place_below_street(&lines[at].text) && is_below_english_street(lines, at) {
            lines[at].role = Some(Role::Place);
        }
    }
}

/// The line above a place, or above a unit between them, that is a street but looks like a place: `3120 County Road`.
fn street_of_place(lines: &[Line], place: usize) -> Option<usize> {
    let above = place.checked_sub(1)?;
    let street = if is_unit(&lines[above].text) {
        above.checked_sub(1)?
    } else {
        above
    };
    let text = &lines[street].text;
    let is_place_of_another = street
        .checked_sub(1)
        .is_some_and(|above| is_street(&lines[above].text) && !is_unit(&lines[above].text));
    let begins_with_number = text.starts_with(|sign: char| sign.is_ascii_digit());
    (begins_with_number && is_street(text) && !is_place_of_another).then_some(street)
}

/// Whether an English street is directly above a line, or above one other part of the address.
fn is_below_english_street(lines: &[Line], at: usize) -> bool {
    const MAX_BETWEEN: usize = 1;
    let is_part = |line: &Line| {
        is_short(&line.text, 40)
            && begins_a_name(&line.text)
            && !line.text.contains(char::is_numeric)
            && !is_contact(&line.text)
    };
    let above = lines[at.saturating_sub(MAX_BETWEEN + 1)..at].iter();
    let mut above = above.rev().skip_while(|line| is_part(line));
    above.next().is_some_and(|line| is_english_street(&line.text))
}

/// Whether a text below a postal code may be its place: a few words that are neither a sentence nor a phone number.
fn may_be_place(text: &str) -> bool {
    const LONGEST: usize = 50;
    begins_a_name(text) && is_short(text, LONGEST) && !is_told(text) && !is_contact(text)
}

/// Whether a place is above the code on the last line, so that the text after the code is not its place.
fn has_place_above_code(lines: &[Line]) -> bool {
    let Some(above) = lines.len().checked_sub(2) else {
        return false;
    };
    let above = &lines[above].text;
    begins_a_name(above) && !above.contains(char::is_numeric) && is_short(above, 40)
}

/// Removes the year of a copyright notice, which is not a postal code.
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

/// A line without the emoji and bullets in front.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        let lines = lines(text).into_iter().filter(Line::has_place);
        lines.map(|line| line.text).collect()
    }

    #[test]
    fn neighbours_say_what_a_line_is() {
        for (text, wanted) in [
            ("3120 County Road 220\nSeattle, WA 98101", "Seattle, WA 98101"),
            (
                "1829 Rodeo Esplanada\nSuite 4\nSanta Fe, NM 87501",
                "Santa Fe, NM 87501",
            ),
            ("27 Ferry Road\nKaiteriteri 7100", "Kaiteriteri 7100"),
            ("12 Rivonia Road\nSandton\n2196", "Sandton, 2196"),
            ("12 Main Street\nNaas\nCo. Kildare", "Co. Kildare"),
            ("Weg 3\n08470\nBurg", "08470 Burg"),
            ("Weg 1\n1010 Wien\nLondon SW1A 1AA", "1010 Wien|London SW1A 1AA"),
            ("12 Main Street\nSummer 2024", ""),
            ("Version 12\nWidget 7100", ""),
        ] {
            assert_eq!(places(text).join("|"), wanted, "{text}");
        }
    }

    #[test]
    fn a_code_is_joined_with_its_place_and_nothing_else() {
        let texts = |text: &str| lines(text).into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(
            texts("Sant Celoni\n08470\nSpain"),
            ["Sant Celoni, 08470", "Spain"]
        );
        assert_eq!(
            texts("Sant Celoni\n08470\nThis address is protected from robots."),
            ["Sant Celoni, 08470", "This address is protected from robots."]
        );
        assert_eq!(texts("08470\nTelefon"), ["08470", "Telefon"]);
    }
}
