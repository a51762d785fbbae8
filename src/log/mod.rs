//! The event log, the only source of truth. Sole owner of the tables of `migrations/0001_event_log.sql` and
//! `0005_log_tree_and_erasure.sql`.
//!
//! Appends go through one group commit per process ([`append`]). Reads go by position ([`read`]); followers share the
//! [`tail`]. Bulky content is stored beside the events ([`body`]), and [`wake`] wakes waiting followers. This module
//! does not know the meaning of events.

pub mod append;
pub mod batch_delay;
pub mod body;
pub mod changes;
pub mod erase;
pub mod error;
pub mod event;
pub mod head;
mod load;
pub mod merkle;
pub mod proof;
pub mod read;
pub mod segment;
pub mod tail;
pub mod tenant_file;
pub mod transaction;
pub mod tree;
pub mod verify;
mod wake;

use sqlx::PgPool;
use tokio::sync::watch;

pub use append::{AppendUnit, Appended, IdempotencyKey, StreamAppend};
pub use error::LogError;
pub use event::{LogEvent, NewEvent};

/// A handle to the log; clones share the group commit.
#[derive(Clone)]
pub struct EventLog {
    /// For reading.
    pool: PgPool,
    /// For leases of policies and tasks.
    work: PgPool,
    appends: append::Queues,
    head: watch::Sender<i64>,
    salts: body::SaltCache,
    tail: tail::Tail,
}

impl EventLog {
    /// Opens the log of a migrated database and starts its group commit and its listener, which end when the last
    /// handle is dropped.
    pub fn open(pool: PgPool) -> Self {
        Self::appending_through(pool.clone(), pool)
    }

    /// The same with a connection for appends that nothing else waits for; one is enough.
    pub fn appending_through(pool: PgPool, for_appends: PgPool) -> Self {
        let (appends, waiters) = append::queues();
        let head = watch::Sender::new(0);
        tokio::spawn(append::commit_groups(for_appends, waiters, head.clone()));
        tokio::spawn(wake::listen(pool.clone(), head.clone()));
        Self {
            work: pool.clone(),
            pool,
            appends,
            head,
            salts: body::SaltCache::default(),
            tail: tail::Tail::default(),
        }
    }

    /// The same log, appended to as before and read through other connections.
    #[must_use]
    pub fn read_through(&self, pool: PgPool) -> Self {
        Self { pool, ..self.clone() }
    }

    /// The connections for reading.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The connections for leases.
    pub fn work_pool(&self) -> &PgPool {
        &self.work
    }

    /// The end of the log, for its followers.
    pub fn tail(&self) -> &tail::Tail {
        &self.tail
    }

    /// Returns once everything that can be read now outlasts a failover. What is shown outside must not be taken back: a
    /// primary that was killed and started again shows events whose commit no standby has confirmed. The write-ahead log
    /// is replicated in order, so a confirmed commit proves that of everything before it.
    ///
    /// Without standbys that confirm commits there is nothing to wait for.
    pub async fn confirm(&self) -> Result<(), LogError> {
        sqlx::query(
            "select case when current_setting('synchronous_standby_names') <> '' \
                    then pg_logical_emit_message(true, 'sitelog', '')::text end, \
                    set_config('synchronous_commit', 'on', true)",
        )
        .execute(&self.pool)
        .await
        .map_err(LogError::Unavailable)?;
        Ok(())
    }

    /// Wakes when the log may have grown. Values are hints; only the table is authoritative.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// Wakes all subscribers immediately.
    pub fn wake(&self) {
        self.head.send_modify(|_| {});
    }
}
