//! The events of a scan: facts in the past tense. They contain everything that read models show, so a read model
//! computes no business fact.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::status::ScanStatus;
use crate::values::event_type::{EventType, StreamType};
use crate::values::picture::PictureKind;
use crate::values::sitemap::SitemapKind;
use crate::values::versioned::Upcaster;
use crate::values::{BatchId, BodyRef, FailureReason, Problem, ScanId, ScanOptions, VersionedEvent};

/// The events of one scan's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum ScanEvent {
    /// A scan of this domain was requested. The first event of every scan.
    ScanRequested {
        /// The domain, in its stored form; an invalid input as it was sent. Such a scan has failed in the same append;
        /// only the predecessor's paths create such scans.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Line of the batch's list, starting at 1, or null.
        line: Option<u32>,
        /// Maximum number of concurrent scans of the batch, or null.
        max_concurrent: Option<u32>,
        /// The limits of the scan.
        options: ScanOptions,
    },
    /// A worker started an attempt with a lease.
    ScanStarted {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The fence of the lease. A later lease has a higher one.
        fence: i64,
        /// The worker that holds the lease.
        worker: String,
        /// The time by which the last attempt of this round must end.
        deadline_at: DateTime<Utc>,
    },
    /// The worker of an attempt was lost. Its results are discarded, and the attempt does not count as a failure of
    /// the site. The next `ScanStarted` is in the same append.
    ScanAbandoned {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The fence of the lost lease.
        fence: i64,
    },
    /// The site answered the request for robots.txt, with any status.
    RobotsRead {
        /// The domain, in its stored form.
        domain: String,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The URL after redirects.
        url: String,
        /// HTTP status.
        status: u16,
        /// Whether the site reported the file as unchanged since the last scan (304). If so, the earlier result was
        /// reused.
        not_modified: bool,
        /// Decoded size in bytes.
        bytes: u64,
        /// Whether the home page may be read.
        allowed: bool,
        /// Seconds between requests (`Crawl-delay`), or null. Informational.
        crawl_delay: Option<f64>,
        /// Its `Sitemap:` lines as absolute URLs, at most 500.
        sitemaps: Vec<String>,
    },
    /// A sitemap file was read, or could not be read.
    SitemapParsed {
        /// The domain, in its stored form.
        domain: String,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The requested URL.
        url: String,
        /// The type of the document.
        kind: SitemapKind,
        /// HTTP status; 0 if there was no response.
        status: u16,
        /// Whether the site reported the file as unchanged since the last scan (304). If so, the earlier result was
        /// reused.
        not_modified: bool,
        /// Decoded size in bytes.
        bytes: u64,
        /// Number of URLs in the file; for an index, the number of its sitemaps.
        entries: u64,
        /// Body: its stored URLs, one JSON object per line. Null if there are none.
        urls: Option<BodyRef>,
        /// Problems of the file.
        problems: Vec<Problem>,
    },
    /// An HTML page was read. The first page is the home page.
    PageRead {
        /// The domain, in its stored form.
        domain: String,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The URL after redirects.
        url: String,
        /// HTTP status.
        status: u16,
        /// Whether the site reported the file as unchanged since the last scan (304). If so, the earlier result was
        /// reused.
        not_modified: bool,
        /// Decoded size in bytes.
        bytes: u64,
        /// Problems of the file.
        problems: Vec<Problem>,
    },
    /// The site's icon or logo was read, because the request or the settings asked for it.
    PictureRead {
        /// The domain, in its stored form.
        domain: String,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// `icon` or `logo`.
        kind: PictureKind,
        /// The URL after redirects.
        url: String,
        /// Body: the image as it is stored, a PNG or an SVG.
        picture: BodyRef,
    },
    /// What the scan found differs from what was known of the domain. The end of the scan follows in the same append.
    /// The first scan of a domain has no such event, and a failed scan changes only the status.
    DomainChanged {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The earlier scan that it was compared with.
        previous_scan_id: ScanId,
        /// Names of the changed fields, for example `phone_numbers`. For `status` and `sitemap_urls`, the fields `status` and
        /// `urls` below have the details.
        fields: Vec<String>,
        /// How the previous scan and this one ended; null if both ended the same way.
        status: Option<StatusChange>,
        /// Body: the values before and after, one JSON object per line and field. Null if no value changed.
        values: Option<BodyRef>,
        /// The URLs that the sitemaps gained and lost. Null if they are the same, or if one of the scans did not read all
        /// sitemaps.
        urls: Option<UrlsChange>,
    },
    /// An attempt failed for a temporary reason. Another one follows.
    ScanAttemptFailed {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// The reason: a stable code, explained in [operations.md](operations.md#why-a-scan-failed).
        reason: FailureReason,
        /// The error message.
        error: String,
        /// When the next attempt is due.
        retry_at: DateTime<Utc>,
    },
    /// The scan completed.
    ScanCompleted {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt, starting at 1, over all rounds.
        attempt: u32,
        /// Body: the findings, as one JSON object.
        findings: BodyRef,
        /// Body: data for the next scan of the domain, which reuses it for unchanged files, as one JSON object; also what
        /// earlier scans found and this one did not. Null if no file had an `ETag` or `Last-Modified` and this scan found
        /// everything again.
        revisit: Option<BodyRef>,
        /// Counts of the findings.
        totals: ScanTotals,
    },
    /// The scan failed.
    ScanFailed {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the attempt; 0 if none was started.
        attempt: u32,
        /// The reason: a stable code, explained in [operations.md](operations.md#why-a-scan-failed).
        reason: FailureReason,
        /// The error message.
        error: String,
    },
    /// The scan was cancelled.
    ScanCancelled {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the running attempt, or of the last one; 0 if none was started.
        attempt: u32,
    },
    /// A failed or cancelled scan is retried. A new round starts.
    ScanRetried {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Number of the new round, starting at 2.
        round: u32,
        /// How the previous round ended: `failed` or `cancelled`.
        ended: ScanStatus,
        /// The reason if it failed, or null.
        reason: Option<FailureReason>,
        /// Maximum number of concurrent scans of its batch, or null.
        max_concurrent: Option<u32>,
    },
    /// A scan of the predecessor was imported. The following events in the same append say how it ended;
    /// `metadata.occurred_at` of each of these events says when.
    ScanImported {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// The predecessor's table: `domains` (the predecessor's latest results for the domain) or `jobs`.
        table: String,
        /// Primary key of the row.
        row_id: String,
        /// The type of work in the predecessor, or null.
        job_type: Option<String>,
        /// The status in the predecessor.
        status: String,
        /// Body: the whole row as JSON.
        row: BodyRef,
    },
    /// The findings about the domain were erased: the bodies of earlier events of this stream were deleted in the same
    /// transaction. All scans of the domain are erased in one append.
    ScanErased {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// The status of the scan, which does not change.
        status: ScanStatus,
    },
}

