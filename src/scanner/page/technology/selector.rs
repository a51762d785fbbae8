//! The part of CSS selectors that fingerprints use, matched against an element and those it is in.
//!
//! Type, `#id`, `.class`, `[attribute]` with all operators, `:not()` of those, descendants and children, lists.
//! Everything else is refused and reported.

use crate::scanner::page::html::StartTag;

/// What one element must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compound {
    name: Option<String>,
    id: Option<String>,
    classes: Vec<String>,
    attributes: Vec<(String, Match)>,
    not: Vec<Compound>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    Present,
    Equals(String),
    HasWord(String),
    Begins(String),
    Ends(String),
    Contains(String),
    /// `|=`: the value, or the value and a dash.
    Language(String),
}

/// One selector of a list: the element itself, and what is around it from the inside out; `true` for "right around
/// it".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    element: Compound,
    around: Vec<(bool, Compound)>,
}

/// The selectors of a list, or `None` if there is one that is not understood.
pub(super) fn parse(text: &str) -> Option<Vec<Selector>> {
    let mut parser = Parser { rest: text };
    let mut found = Vec::new();
    loop {
        found.push(parser.selector()?);
        parser.space();
        if parser.rest.is_empty() {
            return Some(found);
        }
        parser.take(",")?;
    }
}

