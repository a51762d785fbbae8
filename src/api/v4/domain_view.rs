//! The views of domains in v4.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::views::readable;
use crate::api::example::{self, Example};
use crate::projections::RawJson;
use crate::projections::domains::{DomainRow, Sighting};

/// The latest results of a domain.
#[derive(Debug, Serialize, ToSchema)]
pub struct Domain {
    /// Its ID.
    pub id: Uuid,
    /// The domain in punycode.
    pub domain: String,
    /// The domain in Unicode.
    pub domain_unicode: String,
    /// Status of the latest scan.
    pub status: String,
    /// When a scan first ended.
    pub first_scan: Option<DateTime<Utc>>,
    /// When the latest scan ended.
    pub last_scan: Option<DateTime<Utc>>,
    /// When a scan last completed.
    pub last_successful_scan: Option<DateTime<Utc>>,
    /// Title of the home page.
    pub title: Option<String>,
    /// Description of the home page.
    pub description: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Absolute URL.
    pub favicon_url: Option<String>,
    /// Absolute URL.
    pub logo_url: Option<String>,
    /// Absolute URL of the preview image for social networks.
    pub image_url: Option<String>,
    /// Absolute URL.
    pub canonical_url: Option<String>,
    /// URL of the home page, after redirects.
    pub final_url: Option<String>,
    /// Whether the site runs WordPress.
    pub is_wordpress: bool,
    /// The version, if known.
    pub wordpress_version: Option<String>,
    /// Whether the pages use Elementor.
    pub has_elementor: bool,
    /// The version, if known.
    pub elementor_version: Option<String>,
    /// Email addresses; those of the site's own domain come first.
    pub email_addresses: Vec<String>,
    /// Phone numbers in E.164 format, or only the digits if the country is unknown.
    pub phone_numbers: Vec<String>,
    /// URL of the profile.
    pub facebook_url: Option<String>,
    /// URL of the profile on twitter.com or x.com.
    pub twitter_url: Option<String>,
    /// URL of the profile.
    pub linkedin_url: Option<String>,
    /// URL of the profile.
    pub instagram_url: Option<String>,
    /// URL of the channel.
    pub youtube_url: Option<String>,
    /// Technologies in the groups cms, frameworks, analytics and widgets.
    #[schema(value_type = Object)]
    pub tech_stack: Value,
    /// Number of URLs in the domain's sitemaps.
    pub sitemap_urls: i32,
    /// Number of sitemap files, without indexes.
    pub total_sitemaps: i32,
    /// The latest scan.
    pub last_scan_id: Uuid,
    /// The batch of the latest scan.
    pub batch_id: Option<Uuid>,
    /// The error of the latest scan, if it failed.
    pub last_error: Option<String>,
    /// Stale fields: the last completed scan did not find these values again.
    pub stale_fields: Vec<String>,
    /// For each stale field, the last scan that found the value.
    pub stale: BTreeMap<String, Sighting>,
    /// All findings: those of the last completed scan, and values that only earlier scans found (`stale`).
    #[schema(value_type = Object)]
    pub meta_json: RawJson,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for Domain {
    fn example() -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            id: example::DOMAIN,
            domain: "example.com".to_owned(),
            domain_unicode: "example.com".to_owned(),
            status: "completed".to_owned(),
            first_scan: Some(example::ended()),
            last_scan: Some(example::ended()),
            last_successful_scan: Some(example::ended()),
            title: text("Workshop 1 of Bergamo"),
            description: text("Repairs and made to measure."),
            language: text("de"),
            favicon_url: text("https://example.com/favicon.svg"),
            logo_url: text("https://example.com/logo.svg"),
            image_url: None,
            canonical_url: text("https://example.com/"),
            final_url: text("https://example.com/"),
            is_wordpress: false,
            wordpress_version: None,
            has_elementor: false,
            elementor_version: None,
            email_addresses: vec!["hello@example.com".to_owned()],
            phone_numbers: vec!["+12125550001".to_owned()],
            facebook_url: text("https://www.facebook.com/workshop1"),
            twitter_url: None,
            linkedin_url: None,
            instagram_url: None,
            youtube_url: None,
            tech_stack: json!({ "cms": [], "frameworks": [], "analytics": [], "widgets": [] }),
            sitemap_urls: 100,
            total_sitemaps: 2,
            last_scan_id: example::SCAN,
            batch_id: None,
            last_error: None,
            stale_fields: Vec::new(),
            stale: BTreeMap::new(),
            meta_json: RawJson::of(&json!({
                "title": "Workshop 1 of Bergamo",
                "technologies": [{ "name": "Nginx", "version": null, "categories": ["Web servers"], "confidence": 100, "evidence": "header server" }],
            })),
            links: BTreeMap::from([
                ("self", "/api/v4/domains/example.com".to_owned()),
                ("urls", "/api/v4/domains/example.com/urls".to_owned()),
                ("last_scan", format!("/api/v4/scans/{}", example::SCAN)),
            ]),
        }
    }
}

impl From<DomainRow> for Domain {
    fn from(row: DomainRow) -> Self {
        let links = BTreeMap::from([
            ("self", format!("/api/v4/domains/{}", row.domain)),
            ("urls", format!("/api/v4/domains/{}/urls", row.domain)),
            ("last_scan", format!("/api/v4/scans/{}", row.last_scan_id)),
        ]);
        Self {
            id: row.id,
            domain_unicode: readable(&row.domain),
            domain: row.domain,
            status: row.status.to_string(),
            first_scan: row.first_scan,
            last_scan: row.last_scan,
            last_successful_scan: row.last_successful_scan,
            title: row.title,
            description: row.description,
            language: row.language,
            favicon_url: row.favicon_url,
            logo_url: row.logo_url,
            image_url: row.image_url,
            canonical_url: row.canonical_url,
            final_url: row.final_url,
            is_wordpress: row.is_wordpress,
            wordpress_version: row.wordpress_version,
            has_elementor: row.has_elementor,
            elementor_version: row.elementor_version,
            email_addresses: row.email_addresses,
            phone_numbers: row.phone_numbers,
            facebook_url: row.facebook_url,
            twitter_url: row.twitter_url,
            linkedin_url: row.linkedin_url,
            instagram_url: row.instagram_url,
            youtube_url: row.youtube_url,
            tech_stack: row.tech_stack,
            sitemap_urls: row.sitemap_urls,
            total_sitemaps: row.total_sitemaps,
            last_scan_id: row.last_scan_id.0,
            batch_id: row.batch_id.map(|batch| batch.0),
            last_error: row.last_error,
            stale_fields: row.stale_fields,
            stale: row.stale,
            meta_json: row.meta_json,
            links,
        }
    }
}

/// A line of a batch's list: `line`, `scan_id`, `scan_status`, `scan_reason`, `scan_error` and `scan_completed_at` of
/// its scan, the fields of `Domain` if the domain has results, and the other columns of the list; a column whose name
/// is already used gets the prefix `input_`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = Object)]
pub struct BatchDomain(pub(super) serde_json::Map<String, Value>);

impl Example for BatchDomain {
    fn example() -> Self {
        let mut fields = match json!(Domain::example()) {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        let of_list = json!({
            "line": 2, "scan_id": example::SCAN, "scan_status": "completed", "scan_reason": null, "scan_error": null,
            "scan_completed_at": example::ended(), "name": "Anna", "input_domain": "https://www.example.com/",
        });
        fields.extend(of_list.as_object().cloned().unwrap_or_default());
        Self(fields)
    }
}
