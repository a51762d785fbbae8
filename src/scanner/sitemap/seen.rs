//! The set of URLs that were seen before, in at most 14 bytes each.

use std::hash::{BuildHasher, RandomState};

/// Parts of the set that grow separately: a growing set holds its old and its new table at the same time.
const PARTS: usize = 64;

/// Slots of a part when it gets its first URL.
const FIRST_SLOTS: usize = 16;

/// A set of URLs that keeps only their keyed 64-bit hashes. Among a million URLs, the chance that two are confused is
/// one in 37 million, and without the key nobody can cause a collision.
#[derive(Debug)]
pub struct SeenUrls {
    key: RandomState,
    parts: Vec<Part>,
    length: usize,
    limit: usize,
}

/// The result of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not seen before.
    First,
    /// Seen before.
    Again,
    /// Not in the set, which has no room for it.
    Full,
}

impl SeenUrls {
    /// A set for at most `limit` URLs.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            key: RandomState::new(),
            parts: vec![Part::default(); PARTS],
            length: 0,
            limit,
        }
    }

    /// Looks up a URL and adds it.
    pub fn see(&mut self, url: &str) -> Seen {
        // Zero marks a free slot.
        let hash = self.key.hash_one(url).max(1);
        // The low bits select the part, the high bits the slot.
        let part = usize::try_from(hash % PARTS as u64).unwrap_or_default();
        let part = &mut self.parts[part];
        if part.contains(hash) {
            Seen::Again
        } else if self.length < self.limit {
            part.insert(hash);
            self.length += 1;
            Seen::First
        } else {
            Seen::Full
        }
    }
}

/// Each hash is in the first free slot from its own position on, so only the hashes need memory. The part grows by half
/// when nine tenths of it are used, so a tenth to two fifths are free.
#[derive(Clone, Debug, Default)]
struct Part {
    slots: Vec<u64>,
    taken: usize,
}

impl Part {
    fn contains(&self, hash: u64) -> bool {
        !self.slots.is_empty() && self.slots[self.slot(hash)] == hash
    }

    /// Adds a hash that is not in the part.
    fn insert(&mut self, hash: u64) {
        if (self.taken + 1) * 10 > self.slots.len() * 9 {
            let grown = (self.slots.len() + self.slots.len() / 2).max(FIRST_SLOTS);
            let old = std::mem::replace(&mut self.slots, vec![0; grown]);
            for hash in old.into_iter().filter(|hash| *hash != 0) {
                let slot = self.slot(hash);
                self.slots[slot] = hash;
            }
        }
        let slot = self.slot(hash);
        self.slots[slot] = hash;
        self.taken += 1;
    }

    /// The slot where a hash is or would be.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the product's upper half is below the number of slots"
    )]
    fn slot(&self, hash: u64) -> usize {
        let mut slot = ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize;
        while self.slots[slot] != 0 && self.slots[slot] != hash {
            slot = if slot + 1 == self.slots.len() { 0 } else { slot + 1 };
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_url_is_new_once_and_a_full_set_says_so() {
        let mut seen = SeenUrls::with_limit(2);
        let answers = ["a", "b", "a", "c", "b"].map(|url| seen.see(url));
        assert_eq!(
            answers,
            [Seen::First, Seen::First, Seen::Again, Seen::Full, Seen::Again]
        );
    }

    #[test]
    fn it_answers_as_a_set_of_the_whole_urls_does_and_wastes_little() {
        const URLS: usize = 100_000;
        let (mut seen, mut known) = (SeenUrls::with_limit(usize::MAX), HashSet::new());
        for number in 0..2 * URLS {
            // Each comes twice, out of order.
            let url = format!("https://acme.test/{}", (number * 7919) % URLS);
            let wanted = if known.insert(url.clone()) {
                Seen::First
            } else {
                Seen::Again
            };
            assert_eq!(seen.see(&url), wanted, "{url}");
        }
        let slots: usize = seen.parts.iter().map(|part| part.slots.len()).sum();
        assert!(slots * 8 <= URLS * 14, "{slots} slots for {URLS} URLs");
    }
}
