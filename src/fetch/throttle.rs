//! Spaces the requests to one host.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Above this number of hosts, those whose turn is over are removed.
const HOSTS_KEPT: usize = 10_000;

/// Hands out turns: each request to a host begins at least `gap` after the one before, or later if the host wishes.
pub(super) struct Throttle {
    gap: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Clone, Copy)]
struct Host {
    next_turn: Instant,
    gap: Duration,
}

impl Throttle {
    pub(super) fn new(gap: Duration) -> Self {
        Self {
            gap,
            hosts: Mutex::default(),
        }
    }

    /// Keeps requests to a host at least this far apart, from the next one on.
    pub(super) fn set_delay(&self, host: &str, delay: Duration) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let gap = self.gap.max(delay);
        if let Some(known) = hosts.get_mut(host) {
            known.gap = gap;
        } else if !gap.is_zero() {
            let next_turn = Instant::now();
            hosts.insert(host.to_owned(), Host { next_turn, gap });
        }
    }

    /// Whether requests to a host are spaced.
    pub(super) fn has_delay(&self, host: &str) -> bool {
        let hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        !hosts.get(host).map_or(self.gap, |known| known.gap).is_zero()
    }

    /// Reserves the next turn at a host and says when it is; `None`, and nothing is reserved, if it comes after `end`.
    pub(super) fn reserve(&self, host: &str, now: Instant, end: Instant) -> Option<Instant> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS_KEPT {
            hosts.retain(|_, known| known.next_turn > now);
        }
        let known = hosts.get(host).copied();
        let gap = known.map_or(self.gap, |known| known.gap);
        let turn = known.map_or(now, |known| known.next_turn.max(now));
        if turn > end {
            return None;
        }
        if !gap.is_zero() {
            let next_turn = turn + gap;
            hosts.insert(host.to_owned(), Host { next_turn, gap });
        }
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: Duration = Duration::from_millis(100);

    #[test]
    fn turns_at_one_host_are_apart_and_other_hosts_do_not_wait() {
        let (throttle, now) = (Throttle::new(GAP), Instant::now());
        let turn = |host, at| throttle.reserve(host, at, now + GAP * 100).unwrap();
        assert_eq!(turn("a", now), now);
        assert_eq!(turn("a", now), now + GAP);
        assert_eq!(turn("b", now), now);
        assert_eq!(turn("a", now + GAP * 5), now + GAP * 5);
    }

    #[test]
    fn a_host_may_wish_for_more_but_not_for_less() {
        let (throttle, now) = (Throttle::new(GAP), Instant::now());
        let turn = |host| throttle.reserve(host, now, now + GAP * 100).unwrap();
        assert_eq!(turn("a"), now);
        throttle.set_delay("a", GAP * 10);
        assert!(throttle.has_delay("a") && throttle.has_delay("b"));
        assert_eq!((turn("a"), turn("a")), (now + GAP, now + GAP * 11));
        throttle.set_delay("a", Duration::ZERO);
        assert_eq!((turn("a"), turn("a")), (now + GAP * 21, now + GAP * 22));
        let without = Throttle::new(Duration::ZERO);
        without.set_delay("a", Duration::ZERO);
        assert!(!without.has_delay("a"));
        assert!(
            without.hosts.lock().unwrap().is_empty(),
            "nothing is kept of hosts without wishes"
        );
    }

    #[test]
    fn a_turn_that_comes_too_late_is_not_taken() {
        let (throttle, now) = (Throttle::new(GAP), Instant::now());
        assert_eq!(throttle.reserve("a", now, now), Some(now));
        assert_eq!(throttle.reserve("a", now, now + GAP / 2), None);
        assert_eq!(throttle.reserve("a", now, now + GAP), Some(now + GAP));
    }
}
