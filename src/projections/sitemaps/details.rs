//! `sitemap_files` and `sitemap_urls`: derived from the row of a domain and the bodies it refers to, written anew only
//! where a file or its list of URLs changed.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{SitemapFile, Sitemaps, SitemapsRow, sitemap_id};
use crate::log::body::load_bodies;
use crate::projections::verify::{Difference, Finding};
use crate::projections::{Change, Projection, ProjectionError, copy, rows};
use crate::values::sitemap::{SitemapKind, SitemapUrl};
use crate::values::{BodyRef, Problem, ScanId, TenantId};

/// A row of `sitemap_files`.
#[derive(Clone, Serialize)]
struct FileRow<'a> {
    sitemap_id: Uuid,
    tenant_id: TenantId,
    domain: &'a str,
    ordinal: i32,
    scan_id: ScanId,
    url: &'a str,
    kind: SitemapKind,
    status: u16,
    bytes: u64,
    entries: u64,
    problems: &'a [Problem],
    urls_digest: Option<&'a str>,
}

/// A row of `sitemap_urls`.
#[derive(Serialize)]
struct UrlRow {
    sitemap_id: Uuid,
    ordinal: i32,
    tenant_id: TenantId,
    url: String,
    lastmod: Option<String>,
    changefreq: Option<String>,
    priority: Option<String>,
}

/// A list of URLs that belongs into `sitemap_urls`.
#[derive(Clone, Copy)]
struct UrlList<'a> {
    sitemap_id: Uuid,
    tenant_id: TenantId,
    urls: Option<&'a BodyRef>,
}

fn file_rows(row: &SitemapsRow) -> impl Iterator<Item = FileRow<'_>> {
    (0..).zip(&row.files).map(|(ordinal, file)| FileRow {
        sitemap_id: id_of(row, file),
        tenant_id: row.tenant_id,
        domain: &row.domain,
        ordinal,
        scan_id: row.scan_id,
        url: &file.url,
        kind: file.kind,
        status: file.status,
        bytes: file.bytes,
        entries: file.entries,
        problems: &file.problems,
        urls_digest: file.urls.as_ref().map(|urls| urls.digest.as_str()),
    })
}

fn url_lists(row: &SitemapsRow) -> impl Iterator<Item = UrlList<'_>> {
    row.files.iter().map(|file| UrlList {
        sitemap_id: id_of(row, file),
        tenant_id: row.tenant_id,
        urls: file.urls.as_ref(),
    })
}

fn id_of(row: &SitemapsRow, file: &SitemapFile) -> Uuid {
    sitemap_id(row.tenant_id, &row.domain, &file.url)
}

fn url_rows(list: UrlList<'_>, content: &[u8]) -> Result<Vec<UrlRow>, ProjectionError> {
    let urls = serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>();
    (1..)
        .zip(urls)
        .map(|(ordinal, url)| {
            let url = url.map_err(|source| ProjectionError::Row {
                table: "sitemap_urls",
                source,
            })?;
            Ok(UrlRow {
                sitemap_id: list.sitemap_id,
                ordinal,
                tenant_id: list.tenant_id,
                url: url.loc,
                lastmod: url.lastmod,
                changefreq: url.changefreq,
                priority: url.priority,
            })
        })
        .collect()
}

