//! The tables: which columns a row has in CSV and in workbooks, and where in the API's object each is found.
//!
//! They are documented (docs/api.md) and stay: new ones come at the end, in front of those that came with a list.

use serde::Serialize;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// In the header.
    pub name: &'static str,
    /// Where it is in the API's object (RFC 6901).
    pub pointer: &'static str,
}

/// Whose cells of a batch's list stand beside a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListPlace<'a> {
    /// Those of a line.
    Line(u32),
    /// Those of a domain's line.
    Domain(&'a str),
    /// Nobody's.
    Nowhere,
}

/// What the API shows of a thing, as a row.
pub trait Exported: Serialize + Send + Sync + 'static {
    /// Its columns.
    const COLUMNS: &'static [Column];
    /// Fields of the API's object that are no columns.
    const OTHER_FIELDS: &'static [&'static str];
    /// Whether pages of JSON show what stands beside it in a batch's list, as files do.
    const IS_SHOWN_WITH_LIST: bool = false;

    /// Where it stands in a batch's list.
    fn list_place(&self) -> ListPlace<'_>;
}

/// A column that is a field of the object itself.
const fn field(name: &'static str, pointer: &'static str) -> Column {
    Column { name, pointer }
}

/// What is known of a domain, its name aside.
const OF_DOMAIN: [Column; 57] = [
    field("status", "/status"),
    field("title", "/title"),
    field("description", "/description"),
    field("language", "/language"),
    field("site_name", "/meta_json/site_name"),
    field("organization", "/meta_json/organization/name"),
    field("organization_legal_name", "/meta_json/organization/legal_name"),
    field("organization_address", "/meta_json/organization/address"),
    field("organization_identifiers", "/meta_json/organization/identifiers"),
    field("email_addresses", "/email_addresses"),
    field("phone_numbers", "/phone_numbers"),
    field("facebook_url", "/facebook_url"),
    field("twitter_url", "/twitter_url"),
    field("linkedin_url", "/linkedin_url"),
    field("instagram_url", "/instagram_url"),
    field("youtube_url", "/youtube_url"),
    field("is_wordpress", "/is_wordpress"),
    field("wordpress_version", "/wordpress_version"),
    field("has_elementor", "/has_elementor"),
    field("elementor_version", "/elementor_version"),
    field("technologies", "/meta_json/technologies"),
    field("sitemap_urls", "/sitemap_urls"),
    field("total_sitemaps", "/total_sitemaps"),
    field("feeds", "/meta_json/feeds"),
    field("final_url", "/final_url"),
    field("canonical_url", "/canonical_url"),
    field("favicon_url", "/favicon_url"),
    field("logo_url", "/logo_url"),
    field("image_url", "/image_url"),
    field("first_scan", "/first_scan"),
    field("last_scan", "/last_scan"),
    field("last_successful_scan", "/last_successful_scan"),
    field("last_scan_id", "/last_scan_id"),
    field("batch_id", "/batch_id"),
    field("last_error", "/last_error"),
    field("stale_fields", "/stale_fields"),
    field("site_state", "/meta_json/site_state/state"),
    field("email_provider", "/meta_json/email_provider/name"),
    field("email_checks", "/meta_json/emails"),
    field("dns_host", "/meta_json/dns_host/name"),
    field("spf", "/meta_json/spf/policy"),
    field("dmarc", "/meta_json/dmarc/policy"),
    field("tls_issuer", "/meta_json/certificate/issuer_organization"),
    field("tls_expires", "/meta_json/certificate/valid_to"),
    field("tls_fault", "/meta_json/certificate/fault"),
    field("refused_crawlers", "/meta_json/crawlers/refused"),
    field("security_contact", "/meta_json/security_txt/contact"),
    field("security_txt_expires", "/meta_json/security_txt/expires"),
    field("security_txt_expired", "/meta_json/security_txt/is_expired"),
    field("ads_txt_direct", "/meta_json/ads_txt/direct"),
    field("ads_txt_reseller", "/meta_json/ads_txt/reseller"),
    field("ads_txt_owner", "/meta_json/ads_txt/owner_domain"),
    field("humans_txt", "/meta_json/humans_txt/url"),
    field("llms_txt", "/meta_json/llms_txt/url"),
    field("sitemap_faults", "/meta_json/sitemap_audit/faults"),
    field("cdn", "/meta_json/cdn/name"),
    field("hosting", "/meta_json/hosting/name"),
];

const NAMES: [Column; 2] = [
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
];

/// What is said of the scan that a batch asked for.
const OF_BATCH: [Column; 6] = [
    field("line", "/line"),
    field("scan_id", "/scan_id"),
    field("scan_status", "/scan_status"),
    field("scan_reason", "/scan_reason"),
    field("scan_error", "/scan_error"),
    field("scan_completed_at", "/scan_completed_at"),
];

/// Of domains.
pub const DOMAINS: [Column; 59] = joined(&NAMES, &OF_DOMAIN);

/// Of the domains of a batch.
pub const BATCH_DOMAINS: [Column; 65] = joined(&joined::<8>(&NAMES, &OF_BATCH), &OF_DOMAIN);

/// Of scans.
pub const SCANS: [Column; 14] = [
    field("scan_id", "/scan_id"),
    field("batch_id", "/batch_id"),
    field("line", "/line"),
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
    field("status", "/status"),
    field("progress", "/progress"),
    field("attempts", "/attempts"),
    field("reason", "/reason"),
    field("error", "/error"),
    field("created_at", "/created_at"),
    field("started_at", "/started_at"),
    field("completed_at", "/completed_at"),
    field("next_attempt_at", "/next_attempt_at"),
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
    field("position", "/position"),
    field("at", "/at"),
    field("domain", "/domain"),
    field("domain_unicode", "/domain_unicode"),
    field("changes", "/fields"),
    field("reason", "/reason"),
    field("urls_added", "/urls/added"),
    field("urls_removed", "/urls/removed"),
    field("erased", "/erased"),
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

/// Of what is told of sitemaps.
pub const AUDIT: [Column; 11] = [
    field("domain", "/domain"),
    field("check", "/check"),
    field("count", "/count"),
    field("url", "/url"),
    field("sitemap", "/sitemap"),
    field("value", "/value"),
    field("status", "/status"),
    field("redirects_to", "/redirects_to"),
    field("noindex", "/noindex"),
    field("canonical", "/canonical"),
    field("error", "/error"),
];

/// Two lists of columns as one; `N` is the length of both.
const fn joined<const N: usize>(first: &[Column], second: &[Column]) -> [Column; N] {
    assert!(first.len() + second.len() == N, "N is the length of both");
    let mut all = [field("", ""); N];
    let mut place = 0;
    while place < N {
        all[place] = if place < first.len() {
            first[place]
        } else {
            second[place - first.len()]
        };
        place += 1;
    }
    all
}
