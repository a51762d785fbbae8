//! `GET /projections` and `GET /projections/{name}`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::views::Page;
use crate::api::ApiState;
use crate::api::admission::Operator;
use crate::api::example::{self, Example};
use crate::api::problem::Problem;
use crate::api::request::PathOf;
use crate::projections::quarantine::{self, QuarantinedRow};
use crate::projections::registry::{self, AnyProjection};
use crate::projections::status::{ProjectionState, ProjectionStatus, status, statuses};
use crate::projections::task::{ProjectionTask, TaskKind, TaskState};

/// Quarantined rows that are shown.
const MAX_QUARANTINED: i64 = 1000;

/// A read model with its quarantined rows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Projection {
    #[serde(flatten)]
    status: ProjectionStatus,
    /// Quarantined rows: those to which an event could not be applied, oldest first, up to 1,000.
    parked_rows: Vec<QuarantinedRow>,
}

impl Example for Projection {
    fn example() -> Self {
        Self {
            status: ProjectionStatus::example(),
            parked_rows: Vec::new(),
        }
    }
}

impl Example for ProjectionStatus {
    fn example() -> Self {
        Self {
            name: "jobs",
            shape: 1,
            state: ProjectionState::Live,
            generation: Some(1),
            rollback_to: None,
            position: 34,
            head: 34,
            lag_events: 0,
            lag_seconds: 0.0,
            parked: 0,
            error: None,
            updated_at: Some(example::ended()),
            task: None,
            verification: None,
        }
    }
}

impl Example for ProjectionTask {
    fn example() -> Self {
        Self {
            task_id: example::OTHER,
            name: "jobs".to_owned(),
            shape: 1,
            kind: TaskKind::Rebuild,
            state: TaskState::Queued,
            phase: None,
            generation: None,
            done: 0,
            target: 0,
            eta_seconds: None,
            requested_by: Some("key:sitelog_0123456789abcdef".to_owned()),
            requested_at: example::began(),
            started_at: None,
            ended_at: None,
            result: None,
            error: None,
        }
    }
}

/// The state of the read models: generation, lag, running tasks. Needs the scope `operator`.
#[utoipa::path(
    get, path = "/projections", tag = "operations",
    responses((status = 200, body = Page<ProjectionStatus>), (status = 503, body = Problem))
)]
pub(super) async fn list_projections(
    State(state): State<ApiState>,
    _: Operator,
) -> Result<Json<Page<ProjectionStatus>>, Problem> {
    Ok(Json(Page {
        items: statuses(&state.models.pool).await?,
        next: None,
    }))
}

/// The state of one read model, and its quarantined rows. Needs the scope `operator`.
#[utoipa::path(
    get, path = "/projections/{name}", tag = "operations", params(("name" = String, Path)),
    responses((status = 200, body = Projection), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn get_projection(
    State(state): State<ApiState>,
    _: Operator,
    PathOf(name): PathOf<String>,
) -> Result<Json<Projection>, Problem> {
    let projection = named(&name)?;
    let quarantined = quarantine::list(&state.models.pool, MAX_QUARANTINED).await?;
    Ok(Json(Projection {
        status: status(&state.models.pool, projection).await?,
        parked_rows: quarantined.into_iter().filter(|row| row.name == name).collect(),
    }))
}

/// A projection of this release.
pub(super) fn named(name: &str) -> Result<&'static dyn AnyProjection, Problem> {
    registry::find(name).ok_or_else(|| Problem::not_found("projection"))
}
