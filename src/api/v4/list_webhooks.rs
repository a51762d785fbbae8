//! `GET /webhooks`, `GET /webhooks/{id}` and `GET /webhooks/{id}/deliveries`.

use axum::Json;
use axum::extract::State;

use super::views::Page;
use super::webhook_views::{DeliveryView, WebhookView};
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::query::Listed;
use crate::values::{TenantId, WebhookId};
use crate::webhooks::rows::{self, WebhookRow};

/// Lists the tenant's webhooks, oldest first.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks", params(AtLeast),
    responses((status = 200, body = Page<WebhookView>), (status = 503, body = Problem))
)]
pub(super) async fn list_webhooks(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<WebhookView>>, Problem> {
    wait(&state, at_least).await?;
    let rows = rows::list(state.webhooks.pool(), tenant).await?;
    Ok(Json(Page {
        items: rows.into_iter().map(WebhookView::from).collect(),
        next: None,
    }))
}

/// One webhook: its settings and delivery position.
#[utoipa::path(
    get, path = "/webhooks/{id}", tag = "webhooks", params(("id" = uuid::Uuid, Path), AtLeast),
    responses((status = 200, body = WebhookView), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn get_webhook(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<WebhookId>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<WebhookView>, Problem> {
    wait(&state, at_least).await?;
    let row = find_webhook(&state, tenant, id).await?;
    row.map(|row| Json(row.into()))
        .ok_or_else(|| Problem::not_found("webhook"))
}

/// Lists the attempts to deliver events to a webhook in the last 30 days, newest first: status, response and
/// duration.
#[utoipa::path(
    get, path = "/webhooks/{id}/deliveries", tag = "webhooks", params(("id" = uuid::Uuid, Path), Paging),
    responses(
        (status = 200, body = Page<DeliveryView>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_deliveries(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<WebhookId>,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let pool = state.webhooks.pool();
    if find_webhook(&state, tenant, id).await?.is_none() {
        return Err(Problem::not_found("webhook"));
    }
    let limit = paging.limit()?;
    let rows = rows::deliveries(pool, tenant, id, paging.after()?, limit + 1).await?;
    let listed = Listed::of(rows, limit, |row| row.delivery_id.to_string());
    Ok(Json(Page {
        items: listed.items.into_iter().map(DeliveryView::from).collect(),
        next: listed.next,
    }))
}

/// A webhook's row; waits for it if the log knows the webhook.
pub(crate) async fn find_webhook(
    state: &ApiState,
    tenant: TenantId,
    id: WebhookId,
) -> Result<Option<WebhookRow>, Problem> {
    if let Some(row) = rows::find(state.webhooks.pool(), tenant, id).await? {
        return Ok(Some(row));
    }
    let stream = id.0.to_string();
    let at_least = state.log.stream_position(tenant, "webhook", &stream).await?;
    if at_least.is_none() {
        return Ok(None);
    }
    wait(state, AtLeast { at_least }).await?;
    Ok(rows::find(state.webhooks.pool(), tenant, id).await?)
}

/// Waits until the tables of webhooks have reached the requested position.
async fn wait(state: &ApiState, at_least: AtLeast) -> Result<(), Problem> {
    let pool = state.webhooks.pool();
    at_least.wait_until("Webhooks", || rows::reached(pool)).await
}
