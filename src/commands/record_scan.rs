//! Record what an attempt read and how it ended.

use chrono::{DateTime, Utc};

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError, Loaded};
use crate::aggregates::scan::{AttemptOutcome, ReadFact};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::log::LogError;
use crate::log::body::Body;
use crate::values::ScanId;

/// What an attempt has to say, with its bodies.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// In the order read.
    pub read: Vec<ReadFact>,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// What the facts and the outcome refer to.
    pub bodies: Vec<Body>,
}

/// Records an attempt that `started` began. An attempt that is no longer the current one is refused.
pub async fn record_scan(
    bus: &CommandBus,
    scan: ScanId,
    started: Loaded<DomainScan>,
    record: AttemptRecord,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<DomainScan, CommandError<ScanError>> {
    let attempt = started.aggregate.attempt();
    let command = ScanCommand::Record {
        attempt,
        read: record.read,
        outcome: record.outcome,
        now,
    };
    let attachments = Attachments {
        bodies: record.bodies,
        ..Attachments::default()
    };
    // The state the attempt began with is nearly always still the last one: that spares reading the stream again.
    match bus
        .execute_on(started, scan.0, command.clone(), attachments.clone(), context)
        .await
    {
        Err(CommandError::Log(LogError::Conflict)) => Ok(bus
            .execute(scan.0, command, attachments, context)
            .await?
            .loaded
            .aggregate),
        other => Ok(other?.loaded.aggregate),
    }
}
