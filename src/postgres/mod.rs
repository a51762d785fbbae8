//! The embedded default: a private PostgreSQL in the data directory, for when no `DATABASE_URL` is given.
//!
//! Here: finding PostgreSQL's programs, creating a cluster, starting it, joining one that runs, repairing it when it
//! was killed, and stopping it when the last process leaves. Not here: tables, migrations and pools; from `url()` on,
//! the embedded database is one like any other.
//!
//! The contents of the data directory:
//!
//! | name | what |
//! |---|---|
//! | `lock` | held shared by each process that uses the database |
//! | `postgres.lock` | held while one process starts, repairs or stops the server |
//! | `postgres/` | the cluster |
//! | `postgres-hba.conf`, `postgres-ident.conf` | who may connect; written at each start |
//! | `postgres-log/` | the server's log: at most six files of 10 MB |
//! | `socket/` | the server's Unix socket, if its path is short enough; else it lies below `/tmp` |
//!
//! **Who may connect:** `peer` authentication, so the kernel itself vouches for the caller: only the user that the
//! server runs as, and root. It needs no password that could leak through a URL, a log or a backup, and unlike
//! `trust` it holds even if the mode of the socket's directory is relaxed. There is no TCP port.

mod access;
mod account;
mod binaries;
mod child;
mod client;
mod cluster;
mod error;
mod init;
mod layout;
mod lock;
mod processes;
mod provision;

use std::path::Path;

pub(crate) use child::Command as ChildCommand;
pub use client::{ClientError, ClientProgram};
pub use error::EmbeddedPostgresError;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;
use layout::Layout;
use lock::UseLock;

/// The oldest PostgreSQL that the schema is written for.
pub const OLDEST_MAJOR: u32 = 15;

/// A private PostgreSQL that runs at least as long as this value is not stopped.
///
/// Any number of processes may hold one for the same data directory; they share one server. A process that is
/// killed, or drops the value without [`stop`](Self::stop), leaves the server running for the next one to join.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    cluster: Cluster,
    in_use: UseLock,
    url: String,
}

impl EmbeddedPostgres {
    /// Creates the cluster in `data_dir` if there is none, and starts its server or joins the running one.
    pub async fn start(data_dir: &Path) -> Result<Self, EmbeddedPostgresError> {
        let layout = Layout::prepare(data_dir)?;
        let account = Account::choose(&layout).await?;
        account.admit_to(&layout).await?;
        let turn = lock::take_turn(&layout).await?;
        let in_use = UseLock::hold(&layout)?;
        let binaries = Binaries::find(init::major_of(&layout)?).await?;
        let cluster = Cluster::new(layout, account, binaries)?;
        cluster.join_or_start().await?;
        provision::provide_database(&cluster).await?;
        drop(turn);
        let url = cluster.url(provision::OWNER, provision::DATABASE);
        Ok(Self { cluster, in_use, url })
    }

    /// Where clients connect: database `sitelog`, as its owner, over the Unix socket.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same server as its superuser, database `postgres`: for maintenance, never for requests.
    pub fn superuser_url(&self) -> String {
        self.cluster.url(provision::SUPERUSER, provision::SUPERUSER)
    }

    /// The same database as the superuser, who sees all rows: for backups, never for requests.
    pub fn superuser_url_of_database(&self) -> String {
        self.cluster.url(provision::SUPERUSER, provision::DATABASE)
    }

    /// The data directory, absolute and without symbolic links.
    pub fn data_dir(&self) -> &Path {
        self.cluster.data_dir()
    }

    /// Starts the server again if it has died; returns whether it did. Call it every few seconds.
    ///
    /// Stale pid files, leftover shared memory and orphaned backends are dealt with; committed data is recovered
    /// by PostgreSQL from its write-ahead log.
    pub async fn ensure_running(&self) -> Result<bool, EmbeddedPostgresError> {
        self.cluster.prune_logs();
        if self.cluster.is_up().await {
            return Ok(false);
        }
        let _turn = lock::take_turn(self.cluster.layout()).await?;
        self.cluster.join_or_start().await
    }

    /// Stops using the server, and stops it if no other process uses it.
    pub async fn stop(self) -> Result<(), EmbeddedPostgresError> {
        let _turn = lock::take_turn(self.cluster.layout()).await?;
        if !self.in_use.is_last()? {
            tracing::info!(
                "PostgreSQL in {} keeps running for other processes",
                self.data_dir().display()
            );
            return Ok(());
        }
        self.cluster.shut_down().await
    }
}
