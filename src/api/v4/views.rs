//! The views of scans, batches and lists in v4. Domains and events have their own files.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

pub use super::domain_view::{BatchDomain, Domain};
pub use super::event_view::Event;
use crate::api::example::{self, Example};
use crate::projections::RawJson;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::jobs::JobRow;
use crate::projections::query::Listed;
use crate::values::DomainName;

/// One scan of one domain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scan {
    /// Its ID.
    pub scan_id: Uuid,
    /// The batch it belongs to.
    pub batch_id: Option<Uuid>,
    /// Line of the batch's list, starting at 1.
    pub line: Option<i32>,
    /// The domain in punycode.
    #[schema(example = "xn--mnchen-3ya.de")]
    pub domain: String,
    /// The domain in Unicode.
    #[schema(example = "münchen.de")]
    pub domain_unicode: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    #[schema(example = "completed")]
    pub status: String,
    /// Progress from 0 to 1.
    pub progress: f64,
    /// Number of started attempts.
    pub attempts: i32,
    /// Stable code of the latest failure.
    #[schema(example = "name_not_resolved")]
    pub reason: Option<String>,
    /// The latest failure in words.
    pub error: Option<String>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When the first attempt started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, after a failed one.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The findings; omitted in lists.
    #[schema(value_type = Option<Object>)]
    pub result: Option<RawJson>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for Scan {
    fn example() -> Self {
        Self {
            scan_id: example::SCAN,
            batch_id: None,
            line: None,
            domain: "example.com".to_owned(),
            domain_unicode: "example.com".to_owned(),
            status: "completed".to_owned(),
            progress: 1.0,
            attempts: 1,
            reason: None,
            error: None,
            created_at: example::began(),
            started_at: Some(example::began()),
            completed_at: Some(example::ended()),
            next_attempt_at: None,
            result: Some(RawJson::of(&json!({
                "title": "Workshop 1 of Bergamo",
                "language": "de",
                "contact_info": { "email": ["hello@example.com"], "phone": ["+12125550001"] },
                "pages_read": [{ "url": "https://example.com/", "status": 200, "bytes": 16255 }],
            }))),
            links: BTreeMap::from([
                ("self", format!("/api/v4/scans/{}", example::SCAN)),
                ("events", format!("/api/v4/streams/domain_scan/{}", example::SCAN)),
                ("domain", "/api/v4/domains/example.com".to_owned()),
            ]),
        }
    }
}

/// A scan that was reused, or that ended while the server waited.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedScan {
    /// The scan.
    #[serde(flatten)]
    pub scan: Scan,
    /// Whether this is a recent scan that was reused because of `max_age_days`.
    pub reused: bool,
}

impl Example for EndedScan {
    fn example() -> Self {
        Self {
            scan: Scan::example(),
            reused: false,
        }
    }
}

impl From<JobRow> for Scan {
    fn from(row: JobRow) -> Self {
        let mut links = BTreeMap::from([
            ("self", format!("/api/v4/scans/{}", row.scan_id)),
            ("events", format!("/api/v4/streams/domain_scan/{}", row.scan_id)),
        ]);
        if row.domain_id.is_some() {
            links.insert("domain", format!("/api/v4/domains/{}", row.domain));
        }
        if let Some(batch) = row.batch_id {
            links.insert("batch", format!("/api/v4/batches/{batch}"));
        }
        Self {
            scan_id: row.scan_id.0,
            batch_id: row.batch_id.map(|batch| batch.0),
            line: row.line,
            domain_unicode: readable(&row.domain),
            domain: row.domain,
            status: row.status.to_string(),
            progress: row.progress,
            attempts: row.attempts,
            reason: row.reason.map(|reason| reason.to_string()),
            error: row.error,
            created_at: row.created_at,
            started_at: row.started_at,
            completed_at: row.completed_at,
            next_attempt_at: row.next_attempt_at,
            result: row.result_data,
            links,
        }
    }
}

