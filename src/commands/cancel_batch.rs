//! Cancels a batch and its remaining scans.

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{BatchCommand, BatchError, BatchScan};
use crate::values::BatchId;

/// Cancels a batch; its scans follow. Cancelling twice changes nothing.
pub async fn cancel_batch(
    bus: &CommandBus,
    batch: BatchId,
    context: &CommandContext,
) -> Result<i64, CommandError<BatchError>> {
    let done = bus
        .execute::<BatchScan>(batch.0, BatchCommand::Cancel, Attachments::default(), context)
        .await?;
    Ok(done.position)
}
