//! The table's signs, ready to be looked for: one pass over a place tells which of its signs are there at all.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::table::{Entry, Place, TECHNOLOGIES};

/// For the automaton of all signs of one place; the default makes it start over too often.
const AUTOMATON_BYTES: usize = 16 * 1024 * 1024;

/// A technology and its signs.
pub(super) struct Known {
    pub(super) entry: &'static Entry,
    pub(super) signs: Vec<Sign>,
}

/// One sign of the table.
pub(super) struct Sign {
    pub(super) place: Place,
    pub(super) confidence: u8,
    /// Its number among the signs of its place.
    pub(super) number: usize,
    pattern: &'static str,
    regex: OnceLock<Regex>,
}

/// All technologies, in the order of the table.
pub(super) static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut counts = [0; Place::ALL.len()];
    let mut sign = |(place, pattern, confidence): &(Place, &'static str, u8)| {
        let number = counts[*place as usize];
        counts[*place as usize] += 1;
        Sign {
            place: *place,
            confidence: *confidence,
            number,
            pattern,
            regex: OnceLock::new(),
        }
    };
    let known = |entry: &'static Entry| Known {
        entry,
        signs: entry.signs.iter().map(&mut sign).collect(),
    };
    TECHNOLOGIES.iter().map(known).collect()
});

/// The signs of each place as one automaton, in the order of [`Place::ALL`].
static SETS: LazyLock<Vec<RegexSet>> =
    LazyLock::new(|| Place::ALL.iter().map(|place| set_of(*place)).collect());

impl Sign {
    /// Its pattern, compiled when it is first met.
    pub(super) fn regex(&self) -> &Regex {
        self.regex.get_or_init(|| {
            RegexBuilder::new(self.pattern)
                .case_insensitive(true)
                .multi_line(true)
                .unicode(false)
                .build()
                .expect("the table's patterns are constant and tested")
        })
    }
}

/// Which signs of a place are in a text, by their numbers.
pub(super) fn present(place: Place, text: &str) -> Vec<bool> {
    let set = &SETS[place as usize];
    let mut present = vec![false; set.len()];
    for number in &set.matches(text.as_bytes()) {
        present[number] = true;
    }
    present
}

fn set_of(place: Place) -> RegexSet {
    let signs = TECHNOLOGIES.iter().flat_map(|entry| entry.signs);
    let patterns = signs
        .filter(|(known, ..)| *known == place)
        .map(|(_, pattern, _)| pattern);
    RegexSetBuilder::new(patterns)
        .case_insensitive(true)
        .multi_line(true)
        .unicode(false)
        .dfa_size_limit(AUTOMATON_BYTES)
        .size_limit(AUTOMATON_BYTES)
        .build()
        .expect("the table's patterns are constant and tested")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_of_the_table_compiles() {
        let signs = KNOWN.iter().flat_map(|known| &known.signs);
        assert!(signs.map(Sign::regex).count() > 100);
    }
}
