//! Compresses larger responses for clients that accept it (RFC 9110, 8.4). Tags (`ETag`) are weak, so a tag is the
//! same for every encoding of a response.

use axum::http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{And, Predicate, SizeAbove};

/// Responses below this size fit into one or two packets.
const MIN_SIZE: u16 = 1024;

/// Kinds that are texts; workbooks are compressed already, and event streams must not be held back.
const KINDS: [&str; 9] = [
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "text/csv",
    "text/html",
    "text/css",
    "text/javascript",
    "image/svg+xml",
    "text/plain",
];

type IsText = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// The layer, at the fastest level, because the machine needs its CPU time for scans.
pub(super) fn layer() -> CompressionLayer<And<SizeAbove, IsText>> {
    let is_text: IsText = |_, _, headers, _| is_text(headers);
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(u64::from(MIN_SIZE)).and(is_text))
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    KINDS.contains(&kind)
}
