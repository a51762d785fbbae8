//! The commands of a scan. Time and ids come in as values.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::event::{ScanTotals, StatusChange, UrlsChange};
use crate::values::picture::PictureKind;
use crate::values::sitemap::SitemapKind;
use crate::values::{BatchId, BodyRef, DomainName, FailureReason, Problem, ScanId, ScanOptions};

/// A command on one scan.
#[derive(Clone, Debug, PartialEq)]
pub enum ScanCommand {
    /// Request a scan.
    Request {
        /// The domain.
        domain: DomainName,
        /// The batch and line it comes from.
        origin: Option<BatchOrigin>,
        /// The options.
        options: ScanOptions,
    },
    /// Record a requested scan that cannot run because its input is not a domain.
    Refuse {
        /// As sent.
        input: String,
        /// The problem.
        error: String,
        /// The batch and line it comes from.
        origin: Option<BatchOrigin>,
    },
    /// Import a scan of the predecessor.
    Import(Box<ImportedScan>),
    /// Begin an attempt under a lease.
    Start {
        /// The lease.
        fence: i64,
        /// The worker that holds the lease.
        worker: String,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Record what an attempt read and how it ended.
    Record {
        /// Which attempt.
        attempt: u32,
        /// In the order read.
        read: Vec<ReadFact>,
        /// How it ended.
        outcome: AttemptOutcome,
        /// How that differs from what was known of the domain; nothing if it does not.
        change: Option<Box<DomainChange>>,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Cancel it.
    Cancel,
    /// Retry it.
    Retry {
        /// The round that is to be repeated; `None` for the current one. A repeat of the same retry changes nothing.
        round: Option<u32>,
    },
    /// Note that the bodies its events refer to are deleted.
    Erase,
}

/// A scan of the predecessor.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedScan {
    /// The normalised domain; an invalid one as it is in the row.
    pub domain: String,
    /// The batch and line it belongs to.
    pub origin: Option<BatchOrigin>,
    /// The options.
    pub options: ScanOptions,
    /// The table of the row.
    pub table: String,
    /// The row's primary key.
    pub row_id: String,
    /// The kind of work.
    pub job_type: Option<String>,
    /// Its status in the predecessor.
    pub status: String,
    /// The whole row.
    pub row: BodyRef,
    /// The report.
    pub read: Vec<ReadFact>,
    /// How it ended.
    pub outcome: ImportedOutcome,
}

/// How a scan of the predecessor ended.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportedOutcome {
    /// With a result.
    Completed {
        /// The findings.
        findings: BodyRef,
        /// Counts over it.
        totals: ScanTotals,
    },
    /// Without one.
    Failed {
        /// Stable code.
        reason: FailureReason,
        /// In words.
        error: String,
    },
    /// Not at all, and it is no longer wanted.
    Cancelled,
    /// It has not ended: sitelog must run it.
    Open,
}

/// Where in a batch a scan comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOrigin {
    /// The batch.
    pub batch_id: BatchId,
    /// The line of its list, from 1.
    pub line: u32,
    /// Maximum number of its concurrent scans.
    pub max_concurrent: u32,
}

/// A file that an attempt read.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the events of the same names")]
pub enum ReadFact {
    Robots {
        url: String,
        status: u16,
        not_modified: bool,
        bytes: u64,
        allowed: bool,
        crawl_delay: Option<f64>,
        sitemaps: Vec<String>,
    },
    Sitemap {
        url: String,
        kind: SitemapKind,
        status: u16,
        not_modified: bool,
        bytes: u64,
        entries: u64,
        urls: Option<BodyRef>,
        problems: Vec<Problem>,
    },
    Page {
        url: String,
        status: u16,
        not_modified: bool,
        bytes: u64,
        problems: Vec<Problem>,
    },
    Picture {
        kind: PictureKind,
        url: String,
        picture: BodyRef,
    },
}

/// The difference between what an attempt found and what was known of the domain.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainChange {
    /// The scan that it is compared with.
    pub previous_scan_id: ScanId,
    /// Names of what changed.
    pub fields: Vec<String>,
    /// How the latest scans ended, if differently.
    pub status: Option<StatusChange>,
    /// The values before and after.
    pub values: Option<BodyRef>,
    /// URLs of sitemaps.
    pub urls: Option<UrlsChange>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum AttemptOutcome {
    /// With a result.
    Completed {
        /// The findings.
        findings: BodyRef,
        /// The data that the next scan may reuse.
        revisit: Option<BodyRef>,
        /// Counts over it.
        totals: ScanTotals,
    },
    /// Without one.
    Failed {
        /// Stable code.
        reason: FailureReason,
        /// In words.
        error: String,
        /// Whether another attempt may succeed.
        is_transient: bool,
        /// How long the host must not be visited: the next attempt does not start earlier.
        cooldown: Duration,
    },
}
