//! A set of fingerprints, compiled once: the built-in ones, and those that a user loads.

mod builder;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use self::builder::Builder;
use super::dom::ElementSelector;
use super::format::{self, FormatError};
use super::literals::LiteralIndex;
use super::pattern::Pattern;

/// The set in the binary: facts that we gathered ourselves, one technology per line.
const OWN: &str = include_str!("own.json");

/// Where a pattern is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PatternTarget {
    Header(String),
    /// A trailing `*` matches any ending.
    Cookie(String),
    Meta(String),
    ScriptSrc,
    Scripts,
    Css,
    Html,
    Text,
    Url,
    Asset,
    /// Files on the site's own hosts.
    File,
    AttributeName,
    Comment,
    Link,
    JsonLd,
    /// By record type, lower case.
    Dns(String),
    CertIssuer,
}

/// One sign of a technology.
#[derive(Debug)]
pub(super) struct Sign {
    pub(super) technology: usize,
    pub(super) place: PatternTarget,
    pub(super) pattern: Pattern,
}

/// What an element must have in addition to matching a selector.
#[derive(Debug)]
pub(super) enum Demand {
    Nothing,
    Attribute(String, Pattern),
    Text(Pattern),
}

/// A sign in the tree of elements.
#[derive(Debug)]
pub(super) struct ElementSign {
    pub(super) technology: usize,
    pub(super) selector: ElementSelector,
    pub(super) demand: Demand,
}

/// A name and its confidence, from `implies`.
#[derive(Clone, Debug)]
pub(super) struct Implied {
    pub(super) name: String,
    pub(super) confidence: u8,
}

/// What is known about a technology in addition to its signs.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its usual name.
    pub name: String,
    /// Names of its categories.
    pub categories: Vec<String>,
    /// Where to find it.
    pub website: Option<String>,
    /// Number of signs.
    pub signs: usize,
    /// Whether it is in the built-in set.
    pub is_own: bool,
    /// Whether it is in a set that a user loaded.
    pub is_loaded: bool,
    pub(super) implies: Vec<Implied>,
    pub(super) excludes: Vec<String>,
    pub(super) requires: Vec<String>,
    pub(super) requires_category: Vec<String>,
}

/// A pattern that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The technology.
    pub technology: String,
    /// The pattern or selector, as written.
    pub pattern: String,
    /// The reason.
    pub reason: String,
}

/// A compiled set. Cheap to share, expensive to create.
#[derive(Debug)]
pub struct Technologies {
    pub(super) known: Vec<Known>,
    pub(super) signs: Vec<Sign>,
    pub(super) elements: Vec<ElementSign>,
    /// Signs that cannot occur on a page.
    pub(super) off_page: Vec<Sign>,
    /// Which signs are worth trying, by the literals in the URLs of a page's files, its scripts, its tags and so on, or
    /// anywhere. Element signs are numbered after the others.
    pub(super) by_urls: LiteralIndex,
    pub(super) by_scripts: LiteralIndex,
    pub(super) by_markup: LiteralIndex,
    pub(super) by_page: LiteralIndex,
    /// Signs without a literal.
    pub(super) always: Vec<usize>,
    skipped: Vec<Skipped>,
    /// Technologies whose only signs need a browser, a resolver or further requests.
    not_evaluated: usize,
    /// By name, lower case.
    numbers: BTreeMap<String, usize>,
    /// Computed from the texts that the set was made from.
    fingerprint: u64,
}

/// The built-in set.
pub fn own() -> &'static Arc<Technologies> {
    static SET: LazyLock<Arc<Technologies>> = LazyLock::new(|| {
        Arc::new(Technologies::with(&[]).expect("the set of the binary is constant and tested"))
    });
    &SET
}

impl Technologies {
    /// The built-in set and the content of these texts. A technology in several of them gets the signs of all.
    pub fn with(texts: &[&str]) -> Result<Self, FormatError> {
        let mut builder = Builder::default();
        builder.add_own(&format::parse(OWN)?);
        Ok(Self {
            fingerprint: fingerprint_of(OWN, texts),
            ..builder.built(texts)?
        })
    }

    /// Only the fingerprints in these texts.
    pub fn of(texts: &[&str]) -> Result<Self, FormatError> {
        Ok(Self {
            fingerprint: fingerprint_of("", texts),
            ..Builder::default().built(texts)?
        })
    }

    /// A value that identifies this set.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Combines several files of one set into one text for [`Technologies::with`].
    pub fn combine(texts: &[String]) -> Result<String, FormatError> {
        format::combine(texts)
    }

    /// The number of a technology, by its name in any case.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.numbers.get(name.to_lowercase().as_str()).copied()
    }

    /// All technologies by name, without regard to case.
    pub fn list(&self) -> Vec<&Known> {
        let mut known: Vec<&Known> = self.known.iter().collect();
        known.sort_by_key(|known| known.name.to_lowercase());
        known
    }

    /// Patterns that are not used, and why.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// Patterns that are too large to be searched; slow, because it compiles all patterns.
    pub fn oversized(&self) -> Vec<Skipped> {
        let of_elements = self.elements.iter().filter_map(|element| match &element.demand {
            Demand::Nothing => None,
            Demand::Attribute(_, pattern) | Demand::Text(pattern) => Some((element.technology, pattern)),
        });
        let all = self
            .signs
            .iter()
            .map(|sign| (sign.technology, &sign.pattern))
            .chain(of_elements);
        let oversized = all
            .filter(|(_, pattern)| !pattern.is_sound())
            .map(|(technology, pattern)| Skipped {
                technology: self.known[technology].name.clone(),
                pattern: pattern.source().to_owned(),
                reason: "it is too large to be searched".to_owned(),
            });
        oversized.collect()
    }

    /// Number of technologies that no page can show, because all their signs need a browser or further requests.
    pub fn not_evaluated(&self) -> usize {
        self.not_evaluated
    }

    /// Number of technologies that a loaded set names, whether or not the built-in set has them.
    pub fn loaded(&self) -> usize {
        self.known.iter().filter(|known| known.is_loaded).count()
    }

    /// Number of patterns and selectors.
    pub fn signs(&self) -> usize {
        self.signs.len() + self.elements.len() + self.off_page.len()
    }

    /// Whether there are signs outside pages.
    pub fn has_signs_beside(&self) -> bool {
        !self.off_page.is_empty()
    }
}

fn fingerprint_of(own: &str, texts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (own, texts).hash(&mut hasher);
    hasher.finish()
}
