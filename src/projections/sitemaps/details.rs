//! `sitemap_files` and `sitemap_urls`: derived from the row of a domain and the bodies it refers to, written anew only
//! where a file or its list of URLs changed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{SitemapFile, Sitemaps, SitemapsRow, sitemap_id};
use crate::log::LogError;
use crate::log::body::{Bodies, load_bodies};
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

/// The URLs of a list, one by one; none of a list that was erased.
fn url_rows<'a>(
    list: UrlList<'a>,
    bodies: &'a Bodies,
) -> Result<impl Iterator<Item = Result<UrlRow, LogError>> + 'a, LogError> {
    let content = match list.urls {
        Some(urls) => bodies.get(urls)?.map(|content| (urls, content)),
        None => None,
    };
    let urls = content.into_iter().flat_map(move |(reference, content)| {
        let urls = serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>();
        urls.map(move |url| url.map_err(|error| bodies.unreadable(reference, error)))
    });
    Ok((1..).zip(urls).map(move |(ordinal, url)| {
        let url = url?;
        Ok(UrlRow {
            sitemap_id: list.sitemap_id,
            ordinal,
            tenant_id: list.tenant_id,
            url: url.loc,
            lastmod: url.lastmod,
            changefreq: url.changefreq,
            priority: url.priority,
        })
    }))
}

/// Content of lists that is in memory at once, unless a single list has more.
const BYTES_OF_LISTS: u64 = 16 * 1024 * 1024;

/// Lists in runs that are loaded together.
fn portions<'l, 'a>(lists: &'l [UrlList<'a>]) -> impl Iterator<Item = &'l [UrlList<'a>]> {
    let mut rest = lists;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|list| {
            let before = bytes;
            bytes += list.urls.map_or(0, |urls| urls.bytes);
            before == 0 || bytes <= BYTES_OF_LISTS
        });
        let (portion, others) = rest.split_at(fits.count());
        rest = others;
        (!portion.is_empty()).then_some(portion)
    })
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
                match old.get(file.url.as_str()) {
                    Some(old) if old.urls == file.urls => continue,
                    Some(_) => rewritten.push(list.sitemap_id),
                    None => {}
                }
                lists.push(list);
            }
        }
    }
    delete_of_rows(&mut *connection, schema, &anew).await?;
    delete(&mut *connection, schema, &gone, &rewritten).await?;
    upsert_files(&mut *connection, schema, &files).await?;
    insert_urls(connection, schema, &lists).await
}

/// Fills the tables of a new generation. Returns the numbers of the rows that have a list which cannot be read, and why;
/// nothing of those is in the tables.
pub(super) async fn copy_all(
    connection: &mut PgConnection,
    schema: &str,
    sitemaps: &[SitemapsRow],
) -> Result<Vec<(usize, String)>, ProjectionError> {
    let of_rows = sitemaps.iter().enumerate();
    let (numbers, lists): (Vec<usize>, Vec<UrlList<'_>>) = of_rows
        .flat_map(|(number, row)| url_lists(row).map(move |list| (number, list)))
        .unzip();
    let faults = write_urls(&mut *connection, schema, &lists, Write::Copy).await?;
    let refused: BTreeMap<usize, String> = faults
        .into_iter()
        .rev()
        .map(|(list, error)| (numbers[list], error.to_string()))
        .collect();
    if !refused.is_empty() {
        let of_refused = numbers
            .iter()
            .zip(&lists)
            .filter(|(row, _)| refused.contains_key(row));
        let ids: Vec<Uuid> = of_refused.map(|(_, list)| list.sitemap_id).collect();
        delete(&mut *connection, schema, &[], &ids).await?;
    }
    let kept = sitemaps
        .iter()
        .enumerate()
        .filter(|(number, _)| !refused.contains_key(number));
    let files: Vec<FileRow<'_>> = kept.flat_map(|(_, row)| file_rows(row)).collect();
    copy::copy_rows(connection, schema, "sitemap_files", &files).await?;
    Ok(refused.into_iter().collect())
}

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

/// Into tables that people read.
async fn insert_urls(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
) -> Result<(), ProjectionError> {
    let faults = write_urls(connection, schema, lists, Write::Insert).await?;
    match faults.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(()),
    }
}

