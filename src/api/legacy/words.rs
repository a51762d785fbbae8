//! The predecessor's formats: ids, timestamps, statuses, error texts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::aggregates::{BatchStatus, ScanStatus};
use crate::api::at_least::AtLeast;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;
use crate::values::{BatchId, FailureReason, Findings, ScanId};

/// The one text that v1 had for every site that could not be read.
const NOT_READ: &str = "Failed to extract metadata";

/// `scan_<32 hex digits>`.
pub(in crate::api::legacy) fn job_id(scan: ScanId) -> String {
    format!("scan_{}", scan.0.simple())
}

/// `batch_<32 hex digits>`.
pub(in crate::api::legacy) fn batch_id(batch: BatchId) -> String {
    format!("batch_{}", batch.0.simple())
}

/// The scan that a `job_id` names; a bare UUID will do, as later versions had it.
pub(in crate::api::legacy) fn parse_job_id(text: &str) -> Option<ScanId> {
    Uuid::try_parse(text.strip_prefix("scan_").unwrap_or(text))
        .ok()
        .map(ScanId)
}

/// The batch that a `batch_id` names.
pub(in crate::api::legacy) fn parse_batch_id(text: &str) -> Option<BatchId> {
    Uuid::try_parse(text.strip_prefix("batch_").unwrap_or(text))
        .ok()
        .map(BatchId)
}

/// Python's naive `isoformat()`: UTC, microseconds, no zone.
pub(in crate::api::legacy) fn timestamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// How far a scan is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::api::legacy) struct Progress {
    step: &'static str,
    message: String,
}

/// Status and progress of a scan. v1 repeated attempts within `running`; a cancelled scan counts as failed.
pub(in crate::api::legacy) fn scan_status(row: &JobRow) -> (&'static str, Option<Progress>) {
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
pub(in crate::api::legacy) fn batch_job_status(status: ScanStatus) -> &'static str {
    match status {
        ScanStatus::Pending | ScanStatus::Running => "pending",
        ScanStatus::Completed => "completed",
        ScanStatus::Failed | ScanStatus::Cancelled => "failed",
    }
}

/// Status of a batch. v1 had no cancellation: a cancelled batch ended with fewer scans than requested.
pub(in crate::api::legacy) fn batch_status(row: &BatchRow) -> &'static str {
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
pub(in crate::api::legacy) fn error_of(row: &JobRow) -> Option<String> {
    match (row.status, row.reason) {
        (ScanStatus::Cancelled, _) => Some("Scan cancelled".to_owned()),
        (ScanStatus::Failed, Some(FailureReason::InvalidDomain)) => Some(invalid_domain(&row.domain)),
        (
            ScanStatus::Failed,
            Some(FailureReason::Internal | FailureReason::Abandoned | FailureReason::Imported) | None,
        ) => Some(row.error.clone().unwrap_or_default()),
        (ScanStatus::Failed, Some(_)) => Some(NOT_READ.to_owned()),
        _ => None,
    }
}

/// v1's refusal of what is not a domain.
pub(in crate::api::legacy) fn invalid_domain(input: &str) -> String {
    format!("Invalid domain format: {input}")
}

/// The same with the reason, which v1 did not give.
fn whole_error(row: &JobRow) -> String {
    let text = error_of(row).unwrap_or_default();
    match (row.reason, &row.error) {
        (Some(reason), Some(error)) if text == NOT_READ => format!("{text} ({reason}: {error})"),
        _ => text,
    }
}

/// Entries of the two lists of `contact_info` at most.
const MAX_EMAILS: usize = 5;
const MAX_PHONES: usize = 3;

/// Findings with no more contacts than the predecessor returned.
pub(in crate::api::legacy) fn limited(mut found: Findings) -> Findings {
    found.contact_info.email.truncate(MAX_EMAILS);
    found.contact_info.phone.truncate(MAX_PHONES);
    found
}

/// The twelve keys, always all present.
pub(in crate::api::legacy) fn metadata(found: &Findings) -> Value {
    json!({
        "title": found.title,
        "description": found.description,
        "language": found.language,
        "is_wordpress": found.is_wordpress,
        "wordpress_version": found.wordpress_version,
        "has_elementor": found.has_elementor,
        "favicon_url": found.favicon_url,
        "logo_url": found.logo_url,
        "contact_info": found.contact_info,
        "social_links": found.social_links,
        "tech_stack": found.tech_stack,
        "performance": found.performance,
    })
}

/// `error` of a batch.
pub(in crate::api::legacy) fn batch_error(row: &BatchRow) -> Option<&'static str> {
    row.cancelled.then_some("Batch cancelled by user")
}

/// Waits until a read model has reached a position.
pub(in crate::api::legacy) fn at_least_position(position: i64) -> AtLeast {
    AtLeast {
        at_least: Some(position),
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
