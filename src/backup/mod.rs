//! Backup of the whole database into one file, and its restore, with `pg_dump` and `pg_restore`. This module adds what
//! they do not do: the file is complete or does not exist, a manifest describes it, it is restored only into an empty
//! database, by any user, with the roles that it names.

mod archive;
mod dump;
mod manifest;
mod restore;

pub use archive::{Archive, ArchiveError};
pub use dump::{Saved, back_up};
pub use manifest::Manifest;
pub use restore::restore;

use crate::log::tree::ProofError;
use crate::postgres::ClientError;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database does not respond.
    #[error("cannot reach the database")]
    Database(#[from] sqlx::Error),
    /// PostgreSQL's own programs.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// There is nothing to save.
    #[error("the database {0} has no tables of sitelog; there is nothing to back up")]
    Nothing(String),
    /// Its user is not shown all rows.
    #[error(
        "the database's user {user} does not own {table}, so a backup could miss rows; use the user that runs sitelog, \
         or a superuser"
    )]
    NotAllRows {
        /// Who requested it.
        user: String,
        /// The first table that belongs to another.
        table: String,
    },
    /// The database is not empty.
    #[error(
        "the database {database} is not empty (it has {found}); a backup is restored only into an empty one: choose \
         another SITELOG_DATA_DIR, or create a database and name it with --into"
    )]
    NotEmpty {
        /// Its name.
        database: String,
        /// The first thing found in it.
        found: String,
    },
    /// It is of a later release.
    #[error(
        "the backup was made by sitelog {version}, whose tables (migration {migration}) this release does not know; \
         restore it with that release or a later one"
    )]
    TooNew {
        /// The release that made it.
        version: String,
        /// Its last migration.
        migration: i64,
    },
    /// A role is named in the backup and cannot be made.
    #[error(
        "the backup needs the role {role}, which does not exist on this server, and the database user is not allowed to \
         create it; as a superuser, run: create role \"{role}\" nologin"
    )]
    Role {
        /// The role.
        role: String,
        /// The error of the server.
        #[source]
        source: sqlx::Error,
    },
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed; nothing was {what}. Its output:\n{said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// `written` or `restored`.
        what: &'static str,
        /// The end of its standard error.
        said: String,
    },
    /// The log cannot be read.
    #[error("cannot read the log")]
    Log(#[from] ProofError),
    /// The lock against concurrent migrations cannot be taken.
    #[error("cannot lock the database against migrations")]
    Lock(#[from] sqlx::migrate::MigrateError),
}
