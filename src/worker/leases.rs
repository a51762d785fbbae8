//! The leases of this process: they are renewed and returned together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::source::WorkSource;
use crate::tasks::{ClaimedTask, LEASE, Settled};

/// Leases that are held, and leases to return.
pub(super) struct Leases<S> {
    source: S,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By fence: the task and what to do when its lease is lost.
    held: Mutex<HashMap<i64, (ClaimedTask, CancellationToken)>>,
    settled: Mutex<Vec<(ClaimedTask, Settled)>>,
    news: Notify,
}

impl<S: Clone> Clone for Leases<S> {
    fn clone(&self) -> Self {
        Self {
            source: self.source.clone(),
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S: WorkSource> Leases<S> {
    pub(super) fn new(source: S) -> Self {
        Self {
            source,
            inner: Arc::default(),
        }
    }

    /// Notes a claimed task; `lost` is cancelled if its lease is.
    pub(super) fn hold(&self, task: &ClaimedTask, lost: CancellationToken) -> CancellationToken {
        self.held().insert(task.fence, (task.clone(), lost.clone()));
        lost
    }

    /// Ends the lease of a task, and notes what is left to settle, if anything.
    pub(super) fn release(&self, task: ClaimedTask, settled: Option<Settled>) {
        self.held().remove(&task.fence);
        if let Some(settled) = settled {
            self.settled().push((task, settled));
        }
        self.inner.news.notify_one();
    }

    /// Resolves when there is something to settle.
    pub(super) async fn wait_for_settled(&self) {
        self.inner.news.notified().await;
    }

    /// Returns the pending leases; after a failure, the next call returns them.
    pub(super) async fn settle(&self) {
        let settled = std::mem::take(&mut *self.settled());
        if settled.is_empty() {
            return;
        }
        if let Err(error) = self.source.settle(&settled).await {
            tracing::warn!(%error, "Cannot return leases; retrying");
            self.settled().extend(settled);
        }
    }

    /// Renews all leases until aborted; stops the scans whose lease is lost.
    pub(super) async fn keep_renewing(self) {
        let mut beat = tokio::time::interval(LEASE / 3);
        // After a pause of the whole process one beat is enough.
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            // Tasks that are claimed after this are not in the request, so they cannot be reported as lost.
            let tasks: Vec<ClaimedTask> = self.held().values().map(|(task, _)| task.clone()).collect();
            match self.source.heartbeat(&tasks).await {
                Ok(alive) => {
                    for task in tasks.iter().filter(|task| !alive.contains(&task.fence)) {
                        if let Some((_, lost)) = self.held().get(&task.fence) {
                            tracing::info!(scan.id = %task.scan_id, "The lease of scan {} is lost", task.scan_id);
                            lost.cancel();
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "Cannot renew leases; retrying"),
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<i64, (ClaimedTask, CancellationToken)>> {
        self.inner.held.lock().expect("no holder panics")
    }

    fn settled(&self) -> MutexGuard<'_, Vec<(ClaimedTask, Settled)>> {
        self.inner.settled.lock().expect("no holder panics")
    }
}
