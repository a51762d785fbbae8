//! The sitemap audit: what in a site's sitemaps differs from the protocol and from the site itself, as counts and
//! examples.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::failure::{UnknownCode, codes};

codes! {
    /// What may be wrong with entries or files of sitemaps. Codes are never renamed; new ones may be added.
    AuditCheck {
        /// The URL is on another host than the home page.
        OutsideHost => "outside_host",
        /// The URL has, or lacks, the `www.` of the home page.
        OtherWww => "other_www",
        /// The URL is plain HTTP, and the home page is not.
        PlainHttp => "plain_http",
        /// The URL was named before.
        Duplicate => "duplicate",
        /// `lastmod` is more than a day after the scan.
        FutureLastmod => "future_lastmod",
        /// All entries have one `lastmod`, so it does not say when a page changed.
        SameLastmod => "same_lastmod",
        /// The file names more than 50,000 URLs.
        TooManyUrls => "too_many_urls",
        /// The file is larger than 50 MB (52,428,800 bytes), not packed.
        TooLarge => "too_large",
    }
}

impl AuditCheck {
    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::OutsideHost => "On another host",
            Self::OtherWww => "www. differs from the home page",
            Self::PlainHttp => "Plain HTTP, unlike the home page",
            Self::Duplicate => "Listed more than once",
            Self::FutureLastmod => "lastmod in the future",
            Self::SameLastmod => "The same lastmod in all entries",
            Self::TooManyUrls => "Files with more than 50,000 URLs",
            Self::TooLarge => "Files of more than 50 MB",
        }
    }
}

/// The result of the audit of a scan's sitemaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SitemapAudit {
    /// The home page, which the entries are compared with.
    pub home: String,
    /// Number of entries that were checked.
    pub entries: u64,
    /// Those with a `lastmod`.
    pub with_lastmod: u64,
    /// The faults by check; a check without faults is not in the list.
    pub faults: Vec<AuditFault>,
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFault {
    /// The check.
    pub check: AuditCheck,
    /// How many entries or files.
    pub count: u64,
    /// Some of them, in the order of the files.
    #[serde(default)]
    pub examples: Vec<AuditExample>,
}

/// An entry or a file, with the relevant value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditExample {
    /// The URL of the entry, or of the file.
    pub url: String,
    /// The file that names it.
    pub sitemap: String,
    /// The `lastmod`, a count or a size; empty if there is nothing to add to the URL.
    pub value: String,
}

/// A URL of a sitemap that was fetched to check it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampledUrl {
    /// As in the sitemap.
    pub url: String,
    /// HTTP status after redirects; 0 if there was no response.
    pub status: u16,
    /// The target, if it redirects.
    pub redirects_to: Option<String>,
    /// What tells search engines not to index the page: a header or an element.
    pub noindex: Option<String>,
    /// The canonical URL that it states, if it is another page.
    pub canonical: Option<String>,
    /// Why there was no response.
    pub error: Option<String>,
}

impl SampledUrl {
    /// Whether the page belongs in a sitemap: it responds, is its own canonical page, and may be indexed.
    pub fn is_sound(&self) -> bool {
        (200..300).contains(&self.status)
            && self.redirects_to.is_none()
            && self.noindex.is_none()
            && self.canonical.is_none()
    }
}
