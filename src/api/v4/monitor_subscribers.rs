//! `POST /monitors/{id}/subscribers`, `GET /monitors/{id}/subscribers` and `DELETE
//! /monitors/{id}/subscribers/{subscriber}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::list_monitors::find_monitor;
use crate::api::ApiState;
use crate::api::example::{self, Example};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, PathOf, Tenant};
use crate::commands::store_response::store_response;
use crate::monitors::subscribers::{self, SubscriberRow};
use crate::values::{MonitorId, TenantId};

/// A subscriber to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSubscriber {
    /// An email address.
    #[schema(example = "anna@example.com")]
    address: String,
}

/// A subscriber gets an email for each run that finds changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubscriberView {
    /// Its ID.
    pub subscriber_id: Uuid,
    /// The email address.
    #[schema(example = "anna@example.com")]
    pub address: String,
    /// When the address was added.
    pub created_at: DateTime<Utc>,
    /// When the last email was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// Why the last email could not be sent; null if it was sent.
    pub error: Option<String>,
}

impl Example for SubscriberView {
    fn example() -> Self {
        Self {
            subscriber_id: example::OTHER,
            address: "anna@example.com".to_owned(),
            created_at: example::began(),
            sent_at: None,
            error: None,
        }
    }
}

/// The subscribers of a monitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscribers {
    /// At most 20.
    pub items: Vec<SubscriberView>,
}

impl Example for Subscribers {
    fn example() -> Self {
        Self {
            items: vec![SubscriberView::example()],
        }
    }
}

impl From<SubscriberRow> for SubscriberView {
    fn from(row: SubscriberRow) -> Self {
        Self {
            subscriber_id: row.subscriber_id,
            address: row.address,
            created_at: row.created_at,
            sent_at: row.sent_at,
            error: row.error,
        }
    }
}

/// Subscribes an email address to a monitor: it gets an email for each run that finds changes. Each email has an
/// unsubscribe link. Adding an existing address has no effect. At most 20 per monitor.
#[utoipa::path(
    post, path = "/monitors/{id}/subscribers", tag = "monitors", params(("id" = uuid::Uuid, Path)), request_body = NewSubscriber,
    responses(
        (status = 201, body = SubscriberView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "Email is not configured on the server", body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem),
        (status = 422, description = "Not an email address, or the monitor already has 20 subscribers", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn add_subscriber(
    State(state): State<ApiState>,
    PathOf(id): PathOf<MonitorId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<SubscriberView>), Problem> {
    let tenant = request.context.tenant;
    require_monitor(&state, tenant, id).await?;
    let NewSubscriber { address } = request.json()?;
    let is_repeat = request.first_result(&state).await?.is_some();
    let row = subscribe(&state, tenant, id, &address).await?;
    if !is_repeat {
        store_response(
            &state.bus,
            json!({ "subscriber_id": row.subscriber_id }),
            &request.context,
        )
        .await?;
    }
    Ok((StatusCode::CREATED, Json(row.into())))
}

/// Lists the subscribers who get emails about a monitor.
#[utoipa::path(
    get, path = "/monitors/{id}/subscribers", tag = "monitors", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Subscribers), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_subscribers(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<MonitorId>,
) -> Result<Json<Subscribers>, Problem> {
    require_monitor(&state, tenant, id).await?;
    let rows = subscribers::list(state.monitors.pool(), tenant, id).await?;
    let items = rows.into_iter().map(SubscriberView::from).collect();
    Ok(Json(Subscribers { items }))
}

/// Unsubscribes an address; emails that are waiting are not sent either.
#[utoipa::path(
    delete, path = "/monitors/{id}/subscribers/{subscriber}", tag = "monitors",
    params(("id" = uuid::Uuid, Path), ("subscriber" = uuid::Uuid, Path)),
    responses((status = 204, description = "The subscriber is removed"), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn remove_subscriber(
    State(state): State<ApiState>,
    PathOf((id, subscriber)): PathOf<(MonitorId, Uuid)>,
    request: CommandRequest,
) -> Result<StatusCode, Problem> {
    let tenant = request.context.tenant;
    require_monitor(&state, tenant, id).await?;
    if subscribers::remove(state.monitors.pool(), tenant, id, subscriber).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("subscriber"))
    }
}

/// Adds an address, if mails can be sent at all.
pub(crate) async fn subscribe(
    state: &ApiState,
    tenant: TenantId,
    id: MonitorId,
    address: &str,
) -> Result<SubscriberRow, Problem> {
    if !state.sends_mails {
        let detail = "Email is not configured on this server (SITELOG_MAIL__SMTP_URL).";
        return Err(Problem::of(ProblemCode::NoMailServer, detail));
    }
    Ok(subscribers::add(state.monitors.pool(), tenant, id, address).await?)
}

async fn require_monitor(state: &ApiState, tenant: TenantId, id: MonitorId) -> Result<(), Problem> {
    let row = find_monitor(state, tenant, id).await?;
    row.map(drop).ok_or_else(|| Problem::not_found("monitor"))
}
