//! `/openapi.json`, from the handlers themselves.

use axum::http::header;
use axum::routing::get;
use axum::{Router, response::IntoResponse};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiState, health, metrics, v4};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "sitelog",
        description = "Event-sourced web scanning. Send domains, poll or read what was found; every change is an event in a log that can be read."
    ),
    tags(
        (name = "scans", description = "One domain each"),
        (name = "batches", description = "Lists of domains"),
        (name = "domains", description = "What is known of each domain"),
        (name = "events", description = "The log"),
        (name = "operations", description = "For who runs the service")
    )
)]
struct Document;

/// The routes that the document describes.
pub(super) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .routes(routes!(metrics::metrics))
        .nest("/api/v4", v4::router())
}

/// The document itself.
pub(super) fn routes(document: &utoipa::openapi::OpenApi) -> Router<ApiState> {
    let json = document.to_pretty_json().expect("the document is plain data");
    Router::new().route(
        "/openapi.json",
        get(move || {
            let json = json.clone();
            async move { ([(header::CONTENT_TYPE, "application/json")], json).into_response() }
        }),
    )
}

/// The document as text, for `sitelog openapi` and the snapshot.
pub fn document() -> String {
    documented()
        .split_for_parts()
        .1
        .to_pretty_json()
        .expect("the document is plain data")
}
