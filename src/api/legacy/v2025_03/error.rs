//! Errors in the format of March 2025: `{"detail": {"error_code", "message", "timestamp", "request_id", "context"}}`.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::Utc;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::legacy::error::{LegacyError, rewritten};
use crate::api::legacy::words;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Converts errors to this format; the request id is the one in the log.
pub(super) async fn convert_errors(mut request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = given
        .filter(|id| (1..=128).contains(&id.len()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    rewritten(next.run(request).await, |error| body_of(error, &id))
}

fn body_of(error: &LegacyError, request_id: &str) -> Value {
    // Bodies that did not fit were answered by the framework, as in v1.
    if error.status == StatusCode::UNPROCESSABLE_ENTITY && error.detail().is_array() {
        return error.content.clone();
    }
    let context = match &error.not_a_domain {
        Some(domain) => json!({ "domain": domain }),
        None => json!({}),
    };
    json!({ "detail": {
        "error_code": code(error),
        "message": error.detail(),
        "timestamp": words::timestamp(Utc::now()),
        "request_id": request_id,
        "context": context,
    } })
}

fn code(error: &LegacyError) -> &'static str {
    match error.status {
        _ if error.not_a_domain.is_some() => "domain_validation_error",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "validation_error",
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "payload_too_large",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_exceeded",
        StatusCode::SERVICE_UNAVAILABLE => "service_unavailable",
        _ => "internal_error",
    }
}
