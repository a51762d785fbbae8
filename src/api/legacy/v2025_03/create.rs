//! `POST …/scan` and `POST …/batch`.

use axum::extract::{OriginalUri, State};
use axum::{Extension, Json};
use serde::Serialize;
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::legacy::body::Body;
use crate::api::legacy::error::{LegacyError, LegacyRejection};
use crate::api::legacy::owner::Visitor;
use crate::api::legacy::requests::{self, LegacyRequest};
use crate::api::legacy::v1::MAX_DOMAINS;
use crate::api::request::CommandRequest;
use crate::values::BatchOptions;

/// A requested scan.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJob {
    job_id: Uuid,
    status_url: String,
}

/// A requested batch.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJobs {
    batch_id: Uuid,
    status_url: String,
    job_count: usize,
}

/// Requests the scan of one domain.
pub(super) async fn scan(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    OriginalUri(uri): OriginalUri,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJob>, LegacyError> {
    let mut body = Body::read(&request)?;
    let base_url = body.text("base_url");
    let tenant = body.optional_tenant("tenant_id");
    let max_pages = body.nullable_integer("max_pages");
    body.check()?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    let job_id = requests::one(&state, asked, &base_url, max_pages).await?.0;
    Ok(Json(AcceptedJob {
        job_id,
        status_url: format!("{}/status/{job_id}", prefix(uri.path())),
    }))
}

/// Requests the scans of a list.
pub(super) async fn batch(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    OriginalUri(uri): OriginalUri,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJobs>, LegacyError> {
    let mut body = Body::read(&request)?;
    let domains = body.texts("domains");
    let tenant = body.optional_tenant("tenant_id");
    let max_pages = body.nullable_integer("max_pages");
    body.check()?;
    requests::check_count(&domains, MAX_DOMAINS)?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    let options = BatchOptions::new(max_pages, None);
    let batch_id = requests::many(&state, asked, &domains, options).await?.batch_id.0;
    Ok(Json(AcceptedJobs {
        batch_id,
        status_url: format!("{}/batch/{batch_id}/status", prefix(uri.path())),
        job_count: domains.len(),
    }))
}

/// The path without its last part: links stay under the name of the request.
fn prefix(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(prefix, _)| prefix)
}
