//! One pattern of the community's format: `regex\;version:\1\;confidence:50`.
//!
//! The format uses JavaScript's regular expressions, case-insensitive. Features that a linear-time engine does not have
//! (look-around, back-references) are refused and reported, never approximated.

use std::ops::Range;
use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::literals::required_literals;

/// Limit for the compiled size of one pattern in a set that a user loads.
const MAX_COMPILED: usize = 2 * 1024 * 1024;

/// Longest text that is accepted as a version.
const MAX_VERSION: usize = 40;

/// A pattern, compiled when it is first needed.
#[derive(Debug)]
pub(super) struct Pattern {
    source: String,
    /// Whether `^` and `$` match at line breaks.
    by_line: bool,
    version: Option<String>,
    /// Confidence in percent that the technology is present if this matches.
    pub(super) confidence: u8,
    /// Every text that matches contains one of these, in lower case; empty if none are known.
    pub(super) literals: Vec<String>,
    regex: OnceLock<Option<Regex>>,
}

/// Why a pattern is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// `(?=`, `(?!`, `(?<=`, `(?<!`.
    #[error("it uses look-around, which cannot be searched in linear time")]
    LooksAround,
    /// Any other text that is not a valid regular expression here.
    #[error("it is not a regular expression: {0}")]
    Syntax(String),
}

/// The result of a match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// The match.
    pub(super) evidence: String,
    /// The byte range of the match in the text.
    pub(super) matched: Range<usize>,
    pub(super) version: Option<String>,
    /// The byte offset where the first group with a version begins.
    pub(super) version_at: Option<usize>,
}

impl Pattern {
    /// Reads a pattern with its tags.
    pub(super) fn parse(text: &str, by_line: bool) -> Result<Self, PatternError> {
        let mut parts = text.split("\\;");
        let source = rust_syntax(parts.next().unwrap_or_default())?;
        let (mut version, mut confidence) = (None, 100);
        for tag in parts {
            match tag.split_once(':') {
                Some(("version", template)) => version = Some(template.to_owned()),
                Some(("confidence", percent)) => confidence = percent.trim().parse().unwrap_or(100).min(100),
                _ => {}
            }
        }
        let parse = |unicode| {
            let mut builder = regex_syntax::ParserBuilder::new();
            let parsed = builder
                .unicode(unicode)
                .utf8(false)
                .multi_line(by_line)
                .build()
                .parse(&source);
            parsed.map_err(|error| PatternError::Syntax(last_line(&error.to_string())))
        };
        let parsed = parse(false).or_else(|_| parse(true))?;
        Ok(Self {
            literals: required_literals(&parsed),
            source,
            by_line,
            version,
            confidence,
            regex: OnceLock::new(),
        })
    }

    /// Whether it matches everything, like the empty pattern: then only the presence of the field counts.
    pub(super) fn is_empty(&self) -> bool {
        self.source.is_empty()
    }

    /// Whether the expression compiles within the limits; slow, because it compiles.
    pub(super) fn is_sound(&self) -> bool {
        self.is_empty()
            || self
                .regex
                .get_or_init(|| compile(&self.source, self.by_line))
                .is_some()
    }

    /// The expression.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// Whether a match may contain a version.
    pub(super) fn tells_version(&self) -> bool {
        self.version.is_some()
    }

    /// The first match in a text, and the first version found in any of the first matches.
    pub(super) fn find(&self, text: &str) -> Option<Hit> {
        const LOOKED_AT: usize = 20;
        if self.is_empty() {
            let evidence = text.trim().chars().take(200).collect();
            return Some(Hit {
                evidence,
                matched: 0..text.len(),
                version: self.told_version(None),
                version_at: None,
            });
        }
        let regex = self
            .regex
            .get_or_init(|| compile(&self.source, self.by_line))
            .as_ref()?;
        let found = regex.find(text.as_bytes())?;
        let evidence = String::from_utf8_lossy(found.as_bytes())
            .trim()
            .chars()
            .take(200)
            .collect();
        let has_groups = self.version.is_some() && regex.captures_len() > 1;
        let mut version_at = None;
        let version = if has_groups {
            let mut matches = regex.captures_iter(text.as_bytes()).take(LOOKED_AT);
            matches.find_map(|captures| {
                let version = self.told_version(Some(&captures))?;
                version_at = captures
                    .iter()
                    .skip(1)
                    .flatten()
                    .next()
                    .map(|group| group.start());
                Some(version)
            })
        } else {
            self.told_version(None)
        };
        Some(Hit {
            evidence,
            matched: found.range(),
            version,
            version_at,
        })
    }

    /// The template with its groups filled in: `\1`, or `\1?then:else`, depending on whether the group took part.
    fn told_version(&self, captures: Option<&Captures<'_>>) -> Option<String> {
        let mut version = self.version.clone()?;
        let group = |number: usize| {
            let found = captures.and_then(|captures| captures.get(number));
            found.map_or_else(String::new, |found| {
                String::from_utf8_lossy(found.as_bytes()).into_owned()
            })
        };
        for number in 1..=9 {
            let name = format!("\\{number}");
            if let Some(at) = version.find(&format!("{name}?"))
                && let Some((then, otherwise)) = version[at + name.len() + 1..].split_once(':')
            {
                let chosen = if group(number).is_empty() { otherwise } else { then };
                version = format!("{}{chosen}", &version[..at]);
            }
            if version.contains(&name) {
                version = version.replace(&name, &group(number));
            }
        }
        let version = version.trim().trim_end_matches('.');
        (!version.is_empty() && version.len() <= MAX_VERSION).then(|| version.to_owned())
    }
}

