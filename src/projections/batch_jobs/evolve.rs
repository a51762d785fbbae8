//! Folds an event into the row of a batch.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::BatchRow;
use crate::aggregates::batch::BatchProgress;
use crate::aggregates::{BatchEvent, BatchStatus, ScanEvent, ScanStatus};
use crate::projections::Fact;
use crate::projections::fact::Happened;
use crate::values::{BatchId, BatchOptions, FailureReason};

/// The key of the predecessor's data in `batch_metadata`.
const IMPORTED: &str = "imported";

pub(super) fn evolve(row: Option<BatchRow>, fact: &Fact) -> Option<BatchRow> {
    let Some(mut row) = row else {
        return requested(fact);
    };
    match &fact.happened {
        Happened::Batch(_, event) => note_batch(&mut row, event, fact),
        Happened::Scan(_, event) => note_scan(&mut row, event, fact),
    }
    row.position = fact.position;
    row.updated_at = fact.at;
    let ended = row.completed_domains + row.failed_domains + row.cancelled_domains;
    row.progress = f64::from(ended) / f64::from(row.total_domains.max(1));
    row.processing_time = row
        .start_time
        .map(|start| seconds(row.end_time.unwrap_or(fact.at) - start));
    row.status = BatchStatus::of(BatchProgress {
        completed: row.completed_domains.unsigned_abs(),
        failed: row.failed_domains.unsigned_abs(),
        started: row.start_time.is_some() || ended > 0,
        ended: row.ended,
        cancelled: row.cancelled,
    });
    Some(row)
}

/// What a batch was requested with; what it did not ask for is left out.
fn shown(options: &BatchOptions) -> Value {
    let mut shown = json!({ "max_concurrent": options.max_concurrent, "max_pages": options.scan.max_pages });
    if !options.scan.files.is_empty() {
        shown["files"] = json!(options.scan.files);
    }
    if options.scan.sitemap_sample > 0 {
        shown["sitemap_sample"] = json!(options.scan.sitemap_sample);
    }
    shown
}

fn requested(fact: &Fact) -> Option<BatchRow> {
    let Happened::Batch(
        batch_id,
        BatchEvent::BatchRequested {
            total,
            options,
            items,
            monitor_id,
        },
    ) = &fact.happened
    else {
        return None;
    };
    let total_domains = i32::try_from(*total).unwrap_or(i32::MAX);
    Some(BatchRow {
        batch_id: BatchId(batch_id.0),
        tenant_id: fact.tenant,
        processor_type: "domain_batch".to_owned(),
        status: BatchStatus::Pending,
        total_domains,
        completed_domains: 0,
        failed_domains: 0,
        cancelled_domains: 0,
        failures: BTreeMap::new(),
        progress: 0.0,
        options: shown(options),
        batch_metadata: json!({ "domain_count": total, "items": items }),
        created_by: fact.actor.clone(),
        created_at: fact.at,
        updated_at: fact.at,
        start_time: None,
        end_time: None,
        processing_time: None,
        round: 1,
        ended: false,
        cancelled: false,
        monitor_id: *monitor_id,
        requested_position: fact.position,
        position: fact.position,
    })
}

fn note_batch(row: &mut BatchRow, event: &BatchEvent, fact: &Fact) {
    match event {
        BatchEvent::BatchReopened { round, .. } => {
            row.round = i32::try_from(*round).unwrap_or(i32::MAX);
            row.ended = false;
            row.end_time = None;
        }
        BatchEvent::BatchImported {
            completed,
            failed,
            status,
            error,
            row_id,
            ..
        } => {
            row.completed_domains = i32::try_from(*completed).unwrap_or(i32::MAX);
            row.failed_domains = i32::try_from(*failed).unwrap_or(i32::MAX);
            row.start_time = Some(fact.at);
            row.batch_metadata[IMPORTED] = json!({ "status": status, "error": error, "row_id": row_id });
        }
        BatchEvent::BatchCompleted { .. } => {
            row.ended = true;
            row.end_time = Some(fact.at);
        }
        BatchEvent::BatchCancelled {} => {
            row.cancelled = true;
            row.end_time = Some(fact.at);
        }
        BatchEvent::BatchRequested { .. } | BatchEvent::BatchExpanded { .. } => {}
    }
}

/// The predecessor's counts stand for its scans, of which some are known; what is done with those here counts.
fn is_counted(row: &BatchRow, event: &ScanEvent) -> bool {
    let is_retry = matches!(event, ScanEvent::ScanRetried { .. });
    row.round > 1 || is_retry || row.batch_metadata.get(IMPORTED).is_none()
}

fn note_scan(row: &mut BatchRow, event: &ScanEvent, fact: &Fact) {
    if !is_counted(row, event) {
        return;
    }
    match event {
        ScanEvent::ScanStarted { .. } => row.start_time = row.start_time.or(Some(fact.at)),
        ScanEvent::ScanCompleted { .. } => row.completed_domains += 1,
        ScanEvent::ScanFailed { reason, .. } => {
            row.failed_domains += 1;
            *row.failures.entry(reason.to_string()).or_default() += 1;
        }
        ScanEvent::ScanCancelled { .. } => row.cancelled_domains += 1,
        ScanEvent::ScanRetried {
            ended: ScanStatus::Cancelled,
            ..
        } => row.cancelled_domains -= 1,
        ScanEvent::ScanRetried { reason, .. } => {
            row.failed_domains -= 1;
            forget_failure(row, *reason);
        }
        _ => {}
    }
}

fn forget_failure(row: &mut BatchRow, reason: Option<FailureReason>) {
    let Some(reason) = reason else { return };
    let left = row.failures.get(reason.as_str()).copied().unwrap_or(0) - 1;
    if left > 0 {
        row.failures.insert(reason.to_string(), left);
    } else {
        row.failures.remove(reason.as_str());
    }
}

fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}
