//! Policies (process managers): an event causes a task or an idempotent command, then the checkpoint advances.
//!
//! One process at a time runs each policy (a lease on its row). If that process dies, another takes over and repeats
//! at most one page, which changes nothing. Each policy also has a sweep for what events alone do not trigger.

mod complete_batches;
mod expand_batches;
mod follow_monitors;
mod follow_webhooks;
mod pause;
mod queue_mails;
mod runner;
mod schedule_scans;

use std::sync::Arc;

use sqlx::PgConnection;

pub use complete_batches::CompleteBatches;
pub use expand_batches::ExpandBatches;
pub use follow_monitors::FollowMonitors;
pub use follow_webhooks::FollowWebhooks;
pub use pause::{PausedPolicies, pause};
pub use queue_mails::QueueMails;
pub use runner::run;
pub use schedule_scans::ScheduleScans;

use crate::log::{LogError, LogEvent};
use crate::values::event_type::Follower;

/// The consequences of events.
pub trait Policy: Send + Sync + 'static {
    /// Its row in the table `policy`.
    const NAME: &'static str;
    /// Which follower it is; [`Follower`] names the events that it follows.
    const FOLLOWER: Follower;
    /// Events per page.
    const PAGE: i64 = 1000;

    /// Commands that follow from a page: idempotent, done before the checkpoint moves, outside any transaction.
    fn command(&self, _events: &[Arc<LogEvent>]) -> impl Future<Output = Result<(), PolicyError>> + Send {
        async { Ok(()) }
    }

    /// Rows that follow from a page, written in the checkpoint's transaction.
    fn write(
        &self,
        _connection: &mut PgConnection,
        _events: &[Arc<LogEvent>],
    ) -> impl Future<Output = Result<(), PolicyError>> + Send {
        async { Ok(()) }
    }

    /// Work that the rows make due, without an event: after each page, and from time to time.
    fn sweep(&self) -> impl Future<Output = Result<(), PolicyError>> + Send {
        async { Ok(()) }
    }
}

/// Why a policy failed; it retries.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A table could not be read or written.
    #[error("cannot reach or write a policy's tables")]
    Database(#[from] sqlx::Error),
}

impl PolicyError {
    /// Whether the content of an event, or what it refers to, cannot be read: other events are not affected, and a
    /// retry does not help.
    fn is_about_an_event(&self) -> bool {
        matches!(
            self,
            Self::Log(LogError::Unreadable { .. } | LogError::UnreadableBody { .. })
        )
    }
}

impl<E: std::error::Error> From<crate::commands::CommandError<E>> for PolicyError {
    fn from(error: crate::commands::CommandError<E>) -> Self {
        match error {
            crate::commands::CommandError::Log(error) => Self::Log(error),
            refused => Self::Database(sqlx::Error::Protocol(refused.to_string())),
        }
    }
}
