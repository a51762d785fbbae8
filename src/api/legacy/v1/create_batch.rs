//! `POST /api/v1/batch`.

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
use crate::values::BatchOptions;

/// Maximum number of domains in a batch.
pub(in crate::api::legacy) const MAX_DOMAINS: usize = 100;

/// A requested batch.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJobs {
    batch_id: String,
    status_url: String,
    job_count: usize,
}

/// Requests the scans of a list.
pub(super) async fn create_batch(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    LegacyRejection(request): LegacyRejection<CommandRequest>,
) -> Result<Json<AcceptedJobs>, LegacyError> {
    let mut body = Body::read(&request)?;
    let domains = body.texts("domains");
    let tenant = body.tenant("tenant_id");
    let max_pages = body.nullable_integer("max_pages");
    body.check()?;
    requests::check_count(&domains, MAX_DOMAINS)?;
    let asked = LegacyRequest {
        context: request.context,
        visitor,
        tenant,
    };
    let options = BatchOptions::new(max_pages, None);
    let batch = requests::many(&state, asked, &domains, options).await?;
    let batch_id = words::batch_id(batch.batch_id);
    let status_url = format!("/api/v1/batch/status/{batch_id}");
    Ok(Json(AcceptedJobs {
        batch_id,
        status_url,
        job_count: domains.len(),
    }))
}
