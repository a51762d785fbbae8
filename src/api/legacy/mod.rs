//! The predecessor's paths: thin adapters that say v4's commands and queries in the old words, so that old clients
//! work unchanged. `docs/legacy.md` lists each difference that is meant. Not here: anything that only v4 can do.

mod v1;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::ApiState;

/// All that the predecessor's clients call.
pub(super) fn router(state: &ApiState) -> Router<ApiState> {
    // Monitors of old installations ask here; `/readyz` tells more.
    Router::new()
        .route("/health", get(async || Json(json!({ "status": "healthy" }))))
        .nest("/api/v1", v1::router(state))
}