fn compile(source: &str, by_line: bool) -> Option<Regex> {
    let build = |unicode| {
        RegexBuilder::new(source)
            .case_insensitive(true)
            .multi_line(by_line)
            .unicode(unicode)
            .size_limit(MAX_COMPILED)
            .build()
            .ok()
    };
    // Letter classes beyond ASCII need Unicode, which is slower.
    build(false).or_else(|| build(true))
}

/// The same expression in this engine's syntax. JavaScript treats a brace that is not a quantifier as a literal, and
/// also brackets and `&&` within a class.
fn rust_syntax(source: &str) -> Result<String, PatternError> {
    let mut written = String::with_capacity(source.len() + 8);
    let mut rest = source;
    let mut in_class = false;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '\\' => {
                let escaped = rest[1..].chars().next();
                length += escaped.map_or(0, char::len_utf8);
                match escaped {
                    // Word boundaries in this engine, literals in JavaScript.
                    Some(plain @ ('<' | '>')) => written.push(plain),
                    Some(other) => written.extend(['\\', other]),
                    None => written.push_str("\\\\"),
                }
            }
            '[' if in_class => written.push_str("\\["),
            '[' if rest.starts_with("[^]") => {
                length = 3;
                written.push_str("[\\s\\S]");
            }
            '[' => {
                in_class = true;
                written.push('[');
            }
            ']' => {
                in_class = false;
                written.push(']');
            }
            '&' | '~' if in_class => written.extend(['\\', character]),
            '{' if !in_class && !counts(rest) => written.push_str("\\{"),
            '(' if !in_class
                && ["(?=", "(?!", "(?<=", "(?<!"]
                    .iter()
                    .any(|around| rest.starts_with(around)) =>
            {
                return Err(PatternError::LooksAround);
            }
            other => written.push(other),
        }
        rest = &rest[length..];
    }
    Ok(written)
}

/// Whether a brace begins `{1}`, `{1,}` or `{1,2}`.
fn counts(text: &str) -> bool {
    let Some((inside, _)) = text[1..].split_once('}') else {
        return false;
    };
    inside.starts_with(|first: char| first.is_ascii_digit())
        && inside
            .chars()
            .all(|character| character.is_ascii_digit() || character == ',')
}

fn last_line(text: &str) -> String {
    let last = text
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(pattern: &str, text: &str) -> Option<(String, Option<String>)> {
        let hit = Pattern::parse(pattern, false).unwrap().find(text)?;
        Some((hit.evidence, hit.version))
    }

    fn version(pattern: &str, text: &str) -> Option<String> {
        hit(pattern, text).unwrap().1
    }

    #[test]
    fn versions_are_told_by_groups_conditions_or_plainly() {
        assert_eq!(
            version(r"^WordPress(?: ([\d.]+))?\;version:\1", "WordPress 6.4."),
            Some("6.4".to_owned())
        );
        assert_eq!(
            version(r"^WordPress(?: ([\d.]+))?\;version:\1", "WordPress"),
            None
        );
        assert_eq!(version(r"a(b)?\;version:\1?2:1", "ab"), Some("2".to_owned()));
        assert_eq!(version(r"a(b)?\;version:\1?2:1", "a"), Some("1".to_owned()));
        assert_eq!(version(r"a\;version:3", "a"), Some("3".to_owned()));
        assert_eq!(
            version(r"x(?:=(\d))?\;version:\1", "x x x=4"),
            Some("4".to_owned())
        );
    }

    #[test]
    fn confidence_is_a_percentage_and_100_if_not_stated() {
        let confidence = |pattern| Pattern::parse(pattern, false).unwrap().confidence;
        assert_eq!(
            (
                confidence(r"a\;confidence:50"),
                confidence("a"),
                confidence(r"a\;version:\1\;confidence:500")
            ),
            (50, 100, 100)
        );
    }

    #[test]
    fn javascript_syntax_is_understood() {
        for (pattern, text) in [
            (r#"{"a":"#, r#"{"a":1"#),
            (r"\/x\<\>", "/x<>"),
            (r"[[a&&b]x", "&x"),
            (r"a{2}", "aa"),
            (r"[^]b", "\nb"),
            ("ABC", "xabcx"),
            ("(?:百度)", "百度"),
        ] {
            assert!(hit(pattern, text).is_some(), "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_searched_in_linear_time_is_refused() {
        assert_eq!(
            Pattern::parse("a(?!b)", false).unwrap_err(),
            PatternError::LooksAround
        );
        assert!(matches!(
            Pattern::parse(r"(a)\1", false).unwrap_err(),
            PatternError::Syntax(_)
        ));
        assert!(matches!(
            Pattern::parse("(", false).unwrap_err(),
            PatternError::Syntax(_)
        ));
    }
}
