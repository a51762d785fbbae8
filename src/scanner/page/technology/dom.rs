//! Signs in elements: which selectors may match, and one search for all that may occur on a page.

use std::collections::HashMap;

use cssparser::Parser as CssParser;
use html5ever::LocalName;
use scraper::selector::{Parser, Simple};
use scraper::{ElementRef, Selector};
use selectors::parser::{Combinator, Component, ParseRelative, SelectorList};

use super::pattern::{Hit, Pattern};
use super::resolve::Found;
use super::set::{Demand, ElementSign, Technologies};
use super::version::{Claim, claim_of_url};
use crate::scanner::page::outline::Outline;
use crate::scanner::page::tree::{raw, shown};

/// Characters of an element's text that are examined.
const MAX_TEXT: usize = 500;

/// Limit on how often all selectors together are matched against elements; a page can be made to match very many.
const MAX_TRIES: usize = 5_000_000;

/// Attributes that most elements have: they are less specific than the name of an element.
const COMMON: &[&str] = &["class", "href", "id", "name", "rel", "src", "style", "type"];

/// A selector, and a quick check that excludes most elements.
#[derive(Debug)]
pub(super) struct ElementSelector {
    selector: Selector,
    /// For each alternative of the selector, something that the element must have.
    keys: Vec<Key>,
    /// Every page with such an element contains one of these, in lower case; empty if none are known.
    pub(super) literals: Vec<String>,
}

/// A feature that an element must have for a selector to match.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Attribute(LocalName),
    Name(LocalName),
    Any,
}

/// Why a selector is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// It is not a selector, or uses pseudo-classes that only browsers know.
    #[error("the selector is invalid or unsupported")]
    Syntax,
    /// `~`, `:has()`, `:nth-child()` and similar ones.
    #[error(
        "the selector compares an element with all others around it, which takes too long on large pages"
    )]
    Unbounded,
}

impl ElementSelector {
    /// Reads a list of selectors.
    pub(super) fn parse(text: &str) -> Result<Self, SelectorError> {
        let selector = Selector::parse(text).map_err(|_| SelectorError::Syntax)?;
        // scraper does not expose the parts of its selectors.
        let parts = SelectorList::<Simple>::parse(&Parser, &mut CssParser::new(text), ParseRelative::No)
            .map_err(|_| SelectorError::Syntax)?;
        if !is_bounded(&parts) {
            return Err(SelectorError::Unbounded);
        }
        let literals: Option<Vec<String>> = parts.slice().iter().map(literal).collect();
        Ok(Self {
            selector,
            keys: parts.slice().iter().map(key).collect(),
            literals: literals.unwrap_or_default(),
        })
    }

    /// Whether it selects an element.
    pub(super) fn matches(&self, element: &ElementRef<'_>) -> bool {
        self.selector.matches(element)
    }
}

/// Whether only an element and its ancestors decide, without lists of siblings or descendants.
fn is_bounded(list: &SelectorList<Simple>) -> bool {
    let mut parts = list.slice().iter().flat_map(|one| one.iter_raw_match_order());
    parts.all(|part| match part {
        Component::Combinator(Combinator::LaterSibling) | Component::Has(_) | Component::NthOf(_) => false,
        Component::Nth(nth) => nth.is_simple_edge(),
        Component::Negation(inner) | Component::Is(inner) | Component::Where(inner) => is_bounded(inner),
        _ => true,
    })
}

/// The parts of the element itself.
fn own_parts(selector: &selectors::parser::Selector<Simple>) -> impl Iterator<Item = &Component<Simple>> {
    let parts = selector.iter_raw_match_order();
    parts.take_while(|part| !matches!(part, Component::Combinator(_)))
}

/// The rarest feature that an element must have.
fn key(selector: &selectors::parser::Selector<Simple>) -> Key {
    let keys = own_parts(selector).map(|part| match part {
        Component::LocalName(name) => Key::Name(name.lower_name.0.clone()),
        Component::ID(_) => Key::Attribute(LocalName::from("id")),
        Component::Class(_) => Key::Attribute(LocalName::from("class")),
        Component::AttributeInNoNamespaceExists { local_name_lower, .. } => {
            Key::Attribute(local_name_lower.0.clone())
        }
        Component::AttributeInNoNamespace { local_name, .. } => Key::Attribute(local_name.0.clone()),
        _ => Key::Any,
    });
    let rarity = |key: &Key| match key {
        Key::Any => 0,
        Key::Attribute(name) if COMMON.contains(&&**name) => 1,
        Key::Name(_) => 2,
        Key::Attribute(_) => 3,
    };
    keys.max_by_key(rarity).unwrap_or(Key::Any)
}

