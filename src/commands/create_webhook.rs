//! Creates a webhook endpoint.

use serde_json::json;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::webhook::{Webhook, WebhookCommand, WebhookError};
use crate::values::WebhookId;
use crate::values::webhook::WebhookSettings;

/// A created endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreatedWebhook {
    /// Its id: that of the first use of the idempotency key, if it was used before.
    pub id: WebhookId,
    /// The log position from which it gets events.
    pub position: i64,
    /// Whether an earlier request created it.
    pub repeated: bool,
}

/// Creates an endpoint under an id, whose secret is stored already.
pub async fn create_webhook(
    bus: &CommandBus,
    id: WebhookId,
    settings: WebhookSettings,
    context: &CommandContext,
) -> Result<CreatedWebhook, CommandError<WebhookError>> {
    let attachments = Attachments {
        result: json!({ "webhook_id": id }),
        ..Attachments::default()
    };
    let command = WebhookCommand::Create(settings);
    let done = bus.create::<Webhook>(id.0, command, attachments, context).await?;
    let first = done
        .repeated
        .as_ref()
        .and_then(|result| result["webhook_id"].as_str())
        .and_then(|id| id.parse::<Uuid>().ok());
    Ok(CreatedWebhook {
        id: first.map_or(id, WebhookId),
        position: done.position,
        repeated: done.repeated.is_some(),
    })
}
