//! What a scan finds out about a site: the twelve keys of the predecessor, with their names and structure, and our own
//! keys.
//!
//! Lists are deterministic: document order, no duplicates.

use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::dns::{DnsRecords, MailPolicy, Recognised};
use super::failure::Problem;
use super::picture::Picture;
use super::site_files::{AdsTxt, FileAnswer, HumansTxt, LlmsTxt, SecurityTxt};
use super::site_state::SiteState;
use super::sitemap::SitemapKind;
use super::sitemap_audit::{SampledUrl, SitemapAudit};

/// The result of a completed scan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Findings {
    /// Title of the home page.
    pub title: Option<String>,
    /// The title without the name of the site.
    pub headline: Option<String>,
    /// What the site calls itself, separate from the title of its page.
    pub site_name: Option<String>,
    /// Description of the home page.
    pub description: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Whether the site runs WordPress.
    pub is_wordpress: bool,
    /// Version of WordPress, if it is known.
    pub wordpress_version: Option<String>,
    /// Whether the pages are built with Elementor.
    pub has_elementor: bool,
    /// Absolute URL.
    pub favicon_url: Option<String>,
    /// Absolute URL.
    pub logo_url: Option<String>,
    /// Email addresses and phone numbers as plain lists.
    pub contact_info: ContactInfo,
    /// The five networks of the predecessor.
    pub social_links: SocialLinks,
    /// Technologies in the four categories of the predecessor.
    pub tech_stack: TechStack,
    /// Counts of elements on the home page.
    pub performance: Performance,

    /// Technologies with version and evidence.
    pub technologies: Vec<Technology>,
    /// Email addresses with where each was found.
    pub emails: Vec<Email>,
    /// Phone numbers with where each was found.
    pub phones: Vec<Phone>,
    /// Profiles on social networks.
    pub socials: Vec<Social>,
    /// The organization that runs the site, if it says so.
    pub organization: Option<Organization>,
    /// Absolute URLs of RSS and Atom feeds.
    pub feeds: Vec<String>,
    /// `<link rel=canonical>` of the home page, absolute.
    pub canonical_url: Option<String>,
    /// The URL of the home page after redirects.
    pub final_url: Option<String>,
    /// The preview image of the site (`og:image` and similar), absolute.
    pub image_url: Option<String>,
    /// The state of the home page, for example parked. None if it is an ordinary site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site_state: Option<SiteState>,
    /// The DNS records of the domain; none if DNS was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsRecords>,
    /// The provider that receives the domain's email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_provider: Option<Recognised>,
    /// The provider that runs the domain's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_host: Option<Recognised>,
    /// The service that delivers the site's pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn: Option<Recognised>,
    /// The service that hosts the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosting: Option<Recognised>,
    /// The policy for sending email in the domain's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spf: Option<MailPolicy>,
    /// What receivers should do with unauthenticated mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<MailPolicy>,
    /// The certificate of the home page's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// Contacts for security problems.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_txt: Option<SecurityTxt>,
    /// Who may sell the site's advertising space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ads_txt: Option<AdsTxt>,
    /// Who made the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub humans_txt: Option<HumansTxt>,
    /// What the site is, for language models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub llms_txt: Option<LlmsTxt>,
    /// The site's icon, if the request or the settings asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icon: Option<Picture>,
    /// The site's logo, if the request or the settings asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Picture>,
    /// The results for the requested files above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileAnswer>,
    /// The sitemap files read.
    pub sitemaps: Vec<SitemapSummary>,
    /// The sitemap audit; none if the sitemaps have no entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sitemap_audit: Option<SitemapAudit>,
    /// Some URLs of the sitemaps, checked on request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sitemap_sample: Vec<SampledUrl>,
    /// The HTML pages read.
    pub pages_read: Vec<PageSummary>,
    /// The data of robots.txt.
    pub robots: Option<RobotsSummary>,
    /// Which well-known crawlers may read the home page; none if there is no robots.txt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawlers: Option<Crawlers>,
    /// Problems that did not fail the scan.
    pub problems: Vec<Problem>,
}

impl Findings {
    /// Whether they are about the owner of the domain, not, for example, about a registrar that parks it.
    pub fn is_from_owner(&self) -> bool {
        self.site_state.iter().all(|found| found.state.is_owner_content())
    }
}

/// Plain lists of contacts; those at the site's own domain come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactInfo {
    /// Addresses, lower case.
    pub email: Vec<String>,
    /// E.164, or only the digits if the country is unknown.
    pub phone: Vec<String>,
}

/// One profile for each of the predecessor's networks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SocialLinks {
    pub facebook: Option<String>,
    /// twitter.com or x.com.
    pub twitter: Option<String>,
    pub linkedin: Option<String>,
    pub instagram: Option<String>,
    pub youtube: Option<String>,
}

/// Names of technologies by the predecessor's categories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TechStack {
    pub cms: Vec<String>,
    pub frameworks: Vec<String>,
    pub analytics: Vec<String>,
    pub widgets: Vec<String>,
}

impl TechStack {
    /// All names, of any category.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let categories = [&self.cms, &self.frameworks, &self.analytics, &self.widgets];
        categories.into_iter().flatten().map(String::as_str)
    }
}

/// Counts of elements on the home page, and the cost of the scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Performance {
    pub image_count: u64,
    pub script_count: u64,
    /// `link[rel=stylesheet]`.
    pub css_count: u64,
    pub form_count: u64,
    /// `a` elements.
    pub link_count: u64,
    pub total_elements: u64,
    /// The cost of the scan; none if a file was read without a scan (`sitelog extract`).
    #[serde(flatten)]
    pub visit: Option<Visit>,
}

