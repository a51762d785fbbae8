//! The cooldown of a site: the pauses between two requests, and after a visit. `Retry-After` counts only with a status
//! that asks clients to come back later, 429 or 503 (`origin.rs`, `status_failure`).

use std::time::Duration;

use super::Scanner;
use crate::values::report::SiteReport;

/// The longest wait for a site. If a site asks for a longer one, its pages are read one by one while time remains, and
/// the site is visited again after this time.
const LONGEST: Duration = Duration::from_mins(5);

/// `Crawl-delay` as a duration.
pub(super) fn crawl_delay(seconds: Option<f64>) -> Duration {
    let longest = LONGEST.as_secs_f64();
    Duration::from_secs_f64(seconds.unwrap_or_default().clamp(0.0, longest))
}

impl Scanner {
    /// The cooldown of a site after an attempt, for all scans: from its `Crawl-delay` and the
    /// settings, or from its `Retry-After` if it refused the request.
    pub fn cooldown_after(&self, report: &SiteReport) -> Duration {
        let asked = report.robots.as_ref().and_then(|robots| robots.crawl_delay);
        let sent_away = match &report.outcome {
            Err(failure) => failure.retry_after.unwrap_or_default(),
            Ok(_) => Duration::ZERO,
        };
        crawl_delay(asked)
            .max(self.context.fetcher.settings().per_host_delay)
            .max(sent_away)
            .min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crawl_delay_is_a_time_and_never_a_trap() {
        assert_eq!(crawl_delay(None), Duration::ZERO);
        assert_eq!(crawl_delay(Some(1.5)), Duration::from_millis(1500));
        for endless in [1e9, 1e300, f64::MAX] {
            assert_eq!(crawl_delay(Some(endless)), LONGEST);
        }
        assert_eq!(crawl_delay(Some(-1.0)), Duration::ZERO);
    }
}
