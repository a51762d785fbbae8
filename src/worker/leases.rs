//! The leases this process holds: prolonged together, given back together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::tasks::{ClaimedTask, LEASE, ScanTasks, Settled};

/// Leases held and leases to give back.
#[derive(Clone)]
pub(super) struct Leases {
    tasks: ScanTasks,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By fence: the task and what to do when its lease is lost.
    held: Mutex<HashMap<i64, (ClaimedTask, CancellationToken)>>,
    settled: Mutex<Vec<(ClaimedTask, Settled)>>,
    news: Notify,
}

impl Leases {
    pub(super) fn new(tasks: ScanTasks) -> Self {
        Self {
            tasks,
            inner: Arc::default(),
        }
    }

    /// Notes a claimed task; `lost` is cancelled if its lease is.
    pub(super) fn hold(&self, task: &ClaimedTask, lost: CancellationToken) -> CancellationToken {
        self.held().insert(task.fence, (task.clone(), lost.clone()));
        lost
    }

    /// Notes what becomes of a task; `None` if its lease was lost and it is no longer ours to say.
    pub(super) fn give_back(&self, task: ClaimedTask, settled: Option<Settled>) {
        self.held().remove(&task.fence);
        if let Some(settled) = settled {
            self.inner
                .settled
                .lock()
                .expect("no holder panics")
                .push((task, settled));
        }
        self.inner.news.notify_one();
    }

    /// Resolves when there is something to settle.
    pub(super) async fn wait_for_settled(&self) {
        self.inner.news.notified().await;
    }

    /// Gives back what is to be given back; on failure, with the next call.
    pub(super) async fn settle(&self) {
        let settled = std::mem::take(&mut *self.inner.settled.lock().expect("no holder panics"));
        if settled.is_empty() {
            return;
        }
        if let Err(error) = self.tasks.settle(&settled).await {
            tracing::warn!(%error, "Cannot settle tasks; retrying");
            self.inner
                .settled
                .lock()
                .expect("no holder panics")
                .extend(settled);
        }
    }

    /// Prolongs all leases until aborted; stops the scans whose lease is gone.
    pub(super) async fn keep(self) {
        let mut beat = tokio::time::interval(LEASE / 3);
        loop {
            beat.tick().await;
            let tasks: Vec<ClaimedTask> = self.held().values().map(|(task, _)| task.clone()).collect();
            if tasks.is_empty() {
                continue;
            }
            match self.tasks.heartbeat(&tasks).await {
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

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<i64, (ClaimedTask, CancellationToken)>> {
        self.inner.held.lock().expect("no holder panics")
    }
}
