//! Reads the queue, for operators. It shows tasks, not the status of scans. The view `scan_task_condition` says in
//! which condition a task is.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{ScanTasks, TaskError};
use crate::values::ScanId;

/// Which tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskCondition {
    /// No worker has taken any task for five minutes, or the worker of these tasks does not finish.
    Stuck,
    /// A worker has them under a lease.
    Leased,
    /// They are due, and wait for a worker, their turn or their host.
    Ready,
    /// They are due later: another attempt follows.
    Delayed,
}

impl TaskCondition {
    /// All, in the order in which they matter.
    pub const ALL: [Self; 4] = [Self::Stuck, Self::Leased, Self::Ready, Self::Delayed];

    /// The word for it, as in the view.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Leased => "leased",
            Self::Ready => "ready",
            Self::Delayed => "delayed",
        }
    }
}

/// A task.
#[derive(Clone, Debug, FromRow)]
pub struct TaskRow {
    /// The scan to run.
    pub scan_id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// Its host.
    pub host: String,
    /// When it is or was due.
    pub due_at: DateTime<Utc>,
    /// How long ago that was, by the database's clock.
    pub due_for_seconds: f64,
    /// The end of its lease.
    pub leased_until: Option<DateTime<Utc>>,
    /// The worker.
    pub worker: Option<String>,
    /// When the cooldown of its host ends.
    pub rest_until: Option<DateTime<Utc>>,
}

impl ScanTasks {
    /// How many tasks there are in each condition, in the order of `TaskCondition::ALL`.
    pub async fn counts(&self) -> Result<[(TaskCondition, i64); 4], TaskError> {
        let counted: Vec<(String, i64)> =
            sqlx::query_as("select condition, count(*) from scan_task_condition group by 1")
                .fetch_all(&self.pool)
                .await?;
        Ok(TaskCondition::ALL.map(|condition| {
            let found = counted.iter().find(|(word, _)| word == condition.as_str());
            (condition, found.map_or(0, |(_, count)| *count))
        }))
    }

    /// The tasks in a condition, those that waited longest first.
    pub async fn list_in(&self, condition: TaskCondition, limit: i64) -> Result<Vec<TaskRow>, TaskError> {
        Ok(sqlx::query_as(
            "select scan_id, tenant_id, host, coalesce(due_at, queued_at) as due_at, \
                    extract(epoch from now() - coalesce(due_at, queued_at))::float8 as due_for_seconds, \
                    leased_until, worker, rest_until \
               from scan_task_condition where condition = $1 \
              order by scan_task_condition.due_at nulls first, position limit $2",
        )
        .bind(condition.as_str())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?)
    }

    /// Makes a task due now, whatever it waits for: its time, its host's cooldown, or a worker that stopped responding.
    /// False if there is no such task, or if a worker is processing it.
    pub async fn make_due_now(&self, scan: ScanId) -> Result<bool, TaskError> {
        // One statement, so that a cancelled request leaves no open transaction.
        let hastened: Option<String> = sqlx::query_scalar(
            "with hastened as (\
               update scan_task set due_at = '-infinity', leased_until = null, worker = null \
                where scan_id = $1 and not still_ahead(leased_until, longest_lease(), now()) returning host\
             ), rested as (delete from host_rest where host = any(array(select host from hastened))) \
             select host from hastened",
        )
        .bind(scan.0)
        .fetch_optional(&self.pool)
        .await?;
        if hastened.is_none() {
            return Ok(false);
        }
        self.announce();
        Ok(true)
    }
}
