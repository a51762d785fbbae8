//! Read models: what users see, folded from the log. Each can be thrown away and built again.
//!
//! A projection says only three things, purely: which events matter, which row an event is about (`key`) and what
//! the row is after it (`evolve`). The runner does the rest, in one transaction per page.

mod apply;
pub mod as_of;
pub mod batch_jobs;
mod build;
mod copy;
pub mod domains;
pub mod fact;
pub mod fold;
pub mod generation;
pub mod history;
pub mod jobs;
mod jsonb_text;
pub mod maintenance;
pub mod pass;
pub mod quarantine;
pub mod query;
pub mod raw_json;
pub mod registry;
mod row_format;
pub mod row_security;
pub mod rows;
pub mod runner;
pub mod sample;
pub mod sitemaps;
pub mod status;
pub mod subject;
pub mod task;
#[cfg(test)]
mod tests;
pub mod verify;
pub mod views;

use std::hash::Hash;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{PgConnection, PgPool};

pub use fact::Fact;
pub use generation::{Generation, ReadModels};
pub use raw_json::RawJson;
pub use runner::run;
pub use subject::Subject;

use batch_jobs::BatchJobs;
use domains::Domains;
use jobs::Jobs;
use registry::{AnyProjection, Of};
use sitemaps::Sitemaps;

use crate::log::LogError;
use crate::turns::Busy;
use crate::values::event_type::Follower;

/// The projections of this release.
pub fn all() -> Vec<&'static dyn AnyProjection> {
    vec![
        &Of::<Jobs>(PhantomData),
        &Of::<BatchJobs>(PhantomData),
        &Of::<Domains>(PhantomData),
        &Of::<Sitemaps>(PhantomData),
    ]
}

