//! The request budget of one attempt at a site (requests and bytes), and what is used of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::FetchError;
use super::settings::FetchSettings;
use crate::values::findings::Bound;

/// How many requests and bytes an attempt may use. All clones count together; each may have its own limits.
#[derive(Clone, Debug)]
pub(super) struct RequestBudget {
    spent: Arc<Spent>,
    max_requests: u64,
    max_bytes: u64,
}

#[derive(Debug, Default)]
struct Spent {
    requests: AtomicU64,
    bytes: AtomicU64,
    ran_out_of_requests: AtomicBool,
    ran_out_of_bytes: AtomicBool,
}

/// The cost of an attempt so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Requests made, redirects included.
    pub requests: u64,
    /// Bytes received: header fields, and bodies before they were decoded.
    pub bytes: u64,
    /// The limit that was reached, if any.
    pub ran_out_of: Option<Bound>,
}

impl RequestBudget {
    /// For requests outside a visit.
    pub(super) fn unlimited() -> Self {
        Self {
            spent: Arc::default(),
            max_requests: u64::MAX,
            max_bytes: u64::MAX,
        }
    }

    /// A new budget with the limits of the settings.
    pub(super) fn new(settings: &FetchSettings) -> Self {
        Self {
            spent: Arc::default(),
            max_requests: settings.max_requests,
            max_bytes: settings.max_bytes,
        }
    }

    /// The same budget, with limits that leave something for later steps.
    pub(super) fn share(&self, numerator: u64, denominator: u64) -> Self {
        let of = |whole: u64| (whole / denominator).saturating_mul(numerator).max(1);
        Self {
            spent: Arc::clone(&self.spent),
            max_requests: of(self.max_requests),
            max_bytes: of(self.max_bytes),
        }
    }

    pub(super) fn cost(&self) -> Cost {
        let ran_out = |what: &AtomicBool| what.load(Ordering::Relaxed);
        Cost {
            requests: self.spent.requests.load(Ordering::Relaxed),
            bytes: self.spent.bytes.load(Ordering::Relaxed),
            ran_out_of: if ran_out(&self.spent.ran_out_of_bytes) {
                Some(Bound::Bytes)
            } else {
                ran_out(&self.spent.ran_out_of_requests).then_some(Bound::Requests)
            },
        }
    }

    /// Before a request.
    pub(super) fn take_request(&self, url: &str) -> Result<(), FetchError> {
        self.check_bytes(url)?;
        let max = self.max_requests;
        let taken = self
            .spent
            .requests
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |made| {
                (made < max).then_some(made + 1)
            });
        if taken.is_ok() {
            return Ok(());
        }
        self.spent.ran_out_of_requests.store(true, Ordering::Relaxed);
        Err(FetchError::Budget {
            url: url.to_owned(),
            bound: Bound::Requests,
        })
    }

    /// After bytes came in.
    pub(super) fn note_bytes(&self, count: u64) {
        self.spent.bytes.fetch_add(count, Ordering::Relaxed);
    }

    /// Before more is read.
    pub(super) fn check_bytes(&self, url: &str) -> Result<(), FetchError> {
        if self.spent.bytes.load(Ordering::Relaxed) < self.max_bytes {
            return Ok(());
        }
        self.spent.ran_out_of_bytes.store(true, Ordering::Relaxed);
        Err(FetchError::Budget {
            url: url.to_owned(),
            bound: Bound::Bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_into_one_budget() {
        let whole = RequestBudget::new(&FetchSettings {
            max_requests: 4,
            max_bytes: 100,
            ..FetchSettings::default()
        });
        let part = whole.share(3, 4);
        assert!((0..3).all(|_| part.take_request("u").is_ok()));
        assert!(part.take_request("u").is_err());
        assert!(whole.take_request("u").is_ok() && whole.take_request("u").is_err());
        whole.note_bytes(80);
        assert!(part.check_bytes("u").is_err() && whole.check_bytes("u").is_ok());
        let cost = whole.cost();
        assert_eq!(
            (cost.requests, cost.bytes, cost.ran_out_of),
            (4, 80, Some(Bound::Bytes))
        );
    }
}
