//! What is decided about monitors becomes known to those who look for runs that are due.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{Policy, PolicyError};
use crate::log::LogEvent;
use crate::monitors::rows;

/// Keeps the monitors in step with the log.
pub struct FollowMonitors;

impl Policy for FollowMonitors {
    const NAME: &'static str = "follow_monitors";
    const EVENT_TYPES: &'static [&'static str] = &[
        "MonitorCreated",
        "MonitorChanged",
        "MonitorPaused",
        "MonitorResumed",
        "MonitorRan",
        "MonitorSkipped",
        "MonitorDeleted",
    ];

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        Ok(rows::follow(connection, events).await?)
    }
}