/// A lower-case text on every page with such an element, preferably from an attribute: element names are on every page.
fn literal(selector: &selectors::parser::Selector<Simple>) -> Option<String> {
    let longest = |text: fn(&Component<Simple>) -> Option<&str>| {
        let texts = selector.iter_raw_match_order().filter_map(text);
        texts
            .filter_map(super::literals::plain_piece)
            .max_by_key(String::len)
            .filter(|piece| piece.len() > 2)
    };
    longest(|part| match part {
        Component::ID(name) | Component::Class(name) => Some(&name.0),
        Component::AttributeInNoNamespaceExists { local_name_lower, .. } => Some(&local_name_lower.0),
        Component::AttributeInNoNamespace { value, .. } if !value.0.is_empty() => Some(&value.0),
        Component::AttributeInNoNamespace { local_name, .. } => Some(&local_name.0),
        _ => None,
    })
    .or_else(|| {
        longest(|part| match part {
            Component::LocalName(name) => Some(&name.lower_name.0),
            _ => None,
        })
    })
}

/// Adds the signs that the elements of a page show.
pub(super) fn match_elements<'s>(
    set: &'s Technologies,
    candidates: &[usize],
    page: &Outline,
    found: &mut Found<'s>,
) {
    let mut waiting = Waiting::default();
    for number in candidates {
        let sign = &set.elements[*number];
        for key in &sign.selector.keys {
            let signs = waiting.by(key);
            if !signs.last().is_some_and(|last| std::ptr::eq(*last, sign)) {
                signs.push(sign);
            }
        }
    }
    if candidates.is_empty() {
        return;
    }
    let mut search = Search {
        set,
        page,
        found,
        tries: 0,
    };
    for element in page.tree.tree.nodes().filter_map(ElementRef::wrap) {
        for (attribute, _) in &element.value().attrs {
            if let Some(signs) = waiting.by_attribute.get_mut(&attribute.local) {
                search.hold(signs, &element);
            }
        }
        if let Some(signs) = waiting.by_name.get_mut(&element.value().name.local) {
            search.hold(signs, &element);
        }
        search.hold(&mut waiting.others, &element);
        if search.tries > MAX_TRIES {
            return;
        }
    }
}

/// Signs that were not found yet, by the feature that an element must have.
#[derive(Default)]
struct Waiting<'s> {
    by_attribute: HashMap<&'s LocalName, Vec<&'s ElementSign>>,
    by_name: HashMap<&'s LocalName, Vec<&'s ElementSign>>,
    others: Vec<&'s ElementSign>,
}

impl<'s> Waiting<'s> {
    fn by(&mut self, key: &'s Key) -> &mut Vec<&'s ElementSign> {
        match key {
            Key::Attribute(name) => self.by_attribute.entry(name).or_default(),
            Key::Name(name) => self.by_name.entry(name).or_default(),
            Key::Any => &mut self.others,
        }
    }
}

struct Search<'p, 'f, 's> {
    set: &'s Technologies,
    page: &'p Outline,
    found: &'f mut Found<'s>,
    tries: usize,
}

