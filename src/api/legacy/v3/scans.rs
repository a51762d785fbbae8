//! `POST …/scan` of the three routers.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::Utc;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::legacy::body::Body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests::{self, LegacyRequest};
use crate::api::legacy::words::timestamp;
use crate::api::request::CommandRequest;
use crate::values::ScanId;

/// A requested scan.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJob {
    job_id: Uuid,
    status_url: String,
    created_at: String,
}

impl AcceptedJob {
    fn new(scan: ScanId, router: &str) -> Json<Self> {
        Json(Self {
            job_id: scan.0,
            status_url: format!("/api/v3/{router}/status/{scan}"),
            created_at: timestamp(Utc::now()),
        })
    }
}

struct Wanted {
    base_url: String,
    max_pages: Option<i64>,
    asked: LegacyRequest,
}

fn read(request: CommandRequest, visitor: Visitor) -> Result<Wanted, LegacyError> {
    let mut body = Body::read(&request)?;
    let base_url = body.text("base_url");
    let max_pages = body.optional_integer("max_pages");
    let tenant = body.nullable_tenant("tenant_id");
    body.check()?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    Ok(Wanted {
        base_url,
        max_pages,
        asked,
    })
}

/// Of `modernized_page_scraper`; what is not a domain ended in 500.
pub(super) async fn modernized(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJob>, LegacyError> {
    let wanted = read(request, visitor)?;
    let scan = requests::one(&state, wanted.asked, &wanted.base_url, wanted.max_pages)
        .await
        .map_err(in_its_words)?;
    Ok(AcceptedJob::new(scan, "batch_page_scraper"))
}

/// Of `batch_page_scraper`, which took any object.
pub(super) async fn batch_page(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJob>, LegacyError> {
    let mut body = Body::read(&request)?;
    let base_url = body.truthy_text("base_url");
    let max_pages = body.nullable_integer("max_pages");
    body.check()?;
    let Some(base_url) = base_url else {
        return Err(requests::refused(&json!({
            "message": "Missing required parameter",
            "error": "base_url is required",
        })));
    };
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant: None,
    };
    let scan = requests::one(&state, asked, &base_url, max_pages)
        .await
        .map_err(in_its_words)?;
    Ok(AcceptedJob::new(scan, "batch_page_scraper"))
}

/// For `sitemap`: an invalid domain is accepted, and its job fails.
pub(super) async fn sitemap(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<(StatusCode, Json<AcceptedJob>), LegacyError> {
    let wanted = read(request, visitor)?;
    let scan = requests::one_or_failed(&state, wanted.asked, &wanted.base_url, wanted.max_pages).await?;
    Ok((StatusCode::ACCEPTED, AcceptedJob::new(scan, "sitemap")))
}

fn in_its_words(error: LegacyError) -> LegacyError {
    match &error.not_a_domain {
        None => error,
        Some(_) => requests::refused(&json!({
            "message": "Invalid input parameter",
            "error": format!("Domain validation error: {}", error.detail().as_str().unwrap_or_default()),
        })),
    }
}
