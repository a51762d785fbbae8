//! The columns of a row in CSV, in workbooks and in Parquet, and where in the API's object each value is.
//!
//! Columns are documented (docs/api.md) and stable: new ones are added at the end, before the columns of a list.

use serde::Serialize;

pub use crate::values::domain_fields::ColumnType;
use crate::values::domain_fields::PLAIN_FINDINGS;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// In the header.
    pub name: &'static str,
    /// The path in the API's object (RFC 6901).
    pub pointer: &'static str,
    /// The type of its values, for formats with types.
    pub kind: ColumnType,
}

/// The row of a batch's list whose cells are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListRow<'a> {
    /// Those of a line.
    Line(u32),
    /// Those of a domain's line.
    Domain(&'a str),
    /// Not in the list.
    Nowhere,
}

/// A view of the API as a row.
pub trait Exported: Serialize + Send + Sync + 'static {
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// Fields of the API's object that are not columns.
    const OTHER_FIELDS: &'static [&'static str];
    /// Whether pages of JSON show the other columns of a batch's list, as files do.
    const IS_SHOWN_WITH_LIST: bool = false;

    /// Where it is in a batch's list.
    fn list_row(&self) -> ListRow<'_>;
}

/// A column with texts; below are those of the other types.
const fn text(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::Text, name, pointer)
}

const fn text_list(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::TextList, name, pointer)
}

const fn integer(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::Integer, name, pointer)
}

const fn float(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::Float, name, pointer)
}

const fn boolean(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::Boolean, name, pointer)
}

const fn time(name: &'static str, pointer: &'static str) -> Column {
    of_type(ColumnType::Time, name, pointer)
}

const fn of_type(kind: ColumnType, name: &'static str, pointer: &'static str) -> Column {
    Column { name, pointer, kind }
}

/// The findings about a domain.
const OF_DOMAIN: [Column; LISTED.len() + PLAIN_FINDINGS.len()] = joined(&LISTED, &plain_columns());

/// The columns of the plain findings.
const fn plain_columns() -> [Column; PLAIN_FINDINGS.len()] {
    let mut columns = [text("", ""); PLAIN_FINDINGS.len()];
    let mut index = 0;
    while index < PLAIN_FINDINGS.len() {
        columns[index] = of_type(
            PLAIN_FINDINGS[index].kind,
            PLAIN_FINDINGS[index].name,
            PLAIN_FINDINGS[index].pointer,
        );
        index += 1;
    }
    columns
}

/// Columns of findings that have another name or place than their field. A plain finding is in [`PLAIN_FINDINGS`] instead.
const LISTED: [Column; 57] = [
    text("status", "/status"),
    text("title", "/title"),
    text("description", "/description"),
    text("language", "/language"),
    text("site_name", "/meta_json/site_name"),
    text("organization", "/meta_json/organization/name"),
    text("organization_legal_name", "/meta_json/organization/legal_name"),
    text("organization_address", "/meta_json/organization/address"),
    text_list("organization_identifiers", "/meta_json/organization/identifiers"),
    text_list("email_addresses", "/email_addresses"),
    text_list("phone_numbers", "/phone_numbers"),
    text("facebook_url", "/facebook_url"),
    text("twitter_url", "/twitter_url"),
    text("linkedin_url", "/linkedin_url"),
    text("instagram_url", "/instagram_url"),
    text("youtube_url", "/youtube_url"),
    boolean("is_wordpress", "/is_wordpress"),
    text("wordpress_version", "/wordpress_version"),
    boolean("has_elementor", "/has_elementor"),
    text("elementor_version", "/elementor_version"),
    text_list("technologies", "/meta_json/technologies"),
    integer("sitemap_urls", "/sitemap_urls"),
    integer("total_sitemaps", "/total_sitemaps"),
    text_list("feeds", "/meta_json/feeds"),
    text("final_url", "/final_url"),
    text("canonical_url", "/canonical_url"),
    text("favicon_url", "/favicon_url"),
    text("logo_url", "/logo_url"),
    text("image_url", "/image_url"),
    time("first_scan", "/first_scan"),
    time("last_scan", "/last_scan"),
    time("last_successful_scan", "/last_successful_scan"),
    text("last_scan_id", "/last_scan_id"),
    text("batch_id", "/batch_id"),
    text("last_error", "/last_error"),
    text_list("stale_fields", "/stale_fields"),
    text("site_state", "/meta_json/site_state/state"),
    text("email_provider", "/meta_json/email_provider/name"),
    text_list("email_checks", "/meta_json/emails"),
    text("dns_host", "/meta_json/dns_host/name"),
    text("spf", "/meta_json/spf/policy"),
    text("dmarc", "/meta_json/dmarc/policy"),
    text("tls_issuer", "/meta_json/certificate/issuer_organization"),
    time("tls_expires", "/meta_json/certificate/valid_to"),
    text("tls_fault", "/meta_json/certificate/fault"),
    text_list("refused_crawlers", "/meta_json/crawlers/refused"),
    text_list("security_contact", "/meta_json/security_txt/contact"),
    time("security_txt_expires", "/meta_json/security_txt/expires"),
    boolean("security_txt_expired", "/meta_json/security_txt/is_expired"),
    integer("ads_txt_direct", "/meta_json/ads_txt/direct"),
    integer("ads_txt_reseller", "/meta_json/ads_txt/reseller"),
    text("ads_txt_owner", "/meta_json/ads_txt/owner_domain"),
    text("humans_txt", "/meta_json/humans_txt/url"),
    text("llms_txt", "/meta_json/llms_txt/url"),
    text_list("sitemap_faults", "/meta_json/sitemap_audit/faults"),
    text("cdn", "/meta_json/cdn/name"),
    text("hosting", "/meta_json/hosting/name"),
];

