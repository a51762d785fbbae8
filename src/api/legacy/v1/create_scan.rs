//! `POST /api/v1/scrapersky`.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;

use super::body::Body;
use super::error::{LegacyError, OldWords};
use super::owner::Visitor;
use super::words;
use crate::api::ApiState;
use crate::api::request::CommandRequest;
use crate::commands::request_scan::request_scan;
use crate::values::{DomainName, ScanOptions};

/// A scan that will be done.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJob {
    job_id: String,
    status_url: String,
}

/// Requests the scan of one domain.
pub(super) async fn create_scan(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    OldWords(request): OldWords<CommandRequest>,
) -> Result<Json<AcceptedJob>, LegacyError> {
    let mut body = Body::read(&request)?;
    let base_url = body.text("base_url");
    let tenant = body.optional_tenant("tenant_id");
    let max_pages = body.optional_integer("max_pages");
    body.check()?;
    let domain = DomainName::parse(&base_url)
        .map_err(|_| LegacyError::bad_request(words::invalid_domain(&base_url)))?;
    let mut context = request.context;
    context.tenant = visitor.tenant(&state, tenant).await?;
    let options = ScanOptions::with_max_pages(max_pages);
    let scan = request_scan(&state.bus, domain, options, &context).await?;
    let job_id = words::job_id(scan.scan_id);
    let status_url = format!("/api/v1/status/{job_id}");
    Ok(Json(AcceptedJob { job_id, status_url }))
}
