//! The cost of scans, for `/metrics`: the time of an attempt and of each stage, its requests and bytes.

use std::time::Instant;

use crate::fetch::Fetcher;
use crate::values::report::SiteReport;

/// A running stage of a scan. A stage that the scan's time limit ends is measured too.
pub(super) struct Stage {
    name: &'static str,
    began: Instant,
}

impl Stage {
    pub(super) fn begin(name: &'static str) -> Self {
        Self {
            name,
            began: Instant::now(),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        metrics::histogram!("sitelog_scan_stage_seconds", "stage" => self.name)
            .record(self.began.elapsed().as_secs_f64());
    }
}

/// Records one finished attempt.
#[expect(
    clippy::cast_precision_loss,
    reason = "histograms are floats; the costs of one scan stay far below 2^53"
)]
pub(super) fn attempt(began: Instant, fetcher: &Fetcher, report: &SiteReport) {
    let outcome = match &report.outcome {
        Ok(_) => "completed",
        Err(failure) => {
            metrics::counter!("sitelog_scan_failures_total", "reason" => failure.reason.as_str())
                .increment(1);
            "failed"
        }
    };
    metrics::histogram!("sitelog_scan_attempt_seconds", "outcome" => outcome)
        .record(began.elapsed().as_secs_f64());
    let cost = fetcher.cost();
    metrics::histogram!("sitelog_scan_attempt_bytes").record(cost.bytes as f64);
    metrics::histogram!("sitelog_scan_attempt_requests").record(cost.requests as f64);
}