/// Counts of the findings of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanTotals {
    /// Number of sitemap files read, without indexes.
    pub sitemaps: u64,
    /// Number of distinct URLs in the sitemaps.
    pub sitemap_urls: u64,
    /// Number of HTML pages read.
    pub pages: u64,
    /// Number of email addresses.
    pub emails: u64,
    /// Number of phone numbers.
    pub phones: u64,
}

/// How a domain's latest scans ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusChange {
    /// How the previous one ended: `completed` or `failed`.
    pub before: ScanStatus,
    /// How this one ended: `failed` or `completed`.
    pub after: ScanStatus,
    /// Why this one failed, or null.
    pub reason: Option<FailureReason>,
}

/// How the URLs of a domain's sitemaps differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UrlsChange {
    /// Number of URLs that are new.
    pub added: u64,
    /// Number of URLs that are gone.
    pub removed: u64,
    /// Body: the URLs, one JSON object per line with `change` (`added` or `removed`) and `url`.
    pub list: BodyRef,
}

impl ScanEvent {
    /// Maximum number of concurrent scans of its batch, for events after which the scan waits for a worker.
    pub fn max_concurrent(&self) -> Option<u32> {
        match self {
            Self::ScanRequested { max_concurrent, .. } | Self::ScanRetried { max_concurrent, .. } => {
                *max_concurrent
            }
            _ => None,
        }
    }

    /// The domain it is about.
    pub fn domain(&self) -> &str {
        match self {
            Self::ScanRequested { domain, .. }
            | Self::ScanStarted { domain, .. }
            | Self::ScanAbandoned { domain, .. }
            | Self::RobotsRead { domain, .. }
            | Self::SitemapParsed { domain, .. }
            | Self::PageRead { domain, .. }
            | Self::PictureRead { domain, .. }
            | Self::DomainChanged { domain, .. }
            | Self::ScanAttemptFailed { domain, .. }
            | Self::ScanCompleted { domain, .. }
            | Self::ScanFailed { domain, .. }
            | Self::ScanCancelled { domain, .. }
            | Self::ScanRetried { domain, .. }
            | Self::ScanImported { domain, .. }
            | Self::ScanErased { domain, .. } => domain,
        }
    }

