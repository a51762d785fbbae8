//! Requested work on a read model, stored durably. A process takes it under a lease; if that process dies, another one
//! continues it or starts again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Projection, ProjectionError};

/// How long a process may go silent before another takes a task over.
pub(super) const LEASE: Duration = Duration::from_secs(15);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$case_doc:meta])* $case:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$case_doc])* $case,)+ }

        impl $name {
            /// As stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$case => $word,)+ }
            }

            fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$case),)+ _ => None }
            }
        }
    };
}

words! {
    /// The kind of task.
    TaskKind {
        /// Rebuild the read model from the log alongside the live one, and switch.
        Rebuild = "rebuild",
        /// Switch back to the previous generation.
        Rollback = "rollback",
        /// Compare each row with the log.
        Verify = "verify",
        /// Compare each row with the log, and repair rows that differ.
        Repair = "repair",
        /// Retry quarantined rows.
        RetryParked = "retry_parked",
    }
}

words! {
    /// The state of the task.
    TaskState {
        /// Not started yet.
        Queued = "queued",
        /// A process runs it, or the process has died.
        Running = "running",
        /// It has ended with a result.
        Done = "done",
        /// It has failed; `error` says why.
        Failed = "failed",
    }
}

words! {
    /// The phase of a rebuild.
    TaskPhase {
        /// The log is read and folded in memory, and rows are written.
        Folding = "folding",
        /// Keys and indexes are created.
        Indexing = "indexing",
        /// Events that were appended meanwhile are applied.
        CatchingUp = "catching_up",
        /// Rows are compared with the log.
        Verifying = "verifying",
        /// The views are switched to the new tables.
        Promoting = "promoting",
    }
}

/// A task for a read model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProjectionTask {
    /// The ID of the task.
    pub task_id: Uuid,
    /// The name of the projection.
    pub name: String,
    /// The shape of the projection.
    pub shape: i32,
    /// The kind of task.
    pub kind: TaskKind,
    /// The state of the task.
    pub state: TaskState,
    /// The phase of a rebuild.
    pub phase: Option<TaskPhase>,
    /// The generation that is built or switched back to.
    pub generation: Option<i32>,
    /// Number of events processed in this phase.
    pub done: i64,
    /// Number of events to process in this phase.
    pub target: i64,
    /// Estimated seconds until the end of this phase.
    pub eta_seconds: Option<f64>,
    /// Who requested the task.
    pub requested_by: Option<String>,
    /// When the task was requested.
    pub requested_at: DateTime<Utc>,
    /// When the task was started.
    pub started_at: Option<DateTime<Utc>>,
    /// When the task ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// The result: for a rebuild `{generation, rows}`, for a comparison `{rows, parked, position, wrong, repaired,
    /// findings: [{table, key, difference, column, by_log, in_table}]}`.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why the task failed.
    pub error: Option<String>,
}

impl FromRow<'_, PgRow> for ProjectionTask {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let word = |column: &str, text: &str| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: format!("this release does not know {text}").into(),
        };
        let (kind, state, phase): (String, String, Option<String>) =
            (row.try_get("kind")?, row.try_get("state")?, row.try_get("phase")?);
        Ok(Self {
            task_id: row.try_get("task_id")?,
            name: row.try_get("name")?,
            shape: row.try_get("shape")?,
            kind: TaskKind::parse(&kind).ok_or_else(|| word("kind", &kind))?,
            state: TaskState::parse(&state).ok_or_else(|| word("state", &state))?,
            phase: phase.as_deref().and_then(TaskPhase::parse),
            generation: row.try_get("generation")?,
            done: row.try_get("done")?,
            target: row.try_get("target")?,
            eta_seconds: row.try_get("eta_seconds")?,
            requested_by: row.try_get("requested_by")?,
            requested_at: row.try_get("requested_at")?,
            started_at: row.try_get("started_at")?,
            ended_at: row.try_get("ended_at")?,
            result: row.try_get("result")?,
            error: row.try_get("error")?,
        })
    }
}

const COLUMNS: &str = "task_id, name, shape, kind, state, phase, generation, done, target, requested_by, \
    requested_at, started_at, ended_at, result, error, \
    case when state = 'running' and done > 0 and target > done then \
      greatest(extract(epoch from clock_timestamp() - phase_began)::float8, 0) * (target - done) / done end as eta_seconds";

/// Requests a task. If the projection has an open task already, returns that one.
pub(super) async fn request<P: Projection>(
    connection: &mut PgConnection,
    kind: TaskKind,
    requested_by: &str,
) -> Result<ProjectionTask, ProjectionError> {
    sqlx::query(
        "insert into projection_task (task_id, name, shape, kind, requested_by) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
    )
    .bind(Uuid::now_v7())
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(kind.as_str())
    .bind(requested_by)
    .execute(&mut *connection)
    .await?;
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from projection_task where name = $1 and shape = $2 order by requested_at desc limit 1"
    ))
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_one(connection)
    .await?)
}

/// A task by id.
pub async fn find(pool: &PgPool, task_id: Uuid) -> Result<Option<ProjectionTask>, ProjectionError> {
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from projection_task where task_id = $1"
    ))
    .bind(task_id)
    .fetch_optional(pool)
    .await?)
}

/// The latest task of a projection of some shape, of the kinds given.
pub async fn latest(
    pool: &PgPool,
    name: &str,
    shape: i32,
    kinds: &[TaskKind],
) -> Result<Option<ProjectionTask>, ProjectionError> {
    let kinds: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    Ok(sqlx::query_as(&format!(
        "select {COLUMNS} from projection_task where name = $1 and shape = $2 and kind = any($3) \
          order by requested_at desc limit 1"
    ))
    .bind(name)
    .bind(shape)
    .bind(kinds)
    .fetch_optional(pool)
    .await?)
}

