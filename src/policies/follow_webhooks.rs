//! What endpoints are told, and what is decided about them, becomes known to those who send.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{Policy, PolicyError};
use crate::log::LogEvent;
use crate::webhooks::rows;

/// Keeps the endpoints in step with the log.
pub struct FollowWebhooks;

impl Policy for FollowWebhooks {
    const NAME: &'static str = "follow_webhooks";
    const EVENT_TYPES: &'static [&'static str] = &[
        "BatchCompleted",
        "ScanCompleted",
        "ScanFailed",
        "DomainChanged",
        "MonitorRan",
        "MonitorSkipped",
        "WebhookCreated",
        "WebhookChanged",
        "WebhookDisabled",
        "WebhookEnabled",
        "WebhookReplayRequested",
        "WebhookResendRequested",
        "WebhookTested",
        "WebhookDeleted",
    ];
    const PAGE: i64 = 2000;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        Ok(rows::follow(connection, events).await?)
    }
}
