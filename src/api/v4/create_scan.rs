//! `POST /scans`.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::views::AcceptedScan;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::quota::require_room_for_urls;
use crate::api::request::CommandRequest;
use crate::commands::request_scan::request_scan;
use crate::values::{DomainName, ScanOptions};

/// A scan to do.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewScan {
    /// A domain, or an URL that is cut down to its domain.
    #[schema(example = "example.com")]
    domain: String,
    /// HTML pages read at most, 1 to 100; out of range is brought to the nearest bound.
    #[schema(example = 4)]
    max_pages: Option<i64>,
}

/// Characters of an input that an answer says again at most; no domain has more.
const MAX_SHOWN: usize = 300;

fn shown(input: &str) -> String {
    input.chars().take(MAX_SHOWN).collect()
}

/// Requests the scan of one domain.
#[utoipa::path(
    post, path = "/scans", tag = "scans", request_body = NewScan,
    responses(
        (status = 202, description = "Written down; it will be done", body = AcceptedScan),
        (status = 400, description = "Broken JSON, tenant or key", body = Problem),
        (status = 415, description = "Not JSON", body = Problem),
        (status = 422, description = "Not a domain, or the key belongs to another request", body = Problem),
        (status = 503, description = "Nothing was accepted; repeat", body = Problem),
    )
)]
pub(super) async fn create_scan(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let new: NewScan = request.json()?;
    let domain = DomainName::parse(&new.domain).map_err(|error| {
        Problem::unprocessable("invalid_domain", error.to_string()).with("input", shown(&new.domain))
    })?;
    require_room_for_urls(&state, request.context.tenant).await?;
    let options = ScanOptions::with_max_pages(new.max_pages);
    let scan = request_scan(&state.bus, domain, options, &request.context).await?;
    let location = format!("/api/v4/scans/{}", scan.scan_id);
    let answer = AcceptedScan::new(scan.scan_id.0, "pending", scan.position);
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], Json(answer)).into_response())
}
