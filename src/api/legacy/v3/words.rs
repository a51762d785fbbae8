//! v3's words for statuses and errors. They differ between its routers.

use crate::aggregates::{BatchStatus, ScanStatus};
use crate::api::legacy::words;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;
use crate::values::FailureReason;

/// Status of a scan in the format of the page scraper. It repeated attempts within `processing`. A cancelled scan
/// counts as failed, because its pages know no other status for it.
pub(super) fn page_status(row: &JobRow) -> &'static str {
    match row.status {
        ScanStatus::Pending if row.next_attempt_at.is_none() => "pending",
        ScanStatus::Pending | ScanStatus::Running => "processing",
        ScanStatus::Completed => "completed",
        ScanStatus::Failed | ScanStatus::Cancelled => "failed",
    }
}

/// The same in the format of the sitemap scanner.
pub(super) fn sitemap_status(row: &JobRow) -> &'static str {
    match page_status(row) {
        "processing" => "running",
        "completed" => "complete",
        other => other,
    }
}

/// Status of a batch. One that failed in part ended as `completed`; its pages wait for that or for `failed`.
pub(super) fn batch_status(row: &BatchRow) -> &'static str {
    match row.status {
        BatchStatus::Pending => "pending",
        BatchStatus::Running => "processing",
        BatchStatus::Completed | BatchStatus::Partial => "completed",
        BatchStatus::Cancelled if row.completed_domains > 0 => "completed",
        BatchStatus::Failed | BatchStatus::Cancelled => "failed",
    }
}

/// `error` of a scan, with the reason: v3 never promised one text for all.
pub(super) fn error_of(row: &JobRow) -> Option<String> {
    match (row.status, row.reason, &row.error) {
        (ScanStatus::Failed, Some(FailureReason::InvalidDomain | FailureReason::Imported), _) => {
            words::error_of(row)
        }
        (ScanStatus::Failed, Some(reason), Some(error)) => Some(format!("{error} ({reason})")),
        _ => words::error_of(row),
    }
}

/// Seconds from the first attempt's start to the end.
pub(super) fn processing_time(row: &JobRow) -> Option<f64> {
    let span = row.completed_at? - row.started_at.unwrap_or(row.created_at);
    Some(span.as_seconds_f64())
}
