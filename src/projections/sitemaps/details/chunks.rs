//! `sitemap_url_chunks`: the URLs of a sitemap file, up to a thousand per row. Writing one row per URL would take
//! PostgreSQL ten times as long, and a large batch has 100 million URLs.

use serde::Serialize;
use serde_json::json;
use sqlx::{FromRow, PgConnection, QueryBuilder};
use uuid::Uuid;

use crate::log::LogError;
use crate::log::body::{Bodies, load_bodies};
use crate::projections::{ProjectionError, copy};
use crate::values::sitemap::SitemapUrl;
use crate::values::{BodyRef, TenantId};

/// URLs of one chunk.
pub(in crate::projections::sitemaps) const CHUNK: usize = 1000;
/// URLs of one statement, about.
const URLS_OF_STATEMENT: usize = 20_000;
/// Parameters of one statement are at most 65,535; a chunk takes eight.
const CHUNKS_OF_STATEMENT: usize = 4000;
/// Content of lists that is in memory at once, unless a single list has more.
const BYTES_OF_LISTS: u64 = 16 * 1024 * 1024;

/// A list of URLs that belongs into the table.
#[derive(Clone, Copy)]
pub(super) struct UrlList<'a> {
    pub(super) sitemap_id: Uuid,
    pub(super) tenant_id: TenantId,
    pub(super) urls: Option<&'a BodyRef>,
}

/// A row. What no URL of a chunk states is `null`; otherwise there is one value for each URL.
#[derive(Default, FromRow, Serialize)]
pub(in crate::projections::sitemaps) struct Chunk {
    sitemap_id: Uuid,
    /// Number of its first URL within the file, from 1.
    first: i32,
    /// Number of its last one.
    last: i32,
    tenant_id: Uuid,
    urls: Vec<String>,
    lastmods: Option<Vec<Option<String>>>,
    changefreqs: Option<Vec<Option<String>>>,
    priorities: Option<Vec<Option<String>>>,
}

impl Chunk {
    fn new(list: UrlList<'_>, first: i32) -> Self {
        Self {
            sitemap_id: list.sitemap_id,
            first,
            last: first - 1,
            tenant_id: list.tenant_id.0,
            ..Self::default()
        }
    }

    fn push(&mut self, url: SitemapUrl) {
        let before = self.urls.len();
        note(&mut self.lastmods, before, url.lastmod);
        note(&mut self.changefreqs, before, url.changefreq);
        note(&mut self.priorities, before, url.priority);
        self.urls.push(url.loc);
        self.last += 1;
    }

    /// As the database writes the same with `json_build_array`.
    pub(super) fn as_text(&self) -> String {
        let fields = [
            json!(self.first),
            json!(self.last),
            json!(self.tenant_id),
            json!(self.urls),
            json!(self.lastmods),
            json!(self.changefreqs),
            json!(self.priorities),
        ];
        let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        format!("[{}]", fields.join(", "))
    }

    /// Its URLs with their numbers.
    pub(in crate::projections::sitemaps) fn into_urls(self) -> impl Iterator<Item = (i32, SitemapUrl)> {
        let mut lastmods = self.lastmods.into_iter().flatten();
        let mut changefreqs = self.changefreqs.into_iter().flatten();
        let mut priorities = self.priorities.into_iter().flatten();
        (self.first..).zip(self.urls).map(move |(number, loc)| {
            let url = SitemapUrl {
                loc,
                lastmod: lastmods.next().flatten(),
                changefreq: changefreqs.next().flatten(),
                priority: priorities.next().flatten(),
            };
            (number, url)
        })
    }

    /// How many URLs it has.
    pub(super) fn len(&self) -> usize {
        self.urls.len()
    }
}

/// Adds a value to a column that has one for each of the `before` URLs, or none at all.
fn note(column: &mut Option<Vec<Option<String>>>, before: usize, value: Option<String>) {
    if column.is_none() && value.is_some() {
        *column = Some(vec![None; before]);
    }
    if let Some(column) = column {
        column.push(value);
    }
}

