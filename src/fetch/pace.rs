//! Keeps requests to one host apart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Past this many hosts, those whose turn is over are forgotten.
const HOSTS_KEPT: usize = 10_000;

/// Hands out turns: each request to a host begins at least `gap` after the one before.
pub(super) struct Pace {
    gap: Duration,
    next_turn: Mutex<HashMap<String, Instant>>,
}

impl Pace {
    pub(super) fn new(gap: Duration) -> Self {
        Self {
            gap,
            next_turn: Mutex::default(),
        }
    }

    /// Reserves the next turn at a host and says when it is.
    pub(super) fn turn(&self, host: &str, now: Instant) -> Instant {
        if self.gap.is_zero() {
            return now;
        }
        let mut turns = self.next_turn.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= HOSTS_KEPT {
            turns.retain(|_, next| *next > now);
        }
        let turn = turns.get(host).copied().unwrap_or(now).max(now);
        turns.insert(host.to_owned(), turn + self.gap);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_at_one_host_are_apart_and_other_hosts_do_not_wait() {
        let gap = Duration::from_millis(100);
        let (pace, now) = (Pace::new(gap), Instant::now());
        assert_eq!(pace.turn("a", now), now);
        assert_eq!(pace.turn("a", now), now + gap);
        assert_eq!(pace.turn("b", now), now);
        assert_eq!(pace.turn("a", now + gap * 5), now + gap * 5);
    }
}