    /// The batch it belongs to; `None` also for what is read on the way.
    pub fn batch_id(&self) -> Option<BatchId> {
        match self {
            Self::ScanRequested { batch_id, .. }
            | Self::ScanStarted { batch_id, .. }
            | Self::ScanAbandoned { batch_id, .. }
            | Self::DomainChanged { batch_id, .. }
            | Self::ScanAttemptFailed { batch_id, .. }
            | Self::ScanCompleted { batch_id, .. }
            | Self::ScanFailed { batch_id, .. }
            | Self::ScanCancelled { batch_id, .. }
            | Self::ScanRetried { batch_id, .. }
            | Self::ScanImported { batch_id, .. }
            | Self::ScanErased { batch_id, .. } => *batch_id,
            Self::RobotsRead { .. }
            | Self::SitemapParsed { .. }
            | Self::PageRead { .. }
            | Self::PictureRead { .. } => None,
        }
    }
}

impl ScanEvent {
    /// The status of the scan after it: the only place where events become a status.
    pub fn status_after(&self) -> ScanStatus {
        match self {
            Self::ScanRequested { .. }
            | Self::ScanAbandoned { .. }
            | Self::ScanAttemptFailed { .. }
            | Self::ScanImported { .. }
            | Self::ScanRetried { .. } => ScanStatus::Pending,
            Self::ScanStarted { .. }
            | Self::RobotsRead { .. }
            | Self::SitemapParsed { .. }
            | Self::PageRead { .. }
            | Self::PictureRead { .. }
            | Self::DomainChanged { .. } => ScanStatus::Running,
            Self::ScanCompleted { .. } => ScanStatus::Completed,
            Self::ScanFailed { .. } => ScanStatus::Failed,
            Self::ScanCancelled { .. } => ScanStatus::Cancelled,
            Self::ScanErased { status, .. } => *status,
        }
    }

    /// Its type.
    pub fn kind(&self) -> EventType {
        match self {
            Self::ScanRequested { .. } => EventType::ScanRequested,
            Self::ScanStarted { .. } => EventType::ScanStarted,
            Self::ScanAbandoned { .. } => EventType::ScanAbandoned,
            Self::RobotsRead { .. } => EventType::RobotsRead,
            Self::SitemapParsed { .. } => EventType::SitemapParsed,
            Self::PageRead { .. } => EventType::PageRead,
            Self::PictureRead { .. } => EventType::PictureRead,
            Self::DomainChanged { .. } => EventType::DomainChanged,
            Self::ScanAttemptFailed { .. } => EventType::ScanAttemptFailed,
            Self::ScanCompleted { .. } => EventType::ScanCompleted,
            Self::ScanFailed { .. } => EventType::ScanFailed,
            Self::ScanCancelled { .. } => EventType::ScanCancelled,
            Self::ScanRetried { .. } => EventType::ScanRetried,
            Self::ScanImported { .. } => EventType::ScanImported,
            Self::ScanErased { .. } => EventType::ScanErased,
        }
    }
}

impl VersionedEvent for ScanEvent {
    const UPCASTERS: &'static [Upcaster] = &[
        Upcaster {
            event_type: EventType::ScanRequested.as_str(),
            from: 1,
            upcast: without_files_and_sample,
        },
        Upcaster {
            event_type: EventType::RobotsRead.as_str(),
            from: 1,
            upcast: with_not_modified_false,
        },
        Upcaster {
            event_type: EventType::SitemapParsed.as_str(),
            from: 1,
            upcast: with_not_modified_false,
        },
        Upcaster {
            event_type: EventType::PageRead.as_str(),
            from: 1,
            upcast: with_not_modified_false,
        },
        Upcaster {
            event_type: EventType::ScanCompleted.as_str(),
            from: 1,
            upcast: without_revisit,
        },
    ];

    fn version_of(event_type: &str) -> Option<u32> {
        EventType::of_stream(StreamType::Scan, event_type).map(EventType::version)
    }
}

/// Before version 2, scans read only pages and sitemaps, and did not check sitemap URLs.
fn without_files_and_sample(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(options)) = fields.get_mut("options") {
        add_options(options);
    }
    fields
}

/// Adds the fields that options of version 1 do not have.
pub(in crate::aggregates) fn add_options(options: &mut Map<String, Value>) {
    options.insert("files".into(), Value::Array(Vec::new()));
    options.insert("sitemap_sample".into(), Value::from(0));
}

/// Before version 2 every file was read at every scan.
fn with_not_modified_false(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("not_modified".into(), Value::Bool(false));
    fields
}

/// Before version 2 nothing was kept for the next scan.
fn without_revisit(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("revisit".into(), Value::Null);
    fields
}

impl DomainEvent for ScanEvent {
    fn event_type(&self) -> String {
        self.kind().to_string()
    }

    fn event_version(&self) -> String {
        self.kind().version().to_string()
    }
}
