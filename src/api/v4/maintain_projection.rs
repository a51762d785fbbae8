//! `POST /projections/{name}/rebuild`, `/rollback`, `/verify` and `/retry-parked`: work that some process with the
//! role `projector` does; `GET /projections/{name}` shows its progress.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use utoipa::IntoParams;

use super::list_projections::named;
use crate::api::ApiState;
use crate::api::admission::Operator;
use crate::api::problem::Problem;
use crate::api::request::{PathOf, QueryOf};
use crate::projections::ProjectionError;
use crate::projections::task::{ProjectionTask, TaskKind};

/// Options of a comparison.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// Repair rows that differ from the log.
    #[serde(default)]
    repair: bool,
}

type Accepted = (StatusCode, HeaderMap, Json<ProjectionTask>);

/// Rebuilds a read model from the log alongside the live one, compares it with the log and switches to it. If a task
/// for it exists already, the response is that task. Needs the scope `operator`.
#[utoipa::path(
    post, path = "/projections/{name}/rebuild", tag = "operations", params(("name" = String, Path)),
    responses((status = 202, body = ProjectionTask), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn rebuild_projection(
    State(state): State<ApiState>,
    Operator(caller): Operator,
    PathOf(name): PathOf<String>,
) -> Result<Accepted, Problem> {
    request(&state, &name, TaskKind::Rebuild, &caller.actor).await
}

/// Switches back to the previous generation, after it has caught up. Needs the scope `operator`.
#[utoipa::path(
    post, path = "/projections/{name}/rollback", tag = "operations", params(("name" = String, Path)),
    responses((status = 202, body = ProjectionTask), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn roll_back_projection(
    State(state): State<ApiState>,
    Operator(caller): Operator,
    PathOf(name): PathOf<String>,
) -> Result<Accepted, Problem> {
    request(&state, &name, TaskKind::Rollback, &caller.actor).await
}

/// Compares each row with the log. The task's `result` lists differences. Needs the scope `operator`.
#[utoipa::path(
    post, path = "/projections/{name}/verify", tag = "operations", params(("name" = String, Path), VerifyQuery),
    responses(
        (status = 202, body = ProjectionTask), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn verify_projection(
    State(state): State<ApiState>,
    Operator(caller): Operator,
    PathOf(name): PathOf<String>,
    QueryOf(query): QueryOf<VerifyQuery>,
) -> Result<Accepted, Problem> {
    let kind = if query.repair {
        TaskKind::Repair
    } else {
        TaskKind::Verify
    };
    request(&state, &name, kind, &caller.actor).await
}

/// Retries quarantined rows. Needs the scope `operator`.
#[utoipa::path(
    post, path = "/projections/{name}/retry-parked", tag = "operations", params(("name" = String, Path)),
    responses((status = 202, body = ProjectionTask), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn retry_parked(
    State(state): State<ApiState>,
    Operator(caller): Operator,
    PathOf(name): PathOf<String>,
) -> Result<Accepted, Problem> {
    request(&state, &name, TaskKind::RetryParked, &caller.actor).await
}

async fn request(state: &ApiState, name: &str, kind: TaskKind, actor: &str) -> Result<Accepted, Problem> {
    let projection = named(name)?;
    let mut connection = state.models.pool.acquire().await.map_err(ProjectionError::from)?;
    let task = projection.request(&mut connection, kind, actor).await?;
    let mut headers = HeaderMap::new();
    if let Ok(place) = format!("/api/v4/projections/{name}").parse() {
        headers.insert(header::LOCATION, place);
    }
    Ok((StatusCode::ACCEPTED, headers, Json(task)))
}
