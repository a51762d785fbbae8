//! `POST /projections/{name}/rebuild`, `/rollback`, `/verify` and `/retry-parked`: work that some process with the
//! role `projector` does; `GET /projections/{name}` tells how far it is.

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

/// How a comparison is done.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyQuery {
    /// Make rows that differ what the log says.
    #[serde(default)]
    repair: bool,
}

type Accepted = (StatusCode, HeaderMap, Json<ProjectionTask>);

/// Builds a read model anew from the log, beside the live one, compares it with the log and switches to it. If work on
/// it is under way already, that is the answer. For the scope `operator`.
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

/// Switches back to the generation before, once it has caught up. For the scope `operator`.
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

/// Compares each row with the log. What differs stands in the task's `result`. For the scope `operator`.
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

/// Tries the rows that were set aside once more. For the scope `operator`.
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
