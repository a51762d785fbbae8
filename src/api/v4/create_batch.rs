//! `POST /batches`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::views::batch_links;
use crate::api::ApiState;
use crate::api::batch_input::{BatchInput, RejectedLine};
use crate::api::problem::Problem;
use crate::api::quota::require_acceptable;
use crate::api::request::{CommandRequest, QueryOf};
use crate::commands::request_batch::request_batch;

/// How a batch is taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BatchQuery {
    /// Only check the list: nothing is written down.
    dry_run: Option<bool>,
    /// For `text/csv` and `text/plain`, which have no place for it: HTML pages per domain, 1 to 100.
    max_pages: Option<i64>,
    /// For `text/csv` and `text/plain`: scans of the batch under way at once, 1 to 1000.
    max_concurrent: Option<i64>,
}

/// What became of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedBatch {
    /// The batch; null on a dry run.
    batch_id: Option<Uuid>,
    /// Domains that will be scanned.
    accepted: usize,
    /// Lines that named a domain again.
    duplicates: usize,
    /// Lines that are no domain.
    rejected: Vec<RejectedLine>,
    /// Log position from which the batch is visible.
    position: Option<i64>,
    /// Where to go from here.
    links: BTreeMap<&'static str, String>,
}

/// The lines of a JSON request, for the document.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read item by item")]
pub(super) struct NewBatch {
    /// 1 to 100,000 domains.
    #[schema(example = json!(["example.com", "example.org"]))]
    domains: Vec<String>,
    /// HTML pages per domain, 1 to 100.
    max_pages: Option<i64>,
    /// Scans of the batch under way at once, 1 to 1000; default 50.
    max_concurrent: Option<i64>,
}

/// Requests the scans of a list: JSON, CSV (a column `domain`, `url` or `website`, or the first) or one per line.
#[utoipa::path(
    post, path = "/batches", tag = "batches", params(BatchQuery),
    request_body(content((NewBatch = "application/json"), (String = "text/csv"), (String = "text/plain"), (String = "application/x-ndjson"))),
    responses(
        (status = 202, description = "Written down; it will be done", body = AcceptedBatch),
        (status = 200, description = "Dry run: what would become of it", body = AcceptedBatch),
        (status = 400, description = "Broken JSON or CSV", body = Problem),
        (status = 413, description = "Larger than 32 MB", body = Problem),
        (status = 415, description = "Neither JSON, CSV nor text", body = Problem),
        (status = 422, description = "No acceptable line, more than 100,000, or more than the tenant's quota", body = Problem),
        (status = 503, description = "Nothing was accepted; repeat", body = Problem),
    )
)]
pub(super) async fn create_batch(
    State(state): State<ApiState>,
    QueryOf(query): QueryOf<BatchQuery>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let input = BatchInput::read(
        &request.media_type(),
        request.body(),
        query.max_pages,
        query.max_concurrent,
    )?;
    require_acceptable(&state, request.context.tenant, &input).await?;
    let (accepted, duplicates) = (input.items.len(), input.duplicates);
    if query.dry_run.unwrap_or(false) {
        let links = BTreeMap::new();
        let rejected = input.rejected;
        let answer = AcceptedBatch {
            batch_id: None,
            accepted,
            duplicates,
            rejected,
            position: None,
            links,
        };
        return Ok(Json(answer).into_response());
    }
    let summary = json!({ "accepted": accepted, "duplicates": duplicates, "rejected": input.rejected });
    let batch = request_batch(&state.bus, &input.items, input.options, summary, &request.context).await?;
    let id = batch.batch_id.0;
    let location = format!("/api/v4/batches/{id}");
    let answer = AcceptedBatch {
        batch_id: Some(id),
        accepted,
        duplicates,
        rejected: input.rejected,
        position: Some(batch.position),
        links: batch_links(id),
    };
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(answer)).into_response())
}
