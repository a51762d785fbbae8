//! Lists in other formats than JSON pages: selects the format (`?format=`, otherwise `Accept`), and sends the response
//! while the rows are read.

use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::io::ReaderStream;
use utoipa::IntoParams;

use super::ApiState;
use super::problem::{Problem, ProblemCode};
use super::request::{Paging, QueryOf};
use super::v4::views::Page;
use crate::commands::list_of_batch::{CarriedColumns, carried_columns};
use crate::export::Format;
use crate::export::columns::Exported;
use crate::export::encoder::Encoder;
use crate::export::pages::pages;
use crate::export::parquet::{self, TableError};
use crate::export::workbook::{self, WorkbookError};
use crate::projections::batch_jobs;
use crate::turns::Steps;
use crate::values::{BatchId, TenantId};

/// Maximum number of workbooks that are built concurrently: each needs CPU and disk space.
const WORKBOOKS: usize = 2;
/// Concurrent Parquet files: each holds a row group of some megabytes until its client has read it.
const TABLES: usize = 8;
/// Pause of a started export while all turns of the tenant are in use.
const TURN_PAUSE: Duration = Duration::from_millis(500);
/// How long one waits for a turn.
const SLOT_TIMEOUT: Duration = Duration::from_secs(20);

/// Rows of a page that is read alongside statuses; longer ones are long reads.
const SHORT_PAGE: i64 = 200;

/// The limits of concurrent workbooks and Parquet files; clones share them.
#[derive(Clone, Debug)]
pub struct ExportSlots {
    workbooks: Arc<Semaphore>,
    tables: Arc<Semaphore>,
}

impl Default for ExportSlots {
    fn default() -> Self {
        Self {
            workbooks: Arc::new(Semaphore::new(WORKBOOKS)),
            tables: Arc::new(Semaphore::new(TABLES)),
        }
    }
}

/// The format of the response.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// `csv`, `ndjson`, `xlsx` or `parquet`: all rows that match the filters, as a file. `json`: a page. Overrides
    /// `Accept`. `limit` restricts the number of rows; `cursor` skips the rows before it.
    #[param(example = "json")]
    format: Option<String>,
}

/// The format that a request selects; `None` for a page of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Wanted(Option<Format>);

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let QueryOf(query) = QueryOf::<FormatQuery>::from_request_parts(parts, state).await?;
        match query.format.as_deref() {
            None => Ok(Self(accepted(&parts.headers))),
            Some("json") => Ok(Self(None)),
            Some(text) => {
                let invalid = |_| {
                    let detail =
                        format!("format is '{text}'; it must be json, csv, ndjson, xlsx or parquet.");
                    Problem::of(ProblemCode::InvalidQuery, detail)
                };
                Ok(Self(Some(text.parse().map_err(invalid)?)))
            }
        }
    }
}

/// A list of the API: its rows, and how to read a page. An export reads it page by page.
pub trait List: Send + Sync + 'static {
    /// The content.
    type Row: Exported;

    /// The name of a file of it, without its ending.
    fn name(&self) -> String;

    /// The batch whose list the rows are in, if in one.
    fn batch(&self) -> Option<BatchId> {
        None
    }

    /// Whether its filters may read many rows to find few.
    fn is_costly(&self) -> bool {
        false
    }

    /// One page.
    fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> impl Future<Output = Result<Page<Self::Row>, Problem>> + Send;
}

impl Wanted {
    /// All rows as a file of this format.
    pub fn file(format: Format) -> Self {
        Self(Some(format))
    }

    /// Responds with a page, or with all rows as a file.
    pub async fn answer<L: List>(
        self,
        state: &ApiState,
        tenant: TenantId,
        paging: Paging,
        list: L,
    ) -> Result<Response, Problem> {
        let mut response = match self.0 {
            None if list.is_costly() || paging.limit.is_some_and(|limit| limit > SHORT_PAGE) => {
                Box::pin(page(&state.for_long_reads(), tenant, &paging, &list)).await?
            }
            None => Box::pin(page(state, tenant, &paging, &list)).await?,
            Some(format) => Box::pin(file(state, tenant, paging, format, list)).await?,
        };
        let vary = HeaderValue::from_static("accept");
        response.headers_mut().append(header::VARY, vary);
        Ok(response)
    }
}

