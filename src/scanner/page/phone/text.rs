//! Numbers in the visible text: digits that are grouped like phone numbers, which groups belong together, and the
//! meaning of the words around them.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use rlibphonenumber::phonenumber_matcher::{Leniency, PHONE_MATCHER_FACTORY};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

use super::groups::{groups, is_cut_off, worth};
use super::label::{Kind, at_the_end, in_brackets, is_f, is_joint, is_label, is_letter, kinds};
use super::notation::usual;
use super::possible_regions::Regions;
use super::shape::{are_postal_codes, is_date_or_time, is_quantity, is_sample};
use super::surroundings::needs_label;
use crate::scanner::page::characters::digit;

/// Number of digits in a phone number (E.164 allows at most 15).
pub(super) const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Number of digits in the shortest numbers of a country, which need a label.
const SHORT: usize = 6;

/// Maximum number of digits in a run that may be several numbers.
const MAX_RUN_DIGITS: usize = 60;

/// Maximum number of digit groups in a phone number.
const MAX_GROUPS: usize = 8;

/// Maximum number of texts per page that are parsed as a number of a country; each takes some microseconds.
const MAX_TRIES: usize = 10_000;

/// Maximum number of those that are valid: to check whether they are written like a number takes milliseconds.
const MAX_VALID: usize = 300;

/// Longer lines are not labels.
const MAX_LABEL: usize = 40;

/// A number as the page writes it.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) raw: &'a str,
    pub(super) number: PhoneNumber,
    pub(super) is_fax: bool,
}

/// All numbers of a text.
pub(super) fn numbers<'a>(text: &'a str, places: &Regions) -> Vec<Written<'a>> {
    let mut reader = Reader {
        places,
        known: HashMap::new(),
        limits: Limits::default(),
        headings: Vec::new(),
        column: 0,
        is_filled: false,
        between: 0,
        said_phone: 0,
        found: Vec::new(),
    };
    for line in text.lines() {
        reader.line(line);
    }
    reader.found
}

/// A phone number found in a run of digits and separators.
struct Piece<'a> {
    raw: &'a str,
    /// Its offset in the line.
    at: usize,
    number: PhoneNumber,
    /// Whether it is only a phone number if a label says so: a bare run of digits, or one directly after a letter.
    needs_label: bool,
}

struct Reader<'a, 'r> {
    places: &'r Regions,
    /// Results by text: pages repeat their numbers.
    known: HashMap<String, Option<(PhoneNumber, bool)>>,
    limits: Limits,
    /// The kinds from labels on the lines before: one for all numbers, or one for each column.
    headings: Vec<Kind>,
    column: usize,
    /// Whether the columns have had numbers.
    is_filled: bool,
    /// Lines with other text since the last heading or the last number of a column.
    between: usize,
    /// How many more lines count as close to a phone label.
    said_phone: usize,
    found: Vec<Written<'a>>,
}

