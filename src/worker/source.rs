//! Where a worker gets tasks and sends results: the database (`database.rs`) or NATS (`fleet/remote.rs`). The worker
//! knows nothing else about either.

use std::error::Error;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::tasks::{ClaimedTask, Settled};
use crate::values::report::SiteReport;
use crate::values::{Revisit, ScanOptions};

/// Where a worker gets its tasks from, and where it delivers what it read.
///
/// A claim is a lease with a fence. All calls may be repeated: a start or a result that is already known changes nothing,
/// and one that comes too late is refused.
pub trait WorkSource: Clone + Send + Sync + 'static {
    /// The data of an attempt that a source keeps until the result is delivered.
    type Attempt: Send + Sync;

    /// Claims up to `wanted` tasks that are due.
    fn claim(&self, wanted: usize) -> impl Future<Output = Result<Vec<ClaimedTask>, SourceError>> + Send;

    /// Records that an attempt starts, and returns what to read.
    fn begin(
        &self,
        task: &ClaimedTask,
    ) -> impl Future<Output = Result<Begin<Self::Attempt>, SourceError>> + Send;

    /// Renews leases; returns the fences that still hold. Called without tasks too: the worker is alive.
    fn heartbeat(&self, tasks: &[ClaimedTask]) -> impl Future<Output = Result<Vec<i64>, SourceError>> + Send;

    /// Delivers what an attempt read, durably; returns what is left to settle, if that is up to the worker.
    fn deliver(
        &self,
        task: &ClaimedTask,
        attempt: &Self::Attempt,
        report: Delivery<'_>,
    ) -> impl Future<Output = Result<Option<Settled>, SourceError>> + Send;

    /// Returns leases.
    fn settle(
        &self,
        settled: &[(ClaimedTask, Settled)],
    ) -> impl Future<Output = Result<(), SourceError>> + Send;

    /// Resolves when a task may have become due.
    fn wait_for_news(&self) -> impl Future<Output = ()> + Send;

    /// Announces that the worker stops.
    fn sign_off(&self) -> impl Future<Output = ()> + Send;
}

/// How a claimed task continues.
pub enum Begin<A> {
    /// The domain must be scanned.
    Scan(Box<Job>, A),
    /// The scan has ended meanwhile.
    Ended,
    /// Another lease holds it.
    Superseded,
}

/// A site to read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The domain, as it was requested.
    pub domain: String,
    /// How to scan it.
    pub options: ScanOptions,
    /// How long the attempt may take.
    pub time_left: Duration,
    /// What the last scan kept of the files it read.
    pub kept: Option<Revisit>,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The report.
    pub report: &'a SiteReport,
    /// The cooldown of the host after this attempt.
    pub cooldown: Duration,
}

/// A source could not do what it was asked to do.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SourceError {
    /// The cause.
    #[source]
    pub error: Box<dyn Error + Send + Sync>,
    /// Whether the same call may succeed later.
    pub is_transient: bool,
}

impl SourceError {
    /// A fault that passes: a database that restarts, a full disk.
    pub fn temporary(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            error: error.into(),
            is_transient: true,
        }
    }

    /// A fault that a repetition cannot repair.
    pub fn lasting(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            error: error.into(),
            is_transient: false,
        }
    }
}
