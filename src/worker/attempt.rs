//! One attempt: start, scan, deliver.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use tokio_util::sync::CancellationToken;

use super::Worker;
use super::source::{Begin, Delivery, Job, SourceError, WorkSource};
use crate::tasks::{ClaimedTask, Settled};
use crate::traces::{self, ParentSpan};
use crate::values::report::SiteReport;
use crate::values::{DomainName, FailureReason};

/// First pause after a call failed; doubled up to `LAST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

impl<S: WorkSource> Worker<S> {
    /// Makes an attempt under a lease; returns what is left to settle, if that is up to this worker.
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
        let (job, attempt) = match until_done(lost, || self.source.begin(task)).await {
            Some(Begin::Scan(job, attempt)) => (job, attempt),
            Some(Begin::Ended) => return (Some(Settled::Done), None),
            Some(Begin::Superseded) | None => return (None, None),
        };
        let report = tokio::select! {
            report = self.scan(task, *job) => report,
            // If the worker stops, another one may take the task immediately. If the lease is lost, another one has it.
            () = lost.cancelled() => return (Some(Settled::RetryIn(Duration::ZERO)), None),
        };
        let delivery = Delivery {
            report: &report,
            cooldown: self.scanner.cooldown_after(&report),
        };
        let settled = until_done(lost, || self.source.deliver(task, &attempt, delivery)).await;
        let failure = report.outcome.err();
        (
            settled.flatten(),
            failure.map(|failure| failure.reason.to_string()),
        )
    }

    async fn scan(&self, task: &ClaimedTask, job: Job) -> SiteReport {
        let domain = match DomainName::parse(&job.domain) {
            Ok(domain) => domain,
            Err(error) => return SiteReport::failed(FailureReason::InvalidDomain, error.to_string()),
        };
        let (began, left, name) = (Instant::now(), job.time_left, domain.to_string());
        let (scanner, tenant) = (self.scanner.clone(), task.tenant);
        let parent = ParentSpan::of_attempt(task.scan_id.0, task.fence);
        let limit = self.scanner.max_time().min(left);
        // On a task of its own, so that a fault in a parser ends this scan and nothing else.
        let under_way = AbortOnDrop(tokio::spawn(async move {
            let scan = scanner.scan_for(tenant, &domain, &job.options, limit, job.kept);
            traces::within(parent, scan).await
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
            failure.is_transient = false;
        }
        report
    }
}

/// Repeats a call until it is done: a full disk or a restarting database must cost no result. `None` if the lease is
/// lost on the way, or the process ends.
async fn until_done<T, F>(lost: &CancellationToken, mut call: impl FnMut() -> F) -> Option<T>
where
    F: Future<Output = Result<T, SourceError>>,
{
    let mut pause = FIRST_PAUSE;
    loop {
        match call().await {
            Ok(done) => return Some(done),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Cannot start or deliver a scan{}",
                    if error.is_transient { "; retrying" } else { "" }
                );
                if !error.is_transient {
                    return None;
                }
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
