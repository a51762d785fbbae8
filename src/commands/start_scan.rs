//! Begin an attempt at a scan under a lease.

use chrono::{DateTime, Utc};

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError, Loaded};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::values::ScanId;

/// Starts an attempt; the scan it returns is what `record_scan` goes on with.
pub async fn start_scan(
    bus: &CommandBus,
    scan: ScanId,
    fence: i64,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Loaded<DomainScan>, CommandError<ScanError>> {
    let command = ScanCommand::Start {
        fence,
        worker: context.actor.clone(),
        now,
    };
    let done = bus
        .execute::<DomainScan>(scan.0, command, Attachments::default(), context)
        .await?;
    Ok(done.loaded)
}
