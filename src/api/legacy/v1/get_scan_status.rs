//! `GET /api/v1/status/{job_id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::Value;

use crate::api::ApiState;
use crate::api::legacy::error::LegacyError;
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests;
use crate::api::legacy::words::{self, Progress};
use crate::projections::jobs::JobRow;

/// A scan as v1 showed it.
#[derive(Debug, Serialize)]
pub(super) struct JobStatus {
    job_id: String,
    status: &'static str,
    started_at: String,
    completed_at: Option<String>,
    metadata: Option<Value>,
    error: Option<String>,
    progress: Option<Progress>,
}

/// Status and result of a scan.
pub(super) async fn get_scan_status(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<JobStatus>, LegacyError> {
    let not_found = || LegacyError::new(StatusCode::NOT_FOUND, "Job not found");
    let scan = id
        .ok()
        .and_then(|Path(id)| words::parse_job_id(&id))
        .ok_or_else(not_found)?;
    let row = requests::job(&state, &visitor, scan)
        .await?
        .ok_or_else(not_found)?;
    Ok(Json(row.into()))
}

impl From<JobRow> for JobStatus {
    fn from(row: JobRow) -> Self {
        let (status, progress) = words::scan_status(&row);
        Self {
            job_id: words::job_id(row.scan_id),
            status,
            // v1 counted from the request.
            started_at: words::timestamp(row.created_at),
            completed_at: row.completed_at.map(words::timestamp),
            metadata: requests::findings(&row).map(|found| words::metadata(&found)),
            error: words::error_of(&row),
            progress,
        }
    }
}
