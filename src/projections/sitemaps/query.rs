//! Reading sitemaps and their URLs.

use serde::{Deserialize, Serialize};

use super::details::{CHUNK, Chunk};
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

/// A chunk of URLs and its file.
#[derive(sqlx::FromRow)]
struct ChunkOfFile {
    file_ordinal: i32,
    sitemap: String,
    #[sqlx(flatten)]
    chunk: Chunk,
}

impl ChunkOfFile {
    fn into_rows(self) -> impl Iterator<Item = UrlRow> {
        let Self {
            file_ordinal,
            sitemap,
            chunk,
        } = self;
        chunk.into_urls().map(move |(ordinal, url)| UrlRow {
            url: url.loc,
            lastmod: url.lastmod,
            changefreq: url.changefreq,
            priority: url.priority,
            sitemap: sitemap.clone(),
            file_ordinal,
            ordinal,
        })
    }
}

/// The URLs of a domain's sitemaps, in document order, after (number of the file, number of the URL in it).
pub async fn urls(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
    after: (i32, i32),
    limit: i64,
) -> Result<Listed<UrlRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    // Only the chunks that the page needs are read: those with fewer URLs before them than it has.
    let sql = format!(
        "select * from \
           (select f.ordinal as file_ordinal, f.url as sitemap, c.*, \
                   sum(c.last - c.first + 1) over (order by f.ordinal, c.first) - (c.last - c.first + 1) as before \
              from {schema}.sitemap_files f cross join lateral \
                   (select * from {schema}.sitemap_url_chunks c where c.sitemap_id = f.sitemap_id offset 0) c \
             where f.tenant_id = $1 and f.domain = $2 and (f.ordinal, c.last) > ($3, $4)) c \
          where before <= $5 + {longest} order by file_ordinal, first",
        schema = models.sitemaps,
        longest = CHUNK,
    );
    let chunks: Vec<ChunkOfFile> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(&mut *reading)
        .await?;
    let rows = chunks.into_iter().flat_map(ChunkOfFile::into_rows);
    let wanted = usize::try_from(limit).unwrap_or_default() + 1;
    let found: Vec<UrlRow> = rows
        .filter(|row| (row.file_ordinal, row.ordinal) > after)
        .take(wanted)
        .collect();
    Ok(Listed::of(found, limit, |row| {
        format!("{}:{}", row.file_ordinal, row.ordinal)
    }))
}
