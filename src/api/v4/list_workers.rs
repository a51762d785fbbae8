//! `GET /workers`.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::views::Page;
use crate::api::ApiState;
use crate::api::admission::Operator;
use crate::api::example::{self, Example};
use crate::api::problem::Problem;
use crate::tasks::workers::WorkerRow;

/// A worker as it was last seen.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Worker {
    /// Its name, which is also the actor of its events.
    name: String,
    /// Its release.
    version: String,
    /// `database` for a worker with a database connection, `nats` for one on another machine.
    connection: &'static str,
    /// Scans that it runs concurrently.
    concurrency: i32,
    /// Scans under way.
    under_way: i64,
    /// When it was first seen.
    since: DateTime<Utc>,
    /// When it was last seen. A worker is seen every five seconds, and removed when it stops or after a day of silence.
    last_seen_at: DateTime<Utc>,
    /// How long ago that was.
    silent_seconds: f64,
}

impl Example for Worker {
    fn example() -> Self {
        Self {
            name: "worker:scan-3:4711".to_owned(),
            version: "0.1.0".to_owned(),
            connection: "nats",
            concurrency: 64,
            under_way: 41,
            since: example::began(),
            last_seen_at: example::ended(),
            silent_seconds: 2.5,
        }
    }
}

impl From<WorkerRow> for Worker {
    fn from(row: WorkerRow) -> Self {
        Self {
            name: row.name,
            version: row.version,
            connection: if row.over_nats { "nats" } else { "database" },
            concurrency: row.concurrency,
            under_way: row.under_way,
            since: row.since,
            last_seen_at: row.beat_at,
            silent_seconds: row.silent_seconds,
        }
    }
}

/// The workers of this service, on all machines, most recently seen first. Needs the scope `operator`.
#[utoipa::path(
    get, path = "/workers", tag = "operations",
    responses((status = 200, body = Page<Worker>), (status = 503, body = Problem))
)]
pub(super) async fn list_workers(
    State(state): State<ApiState>,
    _: Operator,
) -> Result<Json<Page<Worker>>, Problem> {
    let rows = state.tasks.workers().list().await?;
    Ok(Json(Page {
        items: rows.into_iter().map(Worker::from).collect(),
        next: None,
    }))
}
