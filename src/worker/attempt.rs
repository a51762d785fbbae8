//! One attempt: start, scan, record.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::record::record_of;
use super::{ATTEMPT_LIMIT, Worker};
use crate::aggregates::{DomainScan, ScanError, ScanStatus};
use crate::commands::record_scan::{AttemptRecord, record_scan};
use crate::commands::start_scan::start_scan;
use crate::commands::{CommandContext, CommandError, Loaded};
use crate::log::LogError;
use crate::scanner::report::{ScanFailure, SiteReport};
use crate::tasks::{ClaimedTask, Settled};
use crate::values::{DomainName, FailureReason};

/// First pause after the log could not be written; doubled up to `LAST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

impl Worker {
    /// Makes an attempt under a lease; says what becomes of the task, `None` if the lease was lost.
    pub(super) async fn attempt(&self, task: &ClaimedTask, lost: &CancellationToken) -> Option<Settled> {
        let context = CommandContext::internal(task.tenant, self.name.clone());
        let started = match self.start(task, &context, lost).await? {
            Ok(started) => started,
            Err(settled) => return settled,
        };
        let deadline = started.aggregate.deadline_at().unwrap_or_else(Utc::now);
        let report = tokio::select! {
            report = self.scan(&started.aggregate, deadline) => report,
            // Told to stop: somebody else may take it at once. Lost: somebody else has.
            () = lost.cancelled() => return Some(Settled::RetryAt(Utc::now())),
        };
        let record = self
            .until_written(lost, || record_of(&self.bus, task, &report))
            .await?
            .ok()?;
        self.record(task, started, record, &context, lost).await
    }

    async fn start(
        &self,
        task: &ClaimedTask,
        context: &CommandContext,
        lost: &CancellationToken,
    ) -> Option<Result<Loaded<DomainScan>, Option<Settled>>> {
        let start = || start_scan(&self.bus, task.scan_id, task.fence, Utc::now(), context);
        Some(match self.until_written(lost, start).await? {
            Ok(started) if started.aggregate.status().is_some_and(ScanStatus::is_ended) => {
                Err(Some(Settled::Done))
            }
            Ok(started) => Ok(started),
            Err(ScanError::Superseded(_)) => Err(None),
            // Ended meanwhile (cancelled, say), or no scan at all: there is nothing to deliver.
            Err(_) => Err(Some(Settled::Done)),
        })
    }

    async fn scan(&self, scan: &DomainScan, deadline: DateTime<Utc>) -> SiteReport {
        let Ok(domain) = DomainName::parse(scan.domain()) else {
            return failed(
                FailureReason::InvalidDomain,
                format!("'{}' is not a domain name", scan.domain()),
            );
        };
        let left = (deadline - Utc::now()).to_std().unwrap_or(Duration::ZERO);
        let limit = ATTEMPT_LIMIT.min(left);
        let (scanner, options) = (self.scanner.clone(), *scan.options());
        // On a task of its own, so that a fault in a parser ends this scan and nothing else.
        let under_way = AbortOnDrop(tokio::spawn(async move {
            scanner.scan(&domain, &options, limit).await
        }));
        let mut report = match under_way.join().await {
            Ok(report) => report,
            Err(error) => {
                tracing::error!(%error, domain = scan.domain(), "The scan of {} broke down", scan.domain());
                failed(
                    FailureReason::Internal,
                    "the scanner broke down on this site".to_owned(),
                )
            }
        };
        if let Err(failure) = &mut report.outcome
            && failure.reason == FailureReason::Timeout
            && Utc::now() >= deadline
        {
            failure.reason = FailureReason::Deadline;
            failure.may_pass = false;
        }
        report
    }

    async fn record(
        &self,
        task: &ClaimedTask,
        started: Loaded<DomainScan>,
        record: AttemptRecord,
        context: &CommandContext,
        lost: &CancellationToken,
    ) -> Option<Settled> {
        let write = || {
            record_scan(
                &self.bus,
                task.scan_id,
                started.clone(),
                record.clone(),
                Utc::now(),
                context,
            )
        };
        match self.until_written(lost, write).await? {
            Ok(scan) => Some(settled(&scan)),
            Err(ScanError::Superseded(attempt)) => {
                tracing::info!(scan.id = %task.scan_id, "Attempt {attempt} of scan {} came too late", task.scan_id);
                // Cancelled, or taken over: a task that still has our fence is nobody's.
                Some(Settled::Done)
            }
            Err(_) => Some(Settled::Done),
        }
    }

    /// Repeats a command until the log takes it: a full disk or a restarting database must cost no result. `None` if
    /// the lease is lost on the way.
    async fn until_written<T, E, F>(
        &self,
        lost: &CancellationToken,
        mut command: impl FnMut() -> F,
    ) -> Option<Result<T, E>>
    where
        E: std::error::Error + 'static,
        F: Future<Output = Result<T, CommandError<E>>>,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            match command().await {
                Ok(done) => return Some(Ok(done)),
                Err(CommandError::Refused(refusal)) => return Some(Err(refusal)),
                Err(CommandError::NotFound(what)) => {
                    tracing::error!("A task names a {what} that the log does not know");
                    return None;
                }
                Err(CommandError::Log(LogError::Closed)) => return None,
                Err(CommandError::Log(error)) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "The log does not answer; trying again"
                    );
                }
            }
            tokio::select! {
                () = lost.cancelled() => return None,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            }
        }
    }
}

fn settled(scan: &DomainScan) -> Settled {
    match scan.next_attempt_at() {
        Some(due) if scan.status() == Some(ScanStatus::Pending) => Settled::RetryAt(due),
        _ => Settled::Done,
    }
}

fn failed(reason: FailureReason, detail: String) -> SiteReport {
    let failure = ScanFailure {
        reason,
        detail,
        may_pass: false,
        retry_after: None,
    };
    SiteReport {
        robots: None,
        sitemaps: Vec::new(),
        pages: Vec::new(),
        outcome: Err(failure),
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