async fn page<L: List>(
    state: &ApiState,
    tenant: TenantId,
    paging: &Paging,
    list: &L,
) -> Result<Response, Problem> {
    let page = list.page(state, tenant, paging).await?;
    let batch = list.batch().filter(|_| L::Row::IS_SHOWN_WITH_LIST);
    let encoder = Encoder::<L::Row>::new(carried_by(state, tenant, batch).await?);
    let mut items: Vec<Box<RawValue>> = Vec::with_capacity(page.items.len());
    let (mut bytes, mut steps) = (0, Steps::default());
    for row in &page.items {
        let item = if L::Row::IS_SHOWN_WITH_LIST {
            to_raw_value(&encoder.object(row))
        } else {
            to_raw_value(row)
        };
        let item = item.map_err(|error| {
            tracing::error!(%error, "Cannot write a row as JSON");
            Problem::internal()
        })?;
        bytes += item.get().len();
        if bytes > PAGE_BYTES && !items.is_empty() && L::Row::IS_SHOWN_WITH_LIST {
            break;
        }
        steps.did(item.get().len()).await;
        items.push(item);
    }
    let mut next = page.next;
    if items.len() < page.items.len() {
        // The page ends early; a page of this many rows has the right cursor for the next one.
        let limit = i64::try_from(items.len()).ok();
        let cursor = paging.cursor.clone();
        next = list.page(state, tenant, &Paging { limit, cursor }).await?.next;
    }
    Ok(Json(Page { items, next }).into_response())
}

/// Bytes of a page of rows that are shown with the columns of their list, which may be many and long. A page that would
/// be larger ends early.
const PAGE_BYTES: usize = 8 * 1024 * 1024;

async fn file<L: List>(
    state: &ApiState,
    tenant: TenantId,
    paging: Paging,
    format: Format,
    list: L,
) -> Result<Response, Problem> {
    let encoder = Encoder::<L::Row>::new(carried_by(state, tenant, list.batch()).await?);
    let disposition = format!("attachment; filename=\"{}.{format}\"", list.name());
    let wanted = paging.limit.map(|_| paging.limit()).transpose()?;
    let rows = rows_of(state.for_long_reads(), tenant, list, paging.cursor, wanted);
    let (length, body) = match format {
        Format::Csv => (
            None,
            streamed(encoder.csv_header(), encoder, Encoder::csv, rows).await?,
        ),
        Format::Ndjson => (None, streamed(Vec::new(), encoder, Encoder::ndjson, rows).await?),
        Format::Parquet => (None, table(state, encoder, rows).await?),
        Format::Xlsx => {
            let file = build_workbook(state, &encoder, rows).await?;
            let length = file
                .metadata()
                .map_err(|error| broken_workbook(&error.into()))?
                .len();
            let file = tokio::fs::File::from_std(file);
            (Some(length), Body::from_stream(ReaderStream::new(file)))
        }
    };
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.content_type()),
    );
    // Names are made of ids and punycode.
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

/// The other columns of a batch's list, if the tenant has such a batch.
pub async fn carried_by(
    state: &ApiState,
    tenant: TenantId,
    batch: Option<BatchId>,
) -> Result<Option<CarriedColumns>, Problem> {
    let Some(batch) = batch else { return Ok(None) };
    if batch_jobs::query::find(&state.models, tenant, batch)
        .await?
        .is_none()
    {
        return Ok(None);
    }
    Ok(carried_columns(&state.bus, batch).await?)
}

