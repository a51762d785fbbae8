//! Reads the descriptions of technologies into a set: their signs, and which of them are worth trying on a page.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::dom::ElementSelector;
use super::super::format::{self, Category, Description, File, FormatError, Texts};
use super::super::literals::LiteralIndex;
use super::super::pattern::Pattern;
use super::{Demand, ElementSign, Implied, Known, PatternTarget, Sign, Skipped, Technologies};

/// Converts the name in a field to the place where its patterns are searched for.
type TargetOfField = fn(String) -> PatternTarget;

/// A set that is being read.
#[derive(Default)]
pub(super) struct Builder {
    known: Vec<Known>,
    numbers: BTreeMap<String, usize>,
    categories: BTreeMap<u32, String>,
    signs: Vec<Sign>,
    elements: Vec<ElementSign>,
    skipped: Vec<Skipped>,
    not_evaluated: usize,
    own: bool,
}

impl Builder {
    /// Reads the files of one set, all of their categories first.
    pub(super) fn built(mut self, texts: &[&str]) -> Result<Technologies, FormatError> {
        let files = texts
            .iter()
            .map(|text| format::parse(text))
            .collect::<Result<Vec<_>, _>>()?;
        for file in &files {
            self.categories.extend(file.categories.clone());
        }
        for file in &files {
            self.add(file);
        }
        Ok(self.finish())
    }

    /// Adds the file of the built-in set.
    pub(super) fn add_own(&mut self, file: &File) {
        self.own = true;
        self.add(file);
        self.own = false;
    }

    fn add(&mut self, file: &File) {
        self.categories.extend(file.categories.clone());
        for (name, description) in &file.technologies {
            self.technology(name, description);
        }
    }

    fn technology(&mut self, name: &str, described: &Description) {
        let number = self.number(name);
        let before = self.signs.len() + self.elements.len();
        let skipped_before = self.skipped.len();
        for (place, texts) in plain_targets(described) {
            self.patterns(number, &place, texts.list());
        }
        let named: [(_, TargetOfField); 4] = [
            (&described.headers, PatternTarget::Header),
            (&described.cookies, PatternTarget::Cookie),
            (&described.meta, PatternTarget::Meta),
            (&described.dns, PatternTarget::Dns),
        ];
        for (fields, place) in named {
            for (field, texts) in fields {
                let place = place(field.to_ascii_lowercase());
                // An empty list only requires that the field is present.
                let texts = if texts.list().is_empty() {
                    &[String::new()][..]
                } else {
                    texts.list()
                };
                self.patterns(number, &place, texts);
            }
        }
        self.dom(number, &described.dom);
        let signs = self.signs.len() + self.elements.len() - before;
        let elsewhere = [&described.js, &described.xhr, &described.robots, &described.probe];
        if signs == 0
            && self.skipped.len() == skipped_before
            && elsewhere.iter().any(|field| !field.is_null())
        {
            self.not_evaluated += 1;
        }
        let categories: Vec<String> = described
            .cats
            .iter()
            .map(|category| self.category(category))
            .collect();
        let requires_category: Vec<String> = described
            .requires_category
            .list()
            .iter()
            .map(|category| self.category(category))
            .collect();
        let known = &mut self.known[number];
        known.signs += signs;
        known.is_loaded |= !self.own;
        if known.categories.is_empty() {
            known.categories = categories;
        }
        known.website = known.website.take().or_else(|| described.website.clone());
        known
            .implies
            .extend(described.implies.list().iter().map(|text| implied(text)));
        known
            .excludes
            .extend(described.excludes.list().iter().map(|text| implied(text).name));
        known
            .requires
            .extend(described.requires.list().iter().map(|text| implied(text).name));
        known.requires_category.extend(requires_category);
    }

    fn number(&mut self, name: &str) -> usize {
        let next = self.known.len();
        let number = *self.numbers.entry(name.to_lowercase()).or_insert(next);
        if number == next {
            self.known.push(Known {
                name: name.to_owned(),
                categories: Vec::new(),
                website: None,
                signs: 0,
                is_own: self.own,
                is_loaded: false,
                implies: Vec::new(),
                excludes: Vec::new(),
                requires: Vec::new(),
                requires_category: Vec::new(),
            });
        }
        number
    }

    fn category(&self, category: &Category) -> String {
        match category {
            Category::Name(name) => name.clone(),
            Category::Number(number) => self
                .categories
                .get(number)
                .cloned()
                .unwrap_or_else(|| format!("category {number}")),
        }
    }

    fn patterns(&mut self, technology: usize, place: &PatternTarget, texts: &[String]) {
        let by_line = *place == PatternTarget::Comment;
        for text in texts {
            match Pattern::parse(text, by_line) {
                // A pattern that matches everything proves nothing, except for fields that not every page has.
                Ok(pattern)
                    if pattern.is_empty()
                        && !matches!(
                            place,
                            PatternTarget::Header(_) | PatternTarget::Cookie(_) | PatternTarget::Meta(_)
                        ) => {}
                Ok(pattern) => self.signs.push(Sign {
                    technology,
                    place: place.clone(),
                    pattern,
                }),
                Err(error) => self.skip(technology, text, &error),
            }
        }
    }

