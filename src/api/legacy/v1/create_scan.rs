//! `POST /api/v1/scrapersky`.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;

use crate::api::ApiState;
use crate::api::legacy::body::Body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests::{self, LegacyRequest};
use crate::api::legacy::words;
use crate::api::request::CommandRequest;

/// A requested scan.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJob {
    job_id: String,
    status_url: String,
}

/// Requests the scan of one domain.
pub(super) async fn create_scan(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJob>, LegacyError> {
    let mut body = Body::read(&request)?;
    let base_url = body.text("base_url");
    let tenant = body.optional_tenant("tenant_id");
    let max_pages = body.optional_integer("max_pages");
    body.check()?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    let scan = requests::one(&state, asked, &base_url, max_pages).await?;
    let job_id = words::job_id(scan);
    let status_url = format!("/api/v1/status/{job_id}");
    Ok(Json(AcceptedJob { job_id, status_url }))
}
