//! `POST /scans/{id}/retry`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::views::AcceptedScan;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, PathOf};
use crate::commands;
use crate::values::ScanId;

/// Retries a failed or cancelled scan; its batch is reopened.
#[utoipa::path(
    post, path = "/scans/{id}/retry", tag = "scans", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = AcceptedScan), (status = 404, body = Problem),
        (status = 409, description = "The scan has completed, or has not ended yet", body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn retry_scan(
    State(state): State<ApiState>,
    PathOf(id): PathOf<ScanId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<AcceptedScan>), Problem> {
    let position = commands::retry_scan::retry_scan(&state.bus, id, &request.context).await?;
    Ok((
        StatusCode::ACCEPTED,
        Json(AcceptedScan::new(id.0, "pending", position)),
    ))
}
