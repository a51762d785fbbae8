//! `sitemaps`: the sitemap files of each domain, from the last scan that found any. `sitemap_files` and
//! `sitemap_url_chunks` are derived from it. The view `sitemap_urls` shows a row per URL.

mod details;
mod evolve;
pub mod query;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use uuid::Uuid;

use super::verify::Finding;
use super::{Change, Fact, Projection, ProjectionError, Subject};
use crate::values::event_type::Follower;
use crate::values::sitemap::SitemapKind;
use crate::values::{BodyRef, DomainName, Problem, ScanId, TenantId};

/// The projection.
pub struct Sitemaps;

/// The sitemap files of one domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SitemapsRow {
    /// The tenant.
    pub tenant_id: TenantId,
    /// Of which domain.
    pub domain: String,
    /// The scan that found the files.
    pub scan_id: ScanId,
    /// URLs kept over all files.
    pub total_urls: i64,
    /// The known sitemaps.
    pub files: Vec<SitemapFile>,
    /// The files that the running attempt has read.
    pub reading: Vec<SitemapFile>,
    /// Position of the last event that is in this row.
    pub position: i64,
}

/// One sitemap file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the event SitemapParsed")]
pub struct SitemapFile {
    pub url: String,
    pub kind: SitemapKind,
    pub status: u16,
    pub bytes: u64,
    pub entries: u64,
    pub urls: Option<BodyRef>,
    pub problems: Vec<Problem>,
}

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SitemapsKey {
    tenant_id: TenantId,
    domain: String,
}

/// The id of a domain's sitemap file: derived from whose it is and where it is.
pub fn sitemap_id(tenant: TenantId, domain: &str, url: &str) -> Uuid {
    Uuid::new_v5(&super::domains::domain_id(tenant, domain), url.as_bytes())
}

impl Projection for Sitemaps {
    const NAME: &'static str = "sitemaps";
    const SHAPE: i32 = 2;
    const FOLLOWER: Follower = Follower::Sitemaps;
    const KEY_COLUMNS: &'static [&'static str] = &["tenant_id", "domain"];
    const PAGE: i64 = 400;
    const DETAILED_ROWS: i64 = 100;

    type Key = SitemapsKey;
    type Row = SitemapsRow;

    fn tables(schema: &str) -> String {
        include_str!("tables.sql").replace("{schema}", schema)
    }

    fn indexes(schema: &str) -> String {
        include_str!("indexes.sql").replace("{schema}", schema)
    }

    fn views_for_people(schema: &str) -> Vec<(&'static str, String)> {
        let urls = include_str!("urls_view.sql").replace("{schema}", schema);
        vec![("sitemap_urls", urls)]
    }

    fn key(fact: &Fact) -> Option<SitemapsKey> {
        let (_, event) = fact.scan()?;
        let domain = DomainName::parse(event.domain()).ok()?;
        Some(SitemapsKey {
            tenant_id: fact.tenant,
            domain: domain.into(),
        })
    }

    fn key_of(row: &SitemapsRow) -> SitemapsKey {
        SitemapsKey {
            tenant_id: row.tenant_id,
            domain: row.domain.clone(),
        }
    }

    fn subject(key: &SitemapsKey) -> Subject {
        Subject::Domain(key.tenant_id, key.domain.clone())
    }

    fn evolve(row: Option<SitemapsRow>, fact: &Fact) -> Option<SitemapsRow> {
        evolve::evolve(row, fact)
    }

    async fn write_details(
        connection: &mut PgConnection,
        schema: &str,
        changed: &[Change<Self>],
    ) -> Result<(), ProjectionError> {
        details::write(connection, schema, changed).await
    }

    async fn copy_details(
        connection: &mut PgConnection,
        schema: &str,
        rows: &[SitemapsRow],
    ) -> Result<Vec<(usize, String)>, ProjectionError> {
        details::copy_all(connection, schema, rows).await
    }

    async fn verify_details(
        connection: &mut PgConnection,
        schema: &str,
        rows: &[SitemapsRow],
    ) -> Result<Vec<Finding>, ProjectionError> {
        details::verify(connection, schema, rows).await
    }

    async fn orphaned_details(
        connection: &mut PgConnection,
        schema: &str,
    ) -> Result<Vec<Finding>, ProjectionError> {
        details::orphans(connection, schema).await
    }

    async fn remove_orphans(connection: &mut PgConnection, schema: &str) -> Result<(), ProjectionError> {
        details::remove_orphans(connection, schema).await
    }
}
