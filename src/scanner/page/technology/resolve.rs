//! Turns signs into technologies: combines several signs, and applies what technologies imply, require and exclude.

use super::set::Technologies;
use super::version::{Claim, choose};
use crate::values::findings::Technology;

/// The technologies that were found.
pub(super) struct Found<'s> {
    set: &'s Technologies,
    /// Indexed by the technology's number.
    of: Vec<Option<Seen>>,
}

#[derive(Clone, Debug)]
struct Seen {
    confidence: u8,
    /// The most certain sign's confidence, and its evidence.
    evidence: (u8, String),
    /// All versions that its signs gave.
    claimed: Vec<Claim>,
}

impl<'s> Found<'s> {
    pub(super) fn new(set: &'s Technologies) -> Self {
        Self {
            set,
            of: vec![None; set.known.len()],
        }
    }

    /// Adds a sign. Confidences add up to 100 at most; the most certain sign provides the evidence.
    pub(super) fn add(
        &mut self,
        technology: usize,
        confidence: u8,
        evidence: String,
        claimed: impl IntoIterator<Item = Claim>,
    ) {
        let Some(seen) = &mut self.of[technology] else {
            self.of[technology] = Some(Seen {
                confidence,
                evidence: (confidence, evidence),
                claimed: claimed.into_iter().collect(),
            });
            return;
        };
        seen.confidence = seen.confidence.saturating_add(confidence).min(100);
        if confidence > seen.evidence.0 {
            seen.evidence = (confidence, evidence);
        }
        seen.claimed.extend(claimed);
    }

    /// Adds a technology that was found earlier.
    pub(super) fn add_known(&mut self, technology: &Technology) {
        if let Some(number) = self.number(&technology.name) {
            self.add(number, technology.confidence, technology.evidence.clone(), None);
        }
    }

    /// All technologies that remain, in the order of the set.
    pub(super) fn resolve(mut self) -> Vec<Technology> {
        self.drop_excluded();
        while self.add_implied() {
            self.drop_excluded();
        }
        self.drop_without_required();
        let of_wordpress = self.number("WordPress").and_then(|number| {
            let claimed = &self.of[number].as_ref()?.claimed;
            Some((number, choose(claimed, None)?))
        });
        let known = self.set.known.iter().zip(self.of).enumerate();
        let technologies = known.filter_map(|(number, (known, seen))| {
            let seen = seen.filter(|seen| seen.confidence > 0)?;
            let default = of_wordpress
                .as_ref()
                .filter(|(wordpress, _)| *wordpress != number);
            Some(Technology {
                name: known.name.clone(),
                version: choose(&seen.claimed, default.map(|(_, version)| version.as_str())),
                categories: known.categories.clone(),
                confidence: seen.confidence,
                evidence: seen.evidence.1,
            })
        });
        technologies.collect()
    }

    fn is_there(&self, name: &str) -> bool {
        self.number(name).is_some_and(|number| self.of[number].is_some())
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.set.number(name)
    }

    fn drop_excluded(&mut self) {
        for number in 0..self.of.len() {
            if self.of[number].is_none() {
                continue;
            }
            for name in &self.set.known[number].excludes {
                if let Some(excluded) = self.number(name).filter(|excluded| *excluded != number) {
                    self.of[excluded] = None;
                }
            }
        }
    }

    /// Adds implied technologies and returns whether it added any. Excluded ones are not added, so this terminates.
    fn add_implied(&mut self) -> bool {
        let mut has_added = false;
        for number in 0..self.of.len() {
            let Some(seen) = &self.of[number] else {
                continue;
            };
            let confidence = seen.confidence;
            // A technology without its required technologies implies nothing.
            if !self.has_required(number) {
                continue;
            }
            for implied in &self.set.known[number].implies {
                let Some(other) = self
                    .number(&implied.name)
                    .filter(|other| !self.is_excluded(*other))
                else {
                    continue;
                };
                if self.of[other].is_none() {
                    let confidence = confidence.min(implied.confidence);
                    let evidence = format!("implied by {}", self.set.known[number].name);
                    self.of[other] = Some(Seen {
                        confidence,
                        evidence: (confidence, evidence),
                        claimed: Vec::new(),
                    });
                    has_added = true;
                }
            }
        }
        has_added
    }

    fn is_excluded(&self, number: usize) -> bool {
        let name = &self.set.known[number].name;
        let there = self
            .of
            .iter()
            .zip(&self.set.known)
            .filter(|(seen, _)| seen.is_some());
        there
            .flat_map(|(_, known)| &known.excludes)
            .any(|excluded| excluded.eq_ignore_ascii_case(name))
    }

    /// Whether any of the required technologies is present, and any of the required categories.
    fn has_required(&self, number: usize) -> bool {
        let known = &self.set.known[number];
        let has_technology =
            known.requires.is_empty() || known.requires.iter().any(|name| self.is_there(name));
        let is_of = |category: &String| {
            let others = self.of.iter().zip(&self.set.known).enumerate();
            others
                .filter(|(other, (seen, _))| *other != number && seen.is_some())
                .any(|(_, (_, other))| other.categories.contains(category))
        };
        has_technology && (known.requires_category.is_empty() || known.requires_category.iter().any(is_of))
    }

    fn drop_without_required(&mut self) {
        loop {
            let lacking =
                (0..self.of.len()).find(|number| self.of[*number].is_some() && !self.has_required(*number));
            match lacking {
                Some(number) => self.of[number] = None,
                None => return,
            }
        }
    }
}
