//! Errors of v3: `{"error": true, "message": …, "status_code": n}`, with an additional `detail`, which the old pages
//! read.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::legacy::error::{LegacyError, rewritten};

/// Converts errors of these routes to this format.
pub(super) fn dialect(routes: Router<ApiState>) -> Router<ApiState> {
    routes.layer(map_response(async |answer: Response| rewritten(answer, body_of)))
}

fn body_of(error: &LegacyError) -> Value {
    let detail = error.detail();
    if let (StatusCode::UNPROCESSABLE_ENTITY, Some(problems)) = (error.status, detail.as_array()) {
        let problems: Vec<Value> = problems
            .iter()
            .map(|problem| json!({ "loc": problem["loc"], "msg": problem["msg"], "type": problem["type"] }))
            .collect();
        return json!({ "detail": problems, "error": true });
    }
    let message = match detail.as_str() {
        Some("Invalid authentication credentials") => json!("Could not validate credentials"),
        Some(_) if error.status == StatusCode::INTERNAL_SERVER_ERROR => json!("Internal server error"),
        _ => detail.clone(),
    };
    let shown = message["error"].as_str().or(message.as_str()).unwrap_or_default();
    let mut content = json!({
        "error": true,
        "message": message,
        "status_code": error.status.as_u16(),
        "detail": shown,
    });
    if error.status == StatusCode::INTERNAL_SERVER_ERROR {
        content["error_detail"] = detail.clone();
    }
    content
}
