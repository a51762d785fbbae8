//! `POST /batches`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::views::batch_links;
use crate::api::batch_input::{BatchInput, ListParameters, RejectedLine, in_background};
use crate::api::example::{self, Example};
use crate::api::list_quotas::{require_acceptable, require_room_for_urls, wait_for_list_turn};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, QueryOf};
use crate::api::{ApiState, fresh};
use crate::commands::request_batch::{BatchItem, request_batch};
use crate::commands::store_response::store_response;
use crate::projections::jobs;
use crate::values::batch_list::{ChosenBy, ChosenColumn};
use crate::values::site_files::{SiteFile, SiteFileSet};
use crate::values::{TenantId, WantedScan};

/// The options of a request for a batch.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BatchQuery {
    /// Only checks the list: nothing is recorded.
    dry_run: Option<bool>,
    /// The name or number of the column (for objects: the field) with the domains; by default it is detected.
    column: Option<String>,
    /// For formats other than JSON: maximum number of HTML pages per domain, 1 to 100; other values are clamped.
    max_pages: Option<i64>,
    /// For formats other than JSON: maximum number of concurrent scans of the batch, 1 to 1000; other values are clamped.
    max_concurrent: Option<i64>,
    /// For formats other than JSON: files to fetch in addition to pages and sitemaps, separated by commas:
    /// `security_txt`, `ads_txt`, `humans_txt`, `llms_txt`, `icon`, `logo`.
    files: Option<String>,
    /// For formats other than JSON: number of sitemap URLs of each domain to fetch and check, 0 to 100; others are clamped.
    sitemap_sample: Option<i64>,
    /// For formats other than JSON: days, may be a fraction; domains with a more recent completed scan are skipped.
    max_age_days: Option<f64>,
}

/// The result of sending a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AcceptedBatch {
    /// The batch; null on a dry run, and if every domain was skipped.
    batch_id: Option<Uuid>,
    /// Domains that will be scanned.
    accepted: usize,
    /// Number of duplicates.
    duplicates: usize,
    /// Lines that are not valid domains.
    rejected: Vec<RejectedLine>,
    /// The column or field that the domains were read from; null if the list has only one.
    column: Option<ChosenColumn>,
    /// Notes on how the list was read: for example a detected encoding, lines above the header, or skipped addresses.
    notes: Vec<String>,
    /// Domains that are skipped because their last completed scan is younger than `max_age_days`.
    skipped: usize,
    /// The first 1,000 skipped domains.
    skipped_domains: Vec<SkippedDomain>,
    /// Log position at which the batch is visible; pass it as `?at_least=` of a GET.
    position: Option<i64>,
    /// Related URLs.
    links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedBatch {
    fn example() -> Self {
        Self {
            batch_id: Some(example::BATCH),
            accepted: 1,
            duplicates: 1,
            rejected: vec![RejectedLine {
                line: 4,
                input: "localhost".to_owned(),
                reason: "invalid_domain".to_owned(),
                error: "'localhost' has no top-level domain".to_owned(),
            }],
            column: Some(ChosenColumn {
                number: Some(2),
                name: "Website".to_owned(),
                chosen_by: ChosenBy::Header,
            }),
            notes: vec!["The list was read as windows-1252, the detected encoding.".to_owned()],
            skipped: 1,
            skipped_domains: vec![SkippedDomain {
                line: 1,
                domain: "example.com".to_owned(),
                scan_id: example::SCAN,
                completed_at: example::ended(),
            }],
            position: Some(11),
            links: batch_links(example::BATCH),
        }
    }
}

/// A domain with a recent scan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct SkippedDomain {
    /// Line of the list, starting at 1.
    line: u32,
    /// The domain.
    domain: String,
    /// Its last completed scan.
    scan_id: Uuid,
    /// When that scan completed.
    completed_at: DateTime<Utc>,
}

/// How a list was read; a repeated request gets the same.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Summary {
    accepted: usize,
    duplicates: usize,
    rejected: Vec<RejectedLine>,
    column: Option<ChosenColumn>,
    notes: Vec<String>,
    skipped: usize,
    skipped_domains: Vec<SkippedDomain>,
}

impl Summary {
    /// The response, with the batch and its log position, if there is one.
    fn answer(self, batch: Option<(Uuid, i64)>) -> Response {
        let Self {
            accepted,
            duplicates,
            rejected,
            column,
            notes,
            skipped,
            skipped_domains,
        } = self;
        let answer = Json(AcceptedBatch {
            batch_id: batch.map(|(id, _)| id),
            accepted,
            duplicates,
            rejected,
            column,
            notes,
            skipped,
            skipped_domains,
            position: batch.map(|(_, position)| position),
            links: batch.map_or_else(BTreeMap::new, |(id, _)| batch_links(id)),
        });
        match batch {
            None => answer.into_response(),
            Some((id, _)) => {
                let location = [(header::LOCATION, format!("/api/v4/batches/{id}"))];
                (StatusCode::ACCEPTED, location, answer).into_response()
            }
        }
    }
}

/// Maximum number of skipped domains in a response.
const MAX_NAMED: usize = 1000;

