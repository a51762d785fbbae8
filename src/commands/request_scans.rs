//! Requests the scans of several domains, all or none: each is a single scan, not part of a batch.

use serde_json::json;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{self, CommandBus, CommandError};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::log::AppendUnit;
use crate::values::{DomainName, ScanId, ScanOptions};

/// Requests the scans in one append and returns its position; a repetition with the same idempotency key changes nothing.
pub async fn request_scans(
    bus: &CommandBus,
    domains: &[DomainName],
    options: ScanOptions,
    context: &CommandContext,
) -> Result<i64, CommandError<ScanError>> {
    if let Some(first) = bus.first_result::<DomainScan, _>(context).await? {
        return Ok(first.position);
    }
    let mut streams = Vec::with_capacity(domains.len());
    let mut last = ScanId(Uuid::nil());
    for domain in domains {
        last = ScanId(Uuid::new_v4());
        let command = ScanCommand::Request {
            domain: domain.clone(),
            origin: None,
            options,
        };
        let (stream, _) = bus::decide(bus::fresh::<DomainScan>(), last.0, command, context)
            .await
            .map_err(CommandError::Refused)?;
        streams.push(stream);
    }
    let unit = AppendUnit {
        tenant: context.tenant,
        streams,
        bodies: Vec::new(),
        key: context.key_with(json!({ "scans": domains.len() })),
    };
    let loaded = bus::fresh::<DomainScan>();
    let done = bus.append(unit, loaded, "domain_scan", last.0, context).await?;
    Ok(done.position)
}