impl<'a> Reader<'a, '_> {
    fn line(&mut self, line: &'a str) {
        let pieces = self.pieces(line);
        if pieces.is_empty() {
            self.heading(line);
            return;
        }
        let ends: Vec<usize> = pieces.iter().map(|piece| piece.at + piece.raw.len()).collect();
        // Text in brackets directly after a number is about that number, not about the next.
        let behind: Vec<Option<(Kind, &str)>> = ends.iter().map(|end| in_brackets(&line[*end..])).collect();
        let label = |at: usize| {
            let start = match at.checked_sub(1) {
                None => 0,
                Some(before) => behind[before].map_or(ends[before], |(_, rest)| line.len() - rest.len()),
            };
            line.get(start..pieces[at].at).unwrap_or_default()
        };
        if let Some(kinds) = labels_behind(line, &pieces) {
            for (piece, kind) in pieces.iter().zip(kinds) {
                self.take(piece, Some(kind));
            }
            self.forget_headings();
            return;
        }
        let mut at = 0;
        while at < pieces.len() {
            // Numbers with only a joiner between them share a label.
            let is_joined = |next: &usize| behind[next - 1].is_none() && is_joint(label(*next));
            let end = (at + 1..pieces.len())
                .find(|next| !is_joined(next))
                .unwrap_or(pieces.len());
            let said = self.said(label(at), at == 0);
            for place in at..end {
                let own = behind[place].map(|(kind, _)| kind).or_else(|| {
                    let is_last = place + 1 == pieces.len() && said.is_empty();
                    is_last.then(|| at_the_end(&line[ends[place]..])).flatten()
                });
                let kind = match said.as_slice() {
                    [] => own,
                    // `Tel./Fax:` with one number means both; with two numbers, each has one kind.
                    kinds if end - at == 1 && kinds.contains(&Kind::Phone) => own.or(Some(Kind::Phone)),
                    kinds => own.or(kinds.get(place - at).or(kinds.last()).copied()),
                };
                self.take(&pieces[place], kind);
            }
            at = end;
        }
        self.said_phone = self.said_phone.saturating_sub(1);
    }

    /// The label of the numbers after it; for the first number of a line, the lines before count too.
    fn said(&mut self, label: &str, is_first: bool) -> Vec<Kind> {
        if is_f(label) && self.said_phone > 0 {
            return vec![Kind::Fax];
        }
        let kinds = kinds(label);
        if kinds.contains(&Kind::Phone) || is_letter(label) {
            self.said_phone = 3;
        }
        if !kinds.is_empty() || !is_first {
            self.forget_headings();
            return kinds;
        }
        if !is_joint(label) {
            self.forget_headings();
            return Vec::new();
        }
        let heading = match self.headings.as_slice() {
            [] => return Vec::new(),
            [one] => *one,
            // When a row has filled all columns, the next row begins.
            columns => columns[self.column % columns.len()],
        };
        self.column += 1;
        self.is_filled = true;
        self.between = 0;
        vec![heading]
    }

    /// A line without numbers: a label for the next line, a column heading, or something else.
    fn heading(&mut self, line: &str) {
        /// Maximum number of lines between column headings and their numbers: other columns.
        const MAX_BETWEEN: usize = 4;
        if line.len() <= 2 * MAX_LABEL && is_label(line) {
            if self.column > 0 || self.between > 0 || self.is_filled {
                self.forget_headings();
            }
            let kinds = kinds(line);
            let kind = if is_f(line) && self.said_phone > 0 {
                Kind::Fax
            } else if kinds.contains(&Kind::Phone) {
                Kind::Phone
            } else {
                kinds.last().copied().unwrap_or(Kind::Phone)
            };
            self.headings.push(kind);
            if kind == Kind::Phone {
                self.said_phone = 3;
            }
        } else if line.chars().any(char::is_alphanumeric)
            && !line.contains('@')
            && !line.to_lowercase().contains("mail")
        {
            self.between += 1;
            // The subject of a row is in front of its numbers.
            self.column = 0;
            self.said_phone = self.said_phone.saturating_sub(1);
            if self.headings.len() < 2 || line.len() > MAX_LABEL || self.between > MAX_BETWEEN {
                self.forget_headings();
            }
        }
    }

    fn forget_headings(&mut self) {
        self.headings.clear();
        self.column = 0;
        self.is_filled = false;
        self.between = 0;
    }

    fn take(&mut self, piece: &Piece<'a>, kind: Option<Kind>) {
        if kind == Some(Kind::Id) || piece.needs_label && !matches!(kind, Some(Kind::Phone | Kind::Fax)) {
            return;
        }
        self.found.push(Written {
            raw: piece.raw,
            number: piece.number.clone(),
            is_fax: kind == Some(Kind::Fax),
        });
    }

    /// The numbers of a line.
    fn pieces(&mut self, line: &'a str) -> Vec<Piece<'a>> {
        static RUNS: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(
                r"[+＋(（\[]{0,3}\p{Nd}[\p{Nd}\p{Zs}\p{Pd}\t()（）\[\]/／.．−ー⁃]{4,}\p{Nd}|\p{Nd}{7,}",
            )
            .expect("the pattern is constant")
        });
        // Australia has six-digit service numbers: `13 12 34`.
        let has_short = self.places.list.contains(&Region::AU);
        let fewest = if has_short { SHORT } else { *DIGITS.start() };
        let mut pieces = Vec::new();
        for run in RUNS.find_iter(line) {
            let digits = run.as_str().chars().filter_map(digit).count();
            if (fewest..=MAX_RUN_DIGITS).contains(&digits) && !are_postal_codes(run.as_str()) {
                self.run(line, run.range(), &mut pieces);
            }
        }
        pieces
    }

    /// Divides a run so that as much of it as possible becomes numbers.
    fn run(&mut self, line: &'a str, run: std::ops::Range<usize>, pieces: &mut Vec<Piece<'a>>) {
        let groups = groups(&line[run.clone()]);
        let place = |at: usize| run.start + at;
        // By the number of groups read: the best value so far, and the reading that led to it.
        let mut best: Vec<(i32, Option<(usize, PhoneNumber)>)> = vec![(0, None)];
        let mut elsewhere = Vec::new();
        for end in 1..=groups.len() {
            // A group that belongs to no number.
            let mut choice = (best[end - 1].0, None);
            for start in end.saturating_sub(MAX_GROUPS)..end {
                let text = &line[place(groups[start].start)..place(groups[end - 1].end)];
                let Some(value) = worth(text, &groups, start, end) else {
                    continue;
                };
                let value = best[start].0 + value;
                if value <= choice.0 {
                    continue;
                }
                let plain = ascii(text);
                if is_date_or_time(&plain) {
                    choice = (value + 5, Some((start, PhoneNumber::default())));
                } else if let Some((number, is_elsewhere)) = self.number(plain)
                    // In a further country, the number must use all groups of the run.
                    && (!is_elsewhere || (start, end) == (0, groups.len()))
                {
                    choice = (value, Some((start, number)));
                    if is_elsewhere {
                        elsewhere.push((start, end));
                    }
                }
            }
            best.push(choice);
        }
        let mut found = Vec::new();
        let mut end = groups.len();
        while end > 0 {
            match best[end].1.take() {
                None => end -= 1,
                Some((start, number)) => {
                    let range = place(groups[start].start)..place(groups[end - 1].end);
                    if number != PhoneNumber::default()
                        && let Some(needs_label) = needs_label(line, range.clone(), run.start)
                    {
                        let (at, raw) = (range.start, &line[range]);
                        let are_left = best[start].1.is_none() && best[start.saturating_sub(1)].1.is_none();
                        let is_of_more = are_left && is_cut_off(&line[run.clone()], &groups, start);
                        found.push(Piece {
                            raw,
                            at,
                            number,
                            needs_label: needs_label || is_of_more || elsewhere.contains(&(start, end)),
                        });
                    }
                    end = start;
                }
            }
        }
        pieces.extend(found.into_iter().rev());
    }

    /// The number that a whole ASCII text is, and whether it is one only in a further country.
    fn number(&mut self, text: String) -> Option<(PhoneNumber, bool)> {
        if let Some(known) = self.known.get(&text) {
            return known.clone();
        }
        let found = if is_quantity(&text) {
            None
        } else {
            number_within(&text, &self.places.list, &mut self.limits)
                .map(|number| (number, false))
                .or_else(|| Some((self.number_elsewhere(&text)?, true)))
        };
        self.known.insert(text, found.clone());
        found
    }

    /// The number, if the text is one in only one of the further countries where the page's language is spoken.
    fn number_elsewhere(&mut self, text: &str) -> Option<PhoneNumber> {
        let (limits, further) = (&mut self.limits, self.places.further.iter());
        let mut numbers =
            further.filter_map(|region| number_within(text, std::slice::from_ref(region), limits));
        let first = numbers.next()?;
        numbers.all(|other| other == first).then_some(first)
    }
}