/// A read model with one row per key.
pub trait Projection: Sized + Send + Sync + 'static {
    /// Its name, and that of its main table.
    const NAME: &'static str;
    /// Raised whenever the tables' shape or the meaning of `evolve` changes: the new shape is built alongside the old.
    const SHAPE: i32;
    /// Which follower it is; [`Follower`] names the events that it follows.
    const FOLLOWER: Follower;
    /// The columns of the primary key, as `Key` names them.
    const KEY_COLUMNS: &'static [&'static str];
    /// Whether `evolve` reads what a completed scan found.
    const READS_FINDINGS: bool = false;
    /// Events per page.
    const PAGE: i64 = 2000;
    /// Rows whose derived rows are compared in one snapshot; 0 if nothing is derived.
    const DETAILED_ROWS: i64 = 0;

    /// Names a row; its fields are the key columns.
    type Key: Serialize + DeserializeOwned + Ord + Hash + Clone + Send + Sync;
    /// A row; its fields are the columns of the table.
    type Row: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync;

    /// The statements that make its tables in a schema, without keys and indexes.
    fn tables(schema: &str) -> String;

    /// The statements that make the keys and indexes; after a bulk load they cost a fraction of what they cost in it.
    fn indexes(schema: &str) -> String;

    /// What people read in addition to the tables, or in place of them: views by name, with their queries on the tables
    /// in a schema.
    fn views_for_people(_schema: &str) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The row an event is about.
    fn key(fact: &Fact) -> Option<Self::Key>;

    /// The key of a row.
    fn key_of(row: &Self::Row) -> Self::Key;

    /// The row after an event; `None` if there is (still) none.
    fn evolve(row: Option<Self::Row>, fact: &Fact) -> Option<Self::Row>;

    /// The subject of a row: its events can be found in the log without reading all of it.
    fn subject(key: &Self::Key) -> Subject;

    /// Bytes a row takes in memory, roughly.
    fn weight(_row: &Self::Row) -> usize {
        1024
    }

    /// Writes what is derived from changed rows in addition to the main table.
    fn write_details(
        _connection: &mut PgConnection,
        _schema: &str,
        _changed: &[Change<Self>],
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send {
        async { Ok(()) }
    }

    /// Prepares the log for readers of some rows, before the first build of a shape copies these. Outside its
    /// transaction: two builds must not wait for each other.
    fn prepare(
        _pool: &PgPool,
        _rows: &[Self::Row],
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send {
        async { Ok(()) }
    }

    /// Fills the derived tables of a new generation, which have no indexes yet. Returns the numbers of the rows that it
    /// cannot be done for, and why; nothing derived from these is left in the tables.
    fn copy_details(
        _connection: &mut PgConnection,
        _schema: &str,
        _rows: &[Self::Row],
    ) -> impl Future<Output = Result<Vec<(usize, String)>, ProjectionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Compares what is derived from rows with the rows of the main table.
    fn verify_details(
        _connection: &mut PgConnection,
        _schema: &str,
        _rows: &[Self::Row],
    ) -> impl Future<Output = Result<Vec<verify::Finding>, ProjectionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Finds what is derived from no row.
    fn orphaned_details(
        _connection: &mut PgConnection,
        _schema: &str,
    ) -> impl Future<Output = Result<Vec<verify::Finding>, ProjectionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// Deletes what is derived from no row.
    fn remove_orphans(
        _connection: &mut PgConnection,
        _schema: &str,
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send {
        async { Ok(()) }
    }
}

/// A row before and after a page of events.
pub struct Change<P: Projection> {
    /// The key.
    pub key: P::Key,
    /// As it is in the table; `None` if it is not there.
    pub before: Option<P::Row>,
    /// As it will be in the table; `None` if it will not be there.
    pub after: Option<P::Row>,
}

/// Why a projection failed; it retries.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A table could not be read or written.
    #[error("cannot reach or write a read model's tables")]
    Database(#[from] sqlx::Error),
    /// The tenant has too many concurrent reads.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// A row in a table is not what this release writes.
    #[error("cannot read a row of {table}")]
    Row {
        /// The table.
        table: &'static str,
        /// The error of the decoder.
        #[source]
        source: serde_json::Error,
    },
    /// An event cannot be applied to a row.
    #[error("cannot apply event {position}: {error}")]
    Refused {
        /// The event.
        position: i64,
        /// The cause.
        error: String,
    },
    /// Not one event of a stream can be read.
    #[error("cannot read any event of the stream")]
    StillUnreadable,
    /// Another process took over a task whose lease had expired.
    #[error("the work was taken over by another process")]
    TakenOver,
    /// A build differs from the log.
    #[error("the rebuilt tables differ from the log: {0}")]
    NotTheLog(String),
    /// A point beyond the end of the log.
    #[error("{0}")]
    BeyondTheEnd(String),
    /// There is no earlier generation.
    #[error("there is no earlier generation of {0}")]
    NothingToRollBackTo(&'static str),
}

impl ProjectionError {
    /// Whether a table does not exist yet: `undefined_table`, `invalid_schema_name`.
    pub(crate) fn is_not_built_yet(&self) -> bool {
        self.has_code(&["42P01", "3F000"])
    }

    /// Whether a query was stopped because it took too long: `query_canceled`.
    pub(crate) fn took_too_long(&self) -> bool {
        self.has_code(&["57014"])
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        let Self::Database(error) = self else { return false };
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| codes.contains(&code.as_ref()))
    }

    /// Whether the database is unreachable or another transaction blocked this one: a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => {
                !self.is_about_data() && error.as_database_error().is_none_or(is_passing)
            }
            Self::Log(LogError::Unavailable(_)) => true,
            _ => false,
        }
    }

    /// Whether the error concerns one row and its events.
    pub(crate) fn is_about_one_row(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::StillUnreadable
                | Self::Row { .. }
                | Self::Log(LogError::Unreadable { .. })
        ) || self.is_about_data()
    }

    /// Whether one row's content is at fault (a body that cannot be read; SQLSTATE classes 22 and 23, program limits 54),
    /// not the database.
    pub(crate) fn is_about_data(&self) -> bool {
        let error = match self {
            Self::Log(LogError::UnreadableBody { .. }) => return true,
            Self::Database(error) => error,
            _ => return false,
        };
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
    }
}

/// Classes 57 (operator intervention) and 08 (connection), a server that is starting or out of room, and errors of a
/// transaction that conflicts with another one: 40 (rollback), `lock_not_available`,
/// `idle_in_transaction_session_timeout`.
fn is_passing(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code();
    code.is_some_and(|code| {
        ["57", "08", "53", "58", "40", "55P03", "25P03"]
            .iter()
            .any(|class| code.starts_with(class))
    })
}
