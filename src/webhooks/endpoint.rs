//! Creates an endpoint and rotates its secret. The decision goes into the log, the secret does not.

use sqlx::PgPool;
use uuid::Uuid;

use super::{Secret, TablesError, rows, secret};
use crate::aggregates::WebhookError;
use crate::commands::create_webhook::{CreatedWebhook, create_webhook};
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::commands::{CommandBus, CommandContext, CommandError};
use crate::values::WebhookId;
use crate::values::webhook::WebhookSettings;

/// Endpoints of one tenant.
pub const MAX_ENDPOINTS: i64 = 100;

/// Why an endpoint was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The tenant has as many as it may have.
    #[error("the tenant has {MAX_ENDPOINTS} webhooks; delete one first")]
    TooMany,
    /// It was refused, or could not be written.
    #[error(transparent)]
    Command(#[from] CommandError<WebhookError>),
    /// The tables could not be read or written.
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// Creates an endpoint; its secret, unless the request is a repeat.
pub async fn create(
    bus: &CommandBus,
    pool: &PgPool,
    settings: WebhookSettings,
    context: &CommandContext,
) -> Result<(CreatedWebhook, Option<Secret>), EndpointError> {
    if rows::count(pool, context.tenant).await? >= MAX_ENDPOINTS {
        return Err(EndpointError::TooMany);
    }
    let (id, secret) = (WebhookId(Uuid::now_v7()), Secret::generate());
    // Before the event, so that every endpoint has a secret.
    secret::store(pool, id, context.tenant, &secret).await?;
    let created = create_webhook(bus, id, settings, context).await;
    let is_new = matches!(&created, Ok(created) if !created.repeated);
    if !is_new {
        secret::remove(pool, id).await?;
    }
    Ok((created?, is_new.then_some(secret)))
}

/// Gives an endpoint another secret; the one before it stays valid for a day. Returns the position of the event.
pub async fn rotate(
    bus: &CommandBus,
    pool: &PgPool,
    id: WebhookId,
    context: &CommandContext,
) -> Result<(i64, Secret), EndpointError> {
    let position = maintain_webhook(bus, id, Maintenance::RotateSecret, context).await?;
    let secret = Secret::generate();
    secret::rotate(pool, id, context.tenant, &secret).await?;
    Ok((position, secret))
}
