//! Claims tasks, scans sites and delivers the results. It holds no transaction and no connection while it fetches.

mod attempt;
mod database;
mod leases;
mod source;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use database::DatabaseSource;
pub use source::{Begin, Delivery, Job, SourceError, WorkSource};

use crate::scanner::Scanner;
use crate::tasks::ClaimedTask;
use leases::Leases;

/// How long an idle worker waits for a notification before it polls.
const POLL: Duration = Duration::from_millis(250);
/// How long a busy worker waits for further places before it claims: one claim costs the same for one task as for many.
const BATCH_DELAY: Duration = Duration::from_millis(15);
/// Pause after a claim failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How long running scans may continue after a server is stopped.
pub const DRAIN: Duration = Duration::from_secs(20);

/// Scans sites, several at once.
#[derive(Clone)]
pub struct Worker<S> {
    source: S,
    scanner: Scanner,
    name: String,
    concurrency: usize,
}

impl<S: WorkSource> Worker<S> {
    /// A worker with a name for the log and room for `concurrency` scans.
    pub fn new(source: S, scanner: Scanner, name: String, concurrency: usize) -> Self {
        Self {
            source,
            scanner,
            name,
            concurrency,
        }
    }

    /// Works until it is stopped, then gives running scans this time to end and releases all other tasks.
    pub async fn run(self, stop: CancellationToken, drain: Duration) {
        let room = Arc::new(Semaphore::new(self.concurrency));
        let leases = Leases::new(self.source.clone());
        let beating = tokio::spawn(leases.clone().keep_renewing());
        let scans = TaskTracker::new();
        let abort = CancellationToken::new();
        while !stop.is_cancelled() {
            let Some(permits) = self.wait_for_room(&room, &stop).await else {
                break;
            };
            leases.settle().await;
            match self.source.claim(permits.len()).await {
                Ok(claimed) if claimed.is_empty() => {
                    drop(permits);
                    self.wait_for_work(&leases, &stop).await;
                }
                Ok(claimed) => self.begin(claimed, permits, &leases, &scans, &abort),
                Err(error) => {
                    drop(permits);
                    tracing::warn!(%error, "Cannot claim tasks; retrying");
                    sleep_or_stop(PAUSE, &stop).await;
                }
            }
        }
        self.drain(&leases, &scans, &abort, drain).await;
        beating.abort();
        self.source.sign_off().await;
    }

    /// Waits for a free place, then takes all there are: one claim serves many. While most places are taken others
    /// become free soon, so a moment is waited for these.
    async fn wait_for_room(
        &self,
        room: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<Vec<OwnedSemaphorePermit>> {
        let first = tokio::select! {
            permit = Arc::clone(room).acquire_owned() => permit.ok()?,
            () = stop.cancelled() => return None,
        };
        let mut permits = vec![first];
        if room.available_permits() < self.concurrency / 4 {
            sleep_or_stop(BATCH_DELAY, stop).await;
        }
        while let Ok(permit) = Arc::clone(room).try_acquire_owned() {
            permits.push(permit);
        }
        Some(permits)
    }

    fn begin(
        &self,
        claimed: Vec<ClaimedTask>,
        permits: Vec<OwnedSemaphorePermit>,
        leases: &Leases<S>,
        scans: &TaskTracker,
        abort: &CancellationToken,
    ) {
        // Places without a task go back when the zip drops them.
        for (task, permit) in claimed.into_iter().zip(permits) {
            let (worker, leases) = (self.clone(), leases.clone());
            let lost = leases.hold(&task, abort.child_token());
            scans.spawn(async move {
                let settled = worker.attempt(&task, &lost).await;
                leases.release(task, settled);
                drop(permit);
            });
        }
    }

    /// Waits for a notification, a lease to return, or the next poll.
    async fn wait_for_work(&self, leases: &Leases<S>, stop: &CancellationToken) {
        tokio::select! {
            () = self.source.wait_for_news() => {}
            () = leases.wait_for_settled() => {}
            () = stop.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }

    async fn drain(
        &self,
        leases: &Leases<S>,
        scans: &TaskTracker,
        abort: &CancellationToken,
        limit: Duration,
    ) {
        scans.close();
        if !scans.is_empty() {
            tracing::info!(
                "Waiting up to {} s for {} running scans",
                limit.as_secs(),
                scans.len()
            );
        }
        if tokio::time::timeout(limit, scans.wait()).await.is_err() {
            tracing::info!("Returning {} unfinished scans to the queue", scans.len());
            abort.cancel();
            scans.wait().await;
        }
        leases.settle().await;
    }
}

async fn sleep_or_stop(pause: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = stop.cancelled() => {}
    }
}
