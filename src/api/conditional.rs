//! `ETag` and `If-None-Match` (RFC 9110, section 13): a client that polls gets 304 while nothing has changed.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A JSON response whose content is determined by its log position.
pub(super) fn answer<T: Serialize>(headers: &HeaderMap, position: i64, content: T) -> Response {
    let tag = format!("W/\"{position}\"");
    let Ok(value) = HeaderValue::from_str(&tag) else {
        return Json(content).into_response();
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    // Compared weakly (RFC 9110, 13.1.2): an intermediary may have made a strong tag of it.
    let opaque = tag.trim_start_matches("W/");
    let unchanged = known
        .split(',')
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == opaque);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Json(content).into_response()
    };
    response.headers_mut().insert(header::ETAG, value);
    // The same path is another tenant's resource for another caller.
    let whose = HeaderValue::from_static("authorization, x-tenant-id");
    response.headers_mut().insert(header::VARY, whose);
    response
}
