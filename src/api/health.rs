//! `/livez` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::ToSchema;

use super::ApiState;
use super::problem::Problem;
use crate::projections::status::all_exist;

/// That all is well, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what the handlers build")]
struct Health {
    /// `ok`.
    status: String,
    /// The end of the log; only where the database is asked.
    position: Option<i64>,
}

/// The process runs.
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, description = "The process runs", body = Health))
)]
pub(super) async fn livez() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The process can take requests: its database answers, and the read models of its release are built. Their lag is a
/// metric, not readiness.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "Requests are taken", body = Health), (status = 503, body = Problem))
)]
pub(super) async fn readyz(State(state): State<ApiState>) -> Result<Response, Problem> {
    let position = state.log.head().await?;
    if !all_exist(&state.models.pool).await? {
        return Err(Problem::unavailable(
            "The read models of this release are still being built from the log; GET /api/v4/projections tells how far.",
        ));
    }
    Ok(Json(json!({ "status": "ok", "position": position })).into_response())
}
