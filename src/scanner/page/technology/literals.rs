//! Finds a literal that a text must contain to match an expression. One search for all literals of a set shows which of
//! its thousands of expressions must be tried.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_syntax::hir::{Hir, HirKind};

/// Shorter pieces occur everywhere.
const MIN_LENGTH: usize = 3;

/// More alternatives than this are not worth searching for.
const MAX_ALTERNATIVES: usize = 40;

/// Up to this many literals, a search is an automaton with a row for every state, which is fastest while it is small.
const MAX_LITERALS: usize = 3_000;

/// One search for the literals of many signs. It finds the signs that a text may contain.
#[derive(Debug)]
pub(super) struct LiteralIndex {
    search: AhoCorasick,
    /// For each literal the signs that need it.
    signs: Vec<Vec<usize>>,
}

impl LiteralIndex {
    /// Builds the index from the signs by literal, in lower case.
    pub(super) fn new(signs: BTreeMap<String, Vec<usize>>) -> Self {
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind((signs.len() < MAX_LITERALS).then_some(AhoCorasickKind::DFA))
            .build(signs.keys())
            .expect("a few thousand short texts are within the bounds of the automaton");
        Self {
            search,
            signs: signs.into_values().collect(),
        }
    }

    /// Marks the signs that a text may contain.
    pub(super) fn mark(&self, text: &str, possible: &mut [bool]) {
        if self.signs.is_empty() {
            return;
        }
        for hit in self.search.find_overlapping_iter(text) {
            for sign in &self.signs[hit.pattern()] {
                possible[*sign] = true;
            }
        }
    }
}

/// Lower-case literals, one of which is in every matching text; empty if the expression requires none.
pub(super) fn required_literals(expression: &Hir) -> Vec<String> {
    best(expression)
        .filter(|found| shortest(found) >= MIN_LENGTH)
        .unwrap_or_default()
}

/// The longest piece of a plain text that a page contains exactly as it is written here.
pub(super) fn plain_piece(text: &str) -> Option<String> {
    // Quotes and `&` may be written as character references, spaces as line breaks.
    let pieces = text.split(|c: char| {
        !c.is_ascii() || c.is_ascii_whitespace() || matches!(c, '&' | '<' | '>' | '"' | '\'' | '\\')
    });
    let longest = pieces.max_by_key(|piece| piece.len())?;
    (!longest.is_empty()).then(|| longest.to_ascii_lowercase())
}

fn best(expression: &Hir) -> Option<Vec<String>> {
    match expression.kind() {
        HirKind::Literal(literal) => Some(vec![plain_piece(&String::from_utf8_lossy(&literal.0))?]),
        HirKind::Capture(capture) => best(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => best(&repetition.sub),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(best)
            .max_by_key(|found| (shortest(found), usize::MAX - found.len())),
        HirKind::Alternation(branches) => {
            let mut found = Vec::new();
            for branch in branches {
                found.extend(best(branch)?);
            }
            (found.len() <= MAX_ALTERNATIVES).then_some(found)
        }
        _ => None,
    }
}

fn shortest(literals: &[String]) -> usize {
    literals.iter().map(String::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expression: &str) -> Vec<String> {
        required_literals(&regex_syntax::Parser::new().parse(expression).unwrap())
    }

    #[test]
    fn every_match_contains_one_of_the_literals() {
        assert_eq!(of(r"/wp-(?:content|includes)/"), ["content", "includes"]);
        assert_eq!(of(r"^WordPress(?: ([\d.]+))?"), ["wordpress"]);
        assert_eq!(of(r"jquery[.-]([\d.]+)"), ["jquery"]);
        assert_eq!(of(r#"<link rel="x" href="/assets/app"#), ["/assets/app"]);
    }

    #[test]
    fn what_may_be_missing_is_not_required() {
        for expression in [r"\d+", "(?:abc)?", "abc|", "abc|d", "ab", "(?:abc)*"] {
            assert_eq!(of(expression), Vec::<String>::new(), "{expression}");
        }
    }
}