/// All rows of a list after a cursor, or this many of them, page by page.
pub fn rows_of<L: List>(
    state: ApiState,
    tenant: TenantId,
    list: L,
    cursor: Option<String>,
    wanted: Option<i64>,
) -> impl Stream<Item = Result<Vec<L::Row>, Problem>> + Send + 'static {
    let read = Arc::new((state, list, cursor.clone()));
    pages(cursor, wanted, move |cursor, limit| {
        let read = Arc::clone(&read);
        let paging = Paging {
            limit: Some(limit),
            cursor,
        };
        async move {
            let (state, list, start) = &*read;
            loop {
                match list.page(state, tenant, &paging).await {
                    Ok(page) => return Ok((page.items, page.next)),
                    // A started export continues at the tenant's next turn; only a new one is refused.
                    Err(problem) if problem.status == 429 && paging.cursor != *start => {
                        tokio::time::sleep(TURN_PAUSE).await;
                    }
                    Err(problem) => return Err(problem),
                }
            }
        }
    })
}

/// A body that is read as fast as the client takes it. If the first page cannot be read, the answer is a problem; an
/// error after that aborts the body, so that a part is not mistaken for the whole.
async fn streamed<T: Exported>(
    header: Vec<u8>,
    encoder: Encoder<T>,
    encode: fn(&Encoder<T>, &[T]) -> serde_json::Result<Vec<u8>>,
    rows: impl Stream<Item = Result<Vec<T>, Problem>> + Send + 'static,
) -> Result<Body, Problem> {
    let mut rows = Box::pin(rows);
    let first = rows.try_next().await?.unwrap_or_default();
    let rows = stream::once(async { Ok(first) }).chain(rows);
    let rows = rows
        .map_ok(|rows| stream::iter(rows.into_iter().map(Ok)))
        .try_flatten();
    let rows = rows.map_err(|problem: Problem| ExportAborted(problem.detail));
    // Row by row; a piece has as many rows as fit, because a row may be large.
    let start = (Box::pin(rows), encoder, Steps::default());
    let lines = stream::try_unfold(start, move |(mut rows, encoder, mut steps)| async move {
        let mut piece = Vec::new();
        while piece.len() < PIECE_BYTES {
            let Some(row) = rows.try_next().await? else { break };
            let lines = encode(&encoder, std::slice::from_ref(&row));
            piece.extend(lines.map_err(|error| ExportAborted(error.to_string()))?);
        }
        steps.did(piece.len()).await;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), (rows, encoder, steps))))
    });
    let lines = lines.inspect_err(|error| tracing::warn!("An export failed midway: {error}"));
    let header = stream::once(async { Ok::<_, ExportAborted>(Bytes::from(header)) });
    Ok(Body::from_stream(header.chain(lines)))
}

/// Size of a piece of a file in bytes, without the rest of the last row.
const PIECE_BYTES: usize = 16 * 1024;

/// Why a body ended before its end.
#[derive(Debug)]
struct ExportAborted(String);

impl fmt::Display for ExportAborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ExportAborted {}

/// The same for Parquet, whose pieces are row groups.
async fn table<T: Exported>(
    state: &ApiState,
    encoder: Encoder<T>,
    rows: impl Stream<Item = Result<Vec<T>, Problem>> + Send + 'static,
) -> Result<Body, Problem> {
    let places = Arc::clone(&state.limits.files.tables);
    let Ok(Ok(place)) = timeout(SLOT_TIMEOUT, places.acquire_owned()).await else {
        return Err(Problem::overloaded());
    };
    let mut rows = Box::pin(rows);
    let first = rows.try_next().await?.unwrap_or_default();
    let rows = stream::once(async { Ok(first) }).chain(rows);
    let rows = rows.map_err(|problem: Problem| ExportAborted(problem.detail));
    let pieces = parquet::pieces(encoder, rows).inspect_ok(move |_| {
        // The slot is free when the body is dropped, read completely or not.
        let _held = &place;
    });
    let pieces = pieces.inspect_err(|error| tracing::warn!("An export failed midway: {error}"));
    Ok(Body::from_stream(pieces))
}

impl From<TableError> for ExportAborted {
    fn from(error: TableError) -> Self {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "Cannot write a Parquet file"
        );
        Self(error.to_string())
    }
}