    /// `dom`: selectors as a text or a list, or an object of selectors with conditions for their elements.
    fn dom(&mut self, technology: usize, dom: &Value) {
        match dom {
            Value::String(selectors) => self.element(technology, selectors, Demand::Nothing),
            Value::Array(list) => list.iter().for_each(|one| self.dom(technology, one)),
            Value::Object(selectors) => {
                for (selector, demands) in selectors {
                    self.demands(technology, selector, demands);
                }
            }
            _ => {}
        }
    }

    fn demands(&mut self, technology: usize, selector: &str, demands: &Value) {
        for (kind, wanted) in demands.as_object().into_iter().flatten() {
            match (kind.as_str(), wanted) {
                ("exists", _) => self.element(technology, selector, Demand::Nothing),
                ("text", Value::String(text)) => match Pattern::parse(text, false) {
                    Ok(pattern) => self.element(technology, selector, Demand::Text(pattern)),
                    Err(error) => self.skip(technology, text, &error),
                },
                ("src", Value::String(text)) => self.attribute(technology, selector, "src", text),
                ("attributes", Value::Object(attributes)) => {
                    for (name, text) in attributes {
                        self.attribute(technology, selector, name, text.as_str().unwrap_or_default());
                    }
                }
                // Only scripts set properties.
                _ => {}
            }
        }
    }

    fn attribute(&mut self, technology: usize, selector: &str, name: &str, text: &str) {
        match Pattern::parse(text, false) {
            Ok(pattern) => self.element(technology, selector, Demand::Attribute(name.to_owned(), pattern)),
            Err(error) => self.skip(technology, text, &error),
        }
    }

    fn element(&mut self, technology: usize, selector: &str, demand: Demand) {
        match ElementSelector::parse(selector) {
            Ok(selector) => self.elements.push(ElementSign {
                technology,
                selector,
                demand,
            }),
            Err(error) => self.skip(technology, selector, &error),
        }
    }

    fn skip(&mut self, technology: usize, pattern: &str, error: &dyn std::error::Error) {
        self.skipped.push(Skipped {
            technology: self.known[technology].name.clone(),
            pattern: pattern.to_owned(),
            reason: error.to_string(),
        });
    }

    fn finish(mut self) -> Technologies {
        let is_beside = |sign: &Sign| matches!(sign.place, PatternTarget::Dns(_) | PatternTarget::CertIssuer);
        let (off_page, signs) = self.signs.into_iter().partition(is_beside);
        self.signs = signs;
        let mut always = Vec::new();
        let [mut by_urls, mut by_scripts, mut by_markup, mut by_page]: [BTreeMap<String, Vec<usize>>; 4] =
            Default::default();
        for (number, sign) in self.signs.iter().enumerate() {
            let index = match sign.place {
                // These are found by name.
                PatternTarget::Header(_)
                | PatternTarget::Cookie(_)
                | PatternTarget::Meta(_)
                | PatternTarget::Url => {
                    always.push(number);
                    continue;
                }
                PatternTarget::ScriptSrc | PatternTarget::Asset | PatternTarget::File => &mut by_urls,
                PatternTarget::Scripts => &mut by_scripts,
                PatternTarget::Html | PatternTarget::Text => &mut by_page,
                PatternTarget::Dns(_) | PatternTarget::CertIssuer => continue,
                PatternTarget::Css
                | PatternTarget::Comment
                | PatternTarget::Link
                | PatternTarget::JsonLd
                | PatternTarget::AttributeName => &mut by_markup,
            };
            if sign.pattern.literals.is_empty() {
                always.push(number);
            }
            for literal in &sign.pattern.literals {
                index.entry(literal.clone()).or_default().push(number);
            }
        }
        for (number, element) in self.elements.iter().enumerate() {
            let number = self.signs.len() + number;
            let literals = &element.selector.literals;
            if literals.is_empty() {
                always.push(number);
            }
            for literal in literals {
                by_markup.entry(literal.clone()).or_default().push(number);
            }
        }
        Technologies {
            known: self.known,
            signs: self.signs,
            elements: self.elements,
            off_page,
            by_urls: LiteralIndex::new(by_urls),
            by_scripts: LiteralIndex::new(by_scripts),
            by_markup: LiteralIndex::new(by_markup),
            by_page: LiteralIndex::new(by_page),
            always,
            skipped: self.skipped,
            not_evaluated: self.not_evaluated,
            numbers: self.numbers,
            fingerprint: 0,
        }
    }
}

fn plain_targets(described: &Description) -> [(PatternTarget, &Texts); 13] {
    [
        (PatternTarget::ScriptSrc, &described.script_src),
        (PatternTarget::Scripts, &described.scripts),
        (PatternTarget::Css, &described.css),
        (PatternTarget::Html, &described.html),
        (PatternTarget::Text, &described.text),
        (PatternTarget::Url, &described.url),
        (PatternTarget::Asset, &described.assets),
        (PatternTarget::File, &described.files),
        (PatternTarget::AttributeName, &described.attributes),
        (PatternTarget::Comment, &described.comments),
        (PatternTarget::Link, &described.links),
        (PatternTarget::JsonLd, &described.jsonld),
        (PatternTarget::CertIssuer, &described.cert_issuer),
    ]
}

/// `Name\;confidence:50`.
fn implied(text: &str) -> Implied {
    let mut parts = text.split("\\;");
    let name = parts.next().unwrap_or_default().trim().to_owned();
    let confidence = parts.find_map(|tag| tag.strip_prefix("confidence:")?.trim().parse().ok());
    Implied {
        name,
        confidence: confidence.unwrap_or(100).min(100),
    }
}
