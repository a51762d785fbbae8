//! `POST …/batch`, `POST sitemap/batch/create` and their results.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::words;
use crate::api::ApiState;
use crate::api::legacy::backend::UnknownHere;
use crate::api::legacy::body::Body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests::{self, LegacyRequest};
use crate::api::legacy::words::{batch_error, parse_batch_id, timestamp};
use crate::api::request::CommandRequest;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;
use crate::values::BatchOptions;

/// Domains of one batch of page scans at most; the predecessor had no limit.
const MAX_DOMAINS: usize = 100_000;
/// Domains of one batch of sitemap scans at most, and the shortest name of one.
const MAX_SITEMAP_DOMAINS: usize = 100;
const MIN_NAME: usize = 3;

/// Requests the scans of a list.
pub(super) async fn create(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<Value>, LegacyError> {
    let mut body = Body::read(&request)?;
    let domains = body.texts("domains");
    let options = BatchOptions::new(
        body.nullable_integer("max_pages"),
        body.nullable_integer("max_concurrent"),
    );
    let tenant = body.nullable_tenant("tenant_id");
    body.check()?;
    if domains.is_empty() {
        return Err(requests::refused(&json!({
            "message": "Missing required parameter",
            "error": "domains list is required",
        })));
    }
    if domains.len() > MAX_DOMAINS {
        return Err(requests::too_many(MAX_DOMAINS));
    }
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    let batch_id = requests::many(&state, asked, &domains, options).await?.batch_id;
    Ok(Json(json!({
        "batch_id": batch_id,
        "status_url": format!("/api/v3/batch_page_scraper/batch/{batch_id}/status"),
        "job_count": domains.len(),
        "created_at": timestamp(Utc::now()),
    })))
}

/// The same for sitemaps, with other limits.
pub(super) async fn create_for_sitemaps(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<Value>, LegacyError> {
    let mut body = Body::read(&request)?;
    let domains = body.texts("domains");
    let max_pages = body.optional_integer("max_pages");
    if body.has_no_errors() {
        check_sitemap_batch(&mut body, &domains, max_pages);
    }
    body.check()?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant: None,
    };
    let options = BatchOptions::new(max_pages, None);
    let batch_id = requests::many(&state, asked, &domains, options).await?.batch_id;
    Ok(Json(json!({
        "batch_id": batch_id,
        "status": "pending",
        "total_domains": domains.len(),
        "status_url": format!("/api/v3/sitemap/batch/status/{batch_id}"),
    })))
}

fn check_sitemap_batch(body: &mut Body, domains: &[String], max_pages: Option<i64>) {
    let too_short = |domain: &&String| domain.chars().count() < MIN_NAME;
    if domains.is_empty() {
        body.refuse_value("domains", "At least one domain is required");
    } else if domains.len() > MAX_SITEMAP_DOMAINS {
        body.refuse_value("domains", "Maximum 100 domains allowed per batch");
    } else if let Some(short) = domains.iter().find(too_short) {
        body.refuse_value("domains", &format!("Invalid domain: {short}"));
    }
    match max_pages {
        Some(..1) => body.refuse_value("max_pages", "max_pages must be at least 1"),
        Some(10_001..) => body.refuse_value("max_pages", "max_pages cannot exceed 10000"),
        _ => {}
    }
}

/// Status of a batch and of each of its domains.
pub(super) async fn status(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, LegacyError> {
    let given = id.map(|Path(id)| id).unwrap_or_default();
    let Some(id) = parse_batch_id(&given) else {
        let error = format!("Invalid UUID format: {given}");
        return Ok(nothing(&given, "error", &error));
    };
    let Some(row) = requests::batch(&state, &visitor, id).await? else {
        return Ok(nothing(&given, "unknown", "Batch not found"));
    };
    let jobs = requests::jobs_of(&state, &row).await?;
    Ok(Json(body_of(&row, &jobs)).into_response())
}

/// The predecessor returned 200 for unknown ids.
fn nothing(id: &str, status: &str, error: &str) -> Response {
    let answer = Json(json!({
        "batch_id": id,
        "status": status,
        "total_domains": 0,
        "completed_domains": 0,
        "failed_domains": 0,
        "progress": 0.0,
        "created_at": null,
        "updated_at": null,
        "start_time": null,
        "end_time": null,
        "processing_time": null,
        "domain_statuses": {},
        "error": error,
        "metadata": {},
    }));
    (Extension(UnknownHere), answer).into_response()
}

fn body_of(row: &BatchRow, jobs: &[JobRow]) -> Value {
    let domain_statuses: Map<String, Value> = jobs
        .iter()
        .map(|job| (job.domain.clone(), domain_status(job)))
        .collect();
    json!({
        "batch_id": row.batch_id,
        "status": words::batch_status(row),
        "total_domains": row.total_domains,
        "completed_domains": row.completed_domains,
        "failed_domains": row.failed_domains + row.cancelled_domains,
        "progress": row.progress,
        "created_at": timestamp(row.created_at),
        "updated_at": timestamp(row.updated_at),
        "start_time": row.start_time.map(timestamp),
        "end_time": row.end_time.map(timestamp),
        "processing_time": row.processing_time,
        "domain_statuses": domain_statuses,
        "error": batch_error(row),
        "metadata": {
            "domain_count": row.total_domains,
            "max_pages": row.options["max_pages"],
            "max_concurrent": row.options["max_concurrent"],
            "failures": row.failures,
        },
    })
}

fn domain_status(job: &JobRow) -> Value {
    json!({
        "status": words::page_status(job),
        "job_id": job.scan_id,
        "start_time": job.started_at.map(timestamp),
        "end_time": job.completed_at.map(timestamp),
        "processing_time": words::processing_time(job),
        "error": words::error_of(job),
    })
}
