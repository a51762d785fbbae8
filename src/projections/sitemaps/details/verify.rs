//! Compares `sitemap_files` and `sitemap_url_chunks` with the rows of their domains.

use std::collections::HashMap;

use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::chunks::{Chunk, UrlList, chunks_of, portions};
use super::{file_rows, url_lists};
use crate::log::LogError;
use crate::log::body::load_bodies;
use crate::projections::sitemaps::{Sitemaps, SitemapsRow};
use crate::projections::verify::{Difference, Finding};
use crate::projections::{Projection, ProjectionError, rows};

const CHUNKS: &str = "sitemap_url_chunks";

/// The URLs of a file: how many, and a digest of them.
type Fingerprint = (i64, Vec<u8>);

/// Compares the derived rows of some domains with what their rows say.
pub(in crate::projections::sitemaps) async fn verify(
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
        .bind(rows::to_json::<Sitemaps, _>(&keys).await?)
        .fetch_all(&mut *connection)
        .await?;
    let mut stored: HashMap<String, serde_json::Value> = stored
        .into_iter()
        .map(|file| (file["sitemap_id"].as_str().unwrap_or_default().to_owned(), file))
        .collect();
    let lists: Vec<UrlList<'_>> = sitemaps.iter().flat_map(url_lists).collect();
    let digests = in_table(&mut *connection, schema, &lists).await?;
    let mut by_log = by_log(&mut *connection, &lists).await?.into_iter();
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
                        "the file {} is {stored} in the table, but {} according to the log",
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
                        CHUNKS,
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
                    CHUNKS,
                    format!(
                        "the URLs of {} ({there}) are not those of the log ({count})",
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
                what: format!("no event in the log names the file {}", file["url"]),
            },
        });
    }
    Ok(findings)
}

/// The URLs of each list by the log.
async fn by_log(
    connection: &mut PgConnection,
    lists: &[UrlList<'_>],
) -> Result<Vec<Result<Fingerprint, LogError>>, ProjectionError> {
    let mut found = Vec::with_capacity(lists.len());
    for portion in portions(lists) {
        let bodies = load_bodies(&mut *connection, portion.iter().filter_map(|list| list.urls)).await?;
        found.extend(portion.iter().map(|list| fingerprint(chunks_of(*list, &bodies))));
    }
    Ok(found)
}

/// The URLs of each file in the table.
async fn in_table(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
) -> Result<HashMap<Uuid, Fingerprint>, ProjectionError> {
    let ids: Vec<Uuid> = lists.iter().map(|list| list.sitemap_id).collect();
    let sql = format!(
        "select sitemap_id, sum(cardinality(urls))::bigint, \
                sha256(convert_to(string_agg(json_build_array(first, last, tenant_id, urls, lastmods, changefreqs, \
                priorities)::text, E'\\n' order by first), 'UTF8')) \
           from {schema}.{CHUNKS} where sitemap_id = any($1) group by sitemap_id"
    );
    let rows: Vec<(Uuid, i64, Vec<u8>)> = sqlx::query_as(&sql).bind(ids).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(id, count, digest)| (id, (count, digest)))
        .collect())
}

fn fingerprint(chunks: impl Iterator<Item = Result<Chunk, LogError>>) -> Result<Fingerprint, LogError> {
    let mut digest = Sha256::new();
    let mut count = 0;
    for chunk in chunks {
        let chunk = chunk?;
        if count > 0 {
            digest.update(b"\n");
        }
        count += i64::try_from(chunk.len()).unwrap_or(i64::MAX);
        digest.update(chunk.as_text());
    }
    Ok((count, digest.finalize().to_vec()))
}

/// Rows that belong to no row of the main table.
pub(in crate::projections::sitemaps) async fn orphans(
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
        "select sitemap_id, sum(last - first + 1)::bigint from {schema}.sitemap_url_chunks u where not exists \
           (select from {schema}.sitemap_files f where f.sitemap_id = u.sitemap_id) group by sitemap_id limit 1000"
    ))
    .fetch_all(connection)
    .await?;
    let files = files.into_iter().map(|(tenant, domain, url)| Finding {
        table: "sitemap_files".to_owned(),
        key: json!({ "tenant_id": tenant, "domain": domain }),
        difference: Difference::Derived {
            what: format!("no event in the log names the file {url}"),
        },
    });
    let urls = urls.into_iter().map(|(id, count)| Finding {
        table: CHUNKS.to_owned(),
        key: json!({ "sitemap_id": id }),
        difference: Difference::Derived {
            what: format!("{count} URLs belong to no file"),
        },
    });
    Ok(files.chain(urls).collect())
}

/// Removes them.
pub(in crate::projections::sitemaps) async fn remove_orphans(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<(), ProjectionError> {
    for sql in [
        format!(
            "delete from {schema}.sitemap_files f where not exists \
               (select from {schema}.sitemaps s where s.tenant_id = f.tenant_id and s.domain = f.domain)"
        ),
        format!(
            "delete from {schema}.sitemap_url_chunks u where not exists \
               (select from {schema}.sitemap_files f where f.sitemap_id = u.sitemap_id)"
        ),
    ] {
        sqlx::query(&sql).execute(&mut *connection).await?;
    }
    Ok(())
}