impl Search<'_, '_, '_> {
    /// Checks signs against an element and removes those that it settles.
    fn hold(&mut self, signs: &mut Vec<&ElementSign>, element: &ElementRef<'_>) {
        self.tries += signs.len();
        signs.retain(|sign| !self.settles(sign, element));
    }

    /// Whether an element settles a sign completely.
    fn settles(&mut self, sign: &ElementSign, element: &ElementRef<'_>) -> bool {
        // Nodes that were moved during parsing may be left outside the tree.
        if element.parent().is_none() || !sign.selector.matches(element) {
            return false;
        }
        match &sign.demand {
            Demand::Nothing => self.add(sign, 100, evidence(element), None),
            Demand::Attribute(name, pattern) => {
                let Some(value) = raw(element.value(), name) else {
                    return false;
                };
                let Some(hit) = pattern.find(value) else {
                    return false;
                };
                let claimed = self.claimed(sign, name, value, &hit, pattern);
                self.add(sign, pattern.confidence, evidence(element), claimed);
            }
            Demand::Text(pattern) => {
                let text: String = element.text().flat_map(str::chars).take(MAX_TEXT).collect();
                let Some(hit) = pattern.find(&text) else {
                    return false;
                };
                let claimed = hit
                    .version
                    .map(|version| Claim::stated(version, pattern.confidence));
                self.add(
                    sign,
                    pattern.confidence,
                    format!("text: {}", hit.evidence),
                    claimed,
                );
            }
        }
        true
    }

    fn claimed(
        &self,
        sign: &ElementSign,
        name: &str,
        value: &str,
        hit: &Hit,
        pattern: &Pattern,
    ) -> Option<Claim> {
        if matches!(name, "src" | "href") {
            let technology = &self.set.known[sign.technology].name;
            return claim_of_url(technology, value, hit, pattern.confidence, &self.page.assets);
        }
        let version = hit.version.clone()?;
        Some(Claim::stated(version, pattern.confidence))
    }

    fn add(&mut self, sign: &ElementSign, confidence: u8, evidence: String, claimed: Option<Claim>) {
        self.found.add(sign.technology, confidence, evidence, claimed);
    }
}

fn evidence(element: &ElementRef<'_>) -> String {
    let shown: String = shown(element.value()).chars().take(200).collect();
    format!("element: {}", shown.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scanner::page::tree::parse;

    fn selects(selector: &str, html: &str) -> bool {
        let selector = ElementSelector::parse(selector).unwrap();
        let page = parse(html).html;
        page.tree
            .nodes()
            .filter_map(ElementRef::wrap)
            .any(|element| selector.matches(&element))
    }

    #[test]
    fn elements_are_selected_as_in_browsers() {
        for (selector, html) in [
            ("link[href*='x.com/'][rel]", "<link rel=a href=//x.com/y>"),
            ("p, script#__NEXT_DATA__", "<script id=__NEXT_DATA__></script>"),
            ("li > a[href|=en]", "<li><a href=en-GB>"),
            ("a:not([rel])", "<a>"),
            ("div[data-x=\"a&b\"]", "<div data-x='a&amp;b'>"),
            ("p + i", "<p></p><i>"),
            ("li:first-child", "<ul><li>"),
        ] {
            assert!(selects(selector, html), "{selector} {html}");
        }
        for (selector, html) in [("ul > a", "<ul><li><a>"), ("a:not([rel])", "<a rel=x>")] {
            assert!(!selects(selector, html), "{selector} {html}");
        }
    }

    #[test]
    fn selectors_that_are_not_understood_or_take_too_long_are_refused() {
        for (selector, error) in [
            ("", SelectorError::Syntax),
            ("a:hover", SelectorError::Syntax),
            ("a[", SelectorError::Syntax),
            ("::before", SelectorError::Syntax),
            ("a ~ b", SelectorError::Unbounded),
            ("a:has(b)", SelectorError::Unbounded),
            ("p:not(:nth-child(2n))", SelectorError::Unbounded),
        ] {
            assert_eq!(ElementSelector::parse(selector).unwrap_err(), error, "{selector}");
        }
    }

    #[test]
    fn a_selector_is_tried_where_it_can_match() {
        let parsed = |text| ElementSelector::parse(text).unwrap();
        let name = |name: &str| Key::Name(LocalName::from(name));
        let attribute = |name: &str| Key::Attribute(LocalName::from(name));
        let both = parsed("script[src*='/x.js'], [data-mine]");
        assert_eq!(both.keys, [name("script"), attribute("data-mine")]);
        assert_eq!(both.literals, ["/x.js", "data-mine"]);
        assert_eq!(parsed(".a-widget b").keys, [name("b")]);
        assert_eq!(parsed(".a-widget b").literals, ["a-widget"]);
        assert_eq!(parsed("*, #abc").literals, Vec::<String>::new());
    }
}
