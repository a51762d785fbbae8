//! `GET /api/v1/status/{job_id}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::LegacyError;
use super::owner::Visitor;
use super::words::{self, Progress};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::v4::get_scan::find_scan;
use crate::projections::RawJson;
use crate::projections::jobs::JobRow;
use crate::values::Findings;

/// Entries of the two lists of `contact_info` at most.
const MAX_EMAILS: usize = 5;
const MAX_PHONES: usize = 3;

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
    let tenant = visitor
        .owner_of(&state, "domain_scan", scan.0)
        .await?
        .ok_or_else(not_found)?;
    let row = find_scan(&state, tenant, scan).await?.ok_or_else(not_found)?;
    Ok(Json(row.into()))
}

impl From<JobRow> for JobStatus {
    fn from(row: JobRow) -> Self {
        let (status, progress) = words::scan_status(&row);
        let result = row
            .result_data
            .as_ref()
            .filter(|_| row.status == ScanStatus::Completed);
        Self {
            job_id: words::job_id(row.scan_id),
            status,
            // v1 counted from the request.
            started_at: words::timestamp(row.created_at),
            completed_at: row.completed_at.map(words::timestamp),
            metadata: result.map(metadata),
            error: words::error_of(&row),
            progress,
        }
    }
}

/// The twelve keys, always all present.
fn metadata(result: &RawJson) -> Value {
    let mut found: Findings = result.read().unwrap_or_default();
    found.contact_info.email.truncate(MAX_EMAILS);
    found.contact_info.phone.truncate(MAX_PHONES);
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
