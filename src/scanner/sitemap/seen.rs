//! Which URLs were met before, in about 16 bytes each.

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// A set of URLs that keeps their keyed 64-bit hashes only: two of a million URLs are taken for one with a chance of
/// one in 37 million, and nobody can make them collide without the key.
#[derive(Debug)]
pub struct SeenUrls {
    key: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<AsIs>>,
    limit: usize,
}

/// What the set says about an URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Not met before.
    First,
    /// Met before.
    Again,
    /// Not among those remembered, and no room to remember it.
    Full,
}

impl SeenUrls {
    /// A set for at most `limit` URLs.
    pub fn with_limit(limit: usize) -> Self {
        Self {
            key: RandomState::new(),
            hashes: HashSet::default(),
            limit,
        }
    }

    /// Looks an URL up and remembers it.
    pub fn see(&mut self, url: &str) -> Seen {
        let hash = self.key.hash_one(url);
        if self.hashes.len() < self.limit {
            return if self.hashes.insert(hash) {
                Seen::First
            } else {
                Seen::Again
            };
        }
        if self.hashes.contains(&hash) {
            Seen::Again
        } else {
            Seen::Full
        }
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
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
}