/// A list of domains, with options.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which is read item by item")]
pub(super) struct NewBatch {
    /// 1 to 100,000 domains.
    #[schema(example = json!(["example.com", "example.org"]))]
    domains: Vec<String>,
    /// Maximum number of HTML pages per domain, 1 to 100; other values are clamped.
    #[schema(example = 4)]
    max_pages: Option<i64>,
    /// Maximum number of concurrent scans of the batch, 1 to 1000; default 50; other values are clamped.
    #[schema(example = 50)]
    max_concurrent: Option<i64>,
    /// Days, may be a fraction; domains with a more recent completed scan are skipped.
    #[schema(example = 7)]
    max_age_days: Option<f64>,
    /// Files to fetch in addition to pages and sitemaps.
    #[schema(example = json!(["security_txt"]))]
    files: Option<Vec<SiteFile>>,
    /// Number of URLs of each domain's sitemaps to fetch and check, 0 to 100; other values are clamped.
    sitemap_sample: Option<i64>,
}

/// Starts scans of all domains in a list: JSON, NDJSON, CSV in any dialect, Excel (.xlsx) or plain text. The column
/// with the domains is detected by its name, in many languages, or by its content.
#[utoipa::path(
    post, path = "/batches", tag = "batches", params(BatchQuery),
    request_body(content((NewBatch = "application/json"), (String = "text/csv"), (String = "text/plain"), (String = "application/x-ndjson"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses(
        (status = 202, description = "Accepted; will be completed", body = AcceptedBatch),
        (status = 200, description = "No new scans: a dry run, or recent scans of all domains were reused", body = AcceptedBatch),
        (status = 400, description = "The list cannot be read", body = Problem),
        (status = 413, description = "Larger than 32 MB", body = Problem),
        (status = 415, description = "The content is not JSON, NDJSON, CSV, plain text or an Excel file", body = Problem),
        (status = 422, description = "No valid domain, more than 100,000 domains, or more than the tenant's quota", body = Problem),
        (status = 503, description = "The request may not have been recorded; send it again with the same `Idempotency-Key`", body = Problem),
    )
)]
pub(super) async fn create_batch(
    State(state): State<ApiState>,
    QueryOf(query): QueryOf<BatchQuery>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let _turn = wait_for_list_turn(&state, request.context.tenant).await?;
    let mut input = read(&request, &query).await?;
    let age = fresh::age(input.max_age_days.or(query.max_age_days))?;
    require_acceptable(&state, request.context.tenant, &input).await?;
    let is_dry = query.dry_run.unwrap_or(false);
    if age.is_some()
        && !is_dry
        && let Some(first) = request.first_result(&state).await?
        && first["batch_id"].is_null()
    {
        return Ok(summary_in(&first["summary"]).answer(None));
    }
    let mut summary = Summary::default();
    if let Some(age) = age {
        skip_recent(
            &state,
            request.context.tenant,
            age,
            &mut input.items,
            &mut summary,
        )
        .await?;
    }
    summary.accepted = input.items.len();
    summary.duplicates = input.duplicates;
    summary.rejected = input.rejected;
    summary.column = input.column;
    summary.notes = input.notes;
    if is_dry {
        require_room_for_urls(&state, request.context.tenant).await?;
        return Ok(summary.answer(None));
    }
    let said = serde_json::to_value(&summary).unwrap_or_default();
    if input.items.is_empty() {
        let noted = json!({ "batch_id": null, "summary": said });
        let first = store_response(&state.bus, noted, &request.context).await?;
        if first["batch_id"].is_null() {
            return Ok(summary_in(&first["summary"]).answer(None));
        }
    }
    require_room_for_urls(&state, request.context.tenant).await?;
    let batch = request_batch(&state.bus, &input.items, input.options, said, &request.context).await?;
    let summary = batch.first_summary.as_ref().map_or(summary, summary_in);
    Ok(summary.answer(Some((batch.batch_id.0, batch.position))))
}

/// Reads the list on a separate thread, because a long one takes a while.
async fn read(request: &CommandRequest, query: &BatchQuery) -> Result<BatchInput, Problem> {
    let (media_type, charset) = (request.media_type(), request.charset().map(str::to_owned));
    let (body, column) = (request.body_bytes(), query.column.clone());
    let max_concurrent = query.max_concurrent;
    let scan = WantedScan {
        max_pages: query.max_pages,
        files: files_of(query.files.as_deref())?,
        sitemap_sample: query.sitemap_sample,
    };
    in_background(move || {
        let beside = ListParameters {
            charset: charset.as_deref(),
            column: column.as_deref(),
            scan,
            max_concurrent,
        };
        BatchInput::read(&media_type, &body, beside)
    })
    .await
}

fn files_of(codes: Option<&str>) -> Result<SiteFileSet, Problem> {
    codes.unwrap_or_default().parse().map_err(|error| {
        let detail =
            format!("files: {error}. Known are security_txt, ads_txt, humans_txt, llms_txt, icon and logo.");
        Problem::of(ProblemCode::InvalidField, detail)
    })
}

fn summary_in(noted: &Value) -> Summary {
    Summary::deserialize(noted).unwrap_or_default()
}

/// Removes the domains that were scanned recently.
async fn skip_recent(
    state: &ApiState,
    tenant: TenantId,
    age: TimeDelta,
    items: &mut Vec<BatchItem>,
    summary: &mut Summary,
) -> Result<(), Problem> {
    let names: Vec<&str> = items.iter().filter_map(BatchItem::domain).collect();
    let scanned = jobs::query::scanned_within(&state.models, tenant, &names, age).await?;
    BatchItem::retain(items, |item| {
        let Some((domain, (scan, at))) = item.domain().and_then(|name| scanned.get_key_value(name)) else {
            return true;
        };
        summary.skipped += 1;
        if summary.skipped_domains.len() < MAX_NAMED {
            summary.skipped_domains.push(SkippedDomain {
                line: item.line(),
                domain: domain.clone(),
                scan_id: scan.0,
                completed_at: *at,
            });
        }
        false
    });
    Ok(())
}
