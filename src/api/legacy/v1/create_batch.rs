//! `POST /api/v1/batch`.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use serde_json::json;

use super::body::Body;
use super::error::{LegacyError, OldWords};
use super::owner::Visitor;
use super::words;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::CommandRequest;
use crate::commands::request_batch::{BatchItem, request_batch};
use crate::values::{BatchOptions, DomainName};

/// Domains of one batch at most.
const MAX_DOMAINS: usize = 100;
/// Characters that are kept of an input that is no domain.
const MAX_INPUT: usize = 300;

/// A batch that will be done.
#[derive(Debug, Serialize)]
pub(super) struct AcceptedJobs {
    batch_id: String,
    status_url: String,
    job_count: usize,
}

/// Requests the scans of a list. Each item counts as sent: twice if it is there twice, as a failed one if it is no
/// domain.
pub(super) async fn create_batch(
    State(state): State<ApiState>,
    Extension(visitor): Extension<Visitor>,
    OldWords(request): OldWords<CommandRequest>,
) -> Result<Json<AcceptedJobs>, LegacyError> {
    let mut body = Body::read(&request)?;
    let domains = body.texts("domains");
    let tenant = body.tenant("tenant_id");
    let max_pages = body.nullable_integer("max_pages");
    body.check()?;
    if domains.is_empty() {
        return Err(LegacyError::bad_request("No domains provided"));
    }
    if domains.len() > MAX_DOMAINS {
        let detail = format!("Maximum {MAX_DOMAINS} domains allowed per batch");
        return Err(LegacyError::bad_request(detail));
    }
    let items: Vec<BatchItem> = (1..)
        .zip(&domains)
        .map(|(line, input)| item(line, input))
        .collect();
    let mut context = request.context;
    context.tenant = visitor.tenant(&state, tenant).await?;
    let job_count = items.len();
    let settings = state
        .access
        .tenants()
        .settings(context.tenant)
        .await
        .map_err(Problem::from)?;
    if let Some(quota) = settings
        .max_batch_domains
        .filter(|quota| job_count > *quota as usize)
    {
        let detail = format!("Maximum {quota} domains allowed per batch");
        return Err(LegacyError::bad_request(detail));
    }
    let options = BatchOptions::new(max_pages, None);
    let summary = json!({ "job_count": job_count });
    let batch = request_batch(&state.bus, &items, options, summary, &context).await?;
    let batch_id = words::batch_id(batch.batch_id);
    let status_url = format!("/api/v1/batch/status/{batch_id}");
    Ok(Json(AcceptedJobs {
        batch_id,
        status_url,
        job_count,
    }))
}

fn item(line: u32, input: &str) -> BatchItem {
    match DomainName::parse(input) {
        Ok(domain) => BatchItem::Scan { line, domain },
        Err(error) => BatchItem::Refuse {
            line,
            input: input.chars().filter(|c| *c != '\0').take(MAX_INPUT).collect(),
            error: error.to_string(),
        },
    }
}
