//! Requests one scan per line of a requested batch's list. For a reopened batch it retries scans, for a cancelled one
//! it cancels them.

use std::sync::Arc;

use super::{Policy, PolicyError};
use crate::aggregates::BatchEvent;
use crate::commands::{CommandBus, CommandContext, expand_batch};
use crate::log::LogEvent;
use crate::values::BatchId;
use crate::values::event_type::Follower;

/// Requests the scans of a batch one by one.
pub struct ExpandBatches {
    bus: CommandBus,
}

impl ExpandBatches {
    /// A policy that acts through a bus.
    pub fn new(bus: CommandBus) -> Self {
        Self { bus }
    }
}

impl Policy for ExpandBatches {
    const NAME: &'static str = "expand_batches";
    const FOLLOWER: Follower = Follower::ExpandBatches;
    // A batch may be large: the checkpoint moves after each.
    const PAGE: i64 = 1;

    async fn command(&self, events: &[Arc<LogEvent>]) -> Result<(), PolicyError> {
        for event in events {
            let Ok(batch) = event.aggregate_id.parse::<BatchId>() else {
                continue;
            };
            self.expand(batch, event).await?;
        }
        Ok(())
    }
}

impl ExpandBatches {
    async fn expand(&self, batch: BatchId, event: &LogEvent) -> Result<(), PolicyError> {
        let context =
            CommandContext::internal(event.tenant_id, "policy:expand_batches").caused_by(event.event_id);
        match event.decode()? {
            BatchEvent::BatchRequested { items, options, .. } => {
                expand_batch::request_scans_of_batch(&self.bus, batch, &items, options, &context).await?;
            }
            BatchEvent::BatchReopened {
                round,
                scans: Some(scans),
                ..
            } => {
                expand_batch::retry_scans_of_batch(&self.bus, batch, round, &scans, &context).await?;
            }
            BatchEvent::BatchCancelled {} => {
                expand_batch::cancel_scans_of_batch(&self.bus, batch, &context).await?;
            }
            BatchEvent::BatchReopened { scans: None, .. }
            | BatchEvent::BatchExpanded { .. }
            | BatchEvent::BatchImported { .. }
            | BatchEvent::BatchCompleted { .. } => {}
        }
        Ok(())
    }
}