/// Follows changed rows. Where no row is known, all that stands under its key goes first.
pub(super) async fn write(
    connection: &mut PgConnection,
    schema: &str,
    changes: &[Change<Sitemaps>],
) -> Result<(), ProjectionError> {
    let mut anew = Vec::new();
    let (mut gone, mut rewritten) = (Vec::new(), Vec::new());
    let (mut files, mut lists) = (Vec::new(), Vec::new());
    for change in changes {
        let known: &[SitemapFile] = if let Some(before) = &change.before {
            &before.files
        } else {
            anew.push(&change.key);
            &[]
        };
        let wanted: &[SitemapFile] = change.after.as_ref().map_or(&[], |after| &after.files);
        let scan = |row: &Option<SitemapsRow>| row.as_ref().map(|row| row.scan_id);
        if known == wanted && scan(&change.before) == scan(&change.after) {
            continue;
        }
        let old: HashMap<&str, &SitemapFile> = known.iter().map(|file| (file.url.as_str(), file)).collect();
        let kept: BTreeSet<&str> = wanted.iter().map(|file| file.url.as_str()).collect();
        if let Some(before) = &change.before {
            let not_kept = known.iter().filter(|file| !kept.contains(file.url.as_str()));
            gone.extend(not_kept.map(|file| id_of(before, file)));
        }
        if let Some(after) = &change.after {
            files.extend(file_rows(after));
            for (file, list) in wanted.iter().zip(url_lists(after)) {
                if old.get(file.url.as_str()).is_none_or(|old| old.urls != file.urls) {
                    rewritten.push(list.sitemap_id);
                    lists.push(list);
                }
            }
        }
    }
    delete_of_rows(&mut *connection, schema, &anew).await?;
    delete(&mut *connection, schema, &gone, &rewritten).await?;
    upsert_files(&mut *connection, schema, &files).await?;
    insert_urls(connection, schema, &lists).await
}

/// Fills the tables of a new generation.
pub(super) async fn copy_all(
    connection: &mut PgConnection,
    schema: &str,
    sitemaps: &[SitemapsRow],
) -> Result<(), ProjectionError> {
    let files: Vec<FileRow<'_>> = sitemaps.iter().flat_map(file_rows).collect();
    copy::copy_rows(&mut *connection, schema, "sitemap_files", &files).await?;
    for some in sitemaps.chunks(ROWS_OF_BODIES) {
        let lists: Vec<UrlList<'_>> = some.iter().flat_map(url_lists).collect();
        copy_urls(&mut *connection, schema, &lists).await?;
    }
    Ok(())
}

/// Domains whose lists of URLs are in memory at once.
const ROWS_OF_BODIES: usize = 50;

async fn delete_of_rows(
    connection: &mut PgConnection,
    schema: &str,
    keys: &[&super::SitemapsKey],
) -> Result<(), ProjectionError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "with gone as (delete from {schema}.sitemap_files f \
            using jsonb_populate_recordset(null::{schema}.sitemap_files, $1::jsonb) k \
            where f.tenant_id = k.tenant_id and f.domain = k.domain returning f.sitemap_id) \
         delete from {schema}.sitemap_urls u using gone where u.sitemap_id = gone.sitemap_id"
    );
    sqlx::query(&sql)
        .bind(rows::to_json::<Sitemaps, _>(keys)?)
        .execute(connection)
        .await?;
    Ok(())
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