impl Selector {
    /// Whether it selects the last of the open elements.
    pub(super) fn matches(&self, open: &[&StartTag<'_>]) -> bool {
        let Some((element, outer)) = open.split_last() else {
            return false;
        };
        self.element.matches(element) && is_around(&self.around, outer)
    }

    /// A text that is on every page with such an element, lower case.
    pub(super) fn literal(&self) -> Option<String> {
        let Compound {
            id,
            classes,
            attributes,
            ..
        } = &self.element;
        let values = attributes.iter().filter_map(|(_, wanted)| wanted.value());
        let names = attributes.iter().map(|(name, _)| name.as_str());
        let all = id
            .iter()
            .map(String::as_str)
            .chain(classes.iter().map(String::as_str))
            .chain(values)
            .chain(names);
        all.filter_map(super::literals::plain_piece)
            .max_by_key(String::len)
            .filter(|piece| piece.len() > 2)
    }
}

fn is_around(wanted: &[(bool, Compound)], outer: &[&StartTag<'_>]) -> bool {
    let Some(((is_right_around, compound), further)) = wanted.split_first() else {
        return true;
    };
    let mut places = (0..outer.len())
        .rev()
        .take(if *is_right_around { 1 } else { outer.len() });
    places.any(|at| compound.matches(outer[at]) && is_around(further, &outer[..at]))
}

impl Compound {
    fn matches(&self, tag: &StartTag<'_>) -> bool {
        self.name.as_ref().is_none_or(|name| *name == tag.name)
            && self
                .id
                .as_ref()
                .is_none_or(|id| tag.get("id").as_deref() == Some(id))
            && self.classes.iter().all(|class| tag.has_word("class", class))
            && self
                .attributes
                .iter()
                .all(|(name, wanted)| wanted.holds(tag, name))
            && !self.not.iter().any(|not| not.matches(tag))
    }
}

impl Match {
    fn value(&self) -> Option<&str> {
        match self {
            Self::Present => None,
            Self::Equals(value)
            | Self::HasWord(value)
            | Self::Begins(value)
            | Self::Ends(value)
            | Self::Contains(value)
            | Self::Language(value) => Some(value),
        }
    }

    fn holds(&self, tag: &StartTag<'_>, name: &str) -> bool {
        let Some(raw) = tag.raw(name) else {
            return false;
        };
        let given = crate::scanner::references::resolve_html(raw);
        match self {
            Self::Present => true,
            Self::Equals(value) => given == *value,
            Self::HasWord(value) => given.split_ascii_whitespace().any(|word| word == value),
            Self::Begins(value) => !value.is_empty() && given.starts_with(value),
            Self::Ends(value) => !value.is_empty() && given.ends_with(value),
            Self::Contains(value) => !value.is_empty() && given.contains(value),
            Self::Language(value) => given
                .strip_prefix(value.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-')),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn selector(&mut self) -> Option<Selector> {
        self.space();
        let mut parts = vec![(false, self.compound()?)];
        loop {
            let had_space = self.space();
            let is_child = self.take(">").is_some();
            if is_child {
                self.space();
            } else if !had_space || self.rest.is_empty() || self.rest.starts_with(',') {
                break;
            }
            parts.push((is_child, self.compound()?));
        }
        // From the inside out: each part says how it is tied to the one before it.
        let mut ties = parts
            .iter()
            .map(|(tie, _)| *tie)
            .collect::<Vec<_>>()
            .into_iter()
            .rev();
        let mut compounds = parts.into_iter().rev().map(|(_, compound)| compound);
        let element = compounds.next()?;
        let around = compounds
            .map(|compound| (ties.next().unwrap_or_default(), compound))
            .collect();
        Some(Selector { element, around })
    }

    fn compound(&mut self) -> Option<Compound> {
        let mut found = Compound::default();
        let mut is_empty = true;
        if self.take("*").is_some() {
            is_empty = false;
        } else if let Some(name) = self.word() {
            found.name = Some(name.to_ascii_lowercase());
            is_empty = false;
        }
        loop {
            if self.take("#").is_some() {
                found.id = Some(self.word()?);
            } else if self.take(".").is_some() {
                found.classes.push(self.word()?);
            } else if self.take("[").is_some() {
                found.attributes.push(self.attribute()?);
            } else if self.take(":not(").is_some() {
                self.space();
                found.not.push(self.compound()?);
                self.space();
                self.take(")")?;
            } else if is_empty {
                return None;
            } else {
                return Some(found);
            }
            is_empty = false;
        }
    }

    fn attribute(&mut self) -> Option<(String, Match)> {
        self.space();
        let name = self.word()?.to_ascii_lowercase();
        self.space();
        if self.take("]").is_some() {
            return Some((name, Match::Present));
        }
        let kind: fn(String) -> Match = [
            ("~=", Match::HasWord as fn(String) -> Match),
            ("|=", Match::Language),
            ("^=", Match::Begins),
            ("$=", Match::Ends),
            ("*=", Match::Contains),
            ("=", Match::Equals),
        ]
        .into_iter()
        .find_map(|(sign, kind)| self.take(sign).map(|()| kind))?;
        self.space();
        let value = self.value()?;
        self.space();
        // The flag for letter case: values are compared as written.
        let _ = self.take("i").or_else(|| self.take("s"));
        self.space();
        self.take("]")?;
        Some((name, kind(value)))
    }

    fn value(&mut self) -> Option<String> {
        for quote in ["\"", "'"] {
            if self.take(quote).is_some() {
                let (value, rest) = self.rest.split_once(quote)?;
                self.rest = rest;
                return Some(value.to_owned());
            }
        }
        let end = self.rest.find([']', ' '])?;
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(value.to_owned())
    }

    fn word(&mut self) -> Option<String> {
        let mut word = String::new();
        let mut characters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            if character == '\\' {
                word.push(characters.next()?.1);
            } else if character.is_alphanumeric() || matches!(character, '-' | '_') {
                word.push(character);
            } else {
                end = at;
                break;
            }
        }
        self.rest = &self.rest[end..];
        (!word.is_empty()).then_some(word)
    }

    fn space(&mut self) -> bool {
        let trimmed = self.rest.trim_start();
        let had = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        had
    }

    fn take(&mut self, sign: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(sign)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::html::{Piece, read};
    use super::*;

    fn selects(selector: &str, html: &str) -> bool {
        let selectors = parse(selector).unwrap();
        let mut tags = Vec::new();
        read(html, &mut |piece| {
            if let Piece::Start(tag) = piece {
                tags.push(tag);
            }
        });
        let open: Vec<&StartTag<'_>> = tags.iter().collect();
        selectors.iter().any(|selector| selector.matches(&open))
    }

    #[test]
    fn elements_are_selected_by_what_they_are_and_what_they_are_in() {
        for (selector, html) in [
            ("a", "<A>"),
            ("*", "<x-y>"),
            ("#a.b.c", "<p class='c b' id=a>"),
            ("link[href*='x.com/'][rel]", "<link rel=a href=//x.com/y>"),
            ("[a^=b][a$='d'][a~=\"b d\"], i", "<i>"),
            ("p, script#__NEXT_DATA__", "<script id=__NEXT_DATA__>"),
            ("li > a[href|=en]", "<li><a href=en-GB>"),
            ("ul a", "<ul><li><a>"),
            ("ul > li a", "<ul><li><b><a>"),
            ("a:not([rel])", "<a>"),
            ("div[data-x=\"a&b\"]", "<div data-x='a&amp;b'>"),
        ] {
            assert!(selects(selector, html), "{selector} {html}");
        }
    }

    #[test]
    fn other_elements_are_not_selected() {
        for (selector, html) in [
            ("a", "<b>"),
            ("#a.b", "<p id=a>"),
            ("[a^='']", "<p a=x>"),
            ("ul > a", "<ul><li><a>"),
            ("ul > li a", "<ul><b><li></b><i>"),
            ("a:not([rel])", "<a rel=x>"),
        ] {
            assert!(!selects(selector, html), "{selector} {html}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for selector in ["", "a:hover", "a + b", "a,", "a[", "a[b=c", "::before"] {
            assert_eq!(parse(selector), None, "{selector}");
        }
    }
}
