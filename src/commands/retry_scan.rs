//! Retries a failed or cancelled scan.

use super::CommandContext;
use super::bus::{self, Attachments, CommandBus, CommandError, Loaded};
use crate::aggregates::{BatchCommand, BatchError, BatchScan, DomainScan, ScanCommand, ScanError};
use crate::log::{AppendUnit, LogError};
use crate::values::ScanId;

/// Why a retry was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// By the scan.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// By the batch it belongs to.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// Retries a scan; the batch it belongs to is reopened in the same append.
pub async fn retry_scan(
    bus: &CommandBus,
    scan: ScanId,
    context: &CommandContext,
) -> Result<i64, CommandError<RetryError>> {
    if let Some(done) = bus.first_result::<DomainScan, _>(context).await? {
        return Ok(done.position);
    }
    for _ in 0..bus::MAX_CONFLICTS {
        match try_retry(bus, scan, context).await {
            Err(CommandError::Log(LogError::Conflict)) => {}
            other => return other,
        }
    }
    Err(LogError::Conflict.into())
}

async fn try_retry(
    bus: &CommandBus,
    scan: ScanId,
    context: &CommandContext,
) -> Result<i64, CommandError<RetryError>> {
    let loaded = bus.load::<DomainScan>(scan.0).await?;
    if loaded.tenant != Some(context.tenant) {
        return Err(CommandError::NotFound("scan"));
    }
    let batch = loaded.aggregate.batch_id();
    let command = ScanCommand::Retry { round: None };
    let Some(batch) = batch else {
        let done = bus
            .execute_on(loaded, scan.0, command, Attachments::default(), context)
            .await;
        return done.map(|done| done.position).map_err(refused_by_scan);
    };
    let (scan_stream, loaded) = bus::decide(loaded, scan.0, command, context)
        .await
        .map_err(|e| CommandError::Refused(e.into()))?;
    let mut streams = vec![scan_stream];
    if !streams[0].events.is_empty() {
        let reopened: Loaded<BatchScan> = bus.load(batch.0).await?;
        let command = BatchCommand::Reopen {
            total: 1,
            scans: None,
        };
        let (batch_stream, _) = bus::decide(reopened, batch.0, command, context)
            .await
            .map_err(|e| CommandError::Refused(e.into()))?;
        streams.push(batch_stream);
    }
    let key = context.key_with(serde_json::json!({ "scan_id": scan }));
    let unit = AppendUnit {
        tenant: context.tenant,
        streams,
        bodies: Vec::new(),
        key,
    };
    let done = bus.append(unit, loaded, "domain_scan", scan.0, context).await?;
    Ok(done.position)
}

fn refused_by_scan(error: CommandError<ScanError>) -> CommandError<RetryError> {
    match error {
        CommandError::Refused(refusal) => CommandError::Refused(refusal.into()),
        CommandError::NotFound(what) => CommandError::NotFound(what),
        CommandError::Log(error) => CommandError::Log(error),
    }
}