/// The kinds of numbers whose labels all follow them: `555-0101 tel / 555-0102 fax`.
fn labels_behind(line: &str, pieces: &[Piece<'_>]) -> Option<Vec<Kind>> {
    let [first, _, ..] = pieces else {
        return None;
    };
    if line[..first.at].chars().any(char::is_alphabetic) {
        return None;
    }
    let ends = pieces.iter().map(|piece| piece.at + piece.raw.len());
    let begins = pieces[1..].iter().map(|piece| piece.at).chain([line.len()]);
    ends.zip(begins)
        .map(|(end, begin)| at_the_end(line.get(end..begin)?))
        .collect()
}

/// How many attempts are left for a text.
struct Limits {
    tries: usize,
    valid: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tries: MAX_TRIES,
            valid: MAX_VALID,
        }
    }
}

/// The number that a text is, in the first country where it is one.
pub(super) fn number(text: &str, regions: &[Region]) -> Option<PhoneNumber> {
    number_within(text, regions, &mut Limits::default())
}

fn number_within(text: &str, regions: &[Region], limits: &mut Limits) -> Option<PhoneNumber> {
    let text = ascii(text);
    // Most countries use `00` as the international prefix.
    let dialled = text
        .trim_start_matches('(')
        .strip_prefix("00")
        .map(|rest| format!("+{rest}"));
    let text = dialled.unwrap_or(text);
    let is_international = text.starts_with(['+', '(']) && text.trim_start_matches('(').starts_with('+');
    let regions: Vec<Option<Region>> = if is_international {
        vec![None]
    } else {
        regions.iter().copied().map(Some).collect()
    };
    regions.into_iter().find_map(|region| {
        limits.tries = limits.tries.checked_sub(1)?;
        let text = usual(&text, region);
        let number = PHONE_NUMBER_UTIL.parse(&*text, region).ok()?;
        let is_misgrouped = number.country_code == 1 && region.is_some() && !begins_with_area_code(&text);
        if !number.is_valid() || is_misgrouped {
            return None;
        }
        limits.valid = limits.valid.checked_sub(1)?;
        (is_whole(&text, region) || has_bracketed_place(&text)).then_some(number)
    })
}

