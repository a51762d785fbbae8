//! What happens to a scan. Facts in the past tense, rich enough that a read model computes no business fact.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::status::ScanStatus;
use crate::values::sitemap::SitemapKind;
use crate::values::versioned::{Upcaster, current_version};
use crate::values::{BatchId, BodyRef, FailureReason, Problem, ScanOptions, VersionedEvent};

/// The events of one scan's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum ScanEvent {
    /// Somebody wants this domain scanned. The first event of every scan.
    ScanRequested {
        /// Stored form; as sent where it is no domain. Such a scan has failed in the same append; only
        /// `/api/v1/batch` makes them.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Line of the batch's list, from 1, or null.
        line: Option<u32>,
        /// How many scans of the batch may be under way at once, or null.
        max_concurrent: Option<u32>,
        /// How far it goes and how long it is tried.
        options: ScanOptions,
    },
    /// A worker began an attempt under a lease.
    ScanStarted {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Number of the lease. A later lease has a higher one.
        fence: i64,
        /// Who holds it.
        worker: String,
        /// When the last attempt of this round must have ended.
        deadline_at: DateTime<Utc>,
    },
    /// The worker of an attempt was lost. What it did counts for nothing, and the attempt is not counted
    /// against the site. The next `ScanStarted` stands in the same append.
    ScanAbandoned {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// The lease that was lost.
        fence: i64,
    },
    /// robots.txt was answered, with whatever status.
    RobotsRead {
        /// The domain, in its stored form.
        domain: String,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Where it was read in the end.
        url: String,
        /// HTTP status.
        status: u16,
        /// Whether it is what the last scan read (304), whose reading of it was used again.
        not_modified: bool,
        /// Decoded bytes of it.
        bytes: u64,
        /// Whether the home page may be read.
        allowed: bool,
        /// Seconds between requests it asks for, or null. Noted, not kept to.
        crawl_delay: Option<f64>,
        /// Its `Sitemap:` lines as absolute URLs, at most 500.
        sitemaps: Vec<String>,
    },
    /// A sitemap file was read, or tried.
    SitemapParsed {
        /// The domain, in its stored form.
        domain: String,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Where it was asked for.
        url: String,
        /// What it turned out to be.
        kind: SitemapKind,
        /// HTTP status; 0 if there was no answer.
        status: u16,
        /// Whether it is what the last scan read (304), whose reading of it was used again.
        not_modified: bool,
        /// Decoded bytes of it.
        bytes: u64,
        /// URLs it names; of an index, its children.
        entries: u64,
        /// Body: the URLs kept of it, one JSON object per line. Null if none is kept.
        urls: Option<BodyRef>,
        /// What was wrong with it.
        problems: Vec<Problem>,
    },
    /// An HTML page was read. The first one is the home page.
    PageRead {
        /// The domain, in its stored form.
        domain: String,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Where it was in the end, redirects followed.
        url: String,
        /// HTTP status.
        status: u16,
        /// Whether it is what the last scan read (304), whose reading of it was used again.
        not_modified: bool,
        /// Decoded bytes of it.
        bytes: u64,
        /// What was wrong with it.
        problems: Vec<Problem>,
    },
    /// An attempt failed in a way that may pass. Another follows.
    ScanAttemptFailed {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Why: a stable code, explained in [operations.md](operations.md#why-a-scan-failed).
        reason: FailureReason,
        /// The same in words.
        error: String,
        /// When the next attempt is due.
        retry_at: DateTime<Utc>,
    },
    /// The scan found out what there is to find.
    ScanCompleted {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Which attempt, from 1 over all rounds.
        attempt: u32,
        /// Body: what was found, as one JSON object.
        findings: BodyRef,
        /// Body: what the next scan of the domain may use again of the files that the site says are unchanged, as one
        /// JSON object. Null if no file had an `ETag` or `Last-Modified`.
        revisit: Option<BodyRef>,
        /// Counts over it.
        totals: ScanTotals,
    },
    /// The scan ended without a result.
    ScanFailed {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Which attempt; 0 if none was started.
        attempt: u32,
        /// Why: a stable code, explained in [operations.md](operations.md#why-a-scan-failed).
        reason: FailureReason,
        /// The same in words.
        error: String,
    },
    /// Somebody called the scan off.
    ScanCancelled {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// The attempt that was under way, or the last one; 0 if none was started.
        attempt: u32,
    },
    /// A failed or cancelled scan is to be done again. A new round begins.
    ScanRetried {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// The round that begins, from 2.
        round: u32,
        /// How the round before ended: `failed` or `cancelled`.
        ended: ScanStatus,
        /// Why, if it failed, else null.
        reason: Option<FailureReason>,
        /// How many scans of its batch may be under way at once, or null.
        max_concurrent: Option<u32>,
    },
    /// Somebody wants what was found out about the domain forgotten: the bodies that earlier events of this stream
    /// refer to were deleted in the same transaction. All scans of the domain are erased in one append.
    ScanErased {
        /// The domain, in its stored form.
        domain: String,
        /// The batch it belongs to, or null.
        batch_id: Option<BatchId>,
        /// Where the scan stands, which this does not change.
        status: ScanStatus,
    },
}

