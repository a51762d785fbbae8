//! Looking at the queue, for whoever runs the service. What is shown is delivery, not a scan's status.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{ScanTasks, TaskError};
use crate::values::ScanId;

/// A task that has been due for so long without a worker is stuck: no worker runs, or none can keep up.
pub const STUCK_AFTER: Duration = Duration::from_mins(5);

/// Which tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskCondition {
    /// Their worker went silent, or they have been due for [`STUCK_AFTER`].
    Stuck,
    /// A worker has them under a lease.
    Leased,
    /// They are due and wait for a worker.
    Ready,
    /// They are due later: another attempt follows.
    Delayed,
}

impl TaskCondition {
    /// All, in the order in which they matter.
    pub const ALL: [Self; 4] = [Self::Stuck, Self::Leased, Self::Ready, Self::Delayed];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Leased => "leased",
            Self::Ready => "ready",
            Self::Delayed => "delayed",
        }
    }

    /// The condition in SQL; `$1` is [`STUCK_AFTER`]. Each task meets one of them.
    fn sql(self) -> &'static str {
        match self {
            Self::Stuck => {
                "(t.leased_until < now() or t.leased_until is null and t.due_at <= now() - $1::interval \
                   and not exists (select from host_rest r where r.host = t.host and r.rest_until > now()))"
            }
            Self::Leased => "t.leased_until >= now()",
            Self::Ready => {
                "(t.leased_until is null and t.due_at <= now() and not (t.due_at <= now() - $1::interval \
                   and not exists (select from host_rest r where r.host = t.host and r.rest_until > now())))"
            }
            Self::Delayed => "(t.leased_until is null and t.due_at > now())",
        }
    }
}

/// A task as it is.
#[derive(Clone, Debug, FromRow)]
pub struct TaskRow {
    /// The scan to do.
    pub scan_id: Uuid,
    /// Whose.
    pub tenant_id: Uuid,
    /// Its host.
    pub host: String,
    /// Not before.
    pub due_at: DateTime<Utc>,
    /// While somebody has it.
    pub leased_until: Option<DateTime<Utc>>,
    /// Who.
    pub worker: Option<String>,
    /// Until when its host is left alone.
    pub rest_until: Option<DateTime<Utc>>,
}

impl ScanTasks {
    /// How many tasks there are in a condition.
    pub async fn count_in(&self, condition: TaskCondition) -> Result<i64, TaskError> {
        let sql = format!(
            "select count(*) from scan_task t where {} and $1::interval is not null",
            condition.sql()
        );
        Ok(sqlx::query_scalar(&sql)
            .bind(STUCK_AFTER)
            .fetch_one(&self.pool)
            .await?)
    }

    /// The tasks in a condition, those that waited longest first.
    pub async fn list_in(&self, condition: TaskCondition, limit: i64) -> Result<Vec<TaskRow>, TaskError> {
        let sql = format!(
            "select t.scan_id, t.tenant_id, t.host, t.due_at, t.leased_until, t.worker, r.rest_until \
               from scan_task t left join host_rest r on r.host = t.host and r.rest_until > now() \
              where {} and $1::interval is not null order by t.due_at, t.position limit $2",
            condition.sql()
        );
        Ok(sqlx::query_as(&sql)
            .bind(STUCK_AFTER)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?)
    }

    /// Makes a task due now, whatever it waits for: its time, its host's rest, or a worker that went silent. False if
    /// there is no such task or a worker is at it.
    pub async fn hasten(&self, scan: ScanId) -> Result<bool, TaskError> {
        let mut transaction = self.pool.begin().await?;
        let host: Option<String> = sqlx::query_scalar(
            "update scan_task set due_at = now(), leased_until = null, worker = null \
              where scan_id = $1 and (leased_until is null or leased_until < now()) returning host",
        )
        .bind(scan.0)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(host) = host else { return Ok(false) };
        sqlx::query("delete from host_rest where host = $1")
            .bind(host)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.announce();
        Ok(true)
    }
}
