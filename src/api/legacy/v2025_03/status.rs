//! `GET …/status/{job_id}` and `GET …/batch/{batch_id}/status`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::aggregates::{BatchStatus, ScanStatus};
use crate::api::ApiState;
use crate::api::legacy::error::LegacyError;
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::{requests, words};
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;

/// Status and result of a scan.
pub(super) async fn job(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, LegacyError> {
    let not_found = || LegacyError::new(StatusCode::NOT_FOUND, "Job not found");
    let id = id.ok().and_then(|Path(id)| words::parse_job_id(&id));
    let row = requests::job(&state, &visitor, id.ok_or_else(not_found)?).await?;
    Ok(Json(body_of(&row.ok_or_else(not_found)?)))
}

fn body_of(row: &JobRow) -> Value {
    json!({
        "job_id": row.scan_id,
        "status": word(row),
        "progress": row.progress,
        "created_at": words::timestamp(row.created_at),
        "updated_at": words::timestamp(row.updated_at),
        "result": requests::findings(row).map(|found| words::metadata(&found)),
        "error": words::error_of(row),
        "metadata": {
            "domain": row.domain,
            "scan_type": if row.batch_id.is_some() { "batch" } else { "single" },
            "user_name": row.created_by,
            "max_pages": row.job_metadata["max_pages"],
        },
        "domain": row.domain,
    })
}

/// Between two attempts, the predecessor showed a job as running.
fn word(row: &JobRow) -> &'static str {
    match row.status {
        ScanStatus::Pending if row.next_attempt_at.is_none() => "pending",
        ScanStatus::Pending | ScanStatus::Running => "running",
        ScanStatus::Completed => "complete",
        ScanStatus::Failed | ScanStatus::Cancelled => "failed",
    }
}

/// Status of a batch and of each of its scans.
pub(super) async fn batch(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, LegacyError> {
    let not_found = || LegacyError::new(StatusCode::NOT_FOUND, "Batch not found");
    let id = id.ok().and_then(|Path(id)| words::parse_batch_id(&id));
    let row = requests::batch(&state, &visitor, id.ok_or_else(not_found)?).await?;
    let row = row.ok_or_else(not_found)?;
    let jobs = requests::jobs_of(&state, &row).await?;
    let domain_statuses: Vec<Value> = jobs
        .iter()
        .map(|job| {
            json!({
                "domain": job.domain,
                "job_id": job.scan_id,
                "status": word(job),
                "error": words::error_of(job),
            })
        })
        .collect();
    Ok(Json(json!({
        "batch_id": row.batch_id,
        "status": batch_word(&row),
        "progress": row.progress,
        "completed_domains": row.completed_domains,
        "failed_domains": row.failed_domains + row.cancelled_domains,
        "total_domains": row.total_domains,
        "domain_statuses": domain_statuses,
        "created_at": words::timestamp(row.created_at),
        "updated_at": words::timestamp(row.updated_at),
        "start_time": row.start_time.map(words::timestamp),
        "end_time": row.end_time.map(words::timestamp),
        "processing_time": row.processing_time,
        "error": words::batch_error(&row),
        "metadata": { "max_pages": row.options["max_pages"], "scan_type": "batch" },
    })))
}

fn batch_word(row: &BatchRow) -> &'static str {
    match row.status {
        BatchStatus::Running => "running",
        BatchStatus::Completed => "complete",
        _ => words::batch_status(row),
    }
}
