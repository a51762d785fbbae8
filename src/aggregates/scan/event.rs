//! What happens to a scan. Facts in the past tense, rich enough that a read model computes no business fact.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::status::ScanStatus;
use crate::values::sitemap::SitemapKind;
use crate::values::{BatchId, BodyRef, FailureReason, Problem, ScanOptions};

/// The events of one scan's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ScanEvent {
    /// Somebody wants this domain scanned.
    ScanRequested {
        /// Standardised; as sent where it is no domain (such a scan has failed at once).
        domain: String,
        /// The batch it belongs to.
        batch_id: Option<BatchId>,
        /// Its line in that batch, from 1.
        line: Option<u32>,
        /// How many scans of that batch may be under way at once.
        max_concurrent: Option<u32>,
        /// How far it goes and how long it is tried.
        options: ScanOptions,
    },
    /// A worker began an attempt.
    ScanStarted {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// From 1, over all rounds.
        attempt: u32,
        /// The lease under which the worker works; a later lease has a higher one.
        fence: i64,
        /// Who.
        worker: String,
        /// When the last attempt of this round must have ended.
        deadline_at: DateTime<Utc>,
    },
    /// The worker of an attempt was lost; what it did counts for nothing.
    ScanAbandoned {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// Which attempt.
        attempt: u32,
        /// Its lease.
        fence: i64,
    },
    /// robots.txt was read.
    RobotsRead {
        /// The domain.
        domain: String,
        /// Which attempt.
        attempt: u32,
        /// Where.
        url: String,
        /// HTTP status.
        status: u16,
        /// Decoded bytes.
        bytes: u64,
        /// Whether the home page may be read.
        allowed: bool,
        /// Seconds between requests it asks for.
        crawl_delay: Option<f64>,
        /// Its `Sitemap:` lines.
        sitemaps: Vec<String>,
    },
    /// A sitemap file was read, or tried.
    SitemapParsed {
        /// The domain.
        domain: String,
        /// Which attempt.
        attempt: u32,
        /// Where.
        url: String,
        /// What it turned out to be.
        kind: SitemapKind,
        /// HTTP status; 0 if there was no answer.
        status: u16,
        /// Decoded bytes.
        bytes: u64,
        /// URLs (of an index: children) it names.
        entries: u64,
        /// The URLs kept of it, one JSON object per line.
        urls: Option<BodyRef>,
        /// What was wrong with it.
        problems: Vec<Problem>,
    },
    /// An HTML page was read.
    PageRead {
        /// The domain.
        domain: String,
        /// Which attempt.
        attempt: u32,
        /// Where it was in the end.
        url: String,
        /// HTTP status.
        status: u16,
        /// Decoded bytes.
        bytes: u64,
        /// What was wrong with it.
        problems: Vec<Problem>,
    },
    /// An attempt failed in a way that may pass; another follows.
    ScanAttemptFailed {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// Which attempt.
        attempt: u32,
        /// Stable code.
        reason: FailureReason,
        /// In words.
        error: String,
        /// When the next attempt is due.
        retry_at: DateTime<Utc>,
    },
    /// The scan found out what there is to find.
    ScanCompleted {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// Which attempt.
        attempt: u32,
        /// What was found, as JSON.
        findings: BodyRef,
        /// Counts over it.
        totals: ScanTotals,
    },
    /// The scan ended without a result.
    ScanFailed {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// Which attempt; 0 if none was started.
        attempt: u32,
        /// Stable code.
        reason: FailureReason,
        /// In words.
        error: String,
    },
    /// Somebody called the scan off.
    ScanCancelled {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// The attempt that was under way, or the last one; 0 if none was started.
        attempt: u32,
    },
    /// A failed or cancelled scan is to be done again.
    ScanRetried {
        /// The domain.
        domain: String,
        /// Its batch.
        batch_id: Option<BatchId>,
        /// The round that begins, from 2.
        round: u32,
        /// How the round before ended: `failed` or `cancelled`.
        ended: ScanStatus,
        /// Why, if it failed.
        reason: Option<FailureReason>,
        /// How many scans of its batch may be under way at once.
        max_concurrent: Option<u32>,
    },
}

/// Counts over what a scan found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
            | Self::ScanRetried { domain, .. } => domain,
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
            | Self::ScanRetried { batch_id, .. } => *batch_id,
            Self::RobotsRead { .. } | Self::SitemapParsed { .. } | Self::PageRead { .. } => None,
        }
    }
}

impl DomainEvent for ScanEvent {
    fn event_type(&self) -> String {
        let name = match self {
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
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
