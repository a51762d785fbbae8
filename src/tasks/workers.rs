//! The list of workers. Each beat of a worker updates its row, whether the worker uses the database or NATS.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool};

use super::{LEASE, TaskError};

/// A worker that was not seen for this long is removed.
const REMOVED_AFTER: Duration = Duration::from_hours(24);

/// What a worker reports about itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WorkerSighting {
    /// Its name, which events name too.
    pub name: String,
    /// Its release.
    pub version: String,
    /// Scans that it runs concurrently.
    pub concurrency: u32,
    /// Whether it works over NATS instead of on the database.
    pub over_nats: bool,
}

/// A worker.
#[derive(Clone, Debug, FromRow)]
pub struct WorkerRow {
    /// Its name.
    pub name: String,
    /// Its release.
    pub version: String,
    /// Scans that it runs concurrently.
    pub concurrency: i32,
    /// Whether it works over NATS instead of on the database.
    pub over_nats: bool,
    /// When it was first seen.
    pub since: DateTime<Utc>,
    /// When it was last seen.
    pub beat_at: DateTime<Utc>,
    /// How long ago that was, by the database's clock.
    pub silent_seconds: f64,
    /// Scans that it has under a lease.
    pub under_way: i64,
}

/// The table of workers.
#[derive(Clone)]
pub struct Workers {
    pool: PgPool,
}

impl WorkerRow {
    /// Whether it missed two beats: it is dead, frozen or disconnected.
    pub fn is_silent(&self) -> bool {
        self.silent_seconds > LEASE.as_secs_f64()
    }
}

impl Workers {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Records that a worker is alive.
    pub async fn saw(&self, worker: &WorkerSighting) -> Result<(), TaskError> {
        sqlx::query(
            "insert into worker as w (name, version, concurrency, over_nats) values ($1, $2, $3, $4) \
             on conflict (name) do update set version = excluded.version, concurrency = excluded.concurrency, \
                over_nats = excluded.over_nats, beat_at = clock_timestamp() \
             returning set_config('synchronous_commit', 'off', true)",
        )
        .bind(&worker.name)
        .bind(&worker.version)
        .bind(i32::try_from(worker.concurrency).unwrap_or(i32::MAX))
        .bind(worker.over_nats)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Removes a worker that has stopped.
    pub async fn left(&self, name: &str) -> Result<(), TaskError> {
        sqlx::query("delete from worker where name = $1")
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// All workers, last seen first.
    pub async fn list(&self) -> Result<Vec<WorkerRow>, TaskError> {
        Ok(sqlx::query_as(
            "select w.name, w.version, w.concurrency, w.over_nats, w.since, w.beat_at, \
                    greatest(extract(epoch from clock_timestamp() - w.beat_at), 0)::float8 as silent_seconds, \
                    (select count(*) from scan_task t where t.leased_until is not null and t.worker = w.name) \
                        as under_way \
               from worker w order by w.beat_at desc, w.name",
        )
        .fetch_all(&self.pool)
        .await?)
    }

    /// Removes workers that were not seen for a day: they were killed.
    pub async fn drop_silent(&self) -> Result<u64, sqlx::Error> {
        let silent = sqlx::query("delete from worker where beat_at < clock_timestamp() - $1::interval")
            .bind(super::interval(REMOVED_AFTER))
            .execute(&self.pool)
            .await?;
        Ok(silent.rows_affected())
    }
}
