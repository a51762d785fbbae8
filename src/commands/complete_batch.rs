//! Records that the last scan of a batch's round has ended.

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{BatchCommand, BatchError, BatchScan};
use crate::values::BatchId;

/// Completes a round of a batch; if it is not the current round, nothing changes.
pub async fn complete_batch(
    bus: &CommandBus,
    batch: BatchId,
    round: u32,
    context: &CommandContext,
) -> Result<i64, CommandError<BatchError>> {
    let command = BatchCommand::Complete { round };
    let done = bus
        .execute::<BatchScan>(batch.0, command, Attachments::default(), context)
        .await?;
    Ok(done.position)
}
