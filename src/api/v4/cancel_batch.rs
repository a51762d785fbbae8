//! `POST /batches/{id}/cancel`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::views::AcceptedBatchCommand;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands;
use crate::values::BatchId;

/// Cancels a batch and its scans that have not ended. A second cancellation has no effect.
#[utoipa::path(
    post, path = "/batches/{id}/cancel", tag = "batches", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = AcceptedBatchCommand), (status = 404, body = Problem),
        (status = 409, description = "The batch has ended", body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn cancel_batch(
    State(state): State<ApiState>,
    PathOf(id): PathOf<BatchId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<AcceptedBatchCommand>), Problem> {
    let position = commands::cancel_batch::cancel_batch(&state.bus, id, &request.context).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(AcceptedBatchCommand::new(id.0, "cancelled", position)),
    ))
}
