//! The style sheet and the scripts of the pages. They are in the binary; nothing is loaded from other hosts.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::api::ApiState;

pub(super) const STYLE: &str = concat!("/assets/app.css?v=", env!("CARGO_PKG_VERSION"));
pub(super) const SCRIPT: &str = concat!("/assets/app.js?v=", env!("CARGO_PKG_VERSION"));
pub(super) const ICON: &str = "/assets/icon.svg";

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route(
            "/assets/app.css",
            get(async || file("text/css; charset=utf-8", include_str!("assets/app.css"))),
        )
        .route(
            "/assets/app.js",
            get(async || file("text/javascript; charset=utf-8", include_str!("assets/app.js"))),
        )
        .route(
            "/assets/icon.svg",
            get(async || file("image/svg+xml", include_str!("assets/icon.svg"))),
        )
        .route(
            "/favicon.ico",
            get(async || file("image/svg+xml", include_str!("assets/icon.svg"))),
        )
}

fn file(kind: &'static str, content: &'static str) -> Response {
    // An hour: after an update, an old script is used for no longer.
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, content).into_response()
}
