//! The result of one attempt at a site: everything that was read, in order, and how it ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::{FailureReason, Problem};
use super::findings::Findings;
use super::revisit::Revisit;
use super::sitemap::{SitemapKind, SitemapUrl};

/// One attempt at a site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SiteReport {
    /// robots.txt, if there was a response.
    pub robots: Option<RobotsReport>,
    /// Sitemap files in the order they were read.
    pub sitemaps: Vec<SitemapReport>,
    /// HTML pages in the order they were read; the home page is the first.
    pub pages: Vec<PageReport>,
    /// The findings, or the failure.
    pub outcome: Result<Findings, ScanFailure>,
    /// The data that the next scan of the domain may reuse, if any.
    pub revisit: Option<Revisit>,
}

impl SiteReport {
    /// An attempt that failed before any request; it is not retried.
    pub fn failed(reason: FailureReason, detail: String) -> Self {
        let failure = ScanFailure {
            reason,
            detail,
            is_transient: false,
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

/// The report on robots.txt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobotsReport {
    /// The URL it was read from, after redirects.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Whether it is unchanged since the last scan (304); then its earlier content is reused.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// Whether the home page may be read.
    pub allowed: bool,
    /// Seconds between requests (`Crawl-delay`).
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
    /// The type of the document.
    pub kind: SitemapKind,
    /// HTTP status; 0 if there was no response.
    pub status: u16,
    /// Whether it is unchanged since the last scan (304); then its earlier content is reused.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// URLs (of an index: children) it names, before deduplication across files.
    pub entries: u64,
    /// The pages it names that no earlier file named, up to the limit for one scan.
    pub urls: Vec<SitemapUrl>,
    /// Its problems.
    pub problems: Vec<Problem>,
}

/// One HTML page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageReport {
    /// Its URL after redirects.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Whether it is unchanged since the last scan (304); then its earlier content is reused.
    pub not_modified: bool,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// Its problems, for example that it was cut at the size limit.
    pub problems: Vec<Problem>,
}

/// Why an attempt ended without findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanFailure {
    /// The stable code.
    pub reason: FailureReason,
    /// The message, with the subject; without secrets and local paths.
    pub detail: String,
    /// Whether another attempt may succeed; decided where the error occurs.
    #[serde(rename = "may_pass")]
    pub is_transient: bool,
    /// How long the site asked us to wait (`Retry-After`), if it did.
    pub retry_after: Option<Duration>,
}
