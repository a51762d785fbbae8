//! `batch_jobs`: one row per batch. Its progress is the number of its scans in each status.

mod evolve;
pub mod query;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fact::Happened;
use super::{Fact, Projection, Subject};
use crate::aggregates::BatchStatus;
use crate::values::event_type::Follower;
use crate::values::{BatchId, MonitorId, TenantId};

/// The projection.
pub struct BatchJobs;

/// One batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names are those of the view Batch and of the predecessor's table"
)]
pub struct BatchRow {
    pub batch_id: BatchId,
    pub tenant_id: TenantId,
    pub processor_type: String,
    pub status: BatchStatus,
    pub total_domains: i32,
    pub completed_domains: i32,
    pub failed_domains: i32,
    pub cancelled_domains: i32,
    /// Failed scans by reason.
    pub failures: BTreeMap<String, i32>,
    /// 0..=1.
    pub progress: f64,
    pub options: Value,
    pub batch_metadata: Value,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub start_time: Option<DateTime<Utc>>,
    pub end_time: Option<DateTime<Utc>>,
    /// Seconds from start to end.
    pub processing_time: Option<f64>,
    pub round: i32,
    /// Whether the log says that the round's last scan ended.
    pub ended: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
    /// The monitor of which it is a run.
    pub monitor_id: Option<MonitorId>,
    /// Position of the request: the order of the list.
    pub requested_position: i64,
    /// Position of the last event that is in this row.
    pub position: i64,
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchKey {
    batch_id: BatchId,
}

impl BatchKey {
    /// The row of a batch.
    pub fn new(batch_id: BatchId) -> Self {
        Self { batch_id }
    }
}

impl Projection for BatchJobs {
    const NAME: &'static str = "batch_jobs";
    const SHAPE: i32 = 2;
    const FOLLOWER: Follower = Follower::BatchJobs;
    const KEY_COLUMNS: &'static [&'static str] = &["batch_id"];
    const PAGE: i64 = 2000;

    type Key = BatchKey;
    type Row = BatchRow;

    fn tables(schema: &str) -> String {
        include_str!("tables.sql").replace("{schema}", schema)
    }

    fn indexes(schema: &str) -> String {
        include_str!("indexes.sql").replace("{schema}", schema)
    }

    fn key(fact: &Fact) -> Option<BatchKey> {
        let batch_id = match &fact.happened {
            Happened::Batch(id, _) => *id,
            Happened::Scan(_, event) => event.batch_id()?,
        };
        Some(BatchKey { batch_id })
    }

    fn key_of(row: &BatchRow) -> BatchKey {
        BatchKey {
            batch_id: row.batch_id,
        }
    }

    fn subject(key: &BatchKey) -> Subject {
        Subject::Batch(key.batch_id)
    }

    fn evolve(row: Option<BatchRow>, fact: &Fact) -> Option<BatchRow> {
        evolve::evolve(row, fact)
    }
}
