//! `GET /api/v1/batch/status/{batch_id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;

use super::error::LegacyError;
use super::owner::Visitor;
use super::words;
use crate::api::ApiState;
use crate::api::request::AtLeast;
use crate::api::v4::get_batch::find_batch;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::{self, JobRow, Jobs};

/// A batch as v1 showed it.
#[derive(Debug, Serialize)]
pub(super) struct BatchStatus {
    batch_id: String,
    status: &'static str,
    started_at: String,
    completed_at: Option<String>,
    total_jobs: i32,
    completed_jobs: i32,
    failed_jobs: i32,
    jobs: Vec<BatchJob>,
}

/// One scan of it whose turn has come.
#[derive(Debug, Serialize)]
struct BatchJob {
    domain: String,
    job_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Status and progress of a batch.
pub(super) async fn get_batch_status(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<BatchStatus>, LegacyError> {
    let not_found = || LegacyError::new(StatusCode::NOT_FOUND, "Batch not found");
    let batch = id
        .ok()
        .and_then(|Path(id)| words::parse_batch_id(&id))
        .ok_or_else(not_found)?;
    let tenant = visitor
        .owner_of(&state, "batch_scan", batch.0)
        .await?
        .ok_or_else(not_found)?;
    let row = find_batch(&state, tenant, batch).await?.ok_or_else(not_found)?;
    // Who sees the batch ended looks no more: by then the list must be whole.
    let at_least = AtLeast {
        at_least: Some(row.position),
    };
    at_least.wait::<Jobs>(&state).await?;
    let begun = jobs::query::begun_of_batch(&state.models, tenant, batch).await?;
    Ok(Json(BatchStatus::new(&row, begun)))
}

impl BatchStatus {
    fn new(row: &BatchRow, begun: Vec<JobRow>) -> Self {
        Self {
            batch_id: words::batch_id(row.batch_id),
            status: words::batch_status(row),
            // v1 counted from the request.
            started_at: words::timestamp(row.created_at),
            completed_at: row.end_time.map(words::timestamp),
            total_jobs: row.total_domains,
            completed_jobs: row.completed_domains,
            failed_jobs: row.failed_domains + row.cancelled_domains,
            jobs: begun.into_iter().map(BatchJob::from).collect(),
        }
    }
}

impl From<JobRow> for BatchJob {
    fn from(row: JobRow) -> Self {
        Self {
            job_id: words::job_id(row.scan_id),
            status: words::batch_job_status(row.status),
            error: words::error_of(&row),
            domain: row.domain,
        }
    }
}
