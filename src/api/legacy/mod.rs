//! The predecessor's paths: thin adapters over v4's commands and queries, in the formats of the predecessor, so that
//! old clients work unchanged. `docs/legacy.md` lists each intended difference. Features that only v4 has do not
//! belong here.

mod backend;
mod body;
mod error;
mod headers;
mod owner;
mod pages;
mod requests;
pub mod settings;
mod v1;
mod v2025_03;
mod v3;
mod words;

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::ApiState;
use super::problem::Problem;
use error::LegacyError;

/// All that the predecessor's clients call.
pub(super) fn router(state: &ApiState) -> Router<ApiState> {
    let v1 = fallbacks(v1::router(state).merge(v2025_03::v1(state)));
    let v2 = v2025_03::dialect(fallbacks(v2025_03::v2(state)));
    Router::new()
        // Health checks of old installations use this path; `/readyz` reports more.
        .route("/health", get(async || Json(json!({ "status": "healthy" }))))
        .route("/health/database", get(database_health))
        .nest("/api/v1", v1)
        .nest("/api/v2", v2)
        // The predecessor mounted some of its routers twice under the prefix; both forms were in use.
        .nest("/api/v3/api/v3", v3::router(state))
        .nest("/api/v3", v3::router(state))
        .merge(pages::router(state))
}

/// Requests for unknown routes get errors in the version's own format, too.
fn fallbacks(routes: Router<ApiState>) -> Router<ApiState> {
    routes
        .fallback(no_such_path)
        .method_not_allowed_fallback(async || {
            LegacyError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        })
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send + 'static>| {
                tracing::error!("A handler panicked");
                LegacyError::from(Problem::internal()).into_response()
            },
        ))
}

/// The predecessor redirected a path with an extra slash to the path without it.
async fn no_such_path(OriginalUri(uri): OriginalUri) -> Response {
    let Some(path) = uri.path().strip_suffix('/') else {
        return LegacyError::new(StatusCode::NOT_FOUND, "Not Found").into_response();
    };
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::temporary(&format!("{path}{query}")).into_response()
}

async fn database_health(State(state): State<ApiState>) -> (StatusCode, Json<Value>) {
    let (status, word, message) = match state.log.head().await {
        Ok(_) => (StatusCode::OK, "ok", "Database connection successful"),
        Err(_) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "error",
            "Database connection failed",
        ),
    };
    (status, Json(json!({ "status": word, "message": message })))
}
