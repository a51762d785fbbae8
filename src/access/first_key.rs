//! The first key, an operator's: created at the first start, and printed on a terminal or written to a file. It never
//! goes into a log, because logs are kept, copied and read by others. Without a terminal or file, no key is created.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sqlx::PgPool;

use super::ApiKey;
use super::keys;

/// Where the first key is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstKeyDestination {
    /// A person at a terminal.
    Terminal,
    /// A file that does not exist yet; only its owner may read it.
    File(PathBuf),
    /// Not shown at all.
    Nowhere,
}

/// Whether the first key was created.
#[derive(Debug)]
pub enum FirstKey {
    /// There is a key, or was one.
    NotNeeded,
    /// It was created. Show it now: it cannot be shown later.
    ToShow(ApiKey),
    /// It was created and is in this file.
    Written(PathBuf),
    /// It is needed, but there was no way to show it, so it was not created.
    NotMade,
}

/// Why the first key was not created; `E` is the error of its creation.
#[derive(Debug, thiserror::Error)]
pub enum FirstKeyError<E: std::error::Error + 'static> {
    /// Whether a key exists cannot be determined.
    #[error("cannot read the keys")]
    Unavailable(#[from] sqlx::Error),
    /// It could not be created or stored.
    #[error(transparent)]
    Create(E),
    /// The file exists already, or cannot be written.
    #[error(
        "cannot write the first key to {path}, so no key was created; name a file that does not exist yet"
    )]
    File {
        /// As named.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
    /// It was created, but could not be written.
    #[error(
        "the first key was created, but cannot be written to {path}; create another one with 'sitelog key create --scopes operator'"
    )]
    Lost {
        /// As named.
        path: PathBuf,
        /// The error of the system.
        #[source]
        source: io::Error,
    },
}

/// Creates the first key, unless there is or was one, if it can be shown. `make` creates it, unless another process was
/// faster.
pub async fn provide<E: std::error::Error + 'static>(
    pool: &PgPool,
    place: &FirstKeyDestination,
    make: impl AsyncFnOnce() -> Result<Option<ApiKey>, E>,
) -> Result<FirstKey, FirstKeyError<E>> {
    if keys::is_any(pool).await? {
        return Ok(FirstKey::NotNeeded);
    }
    match place {
        FirstKeyDestination::Nowhere => Ok(FirstKey::NotMade),
        FirstKeyDestination::Terminal => {
            let made = make().await.map_err(FirstKeyError::Create)?;
            Ok(made.map_or(FirstKey::NotNeeded, FirstKey::ToShow))
        }
        FirstKeyDestination::File(path) => into_file(path, make).await,
    }
}

/// The file is opened first: a key is created only if it can be written.
async fn into_file<E: std::error::Error + 'static>(
    path: &Path,
    make: impl AsyncFnOnce() -> Result<Option<ApiKey>, E>,
) -> Result<FirstKey, FirstKeyError<E>> {
    let file = open_private(path).map_err(|source| FirstKeyError::File {
        path: path.to_owned(),
        source,
    })?;
    let made = make().await;
    let Ok(Some(key)) = made else {
        // Another process was faster, or the creation failed. An empty file would block the next start.
        let _nothing_is_lost = std::fs::remove_file(path);
        made.map_err(FirstKeyError::Create)?;
        return Ok(FirstKey::NotNeeded);
    };
    write(file, &key).map_err(|source| FirstKeyError::Lost {
        path: path.to_owned(),
        source,
    })?;
    Ok(FirstKey::Written(path.to_owned()))
}

/// A new file that only its owner may read; never an existing file or the target of a link.
fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn write(mut file: File, key: &ApiKey) -> io::Result<()> {
    writeln!(file, "{}", key.reveal())?;
    file.sync_all()
}
