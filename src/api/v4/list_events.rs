//! `GET /events` and `GET /streams/{type}/{id}`: the audit trail.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Event, Page};
use crate::aggregates::STREAM_TYPES;
use crate::api::ApiState;
use crate::api::at_least::log_position;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{PathOf, QueryOf, Tenant};
use crate::log::read::EventFilter;
use crate::projections::query::{MAX_LIMIT, encode_cursor};
use crate::values::TenantId;

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// Only events after this log position.
    #[serde(default, deserialize_with = "log_position")]
    after: Option<i64>,
    /// Only events of this scan, batch, webhook, monitor or tenant (its keys and quotas).
    stream: Option<String>,
    /// Maximum number of events: 1 to 1000, default 100.
    limit: Option<i64>,
    /// `next` of the previous page; overrides `after`.
    cursor: Option<String>,
}

/// Lists the tenant's events in log order.
#[utoipa::path(
    get, path = "/events", tag = "events", params(EventQuery),
    responses((status = 200, body = Page<Event>), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_events(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<EventQuery>,
) -> Result<Json<Page<Event>>, Problem> {
    let stream = query.stream.clone().map(|id| (STREAM_TYPES, id));
    let filter = EventFilter {
        tenant: Some(tenant),
        stream,
        after: query.start()?,
        limit: query.limit()?,
    };
    page(&state, tenant, filter).await
}

/// Lists the events of one stream: the whole history of a scan, a batch, a webhook, a monitor, or the keys
/// and quotas of a tenant.
#[utoipa::path(
    get, path = "/streams/{type}/{id}", tag = "events",
    params(("type" = String, Path, description = "`domain_scan`, `batch_scan`, `webhook`, `monitor` or `tenant`"), ("id" = uuid::Uuid, Path), EventQuery),
    responses(
        (status = 200, body = Page<Event>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn get_stream(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf((kind, id)): PathOf<(String, uuid::Uuid)>,
    QueryOf(query): QueryOf<EventQuery>,
) -> Result<Json<Page<Event>>, Problem> {
    let known = STREAM_TYPES
        .iter()
        .find(|known| **known == kind)
        .ok_or_else(|| Problem::not_found("stream"))?;
    if state
        .log
        .stream_position(tenant, known, &id.to_string())
        .await?
        .is_none()
    {
        return Err(Problem::not_found("stream"));
    }
    let stream = Some((std::slice::from_ref(known), id.to_string()));
    page(
        &state,
        tenant,
        EventFilter {
            tenant: Some(tenant),
            stream,
            after: query.start()?,
            limit: query.limit()?,
        },
    )
    .await
}

async fn page(state: &ApiState, tenant: TenantId, filter: EventFilter) -> Result<Json<Page<Event>>, Problem> {
    let state = state.for_long_reads();
    let _turn = state.models.turn(tenant).await?;
    let wanted = usize::try_from(filter.limit).unwrap_or(0);
    let mut events = state
        .log
        .events(&EventFilter {
            limit: filter.limit + 1,
            ..filter
        })
        .await?;
    let more = events.len() > wanted;
    events.truncate(wanted);
    let next = events
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.position.to_string()));
    Ok(Json(Page {
        items: events.into_iter().map(Event::from).collect(),
        next,
    }))
}

impl EventQuery {
    fn start(&self) -> Result<i64, Problem> {
        let paging = crate::api::request::Paging {
            limit: None,
            cursor: self.cursor.clone(),
        };
        Ok(paging.after()?.or(self.after).unwrap_or(0))
    }

    fn limit(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(100) {
            limit @ 1..=MAX_LIMIT => Ok(limit),
            other => Err(Problem::of(
                ProblemCode::InvalidQuery,
                format!("limit is {other}; it must be 1 to 1000."),
            )),
        }
    }
}
