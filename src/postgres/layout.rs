//! Paths: the names in the data directory, and the short directory of the Unix socket.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::EmbeddedPostgresError;

/// The only port number there is; it is part of the socket's name, nothing listens on TCP.
pub(super) const PORT: u16 = 5432;

/// `sun_path` holds 108 bytes, the last one a zero.
const LONGEST_SOCKET_PATH: usize = 107;

/// The paths of one data directory.
#[derive(Debug)]
pub(super) struct Layout {
    data_dir: PathBuf,
}

impl Layout {
    /// Makes the data directory if need be, private to its owner.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, EmbeddedPostgresError> {
        let failed = |source| EmbeddedPostgresError::file("make", data_dir, source);
        if let Some(parent) = data_dir.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        DirBuilder::new()
            .mode(0o700)
            .recursive(true)
            .create(data_dir)
            .map_err(failed)?;
        let data_dir = data_dir.canonicalize().map_err(failed)?;
        match data_dir.to_str() {
            Some(text) if !text.contains(['"', '$', '`', '\\', '\n', '\r']) => Ok(Self { data_dir }),
            _ => Err(EmbeddedPostgresError::UnusablePath { path: data_dir }),
        }
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    pub(super) fn use_lock(&self) -> PathBuf {
        self.data_dir.join("lock")
    }

    pub(super) fn turn_lock(&self) -> PathBuf {
        self.data_dir.join("postgres.lock")
    }

    pub(super) fn access_rules(&self) -> PathBuf {
        self.data_dir.join("postgres-hba.conf")
    }

    pub(super) fn user_map(&self) -> PathBuf {
        self.data_dir.join("postgres-ident.conf")
    }

    pub(super) fn log_dir(&self) -> PathBuf {
        self.data_dir.join("postgres-log")
    }

    /// The file for the server's output before its log is open.
    pub(super) fn start_log(&self) -> PathBuf {
        self.log_dir().join("start.log")
    }

    /// The name in the server's process titles, by which its orphans are known: `sitelog-` and a hash of the path.
    pub(super) fn cluster_name(&self) -> String {
        let digest = Sha256::digest(self.data_dir.as_os_str().as_encoded_bytes());
        format!("sitelog-{}", hex::encode(&digest[..8]))
    }

    /// Where the socket goes: the data directory, unless its path is too long or has characters that
    /// PostgreSQL's settings or a URL would have to quote; then a directory below `/tmp`.
    ///
    /// It depends on nothing but the path and the account, so that processes started in different environments
    /// find the same server; `XDG_RUNTIME_DIR` and `TMPDIR` would not do.
    pub(super) fn socket_dir(&self, uid: u32) -> PathBuf {
        let own = self.data_dir.join("socket");
        if is_plain(&own) && socket_in(&own).as_os_str().len() <= LONGEST_SOCKET_PATH {
            return own;
        }
        Path::new("/tmp").join(format!("{}-{uid}", self.cluster_name()))
    }
}

/// The socket that PostgreSQL makes in `dir`.
pub(super) fn socket_in(dir: &Path) -> PathBuf {
    dir.join(format!(".s.PGSQL.{PORT}"))
}

fn is_plain(path: &Path) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    path.as_os_str().as_encoded_bytes().iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(data_dir: impl Into<PathBuf>) -> Layout {
        Layout {
            data_dir: data_dir.into(),
        }
    }

    #[test]
    fn a_short_plain_data_directory_holds_its_socket() {
        let socket_dir = layout("/var/lib/sitelog").socket_dir(1000);
        assert_eq!(socket_dir, Path::new("/var/lib/sitelog/socket"));
    }

    #[test]
    fn a_long_or_odd_data_directory_has_its_socket_below_tmp() {
        for data_dir in [
            format!("/{}", "long".repeat(40)),
            "/home/a b".to_owned(),
            "/home/a,b".to_owned(),
        ] {
            let socket_dir = layout(&data_dir).socket_dir(1000);
            assert!(
                socket_dir.starts_with("/tmp"),
                "{data_dir} gave {}",
                socket_dir.display()
            );
            assert!(socket_in(&socket_dir).as_os_str().len() <= LONGEST_SOCKET_PATH);
        }
    }

    #[test]
    fn the_longest_path_that_fits_is_used() {
        let room = LONGEST_SOCKET_PATH - "/".len() - "/socket/.s.PGSQL.5432".len();
        for (length, fits) in [(room, true), (room + 1, false)] {
            let socket_dir = layout(format!("/{}", "d".repeat(length))).socket_dir(1000);
            assert_eq!(!socket_dir.starts_with("/tmp"), fits, "{length}");
        }
    }

    #[test]
    fn a_path_that_a_shell_would_expand_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let refused = Layout::prepare(&parent.path().join("$(x)"));
        assert!(
            matches!(refused, Err(EmbeddedPostgresError::UnusablePath { .. })),
            "{refused:?}"
        );
    }
}
