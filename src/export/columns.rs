//! The columns of a row in CSV, in workbooks and in Parquet, and where in the API's object each value is.
//!
//! Columns are documented (docs/api.md) and stable: new ones are added at the end, before the columns of a list.

use serde::Serialize;

pub use crate::values::facets::Kind;
use crate::values::facets::PLAIN;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// In the header.
    pub name: &'static str,
    /// The path in the API's object (RFC 6901).
    pub pointer: &'static str,
    /// The type of its values, for formats with types.
    pub kind: Kind,
}

/// The row of a batch's list whose cells are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListRow<'a> {
    /// Those of a line.
    Line(u32),
    /// Those of a domain's line.
    Domain(&'a str),
    /// No owner.
    Nowhere,
}

/// A view of the API as a row.
pub trait Exported: Serialize + Send + Sync + 'static {
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// Fields of the API's object that are no columns.
    const OTHER_FIELDS: &'static [&'static str];
    /// Whether pages of JSON show the other columns of a batch's list, as files do.
    const IS_SHOWN_WITH_LIST: bool = false;

    /// Where it is in a batch's list.
    fn list_row(&self) -> ListRow<'_>;
}

/// A column with texts; then those of the other kinds.
const fn field(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Text, name, pointer)
}

const fn texts(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Texts, name, pointer)
}

const fn whole(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Whole, name, pointer)
}

const fn real(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Real, name, pointer)
}

const fn truth(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Truth, name, pointer)
}

const fn time(name: &'static str, pointer: &'static str) -> Column {
    of_kind(Kind::Time, name, pointer)
}

const fn of_kind(kind: Kind, name: &'static str, pointer: &'static str) -> Column {
    Column { name, pointer, kind }
}

/// The findings about a domain.
const OF_DOMAIN: [Column; LISTED.len() + PLAIN.len()] = joined(&LISTED, &plain());

/// The columns of the plain findings.
const fn plain() -> [Column; PLAIN.len()] {
    let mut columns = [field("", ""); PLAIN.len()];
    let mut index = 0;
    while index < PLAIN.len() {
        columns[index] = of_kind(PLAIN[index].kind, PLAIN[index].name, PLAIN[index].pointer);
        index += 1;
    }
    columns
}

/// Columns of findings that have another name or place than their field. A plain finding is in [`PLAIN`] instead.
const LISTED: [Column; 57] = [
    field("status", "/status"),
    field("title", "/title"),
    field("description", "/description"),
    field("language", "/language"),
    field("site_name", "/meta_json/site_name"),
    field("organization", "/meta_json/organization/name"),
    field("organization_legal_name", "/meta_json/organization/legal_name"),
    field("organization_address", "/meta_json/organization/address"),
    texts("organization_identifiers", "/meta_json/organization/identifiers"),
    texts("email_addresses", "/email_addresses"),
    texts("phone_numbers", "/phone_numbers"),
    field("facebook_url", "/facebook_url"),
    field("twitter_url", "/twitter_url"),
    field("linkedin_url", "/linkedin_url"),
    field("instagram_url", "/instagram_url"),
    field("youtube_url", "/youtube_url"),
    truth("is_wordpress", "/is_wordpress"),
    field("wordpress_version", "/wordpress_version"),
    truth("has_elementor", "/has_elementor"),
    field("elementor_version", "/elementor_version"),
    texts("technologies", "/meta_json/technologies"),
    whole("sitemap_urls", "/sitemap_urls"),
    whole("total_sitemaps", "/total_sitemaps"),
    texts("feeds", "/meta_json/feeds"),
    field("final_url", "/final_url"),
    field("canonical_url", "/canonical_url"),
    field("favicon_url", "/favicon_url"),
    field("logo_url", "/logo_url"),
    field("image_url", "/image_url"),
    time("first_scan", "/first_scan"),
    time("last_scan", "/last_scan"),
    time("last_successful_scan", "/last_successful_scan"),
    field("last_scan_id", "/last_scan_id"),
    field("batch_id", "/batch_id"),
    field("last_error", "/last_error"),
    texts("stale_fields", "/stale_fields"),
    field("site_state", "/meta_json/site_state/state"),
    field("email_provider", "/meta_json/email_provider/name"),
    texts("email_checks", "/meta_json/emails"),
    field("dns_host", "/meta_json/dns_host/name"),
    field("spf", "/meta_json/spf/policy"),
    field("dmarc", "/meta_json/dmarc/policy"),
    field("tls_issuer", "/meta_json/certificate/issuer_organization"),
    time("tls_expires", "/meta_json/certificate/valid_to"),
    field("tls_fault", "/meta_json/certificate/fault"),
    texts("refused_crawlers", "/meta_json/crawlers/refused"),
    texts("security_contact", "/meta_json/security_txt/contact"),
    time("security_txt_expires", "/meta_json/security_txt/expires"),
    truth("security_txt_expired", "/meta_json/security_txt/is_expired"),
    whole("ads_txt_direct", "/meta_json/ads_txt/direct"),
    whole("ads_txt_reseller", "/meta_json/ads_txt/reseller"),
    field("ads_txt_owner", "/meta_json/ads_txt/owner_domain"),
    field("humans_txt", "/meta_json/humans_txt/url"),
    field("llms_txt", "/meta_json/llms_txt/url"),
    texts("sitemap_faults", "/meta_json/sitemap_audit/faults"),
    field("cdn", "/meta_json/cdn/name"),
    field("hosting", "/meta_json/hosting/name"),
];

