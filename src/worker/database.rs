//! Tasks from the database: for local workers, and for the dispatchers of remote workers.

use std::time::Duration;

use super::source::{Begin, Delivery, Job, SourceError, WorkSource};
use crate::commands::load_previous_scan::{PreviousScan, load_previous_scan};
use crate::commands::record_scan::{Recorded, record_scan};
use crate::commands::start_scan::{Start, StartedScan, start_scan};
use crate::commands::{CommandBus, CommandContext, LogError};
use crate::tasks::workers::WorkerSighting;
use crate::tasks::{ClaimedTask, ScanTasks, Settled, TaskError};

/// The queue and the log, on behalf of one worker.
#[derive(Clone)]
pub struct DatabaseSource {
    bus: CommandBus,
    tasks: ScanTasks,
    worker: WorkerSighting,
}

impl DatabaseSource {
    /// The source of a worker.
    pub fn new(bus: CommandBus, tasks: ScanTasks, worker: WorkerSighting) -> Self {
        Self { bus, tasks, worker }
    }

    fn context(&self, task: &ClaimedTask) -> CommandContext {
        CommandContext::internal(task.tenant, self.worker.name.clone())
    }

    /// The same attempt with the data for its comparison, for a result of a remote worker.
    pub async fn load_previous_into(&self, mut begun: Box<StartedScan>, host: &str) -> Box<StartedScan> {
        let previous = self.previous_scan(&begun, host).await;
        begun.compare_with(previous.known);
        begun
    }

    /// What earlier scans left. Without it all files are read again, and changes are not detected.
    async fn previous_scan(&self, begun: &StartedScan, host: &str) -> PreviousScan {
        load_previous_scan(&self.bus, begun).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "Cannot read the stored data of {host}; all files are read again, and changes are not detected"
            );
            PreviousScan::default()
        })
    }

    /// While the lease is valid, no other worker visits the host; the cooldown after it is stored with the tasks.
    async fn set_cooldown(&self, host: &str, cooldown: Duration) {
        if cooldown.is_zero() {
            return;
        }
        if let Err(error) = self.tasks.set_cooldown(host, cooldown).await {
            tracing::warn!(%error, host, "Cannot store the cooldown of {cooldown:?} for {host}");
        }
    }
}

impl WorkSource for DatabaseSource {
    type Attempt = Box<StartedScan>;

    async fn claim(&self, wanted: usize) -> Result<Vec<ClaimedTask>, SourceError> {
        let wanted = i32::try_from(wanted).unwrap_or(i32::MAX);
        Ok(self.tasks.claim(&self.worker.name, wanted).await?)
    }

    async fn begin(&self, task: &ClaimedTask) -> Result<Begin<Box<StartedScan>>, SourceError> {
        let context = self.context(task);
        let mut begun = match start_scan(&self.bus, task.scan_id, task.fence, task.now(), &context).await? {
            Start::Begun(begun) => begun,
            Start::Ended => return Ok(Begin::Ended),
            Start::Superseded => return Ok(Begin::Superseded),
        };
        let time_left = begun.time_left(task.now());
        let previous = self.previous_scan(&begun, &task.host).await;
        begun.compare_with(previous.known);
        let job = Job {
            domain: begun.domain().to_owned(),
            options: *begun.options(),
            time_left,
            kept: previous.revisit,
        };
        Ok(Begin::Scan(Box::new(job), begun))
    }

    async fn heartbeat(&self, tasks: &[ClaimedTask]) -> Result<Vec<i64>, SourceError> {
        self.tasks.workers().saw(&self.worker).await?;
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.tasks.heartbeat(tasks).await?)
    }

    async fn deliver(
        &self,
        task: &ClaimedTask,
        begun: &Box<StartedScan>,
        Delivery { report, cooldown }: Delivery<'_>,
    ) -> Result<Option<Settled>, SourceError> {
        self.set_cooldown(&task.host, cooldown).await;
        let context = self.context(task);
        let recorded = record_scan(&self.bus, begun, report, cooldown, task.now(), &context).await?;
        Ok(Some(match recorded {
            Recorded::Ended => Settled::Done,
            Recorded::RetryIn(pause) => Settled::RetryIn(pause),
        }))
    }

    async fn settle(&self, settled: &[(ClaimedTask, Settled)]) -> Result<(), SourceError> {
        Ok(self.tasks.settle(settled).await?)
    }

    async fn wait_for_news(&self) {
        self.tasks.wait_for_news().await;
    }

    async fn sign_off(&self) {
        if let Err(error) = self.tasks.workers().left(&self.worker.name).await {
            tracing::debug!(%error, "Cannot store that {} has stopped", self.worker.name);
        }
    }
}

impl From<LogError> for SourceError {
    fn from(error: LogError) -> Self {
        match error {
            // A repetition does not help: the lease expires, and the log will record that the attempt was abandoned.
            LogError::Closed
            | LogError::Rejected(_)
            | LogError::BodyTooLarge { .. }
            | LogError::Unreadable { .. }
            | LogError::UnreadableBody { .. }
            | LogError::UnknownVersion { .. } => Self::lasting(error),
            error => Self::temporary(error),
        }
    }
}

impl From<TaskError> for SourceError {
    fn from(error: TaskError) -> Self {
        Self::temporary(error)
    }
}
