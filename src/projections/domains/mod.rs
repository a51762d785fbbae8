//! `domains`: one row per tenant and domain, with the best known data.

mod evolve;
pub mod pictures;
pub mod query;
pub mod technologies;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Fact, Projection, RawJson, Subject};
use crate::aggregates::ScanStatus;
use crate::values::event_type::Follower;
use crate::values::{BatchId, DomainName, ScanId, TenantId};

/// The projection.
pub struct Domains;

/// One domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "the names are those of the view Domain and of the predecessor's table"
)]
pub struct DomainRow {
    pub id: Uuid,
    pub tenant_id: TenantId,
    pub domain: String,
    /// Status of the latest scan.
    pub status: ScanStatus,
    pub created_by: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    pub favicon_url: Option<String>,
    pub logo_url: Option<String>,
    pub image_url: Option<String>,
    pub canonical_url: Option<String>,
    pub final_url: Option<String>,
    pub is_wordpress: bool,
    pub wordpress_version: Option<String>,
    pub has_elementor: bool,
    pub elementor_version: Option<String>,
    pub tech_stack: Value,
    /// Names of its technologies in lower case, for the filter.
    pub technology_keys: Vec<String>,
    pub email_addresses: Vec<String>,
    pub phone_numbers: Vec<String>,
    pub facebook_url: Option<String>,
    pub twitter_url: Option<String>,
    pub linkedin_url: Option<String>,
    pub instagram_url: Option<String>,
    pub youtube_url: Option<String>,
    /// What the home page is, if it is not an ordinary site, for the filter.
    pub site_state: Option<String>,
    /// The provider that receives its email, in lower case, for the filter.
    pub email_provider_key: Option<String>,
    /// Until when its certificate is valid, for the filter.
    pub tls_expires: Option<DateTime<Utc>>,
    /// All that is known ([`Findings`](crate::values::Findings)): what the last completed scan found, and what only
    /// earlier ones did (`stale`).
    pub meta_json: RawJson,
    /// Names of the fields that the last completed scan did not find again: their values are older.
    pub stale_fields: Vec<String>,
    /// The same with the scan that found each last.
    pub stale: BTreeMap<String, Sighting>,
    pub first_scan: Option<DateTime<Utc>>,
    pub last_scan: Option<DateTime<Utc>>,
    /// The predecessor's words: `Queued`, `InProgress`, `Completed`, `Error`, `Cancelled`.
    pub content_scrape_status: String,
    pub content_scrape_at: Option<DateTime<Utc>>,
    pub content_scrape_error: Option<String>,
    pub has_sitemap: bool,
    pub sitemap_urls: i32,
    pub total_sitemaps: i32,
    /// Of the latest scan.
    pub batch_id: Option<BatchId>,
    pub last_scan_id: ScanId,
    /// Of the latest scan, if it failed.
    pub last_error: Option<String>,
    /// Failed scans since the last completed one.
    pub error_count: i32,
    pub last_successful_scan: Option<DateTime<Utc>>,
    /// The last scan that completed.
    pub last_completed_id: Option<ScanId>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    /// Position of the last event that is in this row.
    pub position: i64,
}

/// The scan that found a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sighting {
    /// The id of the scan.
    #[schema(value_type = Uuid)]
    pub scan_id: ScanId,
    /// When the scan ended.
    pub found_at: DateTime<Utc>,
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DomainKey {
    tenant_id: TenantId,
    domain: String,
}

impl DomainKey {
    /// The row of a tenant's domain.
    pub fn new(tenant_id: TenantId, domain: &str) -> Self {
        Self {
            tenant_id,
            domain: domain.to_owned(),
        }
    }
}

/// The id of a tenant's domain: derived, so that every table and every rebuild agrees on it.
pub fn domain_id(tenant: TenantId, domain: &str) -> Uuid {
    Uuid::new_v5(&tenant.0, domain.as_bytes())
}

impl Projection for Domains {
    const NAME: &'static str = "domains";
    const SHAPE: i32 = 4;
    const FOLLOWER: Follower = Follower::Domains;
    const KEY_COLUMNS: &'static [&'static str] = &["tenant_id", "domain"];
    const READS_FINDINGS: bool = true;
    const PAGE: i64 = 300;

    type Key = DomainKey;
    type Row = DomainRow;

    fn tables(schema: &str) -> String {
        include_str!("tables.sql").replace("{schema}", schema)
    }

    fn indexes(schema: &str) -> String {
        include_str!("indexes.sql").replace("{schema}", schema)
    }

    fn key(fact: &Fact) -> Option<DomainKey> {
        let (_, event) = fact.scan()?;
        // An input that is not a domain has a scan, which failed, but no domain.
        let domain = DomainName::parse(event.domain()).ok()?;
        Some(DomainKey {
            tenant_id: fact.tenant,
            domain: domain.into(),
        })
    }

    fn key_of(row: &DomainRow) -> DomainKey {
        DomainKey {
            tenant_id: row.tenant_id,
            domain: row.domain.clone(),
        }
    }

    fn subject(key: &DomainKey) -> Subject {
        Subject::Domain(key.tenant_id, key.domain.clone())
    }

    fn weight(row: &DomainRow) -> usize {
        2 * size_of::<DomainRow>() + row.meta_json.len()
    }

    fn evolve(row: Option<DomainRow>, fact: &Fact) -> Option<DomainRow> {
        evolve::evolve(row, fact)
    }
}
