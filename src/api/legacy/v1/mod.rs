//! `/api/v1`: single scans and batches of at most 100 domains, as the predecessor offered them.

mod body;
mod create_batch;
mod create_scan;
mod error;
mod get_batch_status;
mod get_scan_status;
mod owner;
mod words;

use std::any::Any;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::api::ApiState;
use crate::api::problem::Problem;
use error::LegacyError;

/// RFC 9745: 1 March 2025, when the predecessor itself began to call these paths deprecated.
const DEPRECATED_SINCE: &str = "@1740787200";
const SCANS_NOW: &str = r#"</api/v4/scans>; rel="successor-version""#;
const BATCHES_NOW: &str = r#"</api/v4/batches>; rel="successor-version""#;

/// The four routes, to be nested at `/api/v1`; what they do not know is answered in the old words, too.
pub(in crate::api) fn router(state: &ApiState) -> Router<ApiState> {
    let scans = Router::new()
        .route("/scrapersky", post(create_scan::create_scan))
        .route("/status/{job_id}", get(get_scan_status::get_scan_status))
        .route_layer(from_fn_with_state(state.clone(), owner::admit))
        .layer(map_response(async |answer: Response| {
            deprecated(answer, SCANS_NOW)
        }));
    let batches = Router::new()
        .route("/batch", post(create_batch::create_batch))
        .route(
            "/batch/status/{batch_id}",
            get(get_batch_status::get_batch_status),
        )
        .route_layer(from_fn_with_state(state.clone(), owner::admit))
        .layer(map_response(async |answer: Response| {
            deprecated(answer, BATCHES_NOW)
        }));
    scans
        .merge(batches)
        .fallback(no_such_path)
        .method_not_allowed_fallback(async || {
            LegacyError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(CatchPanicLayer::custom(after_panic))
}

/// Headers that old clients do not read and new ones can follow.
fn deprecated(mut answer: Response, successor: &'static str) -> Response {
    let headers = answer.headers_mut();
    headers.insert(
        HeaderName::from_static("deprecation"),
        HeaderValue::from_static(DEPRECATED_SINCE),
    );
    headers.insert(header::LINK, HeaderValue::from_static(successor));
    answer
}

/// The predecessor sent a path with a slash too many to the one without.
async fn no_such_path(OriginalUri(uri): OriginalUri) -> Response {
    let Some(path) = uri.path().strip_suffix('/') else {
        return LegacyError::new(StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("{path}{query}")).into_response()
}

fn after_panic(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("A handler panicked");
    LegacyError::from(Problem::internal()).into_response()
}
