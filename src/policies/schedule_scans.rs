//! Adds a task for each requested or retried scan, and removes the tasks of ended scans.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::{PgConnection, PgPool};

use super::{Policy, PolicyError};
use crate::aggregates::ScanEvent;
use crate::log::LogEvent;
use crate::tasks::{self, NewTask, ScanTasks};
use crate::values::ScanId;
use crate::values::event_type::Follower;

/// Updates the task queue from the log.
pub struct ScheduleScans {
    pool: PgPool,
    tasks: ScanTasks,
}

impl ScheduleScans {
    /// A policy for a queue.
    pub fn new(pool: PgPool, tasks: ScanTasks) -> Self {
        Self { pool, tasks }
    }
}

impl Policy for ScheduleScans {
    const NAME: &'static str = "schedule_scans";
    const FOLLOWER: Follower = Follower::ScheduleScans;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        let mut waiting: Vec<NewTask> = Vec::new();
        let mut ended: HashSet<ScanId> = HashSet::new();
        for event in events {
            let scan: ScanEvent = event.decode()?;
            let Ok(scan_id) = event.aggregate_id.parse::<ScanId>() else {
                continue;
            };
            if scan.status_after().is_ended() {
                waiting.retain(|task| task.scan_id != scan_id);
                ended.insert(scan_id);
            } else {
                waiting.push(task_of(event, &scan, scan_id));
            }
        }
        // A scan that ended and was retried within the page: out first, then in again.
        tasks::dequeue(connection, &ended.into_iter().collect::<Vec<_>>()).await?;
        tasks::enqueue(connection, &waiting).await?;
        Ok(())
    }

    async fn sweep(&self) -> Result<(), PolicyError> {
        self.tasks.announce();
        tasks::drop_empty_lanes(&self.pool).await?;
        tasks::drop_past_rests(&self.pool).await?;
        self.tasks.workers().drop_silent().await?;
        Ok(())
    }
}

fn task_of(event: &LogEvent, scan: &ScanEvent, scan_id: ScanId) -> NewTask {
    NewTask {
        scan_id,
        tenant: event.tenant_id,
        batch: scan.batch_id(),
        max_concurrent: scan.max_concurrent(),
        host: scan.domain().to_owned(),
        position: event.position,
    }
}
