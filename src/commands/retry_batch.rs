//! Retries the failed scans of a batch.

use serde::{Deserialize, Serialize};

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use super::request_batch::lines_of;
use crate::aggregates::{BatchCommand, BatchError, BatchScan};
use crate::log::LogError;
use crate::values::{BatchId, ScanId};

/// An ended scan to retry, and the round that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedScan {
    /// The scan.
    pub scan_id: ScanId,
    /// Its round; a scan in a later round is not changed.
    pub round: u32,
}

/// Reopens a batch to retry these scans; they follow from the log.
pub async fn retry_batch(
    bus: &CommandBus,
    batch: BatchId,
    scans: &[EndedScan],
    context: &CommandContext,
) -> Result<i64, CommandError<BatchError>> {
    loop {
        match try_retry(bus, batch, scans, context).await {
            // Another process has just stored the batch's salt; now it can be read.
            Err(CommandError::Log(LogError::SaltChanged)) => {}
            other => return other,
        }
    }
}

async fn try_retry(
    bus: &CommandBus,
    batch: BatchId,
    scans: &[EndedScan],
    context: &CommandContext,
) -> Result<i64, CommandError<BatchError>> {
    let total = u32::try_from(scans.len()).unwrap_or(u32::MAX);
    let salt = bus.log().salt(context.tenant, &batch.to_string()).await?;
    let (list, body) = salt.seal(&lines_of(scans), u64::from(total));
    let command = BatchCommand::Reopen {
        total,
        scans: Some(list),
    };
    let result = serde_json::json!({ "batch_id": batch });
    let attachments = Attachments {
        bodies: vec![body],
        result,
    };
    let done = bus
        .execute::<BatchScan>(batch.0, command, attachments, context)
        .await?;
    Ok(done.position)
}