/// Whether the first group of a national number in North America is an area code, or all of the number. Numbers of
/// licenses and accounts are grouped in other ways: `5748-2163-01`.
fn begins_with_area_code(text: &str) -> bool {
    let mut groups = text
        .split(|sign: char| !sign.is_ascii_digit())
        .filter(|group| !group.is_empty());
    let first = groups.next().unwrap_or_default();
    let group = match first.strip_prefix('1') {
        Some("") => groups.next().unwrap_or_default(),
        Some(rest) => rest,
        None => first,
    };
    matches!(group.len(), 3 | 10)
}

/// Whether a text begins with an area code in brackets, an unmistakable form; some countries leave out the trunk
/// prefix there: `(62) 829-317`.
fn has_bracketed_place(text: &str) -> bool {
    let inside = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    inside.is_some_and(|(place, rest)| {
        (1..=4).contains(&place.len())
            && place.bytes().all(|digit| digit.is_ascii_digit())
            && rest.bytes().filter(u8::is_ascii_digit).count() >= 5
            && !rest.contains('(')
    })
}

/// Whether a text is written like a number of the country, with the leading digit that such numbers need.
fn is_whole(text: &str, region: Option<Region>) -> bool {
    let matcher = PHONE_MATCHER_FACTORY
        .matcher_builder(text)
        .leniency(Leniency::Valid)
        .preferred_region(region)
        .build();
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let mut matcher = matcher;
    matcher
        .next()
        .is_some_and(|hit| digits(hit.raw_string) == digits(text))
}

/// The text with the digits, spaces, dashes and brackets of all scripts replaced by ASCII.
pub(super) fn ascii(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '（' | '[' => '(',
            '）' | ']' => ')',
            '＋' => '+',
            '／' => '/',
            '．' => '.',
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' | 'ー' | '⁃' | '－' | '﹣' | '⸺' | '〜' | '゠' | '֊'
            | '᠆' => '-',
            other => digit(other).unwrap_or(if other.is_whitespace() { ' ' } else { other }),
        })
        .collect()
}

/// Whether a number is a template's sample number.
pub(super) fn is_template(number: &str) -> bool {
    let digits: String = number.chars().filter_map(digit).collect();
    is_sample(&digits)
}
