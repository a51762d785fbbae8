//! Cancels a scan.

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::values::ScanId;

/// Cancels a scan; returns the log position from which that is visible. Cancelling twice changes nothing.
pub async fn cancel_scan(
    bus: &CommandBus,
    scan: ScanId,
    context: &CommandContext,
) -> Result<i64, CommandError<ScanError>> {
    let done = bus
        .execute::<DomainScan>(scan.0, ScanCommand::Cancel, Attachments::default(), context)
        .await?;
    Ok(done.position)
}
