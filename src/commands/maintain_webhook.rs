//! Changes, enables, disables, tests or deletes a webhook endpoint; sends events again.

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::webhook::{Webhook, WebhookCommand, WebhookError};
use crate::values::WebhookId;

/// Commands on a webhook.
pub use crate::aggregates::webhook::WebhookCommand as Maintenance;

/// Runs the command; returns the position from which the result is visible.
pub async fn maintain_webhook(
    bus: &CommandBus,
    id: WebhookId,
    command: WebhookCommand,
    context: &CommandContext,
) -> Result<i64, CommandError<WebhookError>> {
    let done = bus
        .execute::<Webhook>(id.0, command, Attachments::default(), context)
        .await?;
    Ok(done.position)
}