/// One list of domains.
#[derive(Debug, Serialize, ToSchema)]
pub struct Batch {
    /// Its ID.
    pub batch_id: Uuid,
    /// `pending`, `running`, `completed`, `partial`, `failed` or `cancelled`.
    #[schema(example = "partial")]
    pub status: String,
    /// The monitor of which the batch is a run.
    pub monitor_id: Option<Uuid>,
    /// Number of scans in the batch.
    pub total: i32,
    /// Number of completed scans.
    pub completed: i32,
    /// Number of failed scans.
    pub failed: i32,
    /// Number of cancelled scans.
    pub cancelled: i32,
    /// Share of ended scans, 0 to 1.
    pub progress: f64,
    /// Number of failed scans by reason.
    #[schema(example = json!({"timeout": 2}))]
    pub failures: BTreeMap<String, i32>,
    /// `max_concurrent` and `max_pages`; `files` and `sitemap_sample` if the request had them.
    #[schema(value_type = Object)]
    pub options: Value,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When its first scan started.
    pub started_at: Option<DateTime<Utc>>,
    /// When its last scan ended, or when it was cancelled.
    pub completed_at: Option<DateTime<Utc>>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for Batch {
    fn example() -> Self {
        Self {
            batch_id: example::BATCH,
            status: "partial".to_owned(),
            monitor_id: None,
            total: 2,
            completed: 1,
            failed: 1,
            cancelled: 0,
            progress: 1.0,
            failures: BTreeMap::from([("http_status".to_owned(), 1)]),
            options: json!({ "max_concurrent": 50, "max_pages": 4 }),
            created_at: example::began(),
            started_at: Some(example::began()),
            completed_at: Some(example::ended()),
            links: batch_links(example::BATCH),
        }
    }
}

impl From<BatchRow> for Batch {
    fn from(row: BatchRow) -> Self {
        let links = BTreeMap::from([
            ("self", format!("/api/v4/batches/{}", row.batch_id)),
            ("scans", format!("/api/v4/batches/{}/scans", row.batch_id)),
            ("events", format!("/api/v4/streams/batch_scan/{}", row.batch_id)),
        ]);
        Self {
            batch_id: row.batch_id.0,
            status: row.status.to_string(),
            monitor_id: row.monitor_id.map(|monitor| monitor.0),
            total: row.total_domains,
            completed: row.completed_domains,
            failed: row.failed_domains,
            cancelled: row.cancelled_domains,
            progress: row.progress,
            failures: row.failures,
            options: row.options,
            created_at: row.created_at,
            started_at: row.start_time,
            completed_at: row.end_time,
            links,
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// `cursor` of the next page; null on the last.
    pub next: Option<String>,
}

impl<R, T: From<R>> From<Listed<R>> for Page<T> {
    fn from(listed: Listed<R>) -> Self {
        Self {
            items: listed.items.into_iter().map(T::from).collect(),
            next: listed.next,
        }
    }
}

/// An accepted command on a scan.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedScan {
    /// The scan.
    pub scan_id: Uuid,
    /// The status after the command.
    pub status: &'static str,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedScan {
    fn example() -> Self {
        Self::new(example::SCAN, "pending", 1)
    }
}

impl AcceptedScan {
    /// The response to a command on a scan.
    pub fn new(scan_id: Uuid, status: &'static str, position: i64) -> Self {
        let links = BTreeMap::from([
            ("self", format!("/api/v4/scans/{scan_id}")),
            ("events", format!("/api/v4/streams/domain_scan/{scan_id}")),
        ]);
        Self {
            scan_id,
            status,
            position,
            links,
        }
    }
}

/// An accepted command on a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedBatchCommand {
    /// The batch.
    pub batch_id: Uuid,
    /// The status after the command.
    pub status: &'static str,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedBatchCommand {
    fn example() -> Self {
        Self::new(example::BATCH, "running", 31)
    }
}

impl AcceptedBatchCommand {
    /// The response to a command on a batch.
    pub fn new(batch_id: Uuid, status: &'static str, position: i64) -> Self {
        Self {
            batch_id,
            status,
            position,
            links: batch_links(batch_id),
        }
    }
}

/// The links of a batch.
pub fn batch_links(batch_id: Uuid) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("self", format!("/api/v4/batches/{batch_id}")),
        ("scans", format!("/api/v4/batches/{batch_id}/scans")),
    ])
}

/// A domain in Unicode.
pub(super) fn readable(domain: &str) -> String {
    DomainName::parse(domain).map_or_else(|_| domain.to_owned(), |name| name.readable())
}
