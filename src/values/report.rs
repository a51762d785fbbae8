//! What one attempt at a site yields: everything that was read, in order, and how it ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::{FailureReason, Problem};
use super::findings::Findings;
use super::revisit::Revisit;
use super::sitemap::{SitemapKind, SitemapUrl};

/// One attempt at a site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteReport {
    /// robots.txt, if an answer came.
    pub robots: Option<RobotsReport>,
    /// Sitemap files in the order they were read.
    pub sitemaps: Vec<SitemapReport>,
    /// HTML pages in the order they were read; the home page is the first.
    pub pages: Vec<PageReport>,
    /// What was found, or why nothing can be said.
    pub outcome: Result<Findings, ScanFailure>,
    /// What the next scan of the domain may use again, if anything.
    pub revisit: Option<Revisit>,
}

impl SiteReport {
    /// An attempt that came to nothing before anything was asked; another one would not fare better.
    pub fn failed(reason: FailureReason, detail: String) -> Self {
        let failure = ScanFailure {
            reason,
            detail,
            may_pass: false,
            retry_after: None,
        };
        Self {
            robots: None,
            sitemaps: Vec::new(),
            pages: Vec::new(),
            outcome: Err(failure),
            revisit: None,
        }
    }
}

/// What robots.txt was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobotsReport {
    /// Where it was read from in the end.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Whether it is what the last scan read (304); then what was read of it then is used again.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// Whether the home page may be read.
    pub allowed: bool,
    /// Seconds between requests it asks for.
    pub crawl_delay: Option<f64>,
    /// Absolute URLs of its `Sitemap:` lines.
    pub sitemaps: Vec<String>,
}

/// One sitemap file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SitemapReport {
    /// The requested URL.
    pub url: String,
    /// The index that names it, if it was found through one.
    pub parent: Option<String>,
    /// What it turned out to be.
    pub kind: SitemapKind,
    /// HTTP status; 0 if there was no answer.
    pub status: u16,
    /// Whether it is what the last scan read (304); then what was read of it then is used again.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// URLs (of an index: children) it names, before deduplication across files.
    pub entries: u64,
    /// The pages it names that no earlier file named, up to the limit for one scan.
    pub urls: Vec<SitemapUrl>,
    /// What was wrong with it.
    pub problems: Vec<Problem>,
}

/// One HTML page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// Where it was in the end, redirects followed.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Whether it is what the last scan read (304); then what was read of it then is used again.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// What was wrong with it (cut at the size limit, say).
    pub problems: Vec<Problem>,
}

/// Why an attempt ended without findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanFailure {
    /// The stable code.
    pub reason: FailureReason,
    /// The same in words, with what it was about; no secrets, no paths of ours.
    pub detail: String,
    /// Whether another attempt may succeed; decided where the error is born.
    pub may_pass: bool,
    /// How long the site asked us to wait (`Retry-After`), if it did; once it is recorded, the host's cooldown.
    pub retry_after: Option<Duration>,
}
