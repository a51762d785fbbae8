//! `GET /api/v1/batch/status/{batch_id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;

use crate::api::ApiState;
use crate::api::legacy::error::LegacyError;
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests;
use crate::api::legacy::words;
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

/// One scan of it that has started.
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
    let row = requests::batch(&state, &visitor, batch)
        .await?
        .ok_or_else(not_found)?;
    // A client stops polling when the batch has ended, so the list must be complete by then.
    words::at_least_position(row.position)
        .wait::<Jobs>(&state)
        .await?;
    let begun = jobs::query::begun_of_batch(&state.models, row.tenant_id, batch).await?;
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