/// How rows are written: `copy` does not go through the row-level security of tables that people read.
#[derive(Clone, Copy, Debug)]
enum Write {
    Insert,
    Copy,
}

/// Rows of one statement.
const ROWS_OF_STATEMENT: usize = 20_000;

/// Writes the URLs of some lists. Returns the numbers of the lists that cannot be read, and why; some of their URLs may
/// have been written.
async fn write_urls(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
    how: Write,
) -> Result<Vec<(usize, LogError)>, ProjectionError> {
    let mut faults = Vec::new();
    let mut number = 0;
    for portion in portions(lists) {
        let bodies = load_bodies(&mut *connection, portion.iter().filter_map(|list| list.urls)).await?;
        let mut rows = Vec::new();
        for list in portion {
            let urls = match url_rows(*list, &bodies) {
                Ok(urls) => Some(urls),
                Err(error) => {
                    faults.push((number, error));
                    None
                }
            };
            for url in urls.into_iter().flatten() {
                match url {
                    Ok(url) => rows.push(url),
                    Err(error) => {
                        faults.push((number, error));
                        break;
                    }
                }
                if rows.len() == ROWS_OF_STATEMENT {
                    write_rows(&mut *connection, schema, &rows, how).await?;
                    rows.clear();
                }
            }
            number += 1;
        }
        write_rows(&mut *connection, schema, &rows, how).await?;
    }
    Ok(faults)
}

async fn write_rows(
    connection: &mut PgConnection,
    schema: &str,
    urls: &[UrlRow],
    how: Write,
) -> Result<(), ProjectionError> {
    if urls.is_empty() {
        return Ok(());
    }
    if matches!(how, Write::Copy) {
        copy::copy_rows(connection, schema, "sitemap_urls", urls).await?;
        return Ok(());
    }
    let sql = format!(
        "insert into {schema}.sitemap_urls (sitemap_id, ordinal, tenant_id, url, lastmod, changefreq, priority) \
         select * from unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])"
    );
    sqlx::query(&sql)
        .bind(urls.iter().map(|url| url.sitemap_id).collect::<Vec<_>>())
        .bind(urls.iter().map(|url| url.ordinal).collect::<Vec<_>>())
        .bind(urls.iter().map(|url| url.tenant_id.0).collect::<Vec<_>>())
        .bind(urls.iter().map(|url| url.url.as_str()).collect::<Vec<_>>())
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

/// Number and digest of the URLs of each list, by the log.
async fn digests_by_log(
    connection: &mut PgConnection,
    lists: &[UrlList<'_>],
) -> Result<Vec<Result<(i64, Vec<u8>), LogError>>, ProjectionError> {
    let mut digests = Vec::with_capacity(lists.len());
    for portion in portions(lists) {
        let bodies = load_bodies(&mut *connection, portion.iter().filter_map(|list| list.urls)).await?;
        digests.extend(portion.iter().map(|list| digest_of(url_rows(*list, &bodies)?)));
    }
    Ok(digests)
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
    let mut by_log = digests_by_log(&mut *connection, &lists).await?.into_iter();
    for row in sitemaps {
        let key = json!(Sitemaps::key_of(row));
        let derived = |table: &str, what: String| Finding {
            table: table.to_owned(),
            key: key.clone(),
            difference: Difference::Derived { what },
        };
        for file in file_rows(row) {
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
            let (count, digest) = match by_log.next().expect("there is a list for each file") {
                Ok(wanted) => wanted,
                Err(error) => {
                    findings.push(derived(
                        "sitemap_urls",
                        format!("the URLs of {} are not known: {error}", file.url),
                    ));
                    continue;
                }
            };
            let in_table = digests.get(&file.sitemap_id);
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

/// The same over the URLs of a list: jsonb's own notation has one blank behind each comma.
fn digest_of(urls: impl Iterator<Item = Result<UrlRow, LogError>>) -> Result<(i64, Vec<u8>), LogError> {
    let mut digest = Sha256::new();
    let mut count = 0;
    for url in urls {
        let url = url?;
        if count > 0 {
            digest.update(b"\n");
        }
        count += 1;
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
    Ok((count, digest.finalize().to_vec()))
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
