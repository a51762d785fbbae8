//! What v4 shows of scans, batches, domains and events.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::log::LogEvent;
use crate::projections::RawJson;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::domains::{DomainRow, Sighting};
use crate::projections::jobs::JobRow;
use crate::projections::query::Listed;
use crate::values::DomainName;

/// One scan of one domain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scan {
    /// Its id.
    pub scan_id: Uuid,
    /// The batch it belongs to.
    pub batch_id: Option<Uuid>,
    /// Line of the batch's list, from 1.
    pub line: Option<i32>,
    /// Punycode.
    #[schema(example = "xn--mnchen-3ya.de")]
    pub domain: String,
    /// The same for people.
    #[schema(example = "münchen.de")]
    pub domain_unicode: String,
    /// `pending`, `running`, `completed`, `failed` or `cancelled`.
    #[schema(example = "completed")]
    pub status: String,
    /// 0 to 1.
    pub progress: f64,
    /// Attempts started.
    pub attempts: i32,
    /// Stable code of the last failure.
    #[schema(example = "name_not_resolved")]
    pub reason: Option<String>,
    /// The same in words.
    pub error: Option<String>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When the first attempt began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// When the next attempt is due, after one that failed.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// What was found; left out in lists.
    #[schema(value_type = Option<Object>)]
    pub result: Option<RawJson>,
    /// Where to go from here.
    pub links: BTreeMap<&'static str, String>,
}

/// A scan that was there already, or ended while the answer waited for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedScan {
    /// The scan.
    #[serde(flatten)]
    pub scan: Scan,
    /// Whether it is one of before, young enough for `max_age_days`.
    pub reused: bool,
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
    /// Its id.
    pub batch_id: Uuid,
    /// `pending`, `running`, `completed`, `partial`, `failed` or `cancelled`.
    #[schema(example = "partial")]
    pub status: String,
    /// Scans it stands for.
    pub total: i32,
    /// Scans that completed.
    pub completed: i32,
    /// Scans that failed.
    pub failed: i32,
    /// Scans that were cancelled.
    pub cancelled: i32,
    /// Ended scans of all, 0 to 1.
    pub progress: f64,
    /// Failed scans by reason.
    #[schema(example = json!({"timeout": 2}))]
    pub failures: BTreeMap<String, i32>,
    /// `max_concurrent` and `max_pages`.
    #[schema(value_type = Object)]
    pub options: Value,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When its first scan began.
    pub started_at: Option<DateTime<Utc>>,
    /// When its last scan ended, or it was cancelled.
    pub completed_at: Option<DateTime<Utc>>,
    /// Where to go from here.
    pub links: BTreeMap<&'static str, String>,
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

/// The best that is known of a domain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// Punycode.
    pub domain: String,
    /// The same for people.
    pub domain_unicode: String,
    /// Status of the latest scan.
    pub status: String,
    /// When a scan of it first ended.
    pub first_scan: Option<DateTime<Utc>>,
    /// When its latest scan ended.
    pub last_scan: Option<DateTime<Utc>>,
    /// When a scan of it last completed.
    pub last_successful_scan: Option<DateTime<Utc>>,
    /// Title of the home page.
    pub title: Option<String>,
    /// Description of the home page.
    pub description: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Absolute URL.
    pub favicon_url: Option<String>,
    /// Absolute URL.
    pub logo_url: Option<String>,
    /// The picture it is shared with, absolute URL.
    pub image_url: Option<String>,
    /// Absolute URL.
    pub canonical_url: Option<String>,
    /// Where the home page was, redirects followed.
    pub final_url: Option<String>,
    /// Whether it runs WordPress.
    pub is_wordpress: bool,
    /// If told.
    pub wordpress_version: Option<String>,
    /// Whether its pages are built with Elementor.
    pub has_elementor: bool,
    /// If told.
    pub elementor_version: Option<String>,
    /// The site's own first.
    pub email_addresses: Vec<String>,
    /// E.164, or the digits alone where nothing tells the country.
    pub phone_numbers: Vec<String>,
    /// Profile.
    pub facebook_url: Option<String>,
    /// Profile on twitter.com or x.com.
    pub twitter_url: Option<String>,
    /// Profile.
    pub linkedin_url: Option<String>,
    /// Profile.
    pub instagram_url: Option<String>,
    /// Channel.
    pub youtube_url: Option<String>,
    /// Technologies in the drawers cms, frameworks, analytics and widgets.
    #[schema(value_type = Object)]
    pub tech_stack: Value,
    /// URLs that the domain's sitemaps name.
    pub sitemap_urls: i32,
    /// Non-index sitemap files.
    pub total_sitemaps: i32,
    /// The latest scan.
    pub last_scan_id: Uuid,
    /// The batch of the latest scan.
    pub batch_id: Option<Uuid>,
    /// Why the latest scan failed, if it did.
    pub last_error: Option<String>,
    /// Fields whose value the last completed scan did not find again: it is older.
    pub stale_fields: Vec<String>,
    /// The same with the scan that found each last.
    pub stale: BTreeMap<String, Sighting>,
    /// All that is known: what the last completed scan found, and what only earlier ones did (`stale`).
    #[schema(value_type = Object)]
    pub meta_json: RawJson,
    /// Where to go from here.
    pub links: BTreeMap<&'static str, String>,
}