/// The cost of a scan and its budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Requests made, redirects included.
    pub requests: u64,
    /// Bytes received: header fields, and bodies before they were decoded.
    pub bytes: u64,
    /// From the first request to the report.
    pub milliseconds: u64,
    /// Files that the site reported as unchanged since the last scan (304), whose content was reused.
    pub not_modified: u64,
    /// The limits.
    pub budget: Budget,
    /// The limit that ended the scan before it had read everything, or null.
    pub ended_by: Option<Bound>,
}

/// The budget of a scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Requests, redirects included.
    pub requests: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Time of one attempt.
    pub milliseconds: u64,
}

/// The limit that ended a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Requests.
    Requests,
    /// Bytes received.
    Bytes,
    /// Time.
    Time,
}

impl Bound {
    /// The code of its problem.
    pub fn problem_code(self) -> &'static str {
        match self {
            Self::Requests => "budget_requests",
            Self::Bytes => "budget_bytes",
            Self::Time => "budget_time",
        }
    }
}

/// A technology and its evidence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Technology {
    /// Its usual name.
    pub name: String,
    /// Its version, if known.
    pub version: Option<String>,
    /// Its categories, e.g. `CMS`.
    pub categories: Vec<String>,
    /// 0..=100.
    pub confidence: u8,
    /// The evidence.
    pub evidence: String,
}

/// An email address and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Email {
    /// Lower case.
    pub value: String,
    /// `mailto` (a link), `cloudflare` (hidden by it), `attribute` or `script` (put together by the page's script),
    /// `json_ld`, `meta`, `text`, `reversed` or `obfuscated` (`info [at] …`).
    pub source: String,
    /// URL of the page.
    pub page: String,
    /// Whether email to it can be delivered; none if DNS was not queried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<EmailCheck>,
}

/// What DNS says about an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmailCheck {
    /// Whether its domain receives email. The mailbox itself is not checked.
    pub deliverable: Deliverable,
    /// The record that shows it, or why it is unknown.
    pub why: String,
    /// Whether it belongs to a role (`info`, `sales`), not to a person.
    pub is_role: bool,
    /// Whether its domain hands out mailboxes for some minutes.
    pub is_disposable: bool,
    /// Who receives its mail.
    pub provider: Option<Recognised>,
}

/// Whether email can be delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Deliverable {
    Yes,
    No,
    #[default]
    Unknown,
}

/// A phone number and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phone {
    /// E.164, or only the digits if the country is unknown.
    pub value: String,
    /// As written on the page.
    pub raw: String,
    /// `tel` (a link), `whatsapp` (a chat link), `json_ld`, `meta` or `text`.
    pub source: String,
    /// URL of the page.
    pub page: String,
}

/// A profile on a social network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Social {
    /// `facebook`, `twitter`, `linkedin` …
    pub network: String,
    /// Canonical URL of the profile.
    pub url: String,
    /// The name within the network, if the URL has one.
    pub handle: Option<String>,
    /// Where it was found: `json_ld`, `meta`, `frame` (header, footer or navigation) or `link` (anywhere else).
    pub source: String,
}

/// The organization that runs the site, from JSON-LD or the imprint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Organization {
    /// The name it gives itself.
    pub name: Option<String>,
    /// The registered name.
    pub legal_name: Option<String>,
    /// In one line.
    pub address: Option<String>,
    /// Registration and tax numbers, `label: number`.
    pub identifiers: Vec<String>,
}

/// One sitemap file in the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitemapSummary {
    /// The URL it was read from.
    pub url: String,
    /// The index that names it, if it was found through one.
    #[serde(default)]
    pub parent: Option<String>,
    /// The type of the document.
    pub kind: SitemapKind,
    /// URLs (of an index: children) it names.
    pub entries: u64,
    /// Whether the site reported it as unchanged since the last scan (304).
    #[serde(default)]
    pub not_modified: bool,
    /// Its problems.
    pub problems: Vec<Problem>,
}

/// One HTML page in the result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSummary {
    /// Its URL after redirects.
    pub url: String,
    /// HTTP status.
    pub status: u16,
    /// Decoded bytes of it.
    pub bytes: u64,
    /// Whether the site reported it as unchanged since the last scan (304).
    #[serde(default)]
    pub not_modified: bool,
}

/// What robots.txt allows search engines and operators of language models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crawlers {
    /// The URL it was read from.
    pub file: String,
    /// Names of those that may read the home page.
    pub allowed: Vec<String>,
    /// Those that may not.
    pub refused: Vec<RefusedCrawler>,
}

/// A crawler that may not read the home page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusedCrawler {
    /// Its product token.
    pub name: String,
    /// The rule that says so.
    pub rule: String,
}

/// The data of robots.txt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RobotsSummary {
    /// The URL it was read from.
    pub url: String,
    /// HTTP status; 0 if there was no response.
    pub status: u16,
    /// Whether the site reported it as unchanged since the last scan (304).
    pub not_modified: bool,
    /// Whether the home page may be read.
    pub allowed: bool,
    /// Seconds between requests (`Crawl-delay`).
    pub crawl_delay: Option<f64>,
    /// Absolute URLs of its `Sitemap:` lines.
    pub sitemaps: Vec<String>,
}
