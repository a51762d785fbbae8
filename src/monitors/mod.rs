//! Monitors: domains that are scanned on a schedule. The sole owner of the tables of `migrations/0020_monitors.sql`,
//! `0021_monitor_feeds.sql` and `0023_monitor_mails.sql`.
//!
//! Decisions about a monitor, and each of its runs, are in the log. A process finds due monitors (`due`) and starts
//! their runs (`run`); the log ensures that no scheduled time has two runs. The rows (`rows`) follow the log. When a
//! run has ended, its emails are queued (`mails`), written (`digest`) and sent (`post`). The tokens of feeds (`feeds`)
//! and the subscribers (`subscribers`) are not in the log.

mod digest;
mod due;
pub mod feeds;
pub mod mails;
mod post;
pub mod rows;
mod run;
pub mod subscribers;
mod watch;

use sqlx::PgPool;

pub use post::send_mails;
pub use rows::{MonitorRow, RunRow};
pub use run::RunError;
pub use watch::watch;

use crate::access::Tenants;
use crate::commands::CommandBus;
use crate::log::LogError;
use crate::projections::ReadModels;

/// Monitors of one tenant.
pub const MAX_MONITORS: i64 = 10_000;

/// The tables of monitors could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach or write the tables of monitors")]
pub struct TablesError(#[from] sqlx::Error);

/// Runs monitors, and reads their tables.
#[derive(Clone)]
pub struct Monitors {
    pool: PgPool,
    bus: CommandBus,
    /// For filters, which may read much.
    models: ReadModels,
    tenants: Tenants,
}

impl Monitors {
    /// Monitors of a database; `models` are those for long reads.
    pub fn new(pool: PgPool, bus: CommandBus, models: ReadModels, tenants: Tenants) -> Self {
        Self {
            pool,
            bus,
            models,
            tenants,
        }
    }

    /// The same for requests: through other connections.
    #[must_use]
    pub fn through(&self, pool: PgPool, bus: CommandBus) -> Self {
        Self {
            pool,
            bus,
            ..self.clone()
        }
    }

    /// The connections to the tables.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The time of the database's clock, the only one that counts.
    pub async fn now(&self) -> Result<chrono::DateTime<chrono::Utc>, LogError> {
        self.bus.log().now().await
    }
}
