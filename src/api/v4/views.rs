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

/// A scan that was reused, or that ended while the server waited.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedScan {
    /// The scan.
    #[serde(flatten)]
    pub scan: Scan,
    /// Whether this is a recent scan that was reused because of `max_age_days`.
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

/// The latest results of a domain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Domain {
    /// Its id.
    pub id: Uuid,
    /// The domain in punycode.
    pub domain: String,
    /// The domain in Unicode.
    pub domain_unicode: String,
    /// Status of the latest scan.
    pub status: String,
    /// When a scan first ended.
    pub first_scan: Option<DateTime<Utc>>,
    /// When the latest scan ended.
    pub last_scan: Option<DateTime<Utc>>,
    /// When a scan last completed.
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
    /// Absolute URL of the preview picture for social networks.
    pub image_url: Option<String>,
    /// Absolute URL.
    pub canonical_url: Option<String>,
    /// URL of the home page, after redirects.
    pub final_url: Option<String>,
    /// Whether the site runs WordPress.
    pub is_wordpress: bool,
    /// The version, if known.
    pub wordpress_version: Option<String>,
    /// Whether the pages use Elementor.
    pub has_elementor: bool,
    /// The version, if known.
    pub elementor_version: Option<String>,
    /// E-mail addresses; those of the site's own domain come first.
    pub email_addresses: Vec<String>,
    /// Phone numbers in E.164 format, or only the digits if the country is unknown.
    pub phone_numbers: Vec<String>,
    /// URL of the profile.
    pub facebook_url: Option<String>,
    /// URL of the profile on twitter.com or x.com.
    pub twitter_url: Option<String>,
    /// URL of the profile.
    pub linkedin_url: Option<String>,
    /// URL of the profile.
    pub instagram_url: Option<String>,
    /// URL of the channel.
    pub youtube_url: Option<String>,
    /// Technologies in the groups cms, frameworks, analytics and widgets.
    #[schema(value_type = Object)]
    pub tech_stack: Value,
    /// Number of URLs in the domain's sitemaps.
    pub sitemap_urls: i32,
    /// Number of sitemap files, without indexes.
    pub total_sitemaps: i32,
    /// The latest scan.
    pub last_scan_id: Uuid,
    /// The batch of the latest scan.
    pub batch_id: Option<Uuid>,
    /// The error of the latest scan, if it failed.
    pub last_error: Option<String>,
    /// Stale fields: the last completed scan did not find these values again.
    pub stale_fields: Vec<String>,
    /// For each stale field, the last scan that found the value.
    pub stale: BTreeMap<String, Sighting>,
    /// All findings: those of the last completed scan, and values that only earlier scans found (`stale`).
    #[schema(value_type = Object)]
    pub meta_json: RawJson,
    /// Related URLs.
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
/// its scan, the fields of `Domain` if the domain has results, and the other columns of the list; a column whose name
/// is already used gets the prefix `input_`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct BatchDomain(pub(super) serde_json::Map<String, Value>);

/// One event of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// The log position: dense, in commit order, starting at 1.
    pub position: i64,
    /// The unique id of the event.
    pub event_id: Uuid,
    /// The stream of the event, and the place in it.
    pub stream: StreamPlace,
    /// The event type, in past tense.
    #[serde(rename = "type")]
    #[schema(example = "ScanRequested")]
    pub kind: String,
    /// Version of the schema of `data`.
    pub version: u32,
    /// When the event was recorded, UTC.
    pub recorded_at: DateTime<Utc>,
    /// The tenant of the event.
    pub tenant_id: Uuid,
    /// Who caused the event.
    pub actor: Option<String>,
    /// What happened.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Further details, such as the id of the request.
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
    /// The sequence number in the stream, starting at 1.
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
    /// The status after the command.
    pub status: &'static str,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
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
    /// The status after the command.
    pub status: &'static str,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
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

/// A domain in Unicode.
pub(super) fn readable(domain: &str) -> String {
    DomainName::parse(domain).map_or_else(|_| domain.to_owned(), |name| name.readable())
}
