//! Note a requested scan that cannot be done because its input is no domain. Only the predecessor's clients get this:
//! all others are refused at once.

use serde_json::json;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::values::ScanId;

/// Notes it; a repeat with the same idempotency key gets the first one.
pub async fn refuse_scan(
    bus: &CommandBus,
    input: String,
    error: String,
    context: &CommandContext,
) -> Result<ScanId, CommandError<ScanError>> {
    let id = Uuid::new_v4();
    let command = ScanCommand::Refuse {
        input,
        error,
        origin: None,
    };
    let attachments = Attachments {
        bodies: Vec::new(),
        result: json!({ "scan_id": id }),
    };
    let done = bus
        .create::<DomainScan>(id, command, attachments, context)
        .await?;
    let first = done
        .repeated
        .as_ref()
        .and_then(|result| result["scan_id"].as_str()?.parse().ok());
    Ok(ScanId(first.unwrap_or(id)))
}