async fn upsert_files(
    connection: &mut PgConnection,
    schema: &str,
    files: &[FileRow<'_>],
) -> Result<(), ProjectionError> {
    if files.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into {schema}.sitemap_files \
         select * from jsonb_populate_recordset(null::{schema}.sitemap_files, $1::jsonb) \
         on conflict (sitemap_id) do update set ordinal = excluded.ordinal, scan_id = excluded.scan_id, \
           kind = excluded.kind, status = excluded.status, bytes = excluded.bytes, entries = excluded.entries, \
           problems = excluded.problems, urls_digest = excluded.urls_digest"
    );
    sqlx::query(&sql)
        .bind(rows::to_json::<Sitemaps, _>(files)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn copy_urls(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
) -> Result<(), ProjectionError> {
    let urls = urls_of(&mut *connection, lists).await?;
    copy::copy_rows(connection, schema, "sitemap_urls", &urls).await?;
    Ok(())
}

/// Into tables that people read: `copy` does not go through the wall around them.
async fn insert_urls(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
) -> Result<(), ProjectionError> {
    let urls = urls_of(&mut *connection, lists).await?;
    let sql = format!(
        "insert into {schema}.sitemap_urls (sitemap_id, ordinal, tenant_id, url, lastmod, changefreq, priority) \
         select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])"
    );
    for some in urls.chunks(ROWS_OF_INSERT) {
        sqlx::query(&sql)
            .bind(some.iter().map(|url| url.sitemap_id).collect::<Vec<_>>())
            .bind(some.iter().map(|url| url.ordinal).collect::<Vec<_>>())
            .bind(some.iter().map(|url| url.tenant_id.0).collect::<Vec<_>>())
            .bind(some.iter().map(|url| url.url.as_str()).collect::<Vec<_>>())
            .bind(some.iter().map(|url| url.lastmod.as_deref()).collect::<Vec<_>>())
            .bind(
                some.iter()
                    .map(|url| url.changefreq.as_deref())
                    .collect::<Vec<_>>(),
            )
            .bind(some.iter().map(|url| url.priority.as_deref()).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Rows of one statement.
const ROWS_OF_INSERT: usize = 20_000;

/// The rows of some lists. One that was erased has none any more.
async fn urls_of(
    connection: &mut PgConnection,
    lists: &[UrlList<'_>],
) -> Result<Vec<UrlRow>, ProjectionError> {
    let bodies = load_bodies(connection, lists.iter().filter_map(|list| list.urls)).await?;
    let mut rows = Vec::new();
    for list in lists {
        if let Some(content) = list.urls.and_then(|urls| bodies.get(&urls.digest)) {
            rows.extend(url_rows(*list, content)?);
        }
    }
    Ok(rows)
}

/// Compares the derived rows of some domains with what their rows say.
pub(super) async fn verify(
    connection: &mut PgConnection,
    schema: &str,
    sitemaps: &[SitemapsRow],
) -> Result<Vec<Finding>, ProjectionError> {
    let mut findings = Vec::new();
    let keys: Vec<_> = sitemaps.iter().map(Sitemaps::key_of).collect();
    let sql = format!(
        "select to_jsonb(f) from {schema}.sitemap_files f \
           join jsonb_populate_recordset(null::{schema}.sitemap_files, $1::jsonb) k using (tenant_id, domain)"
    );
    let stored: Vec<serde_json::Value> = sqlx::query_scalar(&sql)
        .bind(rows::to_json::<Sitemaps, _>(&keys)?)
        .fetch_all(&mut *connection)
        .await?;
    let mut stored: HashMap<String, serde_json::Value> = stored
        .into_iter()
        .map(|file| (file["sitemap_id"].as_str().unwrap_or_default().to_owned(), file))
        .collect();
    let lists: Vec<UrlList<'_>> = sitemaps.iter().flat_map(url_lists).collect();
    let digests = stored_digests(&mut *connection, schema, &lists).await?;
    let bodies = load_bodies(&mut *connection, lists.iter().filter_map(|list| list.urls)).await?;
    for row in sitemaps {
        let key = json!(Sitemaps::key_of(row));
        let derived = |table: &str, what: String| Finding {
            table: table.to_owned(),
            key: key.clone(),
            difference: Difference::Derived { what },
        };
        for (file, list) in file_rows(row).zip(url_lists(row)) {
            match stored.remove(&file.sitemap_id.to_string()) {
                None => findings.push(derived(
                    "sitemap_files",
                    format!("the file {} is missing", file.url),
                )),
                Some(stored) if stored != json!(file) => findings.push(derived(
                    "sitemap_files",
                    format!(
                        "the file {} is {stored} in the table and {} by the log",
                        file.url,
                        json!(file)
                    ),
                )),
                Some(_) => {}
            }
            let content = list.urls.and_then(|urls| bodies.get(&urls.digest));
            let wanted = content.map_or_else(|| Ok(Vec::new()), |content| url_rows(list, content))?;
            let in_table = digests.get(&file.sitemap_id);
            let (count, digest) = (
                i64::try_from(wanted.len()).unwrap_or(i64::MAX),
                digest_of(&wanted),
            );
            let same = match in_table {
                Some((stored_count, stored)) => *stored_count == count && *stored == digest,
                None => count == 0,
            };
            if !same {
                let there = in_table.map_or(0, |(count, _)| *count);
                findings.push(derived(
                    "sitemap_urls",
                    format!(
                        "the URLs of {} ({there} rows) are not those of the log ({count})",
                        file.url
                    ),
                ));
            }
        }
    }
    for (_, file) in stored {
        findings.push(Finding {
            table: "sitemap_files".to_owned(),
            key: json!({ "tenant_id": file["tenant_id"], "domain": file["domain"] }),
            difference: Difference::Derived {
                what: format!("the log does not tell of the file {}", file["url"]),
            },
        });
    }
    Ok(findings)
}

/// Number and digest of the URLs of each file, as they stand.
async fn stored_digests(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
) -> Result<HashMap<Uuid, (i64, Vec<u8>)>, ProjectionError> {
    let ids: Vec<Uuid> = lists.iter().map(|list| list.sitemap_id).collect();
    let sql = format!(
        "select sitemap_id, count(*), sha256(convert_to(string_agg(jsonb_build_array(ordinal, tenant_id, url, lastmod, \
                changefreq, priority)::text, E'\\n' order by ordinal), 'UTF8')) \
           from {schema}.sitemap_urls where sitemap_id = any($1) group by sitemap_id"
    );
    let rows: Vec<(Uuid, i64, Vec<u8>)> = sqlx::query_as(&sql).bind(ids).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(id, count, digest)| (id, (count, digest)))
        .collect())
}

/// The same over rows by the log: jsonb's own notation has one blank behind each comma.
fn digest_of(urls: &[UrlRow]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for (index, url) in urls.iter().enumerate() {
        if index > 0 {
            digest.update(b"\n");
        }
        let fields = [
            json!(url.ordinal),
            json!(url.tenant_id),
            json!(url.url),
            json!(url.lastmod),
            json!(url.changefreq),
            json!(url.priority),
        ];
        let fields: Vec<String> = fields.iter().map(jsonb_text).collect();
        digest.update(format!("[{}]", fields.join(", ")));
    }
    digest.finalize().to_vec()
}

/// A scalar as jsonb writes it: the same as serde, but for DEL and the like, which neither escapes.
fn jsonb_text(value: &serde_json::Value) -> String {
    value.to_string()
}

/// Rows that belong to no row of the main table.
pub(super) async fn orphans(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<Vec<Finding>, ProjectionError> {
    let files: Vec<(Uuid, String, String)> = sqlx::query_as(&format!(
        "select tenant_id, domain, url from {schema}.sitemap_files f where not exists \
           (select from {schema}.sitemaps s where s.tenant_id = f.tenant_id and s.domain = f.domain) limit 1000"
    ))
    .fetch_all(&mut *connection)
    .await?;
    let urls: Vec<(Uuid, i64)> = sqlx::query_as(&format!(
        "select sitemap_id, count(*) from {schema}.sitemap_urls u where not exists \
           (select from {schema}.sitemap_files f where f.sitemap_id = u.sitemap_id) group by sitemap_id limit 1000"
    ))
    .fetch_all(connection)
    .await?;
    let files = files.into_iter().map(|(tenant, domain, url)| Finding {
        table: "sitemap_files".to_owned(),
        key: json!({ "tenant_id": tenant, "domain": domain }),
        difference: Difference::Derived {
            what: format!("the log does not tell of the file {url}"),
        },
    });
    let urls = urls.into_iter().map(|(id, count)| Finding {
        table: "sitemap_urls".to_owned(),
        key: json!({ "sitemap_id": id }),
        difference: Difference::Derived {
            what: format!("{count} URLs belong to no file"),
        },
    });
    Ok(files.chain(urls).collect())
}

/// Takes them out.
pub(super) async fn remove_orphans(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<(), ProjectionError> {
    for sql in [
        format!(
            "delete from {schema}.sitemap_files f where not exists \
               (select from {schema}.sitemaps s where s.tenant_id = f.tenant_id and s.domain = f.domain)"
        ),
        format!(
            "delete from {schema}.sitemap_urls u where not exists \
               (select from {schema}.sitemap_files f where f.sitemap_id = u.sitemap_id)"
        ),
    ] {
        sqlx::query(&sql).execute(&mut *connection).await?;
    }
    Ok(())
}
