//! `POST /scans`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::views::{AcceptedScan, EndedScan};
use crate::api::at_least::AtLeast;
use crate::api::list_quotas::require_room_for_urls;
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::api::request::CommandRequest;
use crate::api::wait::{self, Waited};
use crate::api::{ApiState, fresh};
use crate::commands::request_scan::request_scan;
use crate::commands::store_response::store_response;
use crate::projections::jobs::{self, JobRow, Jobs};
use crate::values::site_files::SiteFile;
use crate::values::{DomainName, ScanId, ScanOptions, WantedScan};

/// A request for a scan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewScan {
    /// A domain, or a URL, of which only the domain is used.
    #[schema(example = "example.com")]
    domain: String,
    /// Maximum number of HTML pages, 1 to 100; other values are clamped.
    #[schema(example = 4)]
    max_pages: Option<i64>,
    /// Days, may be a fraction: a more recent completed scan of the domain is reused.
    #[schema(example = 7, minimum = 0, maximum = 36_500)]
    max_age_days: Option<f64>,
    /// Files to fetch in addition to pages and sitemaps.
    #[serde(default)]
    #[schema(example = json!(["security_txt"]))]
    files: Vec<SiteFile>,
    /// Number of URLs of the sitemaps to fetch and check, 0 to 100; other values are clamped.
    #[schema(example = 0)]
    sitemap_sample: Option<i64>,
}

/// Maximum characters of an input that a response repeats; no domain has more.
const MAX_SHOWN: usize = 300;

fn shown(input: &str) -> String {
    input.chars().take(MAX_SHOWN).collect()
}

/// Starts a scan of one domain. With `Prefer: wait=N` the server waits up to N seconds (60 at most) for the result.
#[utoipa::path(
    post, path = "/scans", tag = "scans", request_body = NewScan,
    params(("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds for the result (RFC 7240)")),
    responses(
        (status = 202, description = "Accepted; will be completed", body = AcceptedScan),
        (status = 200, description = "The scan ended while the server waited, or a recent scan was reused", body = EndedScan),
        (status = 400, description = "Invalid JSON, tenant or idempotency key", body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem),
        (status = 422, description = "The input is not a domain, or the idempotency key belongs to another request", body = Problem),
        (status = 503, description = "The request may not have been recorded; send it again with the same `Idempotency-Key`", body = Problem),
    )
)]
pub(super) async fn create_scan(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let new: NewScan = request.json()?;
    let domain = DomainName::parse(&new.domain).map_err(|error| {
        Problem::of(ProblemCode::InvalidDomain, sentence(&error)).with("input", shown(&new.domain))
    })?;
    if let Some(age) = fresh::age(new.max_age_days)?
        && let Some(row) = reusable(&state, &domain, age, &request).await?
    {
        let (scan, reused) = (row.into(), true);
        return Ok(Json(EndedScan { scan, reused }).into_response());
    }
    require_room_for_urls(&state, request.context.tenant).await?;
    let options = ScanOptions::wanted(WantedScan {
        max_pages: new.max_pages,
        files: new.files.into(),
        sitemap_sample: new.sitemap_sample,
    });
    let scan = request_scan(&state.bus, domain, options, &request.context).await?;
    let (tenant, id) = (request.context.tenant, scan.scan_id);
    let wanted = wait::asked(&request.headers);
    // Frees the memory of the body while this request waits.
    drop(request);
    let location = [(header::LOCATION, format!("/api/v4/scans/{id}"))];
    let mut waited = None;
    if let Some(seconds) = wanted {
        match wait::for_end(&state, tenant, &id.to_string(), seconds).await? {
            Waited::NoSlot => {}
            Waited::TimedOut => waited = Some(wait::applied(seconds)),
            Waited::Ended(position) => {
                let at_least = Some(position);
                AtLeast { at_least }.wait::<Jobs>(&state).await?;
                let row = jobs::query::find(&state.models, tenant, id).await?;
                let row = row.ok_or_else(|| Problem::not_found("scan"))?;
                let (scan, reused) = (row.into(), false);
                let answer = Json(EndedScan { scan, reused });
                return Ok((location, wait::applied(seconds), answer).into_response());
            }
        }
    }
    let answer = AcceptedScan::new(id.0, "pending", scan.position);
    let mut response = (StatusCode::ACCEPTED, location, Json(answer)).into_response();
    response.headers_mut().extend(waited.into_iter().flatten());
    Ok(response)
}

/// The recent scan that is returned instead of a new one. A repeated key gets the scan of its first use, even if that
/// was a new scan, or is too old by now.
async fn reusable(
    state: &ApiState,
    domain: &DomainName,
    age: TimeDelta,
    request: &CommandRequest,
) -> Result<Option<JobRow>, Problem> {
    let context = &request.context;
    let scan_in = |noted: &Value| -> Option<ScanId> {
        (noted["reused"] == true)
            .then(|| noted["scan_id"].as_str()?.parse().ok())
            .flatten()
    };
    if let Some(first) = request.first_result(state).await? {
        let Some(id) = scan_in(&first) else {
            return Ok(None);
        };
        return Ok(jobs::query::find(&state.models, context.tenant, id).await?);
    }
    let Some(row) = jobs::query::latest_within(&state.models, context.tenant, domain, age).await? else {
        return Ok(None);
    };
    let noted = json!({ "scan_id": row.scan_id, "reused": true });
    let first = store_response(&state.bus, noted, context).await?;
    // A concurrent request with the same key may have been first, with another answer.
    Ok(scan_in(&first).filter(|id| *id == row.scan_id).map(|_| row))
}
