//! The two locks of a data directory: which processes use the server, and which one may start or stop it.
//!
//! Both are `flock` locks: the kernel releases them when a process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::EmbeddedPostgresError;
use super::layout::Layout;

/// Longer than any start, crash recovery included.
const LONGEST_WAIT: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(50);

/// Says that a process uses the server; any number may.
#[derive(Debug)]
pub(super) struct UseLock {
    file: File,
}

impl UseLock {
    /// Registers this process as a user of the server. The caller holds `postgres.lock`.
    pub(super) fn hold(layout: &Layout) -> Result<Self, EmbeddedPostgresError> {
        let path = layout.use_lock();
        let file = open(&path)?;
        file.lock_shared()
            .map_err(|source| EmbeddedPostgresError::file("lock", &path, source))?;
        Ok(Self { file })
    }

    /// Whether no other process uses the server. The caller has the turn, so none can join in between;
    /// either way the lock is to be dropped afterwards.
    pub(super) fn is_last(&self) -> Result<bool, EmbeddedPostgresError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => {
                Err(EmbeddedPostgresError::file("lock", Path::new("lock"), source))
            }
        }
    }
}

/// Waits until no other process starts or stops the server; the turn ends when the file is dropped.
pub(super) async fn take_turn(layout: &Layout) -> Result<File, EmbeddedPostgresError> {
    let path = layout.turn_lock();
    let file = open(&path)?;
    let deadline = Instant::now() + LONGEST_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(source)) => {
                return Err(EmbeddedPostgresError::file("lock", &path, source));
            }
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL).await,
            Err(TryLockError::WouldBlock) => {
                let seconds = LONGEST_WAIT.as_secs();
                return Err(EmbeddedPostgresError::TurnNotGiven { path, seconds });
            }
        }
    }
}

fn open(path: &Path) -> Result<File, EmbeddedPostgresError> {
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    options
        .open(path)
        .map_err(|source| EmbeddedPostgresError::file("open", path, source))
}