/// The chunks of a list, one by one; none of a list that was erased.
pub(super) fn chunks_of<'a>(
    list: UrlList<'a>,
    bodies: &'a Bodies,
) -> impl Iterator<Item = Result<Chunk, LogError>> + 'a {
    let (content, error) = match list.urls.map(|urls| (urls, bodies.get(urls))) {
        Some((urls, Ok(content))) => (content.map(|content| (urls, content)), None),
        Some((_, Err(error))) => (None, Some(Err(error))),
        None => (None, None),
    };
    let mut urls = content.into_iter().flat_map(move |(reference, content)| {
        let urls = serde_json::Deserializer::from_slice(content).into_iter::<SitemapUrl>();
        urls.map(move |url| url.map_err(|error| bodies.unreadable(reference, error)))
    });
    let mut first = 1;
    let chunks = std::iter::from_fn(move || {
        let mut chunk = Chunk::new(list, first);
        for url in urls.by_ref().take(CHUNK) {
            match url {
                Ok(url) => chunk.push(url),
                Err(error) => return Some(Err(error)),
            }
        }
        first = chunk.last + 1;
        (chunk.len() > 0).then_some(Ok(chunk))
    });
    error.into_iter().chain(chunks)
}

/// Lists in runs that are loaded together.
pub(super) fn portions<'l, 'a>(lists: &'l [UrlList<'a>]) -> impl Iterator<Item = &'l [UrlList<'a>]> {
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

/// How rows are written: `copy` does not go through the row-level security of tables that people read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Write {
    Insert,
    Copy,
}

/// Writes the URLs of some lists. Returns the numbers of the lists that cannot be read, and why; some of their URLs may
/// have been written.
pub(super) async fn write_lists(
    connection: &mut PgConnection,
    schema: &str,
    lists: &[UrlList<'_>],
    how: Write,
) -> Result<Vec<(usize, LogError)>, ProjectionError> {
    let mut faults = Vec::new();
    let mut number = 0;
    for portion in portions(lists) {
        let bodies = load_bodies(&mut *connection, portion.iter().filter_map(|list| list.urls)).await?;
        let (mut chunks, mut urls) = (Vec::new(), 0);
        for list in portion {
            for chunk in chunks_of(*list, &bodies) {
                match chunk {
                    Ok(chunk) => {
                        urls += chunk.len();
                        chunks.push(chunk);
                    }
                    Err(error) => {
                        faults.push((number, error));
                        break;
                    }
                }
                if urls >= URLS_OF_STATEMENT || chunks.len() == CHUNKS_OF_STATEMENT {
                    write(&mut *connection, schema, std::mem::take(&mut chunks), how).await?;
                    urls = 0;
                }
            }
            number += 1;
        }
        write(&mut *connection, schema, chunks, how).await?;
    }
    Ok(faults)
}

async fn write(
    connection: &mut PgConnection,
    schema: &str,
    chunks: Vec<Chunk>,
    how: Write,
) -> Result<(), ProjectionError> {
    if chunks.is_empty() {
        return Ok(());
    }
    if matches!(how, Write::Copy) {
        copy::copy_rows(connection, schema, "sitemap_url_chunks", &chunks).await?;
        return Ok(());
    }
    let mut insert = QueryBuilder::new(format!(
        "insert into {schema}.sitemap_url_chunks \
           (sitemap_id, first, last, tenant_id, urls, lastmods, changefreqs, priorities) "
    ));
    insert.push_values(chunks, |mut row, chunk| {
        row.push_bind(chunk.sitemap_id)
            .push_bind(chunk.first)
            .push_bind(chunk.last)
            .push_bind(chunk.tenant_id)
            .push_bind(chunk.urls)
            .push_bind(chunk.lastmods)
            .push_bind(chunk.changefreqs)
            .push_bind(chunk.priorities);
    });
    insert.build().persistent(false).execute(connection).await?;
    Ok(())
}
