//! Updates the rows of monitors from the log, for the code that looks for due runs.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{Policy, PolicyError};
use crate::log::LogEvent;
use crate::monitors::rows;
use crate::values::event_type::Follower;

/// Updates the monitors from the log.
pub struct FollowMonitors;

impl Policy for FollowMonitors {
    const NAME: &'static str = "follow_monitors";
    const FOLLOWER: Follower = Follower::FollowMonitors;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        Ok(rows::follow(connection, events).await?)
    }
}
