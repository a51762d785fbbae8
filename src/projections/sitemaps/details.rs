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
    for file in wanted() {
        let Some(content) = file.file.urls.as_ref().and_then(|urls| bodies.get(&urls.digest)) else {
            continue;
        };
        let urls: Vec<SitemapUrl> = serde_json::Deserializer::from_slice(content)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|source| ProjectionError::Row {
                table: "sitemap_urls",
                source,
            })?;
        insert_list(connection, schema, file, &urls).await?;
    }
    Ok(())
}

async fn insert_list(
    connection: &mut PgConnection,
    schema: &str,
    file: &Changed<'_>,
    urls: &[SitemapUrl],
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "insert into {schema}.sitemap_urls (sitemap_id, ordinal, tenant_id, url, lastmod, changefreq, priority) \
         select $1, u.ordinal, $2, u.url, u.lastmod, u.changefreq, u.priority \
           from unnest($3::text[], $4::text[], $5::text[], $6::text[]) \
                with ordinality as u(url, lastmod, changefreq, priority, ordinal)"
    );
    sqlx::query(&sql)
        .bind(file.id)
        .bind(file.row.tenant_id.0)
        .bind(urls.iter().map(|url| url.loc.as_str()).collect::<Vec<_>>())
        .bind(urls.iter().map(|url| url.lastmod.as_deref()).collect::<Vec<_>>())
        .bind(
            urls.iter()
                .map(|url| url.changefreq.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind(urls.iter().map(|url| url.priority.as_deref()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
