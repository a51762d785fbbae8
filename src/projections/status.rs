//! The state of read models: the live generation, the lag, and what makes no progress and why.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;

use super::ProjectionError;
use super::all;
use super::registry::AnyProjection;
use super::task::{self, ProjectionTask, TaskKind};

/// The state of a read model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProjectionStatus {
    /// The name of the read model.
    #[schema(example = "jobs")]
    pub name: &'static str,
    /// The shape that this release reads and writes.
    pub shape: i32,
    /// The state.
    pub state: ProjectionState,
    /// The live generation.
    pub generation: Option<i32>,
    /// The generation to which a rollback switches.
    pub rollback_to: Option<i32>,
    /// The position up to which it has processed the log.
    pub position: i64,
    /// The last position of the log.
    pub head: i64,
    /// Number of events that it has not processed yet.
    pub lag_events: i64,
    /// Age of the first unprocessed event in seconds.
    pub lag_seconds: f64,
    /// Number of quarantined rows.
    pub parked: i64,
    /// Why the read model has stopped.
    pub error: Option<String>,
    /// When it last made progress.
    pub updated_at: Option<DateTime<Utc>>,
    /// The current task, or the latest one.
    pub task: Option<ProjectionTask>,
    /// The latest comparison with the log.
    pub verification: Option<ProjectionTask>,
}

/// The state of a read model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectionState {
    /// It does not exist yet; it is being built.
    Building,
    /// It is live and processes the log.
    Live,
    /// It has stopped; `error` says why.
    Paused,
}

/// All read models of this release.
pub async fn statuses(pool: &PgPool) -> Result<Vec<ProjectionStatus>, ProjectionError> {
    let mut statuses = Vec::new();
    for projection in all() {
        statuses.push(status(pool, projection).await?);
    }
    Ok(statuses)
}

/// The result of the query for one read model.
type StatusRow = (
    i64,
    Option<i32>,
    Option<i64>,
    Option<String>,
    Option<DateTime<Utc>>,
    i64,
    Option<i32>,
    f64,
);

/// One of them.
pub async fn status(
    pool: &PgPool,
    projection: &'static dyn AnyProjection,
) -> Result<ProjectionStatus, ProjectionError> {
    let (name, shape) = (projection.name(), projection.shape());
    let row: StatusRow = sqlx::query_as(
        "select h.position, p.generation, p.position, p.error, p.updated_at, \
                (select count(*) from projection_parked k where k.name = $1 and k.shape = $2 \
                     and k.generation = p.generation), \
                (select r.generation from projection r where r.name = $1 and r.shape = $2 and r.state = 'retired' \
                  order by r.promoted_at desc nulls last, r.generation desc limit 1), \
                coalesce((select greatest(extract(epoch from clock_timestamp() - e.recorded_at)::float8, 0) from events e \
                           where e.position > coalesce(p.position, 0) and e.event_type = any($3) \
                           order by e.position limit 1), 0) \
           from log_head h left join projection p on p.name = $1 and p.shape = $2 and p.state = 'live'",
    )
    .bind(name)
    .bind(shape)
    .bind(projection.event_types())
    .fetch_one(pool)
    .await?;
    let (head, generation, position, error, updated_at, parked, rollback_to, lag_seconds) = row;
    let position = position.unwrap_or(0);
    let state = match (generation, &error) {
        (None, _) => ProjectionState::Building,
        (Some(_), Some(_)) => ProjectionState::Paused,
        (Some(_), None) => ProjectionState::Live,
    };
    let kinds = [
        TaskKind::Rebuild,
        TaskKind::Rollback,
        TaskKind::Verify,
        TaskKind::Repair,
        TaskKind::RetryParked,
    ];
    Ok(ProjectionStatus {
        name,
        shape,
        state,
        generation,
        rollback_to,
        position,
        head,
        lag_events: head - position,
        lag_seconds,
        parked,
        error,
        updated_at,
        task: task::latest(pool, name, shape, &kinds).await?,
        verification: task::latest(pool, name, shape, &[TaskKind::Verify, TaskKind::Repair]).await?,
    })
}

/// Whether the read models of this release are there to be read. A release that starts on an older one's database has
/// to build its own first, and after a rollback of the program they may have to catch up.
pub async fn all_exist(pool: &PgPool) -> Result<bool, ProjectionError> {
    for projection in all() {
        if !projection.exists(pool).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates what is missing, or requests a build.
pub async fn ensure_all(pool: &PgPool) -> Result<(), ProjectionError> {
    for projection in all() {
        projection.ensure(pool).await?;
    }
    Ok(())
}
