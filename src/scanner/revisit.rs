//! What a scan reuses from the last scan of a site, and what it keeps for the next one.
//!
//! A 304 is accepted for a week; then each file is read again, in case a server's validators do not change with its
//! files. Content that another parser version read, or that was read with other fingerprints, is not reused.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use url::Url;

use super::ScanContext;
use super::page::PageFacts;
use crate::fetch::{FetchSettings, Headers};
use crate::values::Revisit;
use crate::values::revisit::{KnownFile, KnownPage, KnownRobots};

/// Files that were read longer ago than this are read again, even if the server says that they are unchanged.
const MAX_AGE: TimeDelta = TimeDelta::days(7);

/// A larger robots.txt is not kept.
pub(super) const MAX_KEPT_ROBOTS: usize = 64 * 1024;

/// The version of the parser. Raise it when the parser reads different content from the same file: content that an
/// older version read is then not reused. A test points to it when the sources change.
pub const PARSER_VERSION: u32 = 3;

/// Identifies the parser: its version, its fingerprints of technologies, and the settings that determine its input.
pub(super) fn parser_fingerprint(
    fetching: &FetchSettings,
    technologies: u64,
    max_sitemap_bytes: u64,
) -> String {
    let parts = format!(
        "{PARSER_VERSION}\n{}\n{technologies:016x}/{}/{max_sitemap_bytes}",
        fetching.user_agent, fetching.max_page_bytes
    );
    hex::encode(&Sha256::digest(parts)[..8])
}

/// The part of the last scan's data that may be reused.
pub(super) fn usable(kept: Revisit, parser_fingerprint: &str, now: DateTime<Utc>) -> Revisit {
    if kept.reader != parser_fingerprint {
        return Revisit::default();
    }
    // A read time in the future comes from another clock, so the age of the content is unknown.
    let is_fresh = |file: &KnownFile| (TimeDelta::zero()..MAX_AGE).contains(&(now - file.read_at));
    Revisit {
        reader: kept.reader,
        robots: kept.robots.filter(|robots| is_fresh(&robots.file)),
        sitemaps: kept
            .sitemaps
            .into_iter()
            .filter(|known| is_fresh(&known.file))
            .collect(),
        pages: kept
            .pages
            .into_iter()
            .filter(|known| is_fresh(&known.file))
            .collect(),
        ..Revisit::default()
    }
}

/// A file that was completely read just now; `None` if it has no validators for a later conditional request.
pub(super) fn file(asked: &Url, url: &Url, headers: &Headers, bytes: u64) -> Option<KnownFile> {
    Some(KnownFile {
        asked: asked.to_string(),
        url: url.to_string(),
        validators: headers.validators()?,
        read_at: Utc::now(),
        bytes,
    })
}

/// The findings of a page, for the next scan.
pub(super) fn page(file: KnownFile, facts: &PageFacts) -> KnownPage {
    KnownPage {
        file,
        findings: facts.findings.clone(),
        contact_links: facts.contact_links.iter().map(Url::to_string).collect(),
        sitemaps: facts.sitemaps.iter().map(Url::to_string).collect(),
        refresh: facts.refresh.as_ref().map(Url::to_string),
    }
}

/// The reverse: the findings from stored data.
pub(super) fn facts(known: &KnownPage) -> PageFacts {
    PageFacts {
        findings: known.findings.clone(),
        contact_links: urls(&known.contact_links),
        sitemaps: urls(&known.sitemaps),
        refresh: known.refresh.as_deref().and_then(|url| Url::parse(url).ok()),
        ..PageFacts::default()
    }
}

/// Parses URLs that sitelog wrote itself.
pub(super) fn urls(texts: &[String]) -> Vec<Url> {
    texts.iter().filter_map(|text| Url::parse(text).ok()).collect()
}

impl ScanContext {
    pub(super) fn known_robots(&self, asked: &Url) -> Option<&KnownRobots> {
        let known = self.known.robots.as_ref();
        known.filter(|known| known.file.asked == asked.as_str())
    }

    /// The index of a known sitemap.
    pub(super) fn known_sitemap(&self, asked: &Url) -> Option<usize> {
        let mut known = self.known.sitemaps.iter();
        known.position(|known| known.file.asked == asked.as_str())
    }

    /// The index of a known page.
    pub(super) fn known_page(&self, asked: &Url) -> Option<usize> {
        let mut known = self.known.pages.iter();
        known.position(|known| known.file.asked == asked.as_str())
    }
}
