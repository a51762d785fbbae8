//! Reading sitemaps and their URLs.

use serde::{Deserialize, Serialize};

use super::{Sitemaps, SitemapsRow};
use crate::projections::query::Listed;
use crate::projections::{ProjectionError, ReadModels, rows};
use crate::values::{DomainName, TenantId};

/// A page that a sitemap of a domain names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlRow {
    /// Absolute.
    pub url: String,
    /// As stated.
    pub lastmod: Option<String>,
    /// As stated.
    pub changefreq: Option<String>,
    /// As stated.
    pub priority: Option<String>,
    /// The file that names it.
    pub sitemap: String,
    /// Order of the file.
    #[serde(skip_serializing)]
    pub file_ordinal: i32,
    /// Order within the file, from 1.
    #[serde(skip_serializing)]
    pub ordinal: i32,
}

/// The sitemap files of a domain.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
) -> Result<Option<SitemapsRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(s)::text from {}.sitemaps s where tenant_id = $1 and domain = $2",
        models.sitemaps
    );
    let row: Option<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .fetch_optional(&mut *reading)
        .await?;
    row.as_deref().map(rows::from_json::<Sitemaps>).transpose()
}

/// URLs of sitemaps that are kept for a tenant, over all its domains.
pub async fn stored_urls(models: &ReadModels, tenant: TenantId) -> Result<u64, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select coalesce(sum(total_urls), 0)::bigint from {}.sitemaps where tenant_id = $1",
        models.sitemaps
    );
    let stored: i64 = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .fetch_one(&mut *reading)
        .await?;
    Ok(u64::try_from(stored).unwrap_or_default())
}

/// The URLs of a domain's sitemaps, in document order, behind (file, place).
pub async fn urls(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
    after: (i32, i32),
    limit: i64,
) -> Result<Listed<UrlRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select jsonb_build_object('url', u.url, 'lastmod', u.lastmod, 'changefreq', u.changefreq, \
                'priority', u.priority, 'sitemap', f.url, 'file_ordinal', f.ordinal, 'ordinal', u.ordinal)::text \
           from {schema}.sitemap_files f join {schema}.sitemap_urls u using (sitemap_id) \
          where f.tenant_id = $1 and f.domain = $2 and (f.ordinal, u.ordinal) > ($3, $4) \
          order by f.ordinal, u.ordinal limit $5",
        schema = models.sitemaps
    );
    let found: Vec<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .bind(after.0)
        .bind(after.1)
        .bind(limit + 1)
        .fetch_all(&mut *reading)
        .await?;
    let found = found
        .into_iter()
        .map(|row| {
            serde_json::from_str(&row).map_err(|source| ProjectionError::Row {
                table: "sitemap_urls",
                source,
            })
        })
        .collect::<Result<Vec<UrlRow>, _>>()?;
    Ok(Listed::of(found, limit, |row| {
        format!("{}:{}", row.file_ordinal, row.ordinal)
    }))
}