/// Counts over what a scan found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScanTotals {
    /// Non-index sitemap files read.
    pub sitemaps: u64,
    /// Distinct URLs they name.
    pub sitemap_urls: u64,
    /// HTML pages read.
    pub pages: u64,
    /// E-mail addresses.
    pub emails: u64,
    /// Phone numbers.
    pub phones: u64,
}

impl ScanEvent {
    /// How many scans of its batch may be under way at once, where it makes the scan wait for a worker.
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
            | Self::ScanAttemptFailed { domain, .. }
            | Self::ScanCompleted { domain, .. }
            | Self::ScanFailed { domain, .. }
            | Self::ScanCancelled { domain, .. }
            | Self::ScanRetried { domain, .. }
            | Self::ScanErased { domain, .. } => domain,
        }
    }

    /// The batch it belongs to; `None` also for what is read on the way.
    pub fn batch_id(&self) -> Option<BatchId> {
        match self {
            Self::ScanRequested { batch_id, .. }
            | Self::ScanStarted { batch_id, .. }
            | Self::ScanAbandoned { batch_id, .. }
            | Self::ScanAttemptFailed { batch_id, .. }
            | Self::ScanCompleted { batch_id, .. }
            | Self::ScanFailed { batch_id, .. }
            | Self::ScanCancelled { batch_id, .. }
            | Self::ScanRetried { batch_id, .. }
            | Self::ScanErased { batch_id, .. } => *batch_id,
            Self::RobotsRead { .. } | Self::SitemapParsed { .. } | Self::PageRead { .. } => None,
        }
    }
}

impl ScanEvent {
    /// The name of its type.
    fn name(&self) -> &'static str {
        match self {
            Self::ScanRequested { .. } => "ScanRequested",
            Self::ScanStarted { .. } => "ScanStarted",
            Self::ScanAbandoned { .. } => "ScanAbandoned",
            Self::RobotsRead { .. } => "RobotsRead",
            Self::SitemapParsed { .. } => "SitemapParsed",
            Self::PageRead { .. } => "PageRead",
            Self::ScanAttemptFailed { .. } => "ScanAttemptFailed",
            Self::ScanCompleted { .. } => "ScanCompleted",
            Self::ScanFailed { .. } => "ScanFailed",
            Self::ScanCancelled { .. } => "ScanCancelled",
            Self::ScanRetried { .. } => "ScanRetried",
            Self::ScanErased { .. } => "ScanErased",
        }
    }
}

impl VersionedEvent for ScanEvent {
    const VERSIONS: &'static [(&'static str, u32)] = &[
        ("ScanRequested", 1),
        ("ScanStarted", 1),
        ("ScanAbandoned", 1),
        ("RobotsRead", 2),
        ("SitemapParsed", 2),
        ("PageRead", 2),
        ("ScanAttemptFailed", 1),
        ("ScanCompleted", 2),
        ("ScanFailed", 1),
        ("ScanCancelled", 1),
        ("ScanRetried", 1),
        ("ScanErased", 1),
    ];
    const UPCASTERS: &'static [Upcaster] = &[
        Upcaster {
            event_type: "RobotsRead",
            from: 1,
            upcast: read_anew,
        },
        Upcaster {
            event_type: "SitemapParsed",
            from: 1,
            upcast: read_anew,
        },
        Upcaster {
            event_type: "PageRead",
            from: 1,
            upcast: read_anew,
        },
        Upcaster {
            event_type: "ScanCompleted",
            from: 1,
            upcast: nothing_kept,
        },
    ];
}

/// Before version 2 every file was read at every scan.
fn read_anew(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("not_modified".into(), Value::Bool(false));
    fields
}

/// Before version 2 nothing was kept for the next scan.
fn nothing_kept(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("revisit".into(), Value::Null);
    fields
}

impl DomainEvent for ScanEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        let version = current_version::<Self>(self.name());
        version.expect("each type has a version").to_string()
    }
}
