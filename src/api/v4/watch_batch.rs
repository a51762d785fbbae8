//! `GET /batches/{id}/events`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{PathOf, QueryOf, Tenant};
use crate::api::watch::{self, WatchQuery, Watched};
use crate::values::BatchId;

/// Streams the progress of a batch: server-sent events for the batch's stream and for the status of its scans; for the
/// files and pages that a scan read, watch the scan itself. `id` is the log position, `event` the type, `data` the
/// event as JSON in one line. The stream ends when the batch has ended; a reconnect with `Last-Event-ID` continues
/// after that event.
#[utoipa::path(
    get, path = "/batches/{id}/events", tag = "batches",
    params(
        ("id" = uuid::Uuid, Path), WatchQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The `id` of the last event that you received"),
    ),
    responses(
        (status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The batch has ended, and you have received all events"),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 429, description = "The tenant has reached the maximum number of open event streams", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn watch_batch(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<BatchId>,
    QueryOf(query): QueryOf<WatchQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    watch::open(&state, tenant, Watched::Batch(id.to_string()), query, &headers).await
}
