//! `POST /webhooks`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::webhook_views::{NewWebhook, WebhookSecretView, links};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::CommandRequest;
use crate::webhooks::endpoint;

/// Creates a webhook: events after this one are sent to its URL, signed according to Standard Webhooks. The secret is
/// shown once. At most 100 per tenant.
#[utoipa::path(
    post, path = "/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses(
        (status = 201, body = WebhookSecretView), (status = 400, body = Problem),
        (status = 415, description = "The content is not JSON", body = Problem),
        (status = 422, description = "The settings are invalid, or the tenant already has 100 webhooks", body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn create_webhook(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<(StatusCode, Json<WebhookSecretView>), Problem> {
    let settings = request.json::<NewWebhook>()?.settings()?;
    let pool = state.webhooks.pool();
    let (created, secret) = endpoint::create(&state.bus, pool, settings, &request.context).await?;
    let view = WebhookSecretView {
        webhook_id: created.id.0,
        secret: secret.map(|secret| secret.reveal()),
        position: created.position,
        links: links(created.id),
    };
    Ok((StatusCode::CREATED, Json(view)))
}