impl From<DomainRow> for Domain {
    fn from(row: DomainRow) -> Self {
        let links = BTreeMap::from([
            ("self", format!("/api/v4/domains/{}", row.domain)),
            ("urls", format!("/api/v4/domains/{}/urls", row.domain)),
            ("last_scan", format!("/api/v4/scans/{}", row.last_scan_id)),
        ]);
        Self {
            id: row.id,
            domain_unicode: readable(&row.domain),
            domain: row.domain,
            status: row.status.to_string(),
            first_scan: row.first_scan,
            last_scan: row.last_scan,
            last_successful_scan: row.last_successful_scan,
            title: row.title,
            description: row.description,
            language: row.language,
            favicon_url: row.favicon_url,
            logo_url: row.logo_url,
            image_url: row.image_url,
            canonical_url: row.canonical_url,
            final_url: row.final_url,
            is_wordpress: row.is_wordpress,
            wordpress_version: row.wordpress_version,
            has_elementor: row.has_elementor,
            elementor_version: row.elementor_version,
            email_addresses: row.email_addresses,
            phone_numbers: row.phone_numbers,
            facebook_url: row.facebook_url,
            twitter_url: row.twitter_url,
            linkedin_url: row.linkedin_url,
            instagram_url: row.instagram_url,
            youtube_url: row.youtube_url,
            tech_stack: row.tech_stack,
            sitemap_urls: row.sitemap_urls,
            total_sitemaps: row.total_sitemaps,
            last_scan_id: row.last_scan_id.0,
            batch_id: row.batch_id.map(|batch| batch.0),
            last_error: row.last_error,
            stale_fields: row.stale_fields,
            stale: row.stale,
            meta_json: row.meta_json,
            links,
        }
    }
}

/// A line of a batch's list: `line`, `scan_id`, `scan_status`, `scan_reason`, `scan_error` and `scan_completed_at` of
/// its scan, the fields of `Domain` if anything is known of the domain, and the columns that stood beside it in the list;
/// those whose name is taken begin with `input_`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct BatchDomain(pub(super) serde_json::Map<String, Value>);

/// One event of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Dense, in commit order, from 1.
    pub position: i64,
    /// Unique.
    pub event_id: Uuid,
    /// Where it stands.
    pub stream: StreamPlace,
    /// Past tense.
    #[serde(rename = "type")]
    #[schema(example = "ScanRequested")]
    pub kind: String,
    /// Version of the shape of `data`.
    pub version: u32,
    /// When it was written, UTC.
    pub recorded_at: DateTime<Utc>,
    /// Whose it is.
    pub tenant_id: Uuid,
    /// Who caused it.
    pub actor: Option<String>,
    /// What happened.
    #[schema(value_type = Object)]
    pub data: Value,
    /// In which circumstances.
    #[schema(value_type = Object)]
    pub metadata: Value,
}

/// A place in a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamPlace {
    /// `domain_scan` or `batch_scan`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The scan or batch.
    pub id: String,
    /// From 1.
    pub sequence: i64,
}

impl From<LogEvent> for Event {
    fn from(event: LogEvent) -> Self {
        Self {
            position: event.position,
            event_id: event.event_id,
            kind: event.event_type.clone(),
            version: event.event_version.parse().unwrap_or_default(),
            recorded_at: event.recorded_at,
            tenant_id: event.tenant_id.0,
            actor: event.circumstances().0,
            data: event.data(),
            metadata: event.metadata(),
            stream: StreamPlace {
                kind: event.aggregate_type,
                id: event.aggregate_id,
                sequence: event.sequence,
            },
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
    /// Its status as far as the command goes.
    pub status: &'static str,
    /// Log position from which the command is visible: `?at_least=` of a following GET.
    pub position: i64,
    /// Where to go from here.
    pub links: BTreeMap<&'static str, String>,
}

impl AcceptedScan {
    /// The answer to a command on a scan.
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
    /// Its status as far as the command goes.
    pub status: &'static str,
    /// Log position from which the command is visible.
    pub position: i64,
    /// Where to go from here.
    pub links: BTreeMap<&'static str, String>,
}

impl AcceptedBatchCommand {
    /// The answer to a command on a batch.
    pub fn new(batch_id: Uuid, status: &'static str, position: i64) -> Self {
        Self {
            batch_id,
            status,
            position,
            links: batch_links(batch_id),
        }
    }
}

/// Where to go from a batch.
pub fn batch_links(batch_id: Uuid) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("self", format!("/api/v4/batches/{batch_id}")),
        ("scans", format!("/api/v4/batches/{batch_id}/scans")),
    ])
}

fn readable(domain: &str) -> String {
    DomainName::parse(domain).map_or_else(|_| domain.to_owned(), |name| name.readable())
}
