//! `sitemap_files` and `sitemap_url_chunks`: derived from the row of a domain and its bodies, and rewritten only if a
//! file or its list of URLs changed.

mod chunks;
mod verify;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{SitemapFile, Sitemaps, SitemapsRow, sitemap_id};
use crate::projections::{Change, ProjectionError, copy, rows};
use crate::values::sitemap::SitemapKind;
use crate::values::{Problem, ScanId, TenantId};
use chunks::{UrlList, Write, write_lists};

pub(super) use chunks::{CHUNK, Chunk};
pub(super) use verify::{orphans, remove_orphans, verify};

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

/// Follows changed rows. Where no row was known, leftovers under its key are deleted first.
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
            &[]
        };
        let wanted: &[SitemapFile] = change.after.as_ref().map_or(&[], |after| &after.files);
        if change.before.is_none() && (change.after.is_none() || !wanted.is_empty()) {
            anew.push(&change.key);
        }
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
    let faults = write_lists(connection, schema, &lists, Write::Insert).await?;
    match faults.into_iter().next() {
        Some((_, error)) => Err(error.into()),
        None => Ok(()),
    }
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
    let faults = write_lists(&mut *connection, schema, &lists, Write::Copy).await?;
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
        "with gone as (delete from {schema}.sitemap_files where sitemap_id = any(array( \
            select f.sitemap_id from jsonb_populate_recordset(null::{schema}.sitemap_files, $1::jsonb) k \
             cross join lateral (select f.sitemap_id from {schema}.sitemap_files f \
                                  where f.tenant_id = k.tenant_id and f.domain = k.domain offset 0) f)) \
            returning sitemap_id) \
         delete from {schema}.sitemap_url_chunks where sitemap_id = any(array(select sitemap_id from gone))"
    );
    sqlx::query(&sql)
        .bind(rows::to_json::<Sitemaps, _>(keys).await?)
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
        let sql = format!("delete from {schema}.sitemap_url_chunks where sitemap_id = any($1)");
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
        .bind(rows::to_json::<Sitemaps, _>(files).await?)
        .execute(connection)
        .await?;
    Ok(())
}
