//! Looks for signs in elements: one pass with a bounded list of those that are open, and no tree.

use super::pattern::Pattern;
use super::resolve::Found;
use super::set::{Demand, ElementSign, Technologies};
use super::version::{Told, told_by_url};
use crate::scanner::page::html::{Piece, StartTag, read};
use crate::scanner::references::resolve_html;

/// Elements around one that selectors can ask for; what is nested deeper is seen as beside it.
const MAX_OPEN: usize = 64;

/// Characters of an element's text that are looked at.
const MAX_TEXT: usize = 500;

/// Elements that have no end tag.
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
];

/// Adds what the elements of a page show of these signs.
pub(super) fn look_for<'s>(set: &'s Technologies, candidates: &[usize], html: &str, found: &mut Found<'s>) {
    if candidates.is_empty() {
        return;
    }
    let mut walk = Walk {
        set,
        waiting: candidates.iter().map(|number| &set.elements[*number]).collect(),
        open: Vec::new(),
        text_of: None,
        found,
    };
    read(html, &mut |piece| walk.take(piece));
    walk.end_text();
}

struct Walk<'a, 'f, 's> {
    set: &'s Technologies,
    /// Signs that were not found yet.
    waiting: Vec<&'s ElementSign>,
    open: Vec<StartTag<'a>>,
    /// The element whose text is gathered: the patterns, its text so far.
    text_of: Option<(Vec<(usize, &'s Pattern)>, String)>,
    found: &'f mut Found<'s>,
}

impl<'a> Walk<'a, '_, '_> {
    fn take(&mut self, piece: Piece<'a>) {
        match piece {
            Piece::Start(tag) => self.start(tag),
            Piece::End(name) => {
                self.end_text();
                if let Some(at) = self
                    .open
                    .iter()
                    .rposition(|open| open.name.eq_ignore_ascii_case(name))
                {
                    self.open.truncate(at);
                }
            }
            Piece::Text(text) | Piece::RawText(text) => {
                if let Some((_, gathered)) = &mut self.text_of
                    && gathered.len() < MAX_TEXT
                {
                    gathered.extend(text.chars().take(MAX_TEXT));
                }
            }
            Piece::Comment(_) => {}
        }
    }

    fn start(&mut self, tag: StartTag<'a>) {
        self.end_text();
        let is_void = VOID.contains(&tag.name.as_str());
        self.open.push(tag);
        let mut texts = Vec::new();
        let open: Vec<&StartTag<'_>> = self.open.iter().collect();
        let found = &mut *self.found;
        let set = self.set;
        self.waiting.retain(|sign| {
            let Some(tag) = open.last() else {
                return true;
            };
            if !sign.selectors.iter().any(|selector| selector.matches(&open)) {
                return true;
            }
            match &sign.demand {
                Demand::Nothing => found.add(sign.technology, 100, evidence(tag.source), []),
                Demand::Attribute(name, pattern) => {
                    let Some(value) = tag.raw(name).map(resolve_html) else {
                        return true;
                    };
                    let Some(hit) = pattern.find(&value) else {
                        return true;
                    };
                    let told = if matches!(name.as_str(), "src" | "href") {
                        told_by_url(
                            &set.known[sign.technology].name,
                            &value,
                            &hit,
                            pattern.confidence,
                            &[],
                        )
                    } else {
                        hit.version
                            .map(|version| Told::stated(version, pattern.confidence))
                    };
                    found.add(sign.technology, pattern.confidence, evidence(tag.source), told);
                }
                Demand::Text(pattern) => {
                    texts.push((sign.technology, pattern));
                    return true;
                }
            }
            false
        });
        if !texts.is_empty() {
            self.text_of = Some((texts, String::new()));
        }
        if is_void || self.open.len() > MAX_OPEN {
            self.open.pop();
        }
    }

    fn end_text(&mut self) {
        let Some((patterns, text)) = self.text_of.take() else {
            return;
        };
        for (technology, pattern) in patterns {
            if let Some(hit) = pattern.find(&text) {
                self.found.add(
                    technology,
                    pattern.confidence,
                    format!("text: {}", hit.evidence),
                    hit.version
                        .map(|version| Told::stated(version, pattern.confidence)),
                );
            }
        }
    }
}

fn evidence(source: &str) -> String {
    format!("element: {}", source.trim().chars().take(200).collect::<String>())
}
