//! `GET /monitors`, `GET /monitors/{id}` and `GET /monitors/{id}/runs`.

use axum::Json;
use axum::extract::State;

use super::monitor_views::{MonitorView, RunView};
use super::views::Page;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::monitors::rows::{self, MonitorRow};
use crate::projections::query::Listed;
use crate::values::{MonitorId, TenantId};

/// Lists the tenant's monitors, oldest first.
#[utoipa::path(
    get, path = "/monitors", tag = "monitors", params(Paging, AtLeast),
    responses((status = 200, body = Page<MonitorView>), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_monitors(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<MonitorView>>, Problem> {
    wait(&state, at_least).await?;
    let limit = paging.limit()?;
    let rows = rows::list(state.monitors.pool(), tenant, paging.after()?, limit + 1).await?;
    let listed = Listed::of(rows, limit, |row| row.position.to_string());
    Ok(Json(Page {
        items: listed.items.into_iter().map(MonitorView::from).collect(),
        next: listed.next,
    }))
}

/// One monitor: its settings, its last run and when it runs next.
#[utoipa::path(
    get, path = "/monitors/{id}", tag = "monitors", params(("id" = uuid::Uuid, Path), AtLeast),
    responses((status = 200, body = MonitorView), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn get_monitor(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<MonitorId>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<MonitorView>, Problem> {
    wait(&state, at_least).await?;
    let row = find_monitor(&state, tenant, id).await?;
    row.map(|row| Json(row.into()))
        .ok_or_else(|| Problem::not_found("monitor"))
}

/// Lists the runs of a monitor, newest first, including skipped runs.
#[utoipa::path(
    get, path = "/monitors/{id}/runs", tag = "monitors", params(("id" = uuid::Uuid, Path), Paging, AtLeast),
    responses(
        (status = 200, body = Page<RunView>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_runs(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<MonitorId>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<RunView>>, Problem> {
    wait(&state, at_least).await?;
    let pool = state.monitors.pool();
    if find_monitor(&state, tenant, id).await?.is_none() {
        return Err(Problem::not_found("monitor"));
    }
    let limit = paging.limit()?;
    let rows = rows::runs(pool, tenant, id, paging.after()?, limit + 1).await?;
    let listed = Listed::of(rows, limit, |row| row.position.to_string());
    Ok(Json(Page {
        items: listed.items.into_iter().map(RunView::from).collect(),
        next: listed.next,
    }))
}

/// A monitor's row; waits for it if the log knows the monitor.
pub(crate) async fn find_monitor(
    state: &ApiState,
    tenant: TenantId,
    id: MonitorId,
) -> Result<Option<MonitorRow>, Problem> {
    if let Some(row) = rows::find(state.monitors.pool(), tenant, id).await? {
        return Ok(Some(row));
    }
    let stream = id.0.to_string();
    let at_least = state.log.stream_position(tenant, "monitor", &stream).await?;
    if at_least.is_none() {
        return Ok(None);
    }
    wait(state, AtLeast { at_least }).await?;
    Ok(rows::find(state.monitors.pool(), tenant, id).await?)
}

/// Waits until the tables of monitors have reached the requested position.
pub(crate) async fn wait(state: &ApiState, at_least: AtLeast) -> Result<(), Problem> {
    let pool = state.monitors.pool();
    at_least.wait_until("Monitors", || rows::reached(pool)).await
}
