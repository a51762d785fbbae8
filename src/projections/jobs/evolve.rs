//! Folds an event into the row of a scan.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::JobRow;
use crate::aggregates::{ScanEvent, ScanStatus};
use crate::projections::Fact;
use crate::projections::domains::domain_id;
use crate::values::event_type::Follower;
use crate::values::{DomainName, ScanId};

pub(super) fn evolve(row: Option<JobRow>, fact: &Fact) -> Option<JobRow> {
    let (scan_id, event) = fact.scan()?;
    let Some(mut row) = row else {
        return requested(scan_id, event, fact);
    };
    row.status = event.status_after();
    row.position = fact.position;
    row.updated_at = fact.at;
    row.progress = progress(row.status);
    match event {
        ScanEvent::ScanStarted { attempt, .. } => {
            row.attempts = to_int(*attempt);
            row.started_at = row.started_at.or(Some(fact.at));
            row.next_attempt_at = None;
        }
        ScanEvent::ScanAttemptFailed {
            reason,
            error,
            retry_at,
            ..
        } => {
            row.reason = Some(*reason);
            row.error = Some(error.clone());
            row.next_attempt_at = Some(*retry_at);
        }
        ScanEvent::ScanCompleted { findings, .. } => {
            row.reason = None;
            row.error = None;
            row.findings = Some(format!("\\x{}", findings.digest));
            end(&mut row, fact.at);
        }
        ScanEvent::ScanFailed { reason, error, .. } => {
            row.reason = Some(*reason);
            row.error = Some(error.clone());
            end(&mut row, fact.at);
        }
        ScanEvent::ScanCancelled { .. } => end(&mut row, fact.at),
        ScanEvent::ScanRetried { round, .. } => {
            row.round = to_int(*round);
            row.reason = None;
            row.error = None;
            row.completed_at = None;
        }
        ScanEvent::ScanImported {
            table,
            row_id,
            job_type,
            status,
            ..
        } => {
            if let Some(job_type) = job_type {
                row.job_type.clone_from(job_type);
            }
            row.started_at = Some(fact.at);
            row.job_metadata["imported"] = json!({ "table": table, "row_id": row_id, "status": status });
        }
        ScanEvent::ScanErased { .. } => row.findings = None,
        // They change the status alone.
        ScanEvent::ScanRequested { .. } | ScanEvent::ScanAbandoned { .. } => {}
        other => debug_assert!(
            !other.kind().followers().contains(&Follower::Jobs),
            "jobs follows {} and does nothing with it",
            other.kind()
        ),
    }
    Some(row)
}

fn requested(scan_id: ScanId, event: &ScanEvent, fact: &Fact) -> Option<JobRow> {
    let ScanEvent::ScanRequested {
        domain,
        batch_id,
        line,
        options,
        ..
    } = event
    else {
        return None;
    };
    let is_domain = DomainName::parse(domain).is_ok();
    Some(JobRow {
        scan_id,
        tenant_id: fact.tenant,
        batch_id: *batch_id,
        line: line.map(to_int),
        domain: domain.clone(),
        domain_id: is_domain.then(|| domain_id(fact.tenant, domain)),
        job_type: "domain_scan".to_owned(),
        status: ScanStatus::Pending,
        progress: 0.0,
        attempts: 0,
        round: 1,
        reason: None,
        error: None,
        findings: None,
        result_data: None,
        job_metadata: json!({ "max_pages": options.max_pages }),
        created_by: fact.actor.clone(),
        created_at: fact.at,
        updated_at: fact.at,
        started_at: None,
        completed_at: None,
        next_attempt_at: None,
        requested_position: fact.position,
        position: fact.position,
    })
}

fn end(row: &mut JobRow, at: DateTime<Utc>) {
    row.completed_at = Some(at);
    row.next_attempt_at = None;
}

/// A scan is one step: there is no telling how far along a site is.
fn progress(status: ScanStatus) -> f64 {
    match status {
        ScanStatus::Pending => 0.0,
        ScanStatus::Running => 0.1,
        ScanStatus::Completed | ScanStatus::Failed | ScanStatus::Cancelled => 1.0,
    }
}

fn to_int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
