//! `POST /webhooks/{id}`, `/rotate`, `/enable`, `/disable`, `/test`, `/replay`, `/resend`, and `DELETE /webhooks/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::webhook_views::{AcceptedWebhookCommand, NewWebhook, WebhookSecretView, links};
use crate::aggregates::webhook::DisableReason;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, PathOf, since};
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::values::WebhookId;
use crate::values::webhook::WebhookTopic;
use crate::webhooks::endpoint;

type Accepted = (StatusCode, Json<AcceptedWebhookCommand>);

/// The events to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Replay {
    /// Events after this log position or time (RFC 3339).
    #[schema(value_type = String, example = "2026-01-31T12:00:00Z")]
    since: Point,
    /// Events up to this log position or time; all so far if omitted.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    until: Option<Point>,
}

/// A log position, as a number or a text, or a time.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Point {
    Position(i64),
    Text(String),
}

impl Point {
    async fn position(self, state: &ApiState) -> Result<i64, Problem> {
        let text = match self {
            Self::Position(position) => position.to_string(),
            Self::Text(text) => text,
        };
        since(Some(&text), state).await
    }
}

/// The event to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resend {
    /// The log position of the event.
    #[schema(example = 241)]
    position: i64,
}

/// Replaces all settings of a webhook. Its position and secrets do not change.
#[utoipa::path(
    post, path = "/webhooks/{id}", tag = "webhooks", params(("id" = uuid::Uuid, Path)), request_body = NewWebhook,
    responses(
        (status = 202, body = AcceptedWebhookCommand), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn change_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    exists(&state, id, &request).await?;
    let settings = request.json::<NewWebhook>()?.settings()?;
    execute(&state, id, Maintenance::Change(settings), &request).await
}

/// Generates a new secret for a webhook, which is shown once. The old one stays valid for 24 hours: until then each
/// message is signed with both.
#[utoipa::path(
    post, path = "/webhooks/{id}/rotate", tag = "webhooks", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = WebhookSecretView), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn rotate_webhook_secret(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<WebhookSecretView>), Problem> {
    let (context, pool) = (&request.context, state.webhooks.pool());
    let (position, secret) = if request.first_result(&state).await?.is_some() {
        let position = maintain_webhook(&state.bus, id, Maintenance::RotateSecret, context).await?;
        (position, None)
    } else {
        let (position, secret) = endpoint::rotate(&state.bus, pool, id, context).await?;
        (position, Some(secret))
    };
    let view = WebhookSecretView {
        webhook_id: id.0,
        secret: secret.map(|secret| secret.reveal()),
        position,
        links: links(id),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}

/// Enables a webhook. It resumes where it stopped.
#[utoipa::path(
    post, path = "/webhooks/{id}/enable", tag = "webhooks", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedWebhookCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn enable_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, Maintenance::Enable, &request).await
}

/// Disables a webhook until it is enabled again.
#[utoipa::path(
    post, path = "/webhooks/{id}/disable", tag = "webhooks", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedWebhookCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn disable_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    let command = Maintenance::Disable {
        reason: DisableReason::Requested,
        position: None,
        error: None,
    };
    execute(&state, id, command, &request).await
}

/// Sends a `webhook.test` event to a webhook once, without retries; its deliveries show the result.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", tag = "webhooks", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 202, body = AcceptedWebhookCommand), (status = 404, body = Problem),
        (status = 409, description = "The webhook is disabled", body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn test_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, Maintenance::Test, &request).await
}

/// Replays a range of events to a webhook, in order: those after a log position or time. Then it resumes where it
/// stopped.
#[utoipa::path(
    post, path = "/webhooks/{id}/replay", tag = "webhooks", params(("id" = uuid::Uuid, Path)), request_body = Replay,
    responses(
        (status = 202, body = AcceptedWebhookCommand), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "The webhook is disabled", body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn replay_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    exists(&state, id, &request).await?;
    let Replay { since, until } = request.json()?;
    let head = state.log.head().await?;
    let after = since.position(&state).await?.min(head);
    let to = match until {
        Some(until) => until.position(&state).await?.min(head),
        None => head,
    };
    if to < after {
        let detail = "until is before since; it must be after it.";
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    execute(&state, id, Maintenance::Replay { after, to }, &request).await
}

/// Resends one event to a webhook, out of order, in one attempt.
#[utoipa::path(
    post, path = "/webhooks/{id}/resend", tag = "webhooks", params(("id" = uuid::Uuid, Path)), request_body = Resend,
    responses(
        (status = 202, body = AcceptedWebhookCommand), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, description = "The webhook is disabled", body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn resend_event(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    exists(&state, id, &request).await?;
    let Resend { position } = request.json()?;
    let event = state.log.event_at(request.context.tenant, position).await?;
    let is_of_a_topic = event.is_some_and(|event| WebhookTopic::of_event(&event.event_type).is_some());
    if !is_of_a_topic {
        let detail = format!("There is no event at position {position} that webhooks are sent.");
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    execute(&state, id, Maintenance::Resend { position }, &request).await
}

/// Deletes a webhook with its secrets and the list of its deliveries.
#[utoipa::path(
    delete, path = "/webhooks/{id}", tag = "webhooks", params(("id" = uuid::Uuid, Path)),
    responses((status = 202, body = AcceptedWebhookCommand), (status = 404, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn delete_webhook(
    State(state): State<ApiState>,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Accepted, Problem> {
    execute(&state, id, Maintenance::Delete, &request).await
}

/// Checks that the tenant has it, before anything else of the request.
async fn exists(state: &ApiState, id: WebhookId, request: &CommandRequest) -> Result<(), Problem> {
    let position = state
        .log
        .stream_position(request.context.tenant, "webhook", &id.to_string())
        .await?;
    position.map(drop).ok_or_else(|| Problem::not_found("webhook"))
}

async fn execute(
    state: &ApiState,
    id: WebhookId,
    command: Maintenance,
    request: &CommandRequest,
) -> Result<Accepted, Problem> {
    let position = maintain_webhook(&state.bus, id, command, &request.context).await?;
    let view = AcceptedWebhookCommand {
        webhook_id: id.0,
        position,
        links: links(id),
    };
    Ok((StatusCode::ACCEPTED, Json(view)))
}
