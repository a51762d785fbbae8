//! Records a requested scan that cannot run because its input is not a domain. Only requests of the predecessor's
//! clients are recorded in this way; all others are refused.

use super::CommandContext;
use super::bus::{CommandBus, CommandError};
use super::request_scan::create_scan;
use crate::aggregates::{ScanCommand, ScanError};
use crate::values::ScanId;

/// Records the scan; a repetition with the same idempotency key gets the first one.
pub async fn refuse_scan(
    bus: &CommandBus,
    input: String,
    error: String,
    context: &CommandContext,
) -> Result<ScanId, CommandError<ScanError>> {
    let command = ScanCommand::Refuse {
        input,
        error,
        origin: None,
    };
    Ok(create_scan(bus, command, context).await?.scan_id)
}
