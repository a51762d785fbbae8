//! One attempt: start, scan, record.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

use super::Worker;
use crate::commands::recall_scan::{Recalled, recall_scan};
use crate::commands::record_scan::{Recorded, record_scan};
use crate::commands::start_scan::{BegunScan, Start, start_scan};
use crate::commands::{CommandContext, LogError};
use crate::tasks::{ClaimedTask, Settled};
use crate::traces::{self, Place};
use crate::values::FailureReason;
use crate::values::report::SiteReport;

/// First pause after the log could not be written; doubled up to `LAST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

impl Worker {
    /// Makes an attempt under a lease; says what becomes of the task, `None` if it is no longer ours to say.
    pub(super) async fn attempt(&self, task: &ClaimedTask, lost: &CancellationToken) -> Option<Settled> {
        let traced = traces::attempt(task.scan_id.0, task.fence);
        let (settled, outcome) = self.attempt_once(task, lost).await;
        if let Some(traced) = traced {
            let attributes = vec![
                KeyValue::new("sitelog.domain", task.host.clone()),
                KeyValue::new("sitelog.worker", self.name.clone()),
                KeyValue::new("sitelog.fence", task.fence),
            ];
            traced.end(attributes, outcome);
        }
        settled
    }

    /// The attempt, and why it failed, if it did.
    async fn attempt_once(
        &self,
        task: &ClaimedTask,
        lost: &CancellationToken,
    ) -> (Option<Settled>, Option<String>) {
        let context = CommandContext::internal(task.tenant, self.name.clone());
        let start = || start_scan(&self.bus, task.scan_id, task.fence, task.now(), &context);
        let mut begun = match until_written(lost, start).await {
            Some(Start::Begun(begun)) => begun,
            Some(Start::Ended) => return (Some(Settled::Done), None),
            Some(Start::Superseded) | None => return (None, None),
        };
        let report = tokio::select! {
            report = self.scan(task, &mut begun) => report,
            // Told to stop: somebody else may take it at once. Lease lost: somebody else has, and this says nothing.
            () = lost.cancelled() => return (Some(Settled::RetryIn(Duration::ZERO)), None),
        };
        self.let_rest(task, &report).await;
        let record = || record_scan(&self.bus, &begun, &report, task.now(), &context);
        let settled = until_written(lost, record).await.map(|recorded| match recorded {
            Recorded::Ended => Settled::Done,
            Recorded::RetryIn(pause) => Settled::RetryIn(pause),
        });
        (
            settled,
            report.outcome.err().map(|failure| failure.reason.to_string()),
        )
    }

    /// While the lease holds nobody else visits the host; what it asks for after that is kept with the tasks.
    async fn let_rest(&self, task: &ClaimedTask, report: &SiteReport) {
        let rest = self.scanner.rest_after(report);
        if rest.is_zero() {
            return;
        }
        if let Err(error) = self.tasks.let_rest(&task.host, rest).await {
            let host = &task.host;
            tracing::warn!(%error, host, "Cannot store the cooldown of {rest:?} for {host}");
        }
    }

    async fn scan(&self, task: &ClaimedTask, begun: &mut BegunScan) -> SiteReport {
        let domain = match begun.domain() {
            Ok(domain) => domain,
            Err(error) => return SiteReport::failed(FailureReason::InvalidDomain, error.to_string()),
        };
        let (began, left) = (Instant::now(), begun.time_left(task.now()));
        let (scanner, options, name) = (self.scanner.clone(), *begun.options(), domain.to_string());
        let (tenant, place) = (task.tenant, Place::of_attempt(task.scan_id.0, task.fence));
        let limit = self.scanner.max_time().min(left);
        let recalled = recall_scan(&self.bus, begun).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "Cannot read the stored data of {name}; all files are read again, and changes are not detected"
            );
            Recalled::default()
        });
        begun.compare_with(recalled.known);
        let kept = recalled.revisit;
        // On a task of its own, so that a fault in a parser ends this scan and nothing else.
        let under_way = AbortOnDrop(tokio::spawn(async move {
            let scan = scanner.scan_for(tenant, &domain, &options, limit, kept);
            traces::within(place, scan).await
        }));
        let mut report = match under_way.join().await {
            Ok(report) => report,
            Err(error) => {
                tracing::error!(%error, domain = name, "The scan of {name} crashed");
                SiteReport::failed(
                    FailureReason::Internal,
                    "the scanner crashed on this site".to_owned(),
                )
            }
        };
        if let Err(failure) = &mut report.outcome
            && failure.reason == FailureReason::Timeout
            && began.elapsed() >= left
        {
            failure.reason = FailureReason::Deadline;
            failure.may_pass = false;
        }
        report
    }
}

/// Repeats a command until the log takes it: a full disk or a restarting database must cost no result. `None` if the
/// lease is lost on the way, or the process ends.
async fn until_written<T, F>(lost: &CancellationToken, mut command: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, LogError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match command().await {
            Ok(done) => return Some(done),
            // Nothing a repeat could repair: the lease runs out, and the log will say that the attempt was abandoned.
            Err(
                LogError::Closed
                | LogError::Rejected(_)
                | LogError::BodyTooLarge { .. }
                | LogError::Unreadable { .. }
                | LogError::UnreadableBody { .. }
                | LogError::UnknownVersion { .. },
            ) => return None,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The log does not respond; retrying"
                );
            }
        }
        tokio::select! {
            () = lost.cancelled() => return None,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
        }
    }
}

/// A spawned task that ends with its owner: an abandoned scan must stop fetching.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> AbortOnDrop<T> {
    async fn join(mut self) -> Result<T, tokio::task::JoinError> {
        (&mut self.0).await
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
