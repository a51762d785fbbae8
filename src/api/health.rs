//! `/livez` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::ApiState;
use super::example::Example;
use super::problem::Problem;
use super::request::QueryOf;
use crate::progress::{self, ClockCheck, Stuck};
use crate::projections::status::all_exist;

/// The health of the process.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`.
    status: &'static str,
    /// The last position of the log; only if the database was queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
}

impl Example for Health {
    fn example() -> Self {
        Self {
            status: "ok",
            position: Some(34),
        }
    }
}

/// The process is running.
#[utoipa::path(
    get, path = "/livez", tag = "operations",
    responses((status = 200, description = "The process is running", body = Health))
)]
pub(super) async fn livez() -> Response {
    let (status, position) = ("ok", None);
    Json(Health { status, position }).into_response()
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadyzQuery {
    /// Also report what makes no progress, the clocks and the use of database connections; any value other than
    /// `false`, or no value
    verbose: Option<String>,
}

/// The process accepts requests: its database responds, and the read models of its release are built. Their lag is a
/// metric and does not affect readiness; `?verbose` reports what makes no progress.
#[utoipa::path(
    get, path = "/readyz", tag = "operations", params(ReadyzQuery),
    responses(
        (status = 200, description = "Requests are accepted", body = Health), (status = 400, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn readyz(
    State(state): State<ApiState>,
    QueryOf(query): QueryOf<ReadyzQuery>,
) -> Result<Response, Problem> {
    let position = state.log.head().await?;
    let pool = &state.models.pool;
    if !all_exist(pool).await? {
        return Err(Problem::unavailable(
            "The read models of this release are still being built from the log; GET /api/v4/projections shows the progress.",
        ));
    }
    let mut report = json!({ "status": "ok", "position": position });
    if query.verbose.is_some_and(|verbose| verbose != "false") {
        // Anybody may request this, so it contains no data of tenants.
        let stuck = progress::stuck(pool)
            .await?
            .into_iter()
            .map(Stuck::without_tenants);
        let clock = ClockCheck::read(pool).await?;
        report["stuck"] = json!(stuck.collect::<Vec<_>>());
        report["clock"] = json!(clock);
        report["connections"] = json!(state.pools.usage());
    }
    Ok(Json(report).into_response())
}
