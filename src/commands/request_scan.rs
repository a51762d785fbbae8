//! Requests the scan of one domain.

use serde_json::json;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::values::{DomainName, ScanId, ScanOptions};

/// A requested scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedScan {
    /// Its id.
    pub scan_id: ScanId,
    /// The log position of the request.
    pub position: i64,
}

/// Requests a scan; a repetition with the same idempotency key gets the first one.
pub async fn request_scan(
    bus: &CommandBus,
    domain: DomainName,
    options: ScanOptions,
    context: &CommandContext,
) -> Result<RequestedScan, CommandError<ScanError>> {
    let command = ScanCommand::Request {
        domain,
        origin: None,
        options,
    };
    create_scan(bus, command, context).await
}

/// Executes the command that begins a scan.
pub(super) async fn create_scan(
    bus: &CommandBus,
    command: ScanCommand,
    context: &CommandContext,
) -> Result<RequestedScan, CommandError<ScanError>> {
    // Random throughout: the predecessor's clients need only the id, so it must not be guessable.
    let id = Uuid::new_v4();
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
    Ok(RequestedScan {
        scan_id: ScanId(first.unwrap_or(id)),
        position: done.position,
    })
}