/// A task that this process works on. Each step checks the lease, and fails if another process has taken the task over.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pool: PgPool,
    holder: Uuid,
    /// The claimed task.
    pub(super) task: ProjectionTask,
}

impl Claim {
    /// Takes the projection's open task, if it has one without a lease.
    pub(super) async fn take<P: Projection>(pool: &PgPool) -> Result<Option<Self>, ProjectionError> {
        let holder = Uuid::now_v7();
        let task: Option<ProjectionTask> = sqlx::query_as(&format!(
            "update projection_task set state = 'running', holder = $3, leased_until = clock_timestamp() + $4, \
                    started_at = coalesce(started_at, clock_timestamp()) \
              where name = $1 and shape = $2 and (state = 'queued' \
                 or state = 'running' and not still_ahead(leased_until, longest_lease(), clock_timestamp())) \
              returning {COLUMNS}"
        ))
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(holder)
        .bind(LEASE)
        .fetch_optional(pool)
        .await?;
        Ok(task.map(|task| Self {
            pool: pool.clone(),
            holder,
            task,
        }))
    }

    /// Begins a phase.
    pub(super) async fn begin(&self, phase: TaskPhase, target: i64) -> Result<(), ProjectionError> {
        let moved = sqlx::query(
            "update projection_task set phase = $3, done = 0, target = $4, phase_began = clock_timestamp(), \
                    leased_until = clock_timestamp() + $5 where task_id = $1 and holder = $2 and state = 'running'",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .bind(phase.as_str())
        .bind(target)
        .bind(LEASE)
        .execute(&self.pool)
        .await?;
        ours(moved.rows_affected())
    }

    /// Notes how far the phase is. If PostgreSQL crashes, that may be lost, so it does not wait for the disk.
    pub(super) async fn progress(&self, done: i64) -> Result<(), ProjectionError> {
        let moved = sqlx::query(
            "update projection_task set done = $3, leased_until = clock_timestamp() + $4 \
              where task_id = $1 and holder = $2 and state = 'running' \
              returning set_config('synchronous_commit', 'off', true)",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .bind(done)
        .bind(LEASE)
        .execute(&self.pool)
        .await?;
        ours(moved.rows_affected())
    }

    /// Says, in the transaction given, which generation it is about; fails if the task is no longer ours, so that
    /// no process can build or switch beside the one that took it over.
    pub(super) async fn fence(
        &self,
        connection: &mut PgConnection,
        generation: i32,
    ) -> Result<(), ProjectionError> {
        let moved = sqlx::query(
            "update projection_task set generation = $3, leased_until = clock_timestamp() + $4 \
              where task_id = $1 and holder = $2 and state = 'running'",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .bind(generation)
        .bind(LEASE)
        .execute(connection)
        .await?;
        ours(moved.rows_affected())
    }

    /// Renews the lease.
    async fn renew(&self) -> Result<(), ProjectionError> {
        let moved = sqlx::query(
            "update projection_task set leased_until = clock_timestamp() + $3 \
              where task_id = $1 and holder = $2 and state = 'running'",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .bind(LEASE)
        .execute(&self.pool)
        .await?;
        ours(moved.rows_affected())
    }

    /// Does the work while the lease is renewed; stops as soon as it is lost. Both run at the same time: the work may
    /// have the task's row locked, and waiting for that must not block the work's commit.
    pub(super) async fn keeping<T>(
        &self,
        work: impl Future<Output = Result<T, ProjectionError>>,
    ) -> Result<T, ProjectionError> {
        tokio::select! {
            done = work => done,
            () = self.renew_until_lost() => Err(ProjectionError::TakenOver),
        }
    }

    async fn renew_until_lost(&self) {
        let mut beat = tokio::time::interval(LEASE / 3);
        loop {
            beat.tick().await;
            match self.renew().await {
                Err(ProjectionError::TakenOver) => return,
                Err(error) => tracing::warn!(%error, "Cannot renew a lease"),
                Ok(()) => {}
            }
        }
    }

    /// Ends it with a result.
    pub(super) async fn done(&self, result: Value) -> Result<(), ProjectionError> {
        self.end(TaskState::Done, Some(result), None).await
    }

    /// Ends it with the reason why it could not be done.
    pub(super) async fn failed(&self, error: &str) -> Result<(), ProjectionError> {
        self.end(TaskState::Failed, None, Some(error)).await
    }

    async fn end(
        &self,
        state: TaskState,
        result: Option<Value>,
        error: Option<&str>,
    ) -> Result<(), ProjectionError> {
        let moved = sqlx::query(
            "update projection_task set state = $3, result = $4, error = $5, ended_at = clock_timestamp(), \
                    leased_until = null where task_id = $1 and holder = $2 and state = 'running'",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .bind(state.as_str())
        .bind(result)
        .bind(error)
        .execute(&self.pool)
        .await?;
        ours(moved.rows_affected())
    }

    /// Releases it: another process, or this one after a restart, may continue immediately.
    pub(super) async fn release(&self) -> Result<(), ProjectionError> {
        sqlx::query(
            "update projection_task set leased_until = clock_timestamp() where task_id = $1 and holder = $2",
        )
        .bind(self.task.task_id)
        .bind(self.holder)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn ours(rows: u64) -> Result<(), ProjectionError> {
    if rows == 1 {
        Ok(())
    } else {
        Err(ProjectionError::TakenOver)
    }
}