const NAMES: [Column; 2] = [
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
];

/// The columns of a batch's scan.
const OF_BATCH: [Column; 6] = [
    whole("line", "/line"),
    field("scan_id", "/scan_id"),
    field("scan_status", "/scan_status"),
    field("scan_reason", "/scan_reason"),
    field("scan_error", "/scan_error"),
    time("scan_completed_at", "/scan_completed_at"),
];

/// Of domains.
pub const DOMAINS: [Column; NAMES.len() + OF_DOMAIN.len()] = joined(&NAMES, &OF_DOMAIN);

/// Of the domains of a batch.
pub const BATCH_DOMAINS: [Column; NAMES.len() + OF_BATCH.len() + OF_DOMAIN.len()] = joined(
    &joined::<{ NAMES.len() + OF_BATCH.len() }>(&NAMES, &OF_BATCH),
    &OF_DOMAIN,
);

/// Of scans.
pub const SCANS: [Column; 14] = [
    field("scan_id", "/scan_id"),
    field("batch_id", "/batch_id"),
    whole("line", "/line"),
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
    field("status", "/status"),
    real("progress", "/progress"),
    whole("attempts", "/attempts"),
    field("reason", "/reason"),
    field("error", "/error"),
    time("created_at", "/created_at"),
    time("started_at", "/started_at"),
    time("completed_at", "/completed_at"),
    time("next_attempt_at", "/next_attempt_at"),
];

/// Of the URLs of sitemaps.
pub const URLS: [Column; 6] = [
    field("domain", "/domain"),
    field("url", "/url"),
    field("lastmod", "/lastmod"),
    field("changefreq", "/changefreq"),
    field("priority", "/priority"),
    field("sitemap", "/sitemap"),
];

/// Of changes of domains.
pub const CHANGES: [Column; 12] = [
    whole("position", "/position"),
    time("at", "/at"),
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
    texts("changes", "/fields"),
    field("reason", "/reason"),
    whole("urls_added", "/urls/added"),
    whole("urls_removed", "/urls/removed"),
    truth("erased", "/erased"),
    field("scan_id", "/scan_id"),
    field("previous_scan_id", "/previous_scan_id"),
    field("batch_id", "/batch_id"),
];

/// Of the URLs of a change.
pub const CHANGED_URLS: [Column; 3] = [
    field("domain", "/domain"),
    field("change", "/change"),
    field("url", "/url"),
];

/// The columns of the sitemap audit.
pub const AUDIT: [Column; 11] = [
    field("domain", "/domain"),
    field("check", "/check"),
    whole("count", "/count"),
    field("url", "/url"),
    field("sitemap", "/sitemap"),
    field("value", "/value"),
    whole("status", "/status"),
    field("redirects_to", "/redirects_to"),
    field("noindex", "/noindex"),
    field("canonical", "/canonical"),
    field("error", "/error"),
];

/// Two lists of columns as one; `N` is the length of both.
const fn joined<const N: usize>(first: &[Column], second: &[Column]) -> [Column; N] {
    assert!(first.len() + second.len() == N, "N is the length of both");
    let mut all = [field("", ""); N];
    let mut index = 0;
    while index < N {
        all[index] = if index < first.len() {
            first[index]
        } else {
            second[index - first.len()]
        };
        index += 1;
    }
    all
}
