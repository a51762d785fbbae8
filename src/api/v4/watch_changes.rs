//! `GET /changes/events`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::list_changes::ChangeQuery;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{Paging, QueryOf, Tenant};
use crate::api::watch;

/// Streams what changes in domains as it is found: server-sent events in the order of the log. `id` is the log position,
/// `event` is `DomainChanged`, `data` an item of `GET /changes` in one line. The stream starts after `since`, or now; a
/// reconnect with `Last-Event-ID` continues after that change. It does not end.
#[utoipa::path(
    get, path = "/changes/events", tag = "changes",
    params(
        ChangeQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The `id` of the last change that you received"),
    ),
    responses(
        (status = 200, description = "The stream of changes", body = String, content_type = "text/event-stream"),
        (status = 400, body = Problem),
        (status = 429, description = "The tenant has reached the maximum number of open event streams", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn watch_changes(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<ChangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if query.sort.as_deref().is_some_and(|sort| sort != "position") {
        let detail = "sort must be position: an event stream is in the order of the log.";
        return Err(Problem::of(ProblemCode::InvalidQuery, detail));
    }
    let filter = query.filter(&state, tenant, &Paging::default()).await?;
    let since = query.since.is_some().then_some(filter.since);
    watch::changes::open(&state, tenant, filter, since, &headers).await
}