const NAMES: [Column; 2] = [
    text("domain", "/domain"),
    text("domain_unicode", "/domain_unicode"),
];

/// The columns of a batch's scan.
const OF_BATCH: [Column; 6] = [
    integer("line", "/line"),
    text("scan_id", "/scan_id"),
    text("scan_status", "/scan_status"),
    text("scan_reason", "/scan_reason"),
    text("scan_error", "/scan_error"),
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
    text("scan_id", "/scan_id"),
    text("batch_id", "/batch_id"),
    integer("line", "/line"),
    text("domain", "/domain"),
    text("domain_unicode", "/domain_unicode"),
    text("status", "/status"),
    float("progress", "/progress"),
    integer("attempts", "/attempts"),
    text("reason", "/reason"),
    text("error", "/error"),
    time("created_at", "/created_at"),
    time("started_at", "/started_at"),
    time("completed_at", "/completed_at"),
    time("next_attempt_at", "/next_attempt_at"),
];

/// Of the URLs of sitemaps.
pub const URLS: [Column; 6] = [
    text("domain", "/domain"),
    text("url", "/url"),
    text("lastmod", "/lastmod"),
    text("changefreq", "/changefreq"),
    text("priority", "/priority"),
    text("sitemap", "/sitemap"),
];

/// Of changes of domains.
pub const CHANGES: [Column; 12] = [
    integer("position", "/position"),
    time("at", "/at"),
    text("domain", "/domain"),
    text("domain_unicode", "/domain_unicode"),
    text_list("changes", "/fields"),
    text("reason", "/reason"),
    integer("urls_added", "/urls/added"),
    integer("urls_removed", "/urls/removed"),
    boolean("erased", "/erased"),
    text("scan_id", "/scan_id"),
    text("previous_scan_id", "/previous_scan_id"),
    text("batch_id", "/batch_id"),
];

/// Of the URLs of a change.
pub const CHANGED_URLS: [Column; 3] = [
    text("domain", "/domain"),
    text("change", "/change"),
    text("url", "/url"),
];

/// The columns of the sitemap audit.
pub const AUDIT: [Column; 11] = [
    text("domain", "/domain"),
    text("check", "/check"),
    integer("count", "/count"),
    text("url", "/url"),
    text("sitemap", "/sitemap"),
    text("value", "/value"),
    integer("status", "/status"),
    text("redirects_to", "/redirects_to"),
    text("noindex", "/noindex"),
    text("canonical", "/canonical"),
    text("error", "/error"),
];

/// Two lists of columns as one; `N` is the length of both.
const fn joined<const N: usize>(first: &[Column], second: &[Column]) -> [Column; N] {
    assert!(first.len() + second.len() == N, "N is the length of both");
    let mut all = [text("", ""); N];
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
