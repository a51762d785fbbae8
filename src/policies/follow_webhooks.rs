//! Updates the rows of webhooks from the log: which events wait for delivery, and which webhooks changed.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{Policy, PolicyError};
use crate::log::LogEvent;
use crate::values::event_type::Follower;
use crate::webhooks::rows;

/// Updates the endpoints from the log.
pub struct FollowWebhooks;

impl Policy for FollowWebhooks {
    const NAME: &'static str = "follow_webhooks";
    const FOLLOWER: Follower = Follower::FollowWebhooks;
    const PAGE: i64 = 2000;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        Ok(rows::follow(connection, events).await?)
    }
}
