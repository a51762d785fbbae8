//! Read models: what users see, folded from the log. Each can be thrown away and built again.
//!
//! A projection says only three things, purely: which events matter, which row an event is about (`key`) and what
//! the row is after it (`evolve`). The runner does the rest, in one transaction per page.

pub mod batch_jobs;
pub mod domains;
pub mod fact;
pub mod generation;
pub mod jobs;
pub mod query;
pub mod raw_json;
pub mod rows;
pub mod runner;
pub mod sitemaps;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

pub use fact::Fact;
pub use generation::ReadModels;
pub use raw_json::RawJson;
pub use runner::run;

use crate::log::LogError;

/// A read model with one row per key.
pub trait Projection: Send + Sync + 'static {
    /// Its name, and that of its main table.
    const NAME: &'static str;
    /// Raised whenever the tables' shape or the meaning of `evolve` changes: the new shape is built beside the old.
    const SHAPE: i32;
    /// The events it follows.
    const EVENT_TYPES: &'static [&'static str];
    /// The columns of the primary key, as `Key` names them.
    const KEY_COLUMNS: &'static [&'static str];
    /// Whether `evolve` reads what a completed scan found.
    const READS_FINDINGS: bool = false;
    /// Events per page.
    const PAGE: i64 = 2000;

    /// Names a row; its fields are the key columns.
    type Key: Serialize + Ord + Clone + Send + Sync;
    /// A row; its fields are the columns of the table.
    type Row: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync;

    /// The statements that make its tables in a schema.
    fn ddl(schema: &str) -> String;

    /// The row an event is about.
    fn key(fact: &Fact) -> Option<Self::Key>;

    /// The key of a row.
    fn key_of(row: &Self::Row) -> Self::Key;

    /// The row after an event; `None` if there is (still) none.
    fn evolve(row: Option<Self::Row>, fact: &Fact) -> Option<Self::Row>;

    /// Writes what is derived from changed rows besides the main table: (before, after).
    fn write_details(
        _connection: &mut PgConnection,
        _schema: &str,
        _changed: &[(Option<Self::Row>, Self::Row)],
    ) -> impl Future<Output = Result<(), ProjectionError>> + Send {
        async { Ok(()) }
    }
}

/// Why a projection stands still; it tries again.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A table could not be read or written.
    #[error("a read model's tables cannot be reached or written")]
    Database(#[from] sqlx::Error),
    /// A row in a table is not what this release writes.
    #[error("a row of {table} cannot be read")]
    Row {
        /// The table.
        table: &'static str,
        /// What the decoder said.
        #[source]
        source: serde_json::Error,
    },
}
