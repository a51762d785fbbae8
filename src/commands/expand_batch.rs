//! Requests the scans of a round of a batch. Ids and rounds are derived, so repeating it, even in two processes at
//! once, changes nothing.

use super::CommandContext;
use super::bus::{self, Attachments, CommandBus, CommandError};
use super::request_batch::{BatchItem, parse_lines};
use super::retry_batch::EndedScan;
use crate::aggregates::scan::BatchOrigin;
use crate::aggregates::{BatchCommand, BatchError, BatchScan, DomainScan, ScanCommand};
use crate::log::{AppendUnit, LogError};
use crate::values::{BatchId, BatchOptions, BodyRef, ScanId};

/// Number of scans that are appended at a time; each group of the log takes a few of them.
const CHUNK: usize = 480;

/// Requests each scan of a batch's list, then notes that all are in the log.
pub async fn request_scans_of_batch(
    bus: &CommandBus,
    batch: BatchId,
    items: &BodyRef,
    options: BatchOptions,
    context: &CommandContext,
) -> Result<(), CommandError<BatchError>> {
    let content = bus.log().body(items).await?.unwrap_or_default();
    let items: Vec<BatchItem> = parse_lines(&content)?;
    for chunk in items.chunks(CHUNK) {
        let mut units = Vec::with_capacity(chunk.len());
        for item in chunk {
            units.push(unit_of(batch, item, options, context).await);
        }
        for outcome in bus.log().append_all(units).await {
            match outcome {
                // An existing stream was created from this list.
                Ok(_) | Err(LogError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    expanded(bus, batch, 1, context).await
}

/// Retries each of the ended scans that a reopened batch names, then notes that all are in the log.
pub async fn retry_scans_of_batch(
    bus: &CommandBus,
    batch: BatchId,
    round: u32,
    scans: &BodyRef,
    context: &CommandContext,
) -> Result<(), CommandError<BatchError>> {
    let content = bus.log().body(scans).await?.unwrap_or_default();
    let retries = parse_lines::<EndedScan>(&content)?.into_iter().map(|ended| {
        let round = Some(ended.round);
        (ended.scan_id.0, ScanCommand::Retry { round })
    });
    bus.execute_all::<DomainScan>(retries, context).await?;
    expanded(bus, batch, round, context).await
}

/// Cancels each scan of a cancelled batch that has not ended.
pub async fn cancel_scans_of_batch(
    bus: &CommandBus,
    batch: BatchId,
    context: &CommandContext,
) -> Result<(), LogError> {
    let loaded = bus.load::<BatchScan>(batch.0).await?;
    let Some(items) = loaded.aggregate.items() else {
        return Ok(());
    };
    let content = bus.log().body(items).await?.unwrap_or_default();
    let cancels = parse_lines::<BatchItem>(&content)?.into_iter().map(|item| {
        let id = ScanId::of_batch_line(batch, item.line()).0;
        (id, ScanCommand::Cancel)
    });
    bus.execute_all::<DomainScan>(cancels, context).await
}

impl BatchItem {
    /// Line of the input, from 1.
    pub fn line(&self) -> u32 {
        match self {
            Self::Scan { line, .. } | Self::Refuse { line, .. } => *line,
        }
    }
}

async fn unit_of(
    batch: BatchId,
    item: &BatchItem,
    options: BatchOptions,
    context: &CommandContext,
) -> AppendUnit {
    let origin = Some(BatchOrigin {
        batch_id: batch,
        line: item.line(),
        max_concurrent: options.max_concurrent,
    });
    let command = match item.clone() {
        BatchItem::Scan { domain, .. } => ScanCommand::Request {
            domain,
            origin,
            options: options.scan,
        },
        BatchItem::Refuse { input, error, .. } => ScanCommand::Refuse { input, error, origin },
    };
    let id = ScanId::of_batch_line(batch, item.line()).0;
    let (stream, _) = bus::decide(bus::fresh::<DomainScan>(), id, command, context)
        .await
        .expect("a new scan refuses no request");
    AppendUnit {
        tenant: context.tenant,
        streams: vec![stream],
        bodies: Vec::new(),
        key: None,
    }
}

async fn expanded(
    bus: &CommandBus,
    batch: BatchId,
    round: u32,
    context: &CommandContext,
) -> Result<(), CommandError<BatchError>> {
    let command = BatchCommand::Expand { round };
    bus.execute::<BatchScan>(batch.0, command, Attachments::default(), context)
        .await?;
    Ok(())
}
