//! `POST /scans/{id}/cancel`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::views::AcceptedScan;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands;
use crate::values::ScanId;

/// Cancels a scan. A second cancellation has no effect.
#[utoipa::path(
    post, path = "/scans/{id}/cancel", tag = "scans", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = AcceptedScan), (status = 404, body = Problem),
        (status = 409, description = "The scan has completed or failed", body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn cancel_scan(
    State(state): State<ApiState>,
    PathOf(id): PathOf<ScanId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<AcceptedScan>), Problem> {
    let position = commands::cancel_scan::cancel_scan(&state.bus, id, &request.context).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(AcceptedScan::new(id.0, "cancelled", position)),
    ))
}
