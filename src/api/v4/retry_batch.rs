//! `POST /batches/{id}/retry`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::views::AcceptedBatchCommand;
use crate::api::ApiState;
use crate::api::at_least::wait_until_projected;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands::CommandContext;
use crate::commands::retry_batch::{EndedScan, retry_batch as retry};
use crate::projections::jobs::{self, Jobs};
use crate::values::BatchId;

/// Retries the failed scans of a batch. The batch is reopened and ends again later.
#[utoipa::path(
    post, path = "/batches/{id}/retry", tag = "batches", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = AcceptedBatchCommand), (status = 404, body = Problem),
        (status = 409, description = "No scan failed, or the batch was cancelled", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn retry_batch(
    State(state): State<ApiState>,
    PathOf(id): PathOf<BatchId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<AcceptedBatchCommand>), Problem> {
    let position = retry_failed(&state, id, &request.context).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(AcceptedBatchCommand::new(id.0, "running", position)),
    ))
}

/// Retries the failed scans of a batch, as known to the read model; returns the log position of the request.
pub(crate) async fn retry_failed(
    state: &ApiState,
    id: BatchId,
    context: &CommandContext,
) -> Result<i64, Problem> {
    // The list of failed scans must be as recent as the batch's last event.
    if !wait_until_projected::<Jobs>(state, context.tenant, "batch_scan", id.0).await? {
        return Err(Problem::not_found("batch"));
    }
    let failed = jobs::query::failed_of_batch(&state.models, context.tenant, id).await?;
    let failed: Vec<EndedScan> = failed
        .into_iter()
        .map(|(scan_id, round)| EndedScan { scan_id, round })
        .collect();
    Ok(retry(&state.bus, id, &failed, context).await?)
}
