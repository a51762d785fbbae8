//! The memory and CPU time budget of one scan, and how much of it is used.
//!
//! The limits for its requests are in `fetch/budget.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::ScannerSettings;
use crate::values::TenantId;

/// The part of each budget of a scan (time, requests, bytes, CPU time) that its sitemaps may use, as a fraction. The
/// remaining part is left for the pages that follow.
pub(super) const SITEMAP_SHARE: (u32, u32) = (3, 4);

/// The part of a duration that sitemaps may use.
pub(super) fn sitemap_share_of(whole: Duration) -> Duration {
    let (numerator, denominator) = SITEMAP_SHARE;
    whole.mul_f64(f64::from(numerator) / f64::from(denominator))
}

/// How much memory and CPU time a scan may use. All clones share the budget.
#[derive(Clone, Debug)]
pub(super) struct ComputeBudget {
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

impl ComputeBudget {
    /// A new budget for a scan of a tenant.
    pub(super) fn new(tenant: TenantId, settings: &ScannerSettings) -> Self {
        Self {
            tenant,
            spent: Arc::default(),
            max_bytes: settings.max_kept_bytes,
            max_compute: settings.max_compute,
        }
    }

    /// The tenant that is charged.
    pub(super) fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// Whether two budgets belong to the same scan.
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

    /// Reserves memory until the scan ends; false if there is not enough.
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

    /// Adds the CPU time that a job took.
    pub(super) fn charge(&self, compute: Duration) {
        let nanoseconds = u64::try_from(compute.as_nanos()).unwrap_or(u64::MAX);
        self.spent.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// The CPU time used so far.
    pub(super) fn computed(&self) -> Duration {
        Duration::from_nanos(self.spent.nanoseconds.load(Ordering::Relaxed))
    }

    /// Whether the scan may read more of the sitemaps.
    pub(super) fn may_read_sitemaps(&self) -> bool {
        self.computed() < sitemap_share_of(self.max_compute)
    }

    /// Whether the scan may read further pages.
    pub(super) fn may_read_pages(&self) -> bool {
        self.computed() < self.max_compute
    }

    /// The message for a scan that used up its CPU time.
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
    fn clones_count_into_one_budget_that_is_never_exceeded() {
        let settings = ScannerSettings {
            max_kept_bytes: 100,
            max_compute: Duration::from_secs(4),
            ..ScannerSettings::default()
        };
        let one = ComputeBudget::new(TenantId::DEFAULT, &settings);
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
