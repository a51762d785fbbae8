//! The manifest of a backup.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The file with the dump. Readers ignore unknown fields. A change that readers must know raises
/// `FORMAT`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the whole file.
    pub format: u32,
    /// The release that wrote it.
    pub version: String,
    /// When, by the database's clock.
    pub taken_at: DateTime<Utc>,
    /// Major version of the server.
    pub server: u32,
    /// Major version of the `pg_dump` that wrote the dump.
    pub pg_dump: u32,
    /// The last migration of its tables.
    pub migration: i64,
    /// Events in it.
    pub events: u64,
    /// Root of the Merkle tree over them, in hexadecimal.
    pub root: String,
    /// Roles that its rights and policies name, in addition to the owner of its tables.
    pub roles: Vec<String>,
}

impl Manifest {
    /// The version of the format.
    pub const FORMAT: u32 = 1;
}
