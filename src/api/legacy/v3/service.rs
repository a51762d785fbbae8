//! The health check of the predecessor's page scraper.

use axum::Json;
use axum::extract::{Query, State};
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::ApiState;
use crate::api::legacy::words::timestamp;

/// `GET /batch_page_scraper/health`.
pub(super) async fn health(State(state): State<ApiState>) -> Json<Value> {
    let (status, message) = match state.log.head().await {
        Ok(_) => ("OK", "Batch page scraper service is healthy"),
        Err(_) => ("ERROR", "Health check failed: the database does not answer"),
    };
    Json(json!({ "status": status, "message": message, "timestamp": timestamp(Utc::now()) }))
}

#[derive(Debug, Deserialize)]
pub(super) struct TestData {
    test_data: Option<String>,
}

/// `GET /batch_page_scraper/test_background_task`: there are no background tasks that could be lost any more.
pub(super) async fn test_background_task(Query(query): Query<TestData>) -> Json<Value> {
    Json(json!({
        "status": "success",
        "message": "Work is queued durably; there is nothing to test",
        "test_id": Uuid::new_v4(),
        "test_data": query.test_data.unwrap_or_else(|| "test_value".to_owned()),
        "timestamp": timestamp(Utc::now()),
    }))
}
