//! What a scan keeps for the next scan of the same domain: the content of each file, with its validators (RFC 9110,
//! 8.8). The next scan sends them to find out whether the file changed.
//!
//! Files without a validator are not kept; they are read again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::body_ref::BodyRef;
use super::failure::Problem;
use super::findings::Findings;
use super::sitemap::{SitemapKind, SitemapUrl};

/// The data that the next scan may reuse.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Revisit {
    /// The version of the reader; another version may extract other data from the same files.
    pub reader: String,
    /// robots.txt.
    pub robots: Option<KnownRobots>,
    /// Sitemap files.
    pub sitemaps: Vec<KnownSitemap>,
    /// HTML pages.
    pub pages: Vec<KnownPage>,
    /// What earlier scans found and this one did not; none if it found everything again.
    #[serde(skip_serializing_if = "Earlier::is_empty")]
    pub earlier: Earlier,
}

/// What is known of a domain in addition to the findings of its last completed scan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Earlier {
    /// All known values, if they are more than the scan found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Box<Findings>>,
    /// Bodies: the URLs of the sitemaps, as they were last read to their end, if not by the scan itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_lists: Option<Vec<BodyRef>>,
}

impl Earlier {
    /// Whether the scan found everything again.
    pub fn is_empty(&self) -> bool {
        self.findings.is_none() && self.url_lists.is_none()
    }
}

/// The response for a file, and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownFile {
    /// The URL that was requested.
    pub asked: String,
    /// The URL after redirects. The validators belong to it.
    pub url: String,
    /// The validators of the file.
    pub validators: Validators,
    /// When it was last read completely.
    pub read_at: DateTime<Utc>,
    /// Decoded bytes of it.
    pub bytes: u64,
}

/// `ETag` and `Last-Modified` as they were sent; at least one is present.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// With quotes, and `W/` if it is weak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// An HTTP date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// robots.txt, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownRobots {
    /// Where and when.
    pub file: KnownFile,
    /// Its content.
    pub text: String,
}

/// A sitemap file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownSitemap {
    /// Where and when.
    pub file: KnownFile,
    /// Its type.
    pub kind: SitemapKind,
    /// URLs (of an index: children) it names.
    pub entries: u64,
    /// Its problems.
    pub problems: Vec<Problem>,
    /// Entries that it names more than once.
    #[serde(default, skip_serializing_if = "Repeated::is_none")]
    pub repeated: Repeated,
    /// The sitemaps that it names.
    pub children: Vec<String>,
    /// Body: the URLs it names, all of them; the same as that of its event. Null if it names none.
    pub list: Option<BodyRef>,
    /// The content of that body.
    #[serde(skip)]
    pub urls: Vec<SitemapUrl>,
}

/// Entries of a file that are in it more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// How often one was named again.
    pub count: u64,
    /// Some of them.
    pub examples: Vec<String>,
}

impl Repeated {
    /// Whether each occurs once.
    pub fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// An HTML page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownPage {
    /// Where and when.
    pub file: KnownFile,
    /// What only the page shows.
    pub findings: Findings,
    /// Pages that may hold more contacts.
    pub contact_links: Vec<String>,
    /// What `<link rel=sitemap>` names.
    pub sitemaps: Vec<String>,
    /// The target, if the page only redirects its visitors.
    pub refresh: Option<String>,
}

impl Revisit {
    /// Whether there is nothing to reuse.
    pub fn is_empty(&self) -> bool {
        self.robots.is_none() && self.sitemaps.is_empty() && self.pages.is_empty()
    }
}
