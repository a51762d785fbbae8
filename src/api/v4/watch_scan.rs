//! `GET /scans/{id}/events`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{PathOf, QueryOf, Tenant};
use crate::api::watch::{self, WatchQuery, Watched};
use crate::values::ScanId;

/// Streams the progress of a scan: server-sent events, one per event of its stream. `id` is the log position, `event`
/// the type, `data` the event as JSON in one line. The stream ends when the scan has ended; a reconnect with
/// `Last-Event-ID` continues after that event.
#[utoipa::path(
    get, path = "/scans/{id}/events", tag = "scans",
    params(
        ("id" = uuid::Uuid, Path), WatchQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The `id` of the last event that you received"),
    ),
    responses(
        (status = 200, description = "The stream of events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The scan has ended, and you have received all events"),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 429, description = "The tenant has reached the maximum number of open event streams", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn watch_scan(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<ScanId>,
    QueryOf(query): QueryOf<WatchQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    watch::open(&state, tenant, Watched::Scan(id.to_string()), query, &headers).await
}