async fn build_workbook<T: Exported>(
    state: &ApiState,
    encoder: &Encoder<T>,
    rows: impl Stream<Item = Result<Vec<T>, Problem>>,
) -> Result<File, Problem> {
    let places = Arc::clone(&state.limits.files.workbooks);
    let Ok(Ok(_place)) = timeout(SLOT_TIMEOUT, places.acquire_owned()).await else {
        return Err(Problem::overloaded());
    };
    workbook::build(encoder, rows).await
}

impl From<WorkbookError> for Problem {
    fn from(error: WorkbookError) -> Self {
        match &error {
            WorkbookError::TooManyRows => {
                let detail = format!("Cannot export a workbook: {error}.");
                Self::of(ProblemCode::TooManyRows, detail).with("max_rows", workbook::MAX_ROWS)
            }
            _ => broken_workbook(&error),
        }
    }
}

fn broken_workbook(error: &WorkbookError) -> Problem {
    tracing::error!(error = error as &dyn std::error::Error, "Cannot write a workbook");
    Problem::unavailable(
        "Cannot write the workbook: the server's disk may be full. CSV and NDJSON need no disk space.",
    )
}

/// The format that `Accept` prefers (RFC 9110, 12.5.1). JSON if no other format is preferred to it, or if none of the
/// formats is acceptable: the header may be disregarded then.
fn accepted(headers: &HeaderMap) -> Option<Format> {
    let lists = headers.get_all(header::ACCEPT).iter();
    let ranges: Vec<(String, f32)> = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(range)
        .collect();
    let json = quality("application/json", &ranges).unwrap_or(0.0);
    let mut best = (json, None);
    for format in Format::ALL {
        let liked = format
            .media_types()
            .iter()
            .filter_map(|name| quality(name, &ranges));
        let liked = liked.fold(0.0, f32::max);
        if liked > best.0 {
            best = (liked, Some(format));
        }
    }
    best.1
}

/// `text/csv;q=0.5` as range and quality; other parameters are ignored.
fn range(text: &str) -> Option<(String, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts
        .next()
        .filter(|range| range.contains('/'))?
        .to_ascii_lowercase();
    let quality = parts
        .filter_map(|parameter| parameter.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
        .map_or(Some(1.0), |(_, value)| value.trim().parse::<f32>().ok())?;
    Some((range, quality.clamp(0.0, 1.0)))
}

/// The quality of a media type, from the most specific range.
fn quality(media_type: &str, ranges: &[(String, f32)]) -> Option<f32> {
    let (kind, _) = media_type.split_once('/')?;
    let said = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, q)| *q);
    said(media_type)
        .or_else(|| said(&format!("{kind}/*")))
        .or_else(|| said("*/*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        accepted(&headers)
    }

    #[test]
    fn accept_says_which_form() {
        for (accept, wanted) in [
            ("", None),
            ("*/*", None),
            ("application/json", None),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                None,
            ),
            ("image/png", None),
            ("nonsense", None),
            ("text/csv", Some(Format::Csv)),
            ("TEXT/CSV; charset=utf-8", Some(Format::Csv)),
            ("text/csv, */*;q=0.1", Some(Format::Csv)),
            ("text/*", Some(Format::Csv)),
            ("text/csv;q=0", None),
            ("text/csv;q=0.5, application/json;q=0.4", Some(Format::Csv)),
            ("text/csv;q=0.5, application/json", None),
            ("application/json, text/csv", None),
            ("application/x-ndjson", Some(Format::Ndjson)),
            ("application/ndjson", Some(Format::Ndjson)),
            ("text/csv;q=0.2, application/x-ndjson;q=0.3", Some(Format::Ndjson)),
            ("application/json;q=0, */*;q=0.1", Some(Format::Csv)),
            ("application/vnd.apache.parquet", Some(Format::Parquet)),
            (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                Some(Format::Xlsx),
            ),
        ] {
            assert_eq!(of(accept), wanted, "{accept}");
        }
    }
}
