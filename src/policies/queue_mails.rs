//! When a run of a monitor ends, queues an email to each of its subscribers.

use std::sync::Arc;

use sqlx::PgConnection;

use super::{Policy, PolicyError};
use crate::aggregates::BatchEvent;
use crate::log::LogEvent;
use crate::monitors::mails;
use crate::values::event_type::Follower;

/// Queues emails from the log.
pub struct QueueMails;

impl Policy for QueueMails {
    const NAME: &'static str = "queue_mails";
    const FOLLOWER: Follower = Follower::QueueMails;

    async fn write(
        &self,
        connection: &mut PgConnection,
        events: &[Arc<LogEvent>],
    ) -> Result<(), PolicyError> {
        for event in events {
            // Scans that are retried later are no other run.
            if matches!(event.decode()?, BatchEvent::BatchCompleted { round: 1 }) && !event.is_imported() {
                mails::queue(connection, &event.aggregate_id, event.recorded_at).await?;
            }
        }
        Ok(())
    }
}
