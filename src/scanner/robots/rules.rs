//! The rules for one agent, in a form in which a URL is checked in bounded time, however many rules there are.

use std::cmp::Reverse;

use super::pattern::{matches, path_of, upper_case_escapes};
use super::{Decision, Rule};

/// Maximum bytes of a path that one decision may compare with rules, summed over all rules.
const MAX_WORK: usize = 1024 * 1024;

/// The additional cost of a rule, in the same unit.
const COST_OF_RULE: usize = 64;

/// The rules for one agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentRules {
    /// Those without wildcards, sorted by pattern.
    plain: Vec<Rule>,
    /// The others, the longest first.
    wild: Vec<WildRule>,
}

#[derive(Clone, Debug, PartialEq)]
struct WildRule {
    rule: Rule,
    /// Minimum bytes of a path that can match.
    least: usize,
}

impl AgentRules {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a Rule>) -> Self {
        let is_wild = |rule: &Rule| rule.pattern.contains('*') || rule.pattern.ends_with('$');
        let (mut wild, mut plain): (Vec<Rule>, Vec<Rule>) = rules.cloned().partition(is_wild);
        // If two rules have the same pattern, `Allow` wins.
        let once = |rules: &mut Vec<Rule>| {
            rules.sort_unstable_by(|one, other| {
                (&one.pattern, Reverse(one.allow)).cmp(&(&other.pattern, Reverse(other.allow)))
            });
            rules.dedup_by(|one, kept| one.pattern == kept.pattern);
        };
        once(&mut wild);
        once(&mut plain);
        let mut wild: Vec<WildRule> = wild
            .into_iter()
            .map(|rule| WildRule {
                least: rule
                    .pattern
                    .trim_end_matches('$')
                    .bytes()
                    .filter(|byte| *byte != b'*')
                    .count(),
                rule,
            })
            .collect();
        wild.sort_by_key(|wild| Reverse(wild.rule.weight()));
        Self { plain, wild }
    }

    /// Maximum number of bytes that are compared for a URL of this length.
    pub fn work_on(&self, url: usize) -> usize {
        self.wild.len() * (url + COST_OF_RULE) + url
    }

    /// Whether the agent may fetch a URL (as it goes over the wire: what is not percent-encoded is not encoded here).
    ///
    /// The longest matching rule decides, `Allow` wins a tie (RFC 9309, 2.2.2). A URL is not allowed if it is so long,
    /// and there are so many rules with wildcards, that they cannot be tried in bounded time.
    pub fn decide(&self, url: &str) -> Decision {
        let path = upper_case_escapes(path_of(url));
        let plain = self.longest_plain(path.as_bytes());
        let mut work = 0;
        for WildRule { rule, least } in &self.wild {
            if plain.is_some_and(|plain| plain.weight() >= rule.weight()) {
                break;
            }
            if *least > path.len() {
                continue;
            }
            work += path.len() + COST_OF_RULE;
            if work > MAX_WORK {
                return Decision {
                    allowed: false,
                    rule: Some(format!(
                        "too many rules with wildcards for a URL of {} bytes",
                        url.len()
                    )),
                };
            }
            if matches(&rule.pattern, &path) {
                return Decision::by(rule);
            }
        }
        plain.map_or(
            Decision {
                allowed: true,
                rule: None,
            },
            Decision::by,
        )
    }

    /// The longest pattern without wildcards that a path begins with.
    fn longest_plain(&self, path: &[u8]) -> Option<&Rule> {
        let mut key = path;
        loop {
            let before = self.plain.partition_point(|rule| rule.pattern.as_bytes() <= key);
            let rule = self.plain[..before].last()?;
            let pattern = rule.pattern.as_bytes();
            let common = pattern
                .iter()
                .zip(path)
                .take_while(|(one, other)| one == other)
                .count();
            if common == pattern.len() {
                return Some(rule);
            }
            // A shorter pattern can match only if it is a prefix of what the two have in common.
            key = &path[..common];
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scanner::robots::Robots;

    /// What RFC 9309 says, rule by rule.
    fn by_the_book(rules: &[Rule], url: &str) -> bool {
        let path = upper_case_escapes(path_of(url));
        let matching = rules.iter().filter(|rule| matches(&rule.pattern, &path));
        matching
            .max_by_key(|rule| rule.weight())
            .is_none_or(|rule| rule.allow)
    }

    proptest! {
        #[test]
        fn decisions_are_those_of_each_rule_tried_alone(
            rules in proptest::collection::vec((any::<bool>(), "/[ab/]{0,3}[*$]?[ab]{0,2}[$]?"), 0..12),
            path in "[ab/]{0,8}",
        ) {
            let rules: Vec<Rule> = rules
                .into_iter()
                .map(|(allow, pattern)| Rule { allow, written: pattern.clone(), pattern })
                .collect();
            let url = format!("https://h/{path}");
            let decision = AgentRules::of(rules.iter()).decide(&url);
            prop_assert_eq!(decision.allowed, by_the_book(&rules, &url));
        }
    }

    #[test]
    fn urls_that_cannot_be_decided_in_bounded_time_are_not_allowed() {
        let lines: String = (0..40_000)
            .map(|number| ["allow:*zazazz", &number.to_string(), "\n"].concat())
            .collect();
        let robots = Robots::parse(format!("user-agent: *\n{lines}").as_bytes());
        let rules = robots.rules_for("sitelog");
        assert!(rules.decide("https://h/").allowed);
        let long = format!("https://h/contact?{}", "za".repeat(4_000));
        let decision = rules.decide(&long);
        assert!(!decision.allowed && decision.rule.unwrap().contains("too many rules"));
    }

    #[test]
    fn rules_that_repeat_one_another_are_tried_once() {
        let robots = Robots::parse(format!("user-agent: *\n{}", "allow:*zazazz\n".repeat(36_000)).as_bytes());
        let rules = robots.rules_for("sitelog");
        assert_eq!(rules.wild.len(), 1);
        assert!(
            rules
                .decide(&format!("https://h/contact?{}", "za".repeat(4_000)))
                .allowed
        );
    }
}
