//! `sitemap_files` and `sitemap_urls`, written anew only where a file or its list of URLs changed.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::{SitemapFile, SitemapsRow, sitemap_id};
use crate::log::body::load_bodies;
use crate::projections::ProjectionError;
use crate::values::sitemap::SitemapUrl;

/// A file of a changed row, and whether its URLs are new.
struct Changed<'a> {
    row: &'a SitemapsRow,
    ordinal: i32,
    file: &'a SitemapFile,
    id: Uuid,
    new_urls: bool,
}

pub(super) async fn write(
    connection: &mut PgConnection,
    schema: &str,
    rows: &[(Option<SitemapsRow>, SitemapsRow)],
) -> Result<(), ProjectionError> {
    let mut changed = Vec::new();
    let mut gone = Vec::new();
    for (before, after) in rows {
        let known = before.as_ref().map_or(&[][..], |before| &before.files);
        if known == after.files {
            continue;
        }
        let known: HashMap<&str, &SitemapFile> = known.iter().map(|file| (file.url.as_str(), file)).collect();
        let mut kept = Vec::new();
        for (ordinal, file) in (0..).zip(&after.files) {
            let id = sitemap_id(after.tenant_id, &after.domain, &file.url);
            let new_urls = known
                .get(file.url.as_str())
                .is_none_or(|old| old.urls != file.urls);
            kept.push(file.url.as_str());
            changed.push(Changed {
                row: after,
                ordinal,
                file,
                id,
                new_urls,
            });
        }
        gone.extend(
            known
                .keys()
                .filter(|url| !kept.contains(url))
                .map(|url| sitemap_id(after.tenant_id, &after.domain, url)),
        );
    }
    let rewritten: Vec<Uuid> = changed
        .iter()
        .filter(|file| file.new_urls)
        .map(|file| file.id)
        .collect();
    delete(connection, schema, &gone, &rewritten).await?;
    insert_files(connection, schema, &changed).await?;
    insert_urls(connection, schema, &changed).await
}

async fn delete(
    connection: &mut PgConnection,
    schema: &str,
    gone: &[Uuid],
    rewritten: &[Uuid],
) -> Result<(), sqlx::Error> {
    if !gone.is_empty() {
        let sql = format!("delete from {schema}.sitemap_files where sitemap_id = any($1)");
        sqlx::query(&sql).bind(gone).execute(&mut *connection).await?;
    }
    let without_urls: Vec<Uuid> = gone.iter().chain(rewritten).copied().collect();
    if !without_urls.is_empty() {
        let sql = format!("delete from {schema}.sitemap_urls where sitemap_id = any($1)");
        sqlx::query(&sql).bind(without_urls).execute(connection).await?;
    }
    Ok(())
}

async fn insert_files(
    connection: &mut PgConnection,
    schema: &str,
    changed: &[Changed<'_>],
) -> Result<(), ProjectionError> {
    if changed.is_empty() {
        return Ok(());
    }
    let values: Vec<serde_json::Value> = changed
        .iter()
        .map(|c| {
            serde_json::json!({
                "sitemap_id": c.id, "tenant_id": c.row.tenant_id, "domain": c.row.domain, "ordinal": c.ordinal,
                "scan_id": c.row.scan_id, "url": c.file.url, "kind": c.file.kind, "status": c.file.status,
                "bytes": c.file.bytes, "entries": c.file.entries, "problems": c.file.problems,
                "urls_digest": c.file.urls.as_ref().map(|urls| &urls.digest),
            })
        })
        .collect();
    let sql = format!(
        "insert into {schema}.sitemap_files \
         select * from jsonb_populate_recordset(null::{schema}.sitemap_files, $1) \
         on conflict (sitemap_id) do update set ordinal = excluded.ordinal, scan_id = excluded.scan_id, \
           kind = excluded.kind, status = excluded.status, bytes = excluded.bytes, entries = excluded.entries, \
           problems = excluded.problems, urls_digest = excluded.urls_digest"
    );
    sqlx::query(&sql)
        .bind(serde_json::Value::Array(values))
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert_urls(
    connection: &mut PgConnection,
    schema: &str,
    changed: &[Changed<'_>],
) -> Result<(), ProjectionError> {
    let wanted = || changed.iter().filter(|file| file.new_urls);
    let bodies = load_bodies(
        &mut *connection,
        wanted().filter_map(|file| file.file.urls.as_ref()),
    )
    .await?;
    let mut columns = UrlColumns::default();
    for file in wanted() {
        let Some(content) = file.file.urls.as_ref().and_then(|urls| bodies.get(&urls.digest)) else {
            continue;
        };
        columns.push(file, content)?;
        if columns.url.len() >= MAX_ROWS {
            columns.insert(connection, schema).await?;
            columns = UrlColumns::default();
        }
    }
    columns.insert(connection, schema).await?;
    Ok(())
}

/// Rows of one insert, about; a file's list is not parted.
const MAX_ROWS: usize = 20_000;

/// Rows of `sitemap_urls`, column by column.
#[derive(Default)]
struct UrlColumns {
    sitemap_id: Vec<Uuid>,
    ordinal: Vec<i32>,
    tenant_id: Vec<Uuid>,
    url: Vec<String>,
    lastmod: Vec<Option<String>>,
    changefreq: Vec<Option<String>>,
    priority: Vec<Option<String>>,
}

impl UrlColumns {
    fn push(&mut self, file: &Changed<'_>, content: &[u8]) -> Result<(), ProjectionError> {
        let urls = serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>();
        for (ordinal, url) in (1..).zip(urls) {
            let url = url.map_err(|source| ProjectionError::Row {
                table: "sitemap_urls",
                source,
            })?;
            self.sitemap_id.push(file.id);
            self.ordinal.push(ordinal);
            self.tenant_id.push(file.row.tenant_id.0);
            self.url.push(url.loc);
            self.lastmod.push(url.lastmod);
            self.changefreq.push(url.changefreq);
            self.priority.push(url.priority);
        }
        Ok(())
    }

    async fn insert(&self, connection: &mut PgConnection, schema: &str) -> Result<(), sqlx::Error> {
        if self.url.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into {schema}.sitemap_urls (sitemap_id, ordinal, tenant_id, url, lastmod, changefreq, priority) \
             select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])"
        );
        sqlx::query(&sql)
            .bind(&self.sitemap_id)
            .bind(&self.ordinal)
            .bind(&self.tenant_id)
            .bind(&self.url)
            .bind(&self.lastmod)
            .bind(&self.changefreq)
            .bind(&self.priority)
            .execute(connection)
            .await?;
        Ok(())
    }
}
