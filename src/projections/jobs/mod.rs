//! `jobs`: one row per scan, with its status. The findings are in a body of the log, which the row names.

mod evolve;
mod given_up;
pub mod query;
pub mod recent;
pub mod throughput;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

pub use given_up::given_up;

use super::{Fact, Projection, ProjectionError, RawJson, Subject};
use crate::aggregates::ScanStatus;
use crate::log::body::store_as_objects;
use crate::values::event_type::Follower;
use crate::values::{BatchId, FailureReason, ScanId, TenantId};

/// The projection.
pub struct Jobs;

/// One scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names are those of the view Scan and of the predecessor's table"
)]
pub struct JobRow {
    pub scan_id: ScanId,
    pub tenant_id: TenantId,
    pub batch_id: Option<BatchId>,
    /// Line of the batch's list.
    pub line: Option<i32>,
    pub domain: String,
    /// The row of `domains`; `None` for an input that is not a domain.
    pub domain_id: Option<Uuid>,
    pub job_type: String,
    pub status: ScanStatus,
    /// 0..=1.
    pub progress: f64,
    pub attempts: i32,
    pub round: i32,
    pub reason: Option<FailureReason>,
    pub error: Option<String>,
    /// Names the body in the log that holds what the scan found, as PostgreSQL writes bytes; `None` if it did not
    /// complete, or was erased.
    pub findings: Option<String>,
    /// That body, where one scan is read ([`query::find`]); no column.
    #[serde(skip)]
    pub result_data: Option<RawJson>,
    pub job_metadata: Value,
    pub created_by: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Position of the request: the order of the list.
    pub requested_position: i64,
    /// Position of the last event that is in this row.
    pub position: i64,
}

impl JobRow {
    /// The digest of what the scan found, in hexadecimal digits.
    fn digest(&self) -> Option<&str> {
        self.findings.as_deref()?.strip_prefix("\\x")
    }
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey {
    scan_id: ScanId,
}

impl JobKey {
    /// The row of a scan.
    pub fn new(scan_id: ScanId) -> Self {
        Self { scan_id }
    }
}

impl Projection for Jobs {
    const NAME: &'static str = "jobs";
    const SHAPE: i32 = 2;
    const FOLLOWER: Follower = Follower::Jobs;
    const KEY_COLUMNS: &'static [&'static str] = &["scan_id"];
    const PAGE: i64 = 300;

    type Key = JobKey;
    type Row = JobRow;

    fn tables(schema: &str) -> String {
        include_str!("tables.sql").replace("{schema}", schema)
    }

    fn indexes(schema: &str) -> String {
        include_str!("indexes.sql").replace("{schema}", schema)
    }

    fn key(fact: &Fact) -> Option<JobKey> {
        fact.scan().map(|(scan_id, _)| JobKey { scan_id })
    }

    fn key_of(row: &JobRow) -> JobKey {
        JobKey { scan_id: row.scan_id }
    }

    fn subject(key: &JobKey) -> Subject {
        Subject::Scan(key.scan_id)
    }

    fn views_for_people(schema: &str) -> Vec<(&'static str, String)> {
        let with_results = include_str!("view.sql").replace("{schema}", schema);
        vec![("jobs", with_results)]
    }

    fn weight(_row: &JobRow) -> usize {
        2 * size_of::<JobRow>()
    }

    async fn prepare(pool: &PgPool, rows: &[JobRow]) -> Result<(), ProjectionError> {
        let findings = rows.iter().filter_map(JobRow::digest);
        Ok(store_as_objects(pool, findings).await?)
    }

    fn evolve(row: Option<JobRow>, fact: &Fact) -> Option<JobRow> {
        evolve::evolve(row, fact)
    }
}
