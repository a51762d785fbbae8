//! Limits of memory and CPU time of one scan, and what it has used.
//!
//! The limits of its requests are in `fetch/budget.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::ScannerSettings;
use crate::values::TenantId;

/// The account of a scan; all clones count into one.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    tenant: TenantId,
    spent: Arc<Spent>,
    max_bytes: usize,
    max_compute: Duration,
}

#[derive(Debug, Default)]
struct Spent {
    bytes: AtomicUsize,
    nanoseconds: AtomicU64,
}

impl Allowance {
    /// A new account for a scan of a tenant.
    pub(super) fn new(tenant: TenantId, settings: &ScannerSettings) -> Self {
        Self {
            tenant,
            spent: Arc::default(),
            max_bytes: settings.max_kept_bytes,
            max_compute: settings.max_compute,
        }
    }

    /// The tenant that pays.
    pub(super) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whether two are of one scan.
    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.spent, &other.spent)
    }

    /// The memory that a scan may fill.
    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// The memory that this scan may still fill.
    pub(super) fn room(&self) -> usize {
        self.max_bytes
            .saturating_sub(self.spent.bytes.load(Ordering::Relaxed))
    }

    /// Reserves memory of the scan until its end; false if there is not enough.
    pub(super) fn keep(&self, bytes: usize) -> bool {
        let max = self.max_bytes;
        let taken = self
            .spent
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| {
                kept.checked_add(bytes).filter(|kept| *kept <= max)
            });
        taken.is_ok()
    }

    /// Adds what a job took of a processor.
    pub(super) fn charge(&self, compute: Duration) {
        let nanoseconds = u64::try_from(compute.as_nanos()).unwrap_or(u64::MAX);
        self.spent.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The used CPU time.
    pub(super) fn computed(&self) -> Duration {
        Duration::from_nanos(self.spent.nanoseconds.load(Ordering::Relaxed))
    }

    /// Whether sitemaps may be read on: a quarter of the time is left for the pages that follow.
    pub(super) fn may_read_sitemaps(&self) -> bool {
        self.computed() < self.max_compute.mul_f64(0.75)
    }

    /// Whether further pages may be read.
    pub(super) fn may_read_pages(&self) -> bool {
        self.computed() < self.max_compute
    }

    /// The problem of a scan that used up its CPU time.
    pub(super) fn ran_out(&self) -> String {
        format!(
            "not everything was read: the scan used its budget of {} ms of processor time",
            self.max_compute.as_millis()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_into_one_account_and_nothing_is_taken_that_is_not_there() {
        let settings = ScannerSettings {
            max_kept_bytes: 100,
            max_compute: Duration::from_secs(4),
            ..ScannerSettings::default()
        };
        let one = Allowance::new(TenantId::DEFAULT, &settings);
        let other = one.clone();
        assert!(one.keep(60) && !other.keep(41) && other.keep(40) && !one.keep(1));
        one.charge(Duration::from_secs(2));
        assert!(one.may_read_sitemaps());
        other.charge(Duration::from_secs(1));
        assert!(!one.may_read_sitemaps() && one.may_read_pages());
        other.charge(Duration::from_secs(1));
        assert!(!one.may_read_pages());
    }
}
