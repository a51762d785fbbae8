//! The old words: ids, timestamps, statuses, error texts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::aggregates::{BatchStatus, ScanStatus};
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;
use crate::values::{BatchId, FailureReason, ScanId};

/// The one text that v1 had for every site that could not be read.
const NOT_READ: &str = "Failed to extract metadata";

/// `scan_<32 hex digits>`.
pub(super) fn job_id(scan: ScanId) -> String {
    format!("scan_{}", scan.0.simple())
}

/// `batch_<32 hex digits>`.
pub(super) fn batch_id(batch: BatchId) -> String {
    format!("batch_{}", batch.0.simple())
}

/// The scan that a `job_id` names; a bare UUID will do, as later versions had it.
pub(super) fn parse_job_id(text: &str) -> Option<ScanId> {
    Uuid::try_parse(text.strip_prefix("scan_").unwrap_or(text))
        .ok()
        .map(ScanId)
}

/// The batch that a `batch_id` names.
pub(super) fn parse_batch_id(text: &str) -> Option<BatchId> {
    Uuid::try_parse(text.strip_prefix("batch_").unwrap_or(text))
        .ok()
        .map(BatchId)
}

/// Python's naive `isoformat()`: UTC, microseconds, no zone.
pub(super) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    step: &'static str,
    message: String,
}

/// Status and progress of a scan. v1 repeated attempts within `running`; who was cancelled has failed.
pub(super) fn scan_status(row: &JobRow) -> (&'static str, Option<Progress>) {
    let waits_for_next_attempt = row.next_attempt_at.is_some();
    let (status, step, message) = match row.status {
        ScanStatus::Pending if !waits_for_next_attempt => return ("pending", None),
        ScanStatus::Pending | ScanStatus::Running => {
            let message = format!("Extracting metadata from https://{}", row.domain);
            ("running", "extracting", message)
        }
        ScanStatus::Completed => ("completed", "completed", "Scan completed successfully".to_owned()),
        ScanStatus::Failed | ScanStatus::Cancelled => {
            ("failed", "failed", format!("Scan failed: {}", whole_error(row)))
        }
    };
    (status, Some(Progress { step, message }))
}

/// Status of a scan in its batch's list, where v1 knew no `running`.
pub(super) fn batch_job_status(status: ScanStatus) -> &'static str {
    match status {
        ScanStatus::Pending | ScanStatus::Running => "pending",
        ScanStatus::Completed => "completed",
        ScanStatus::Failed | ScanStatus::Cancelled => "failed",
    }
}

/// Status of a batch. v1 knew no cancelling: such a batch ended with less than it was asked for.
pub(super) fn batch_status(row: &BatchRow) -> &'static str {
    match row.status {
        BatchStatus::Pending => "pending",
        BatchStatus::Running => "in_progress",
        BatchStatus::Completed => "completed",
        BatchStatus::Partial => "partial",
        BatchStatus::Cancelled if row.completed_domains > 0 => "partial",
        BatchStatus::Failed | BatchStatus::Cancelled => "failed",
    }
}

/// `error` of a scan that ended without a result.
pub(super) fn error_of(row: &JobRow) -> Option<String> {
    match (row.status, row.reason) {
        (ScanStatus::Cancelled, _) => Some("Scan cancelled".to_owned()),
        (ScanStatus::Failed, Some(FailureReason::InvalidDomain)) => Some(invalid_domain(&row.domain)),
        (ScanStatus::Failed, Some(FailureReason::Internal | FailureReason::Abandoned) | None) => {
            Some(row.error.clone().unwrap_or_default())
        }
        (ScanStatus::Failed, Some(_)) => Some(NOT_READ.to_owned()),
        _ => None,
    }
}

/// v1's refusal of what is no domain.
pub(super) fn invalid_domain(input: &str) -> String {
    format!("Invalid domain format: {input}")
}

/// The same with the reason, which v1 did not tell.
fn whole_error(row: &JobRow) -> String {
    let text = error_of(row).unwrap_or_default();
    match (row.reason, &row.error) {
        (Some(reason), Some(error)) if text == NOT_READ => format!("{text} ({reason}: {error})"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_with_their_prefix_or_as_bare_uuids() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef);
        let text = job_id(ScanId(id));
        assert_eq!(text, "scan_00000000000000000123456789abcdef");
        assert_eq!(parse_job_id(&text), Some(ScanId(id)));
        assert_eq!(parse_job_id(&id.to_string()), Some(ScanId(id)));
        assert_eq!(parse_batch_id(&batch_id(BatchId(id))), Some(BatchId(id)));
        for none in ["", "scan_", "scan_zz", "batch_00000000000000000123456789abcdef"] {
            assert_eq!(parse_job_id(none), None, "{none}");
        }
    }

    #[test]
    fn a_timestamp_has_six_digits_and_no_zone_even_on_the_full_second() {
        let at = DateTime::from_timestamp_micros(1_795_409_614_000_000).unwrap();
        assert_eq!(timestamp(at), "2026-11-23T04:53:34.000000");
    }
}
