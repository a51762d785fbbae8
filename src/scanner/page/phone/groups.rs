//! Splits a run of digits into groups, and decides which groups belong together.

use super::text::{DIGITS, ascii};
use crate::scanner::page::characters::digit;

/// A group of digits in a run: where it begins (including brackets and signs in front of it) and ends.
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
    digits: usize,
    begins_with_zero: bool,
    /// What is between it and the previous group.
    gap: Gap,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// A character that holds groups together: `-`, `.`.
    Tight,
    /// A space or a bracket.
    Blank,
    /// Something that is more likely between two numbers than within one.
    Wide,
}

pub(super) fn groups(run: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut between = 0;
    let mut is_inside = false;
    for (at, character) in run.char_indices() {
        let Some(digit) = digit(character) else {
            if is_inside {
                between = at;
            }
            is_inside = false;
            continue;
        };
        if !is_inside {
            let gap = &run[between..at];
            // Brackets and a plus directly in front belong to the group.
            let own = gap.trim_end_matches(['(', '（', '[', '+', '＋']);
            groups.push(Group {
                start: between + own.len(),
                end: at,
                digits: 0,
                begins_with_zero: digit == '0',
                gap: gap_of(gap),
            });
            is_inside = true;
        }
        if let Some(group) = groups.last_mut() {
            group.digits += 1;
            group.end = at + character.len_utf8();
        }
    }
    groups
}

fn gap_of(gap: &str) -> Gap {
    let plain = ascii(gap);
    let inner = plain.trim();
    let is_spaced = |sign: char| inner.contains(sign) && plain.starts_with(' ') && plain.ends_with(' ');
    if inner.contains('/')
        || is_spaced('-')
        || plain.contains("  ")
        || inner.is_empty() && gap.chars().count() > 1
    {
        Gap::Wide
    } else if plain.contains([' ', '(', ')']) {
        Gap::Blank
    } else {
        Gap::Tight
    }
}

/// Whether a number that begins with a group is cut out of a longer one, such as a parcel number: `9400 1118 …`. A
/// single group in front is a postal code or a house number, and a trunk prefix begins a number.
pub(super) fn is_cut_off(run: &str, groups: &[Group], at: usize) -> bool {
    const MIN_DIGITS: usize = 3;
    let [.., second, first] = &groups[..at] else {
        return false;
    };
    let own = &groups[at];
    let begins = own.begins_with_zero || run[own.start..].starts_with(['+', '＋', '(', '（']);
    let is_joined = |group: &Group| group.gap != Gap::Wide;
    let are_long = first.digits >= MIN_DIGITS && second.digits >= MIN_DIGITS;
    !begins && are_long && is_joined(own) && is_joined(first)
}

/// Whether a bracket is closed after the area code without an opening bracket: `02)829-3174`.
fn has_closing_bracket_alone(text: &str, own: &[Group]) -> bool {
    let first = &own[0];
    let behind = &text[first.end - first.start..];
    first.begins_with_zero
        && behind.matches([')', '）', ']']).count() == 1
        && behind.starts_with(')')
        && behind[1..].starts_with(|sign| digit(sign).is_some())
}

/// How good it is to read the groups as one number; `None` if they cannot be one.
pub(super) fn worth(text: &str, groups: &[Group], start: usize, end: usize) -> Option<i32> {
    let own = &groups[start..end];
    let digits: usize = own.iter().map(|group| group.digits).sum();
    let is_cut = |group: &Group| group.gap == Gap::Tight;
    let cuts_within = start > 0 && is_cut(&own[0]) || groups.get(end).is_some_and(is_cut);
    // `030 901820/21` is two numbers; only the end of the second one is written. After a dash it is an extension,
    // even if there is a slash earlier: `030 / 90 18 20 - 21`.
    let has_ending = match own {
        [before @ .., last] if last.digits <= 2 && last.gap == Gap::Wide => {
            let end = before.last().map_or(own[0].start, |group| group.end);
            let gap = &text[end - own[0].start..last.start - own[0].start];
            gap.contains('/') && before.iter().map(|group| group.digits).sum::<usize>() >= 8
        }
        _ => false,
    };
    let opened = text.matches(['(', '（', '[']).count();
    let closed = text.matches([')', '）', ']']).count();
    if !DIGITS.contains(&digits) && digits != 5 && digits != 6
        || cuts_within
        || has_ending
        || opened != closed && !(opened == 0 && has_closing_bracket_alone(text, own))
    {
        return None;
    }
    let inside = &own[1..];
    let wide = inside.iter().filter(|group| group.gap == Gap::Wide).count();
    let zeros = inside
        .iter()
        .filter(|group| group.begins_with_zero && group.digits > 1 && group.gap != Gap::Tight)
        .count();
    let is_cramped = start > 0 && own[0].gap == Gap::Blank;
    let value = 10 * digits - 3 * wide - 6 * zeros.min(digits / 2) - usize::from(is_cramped) - 2;
    i32::try_from(value).ok()
}
