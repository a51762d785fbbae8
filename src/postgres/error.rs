//! Errors of the embedded PostgreSQL: what happened, to which object, and what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the embedded PostgreSQL is not available. All of these are errors of the environment (exit code 3).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedPostgresError {
    /// None of the places searched has initdb, postgres and `pg_ctl` of a usable version.
    #[error(
        "no PostgreSQL 15 or newer on this machine{found}; install its programs with\n  {install}\n\
         or set DATABASE_URL to the URL of your server"
    )]
    NoBinaries {
        /// ` (only 13 in /usr/lib/postgresql/13/bin)`, or nothing.
        found: String,
        /// One command for a shell.
        install: String,
    },

    /// The cluster was written by a major version that is not installed.
    #[error(
        "the data in {cluster} was written by PostgreSQL {data}, but PostgreSQL {installed} is installed; \
         install PostgreSQL {data} as well, and upgrade the data while no sitelog runs:\n{upgrade}"
    )]
    OtherVersion {
        /// The cluster's directory.
        cluster: PathBuf,
        /// Major version in its `PG_VERSION`.
        data: u32,
        /// Major version of the programs found.
        installed: u32,
        /// Commands for a shell, one a line.
        upgrade: String,
    },

    /// PostgreSQL refuses to run as root, and there is no account to run it as.
    #[error(
        "PostgreSQL cannot run as root and there is neither a user 'postgres' nor 'nobody'; \
         create one with `useradd --system postgres`"
    )]
    NoAccount,

    /// Containers often run under a user id that has no entry.
    #[error(
        "user ID {uid} has no name (no entry in /etc/passwd), which PostgreSQL needs; \
         add an entry, run as a named user or as root, or set DATABASE_URL"
    )]
    NamelessAccount {
        /// The user id of this process.
        uid: u32,
    },

    /// The cluster belongs to another user and this process is not root.
    #[error(
        "{path} belongs to user ID {owner}, but this process runs as {uid}; \
         run as that user or as root, or choose another directory with SITELOG_DATA_DIR"
    )]
    NotOurs {
        /// The file or directory of another user.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Us.
        uid: u32,
    },

    /// Started as root, PostgreSQL runs as `account`, which cannot access the data directory.
    #[error(
        "PostgreSQL cannot run as root, and user '{account}', which it runs as, cannot access {blocked}, which \
         contains {data_dir}; choose another place with SITELOG_DATA_DIR, or allow it with `chmod o+x '{blocked}'`"
    )]
    AccountShutOut {
        /// The account's name.
        account: String,
        /// The first directory that it may not enter.
        blocked: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },

    /// The data directory cannot be made or written to.
    #[error(
        "cannot write to the data directory {path}; choose another one with SITELOG_DATA_DIR, or fix its permissions"
    )]
    Unwritable {
        /// The path that could not be created or opened.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// `pg_ctl` hands the path to a shell in double quotes.
    #[error(
        "the path of the data directory {path} is not UTF-8, or contains a line break or one of \" $ ` \\. PostgreSQL's \
         pg_ctl cannot use such a path; choose another one with SITELOG_DATA_DIR"
    )]
    UnusablePath {
        /// The data directory.
        path: PathBuf,
    },

    /// No space or no quota left.
    #[error(
        "the disk that holds {path} is full; free some space (a new database takes about 40 MB) and start again"
    )]
    DiskFull {
        /// The path that was being written.
        path: PathBuf,
    },

    /// initdb failed for a reason not named above.
    #[error("initdb could not create a database in {path}; its output:\n{output}")]
    InitFailed {
        /// The cluster's directory.
        path: PathBuf,
        /// The output of initdb.
        output: String,
    },

    /// The cluster holds tables but lacks what a server needs to start.
    #[error(
        "the database in {path} is damaged: it contains tables but no global/pg_control; restore the directory from a \
         backup, or move it away to start with an empty one"
    )]
    Damaged {
        /// The cluster's directory.
        path: PathBuf,
    },

    /// The short-named socket directory below /tmp belongs to another user.
    #[error(
        "{path}, where PostgreSQL's socket has to be, {fault}; remove it, or choose a data directory with a short, \
         plain path (SITELOG_DATA_DIR)"
    )]
    SocketDirTaken {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, as the end of a sentence.
        fault: String,
    },

    /// The server did not come up.
    #[error("PostgreSQL in {cluster} did not start; its log, in {log_dir}, ends with:\n{output}")]
    StartFailed {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The path of its log.
        log_dir: PathBuf,
        /// The output of `pg_ctl` and the log.
        output: String,
    },

    /// The server did not go down.
    #[error("PostgreSQL in {cluster} did not stop; the output of pg_ctl:\n{output}")]
    StopFailed {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The output of `pg_ctl`.
        output: String,
    },

    /// Another process is starting or stopping the server, for far too long.
    #[error(
        "another sitelog has been starting or stopping PostgreSQL for {seconds} s and holds {path}; \
         find it with `fuser '{path}'` and end it if it hangs"
    )]
    TurnNotGiven {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        seconds: u64,
    },

    /// One of PostgreSQL's programs, or one that asks about users, could not be run at all.
    #[error("cannot run {program}")]
    NotRunnable {
        /// The program.
        program: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// Any other failed file operation.
    #[error("cannot {doing} {path}")]
    File {
        /// A verb, e.g. `rename`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },

    /// The server runs, but does not let us in or refuses the database.
    #[error("the embedded PostgreSQL in {cluster} does not serve its database; its log is in {log_dir}")]
    NotServing {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The path of its log.
        log_dir: PathBuf,
        /// The error of the server or the connection.
        source: sqlx::Error,
    },
}

impl EmbeddedPostgresError {
    /// The error for a failed write to `path`; a full disk has its own.
    pub(super) fn file(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Unwritable { path, source }
            }
            _ => Self::File { doing, path, source },
        }
    }
}
