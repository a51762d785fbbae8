//! Erases what was found out about a domain.
//!
//! The findings and lists of URLs are deleted, and an event on the stream of each scan records that. The rest of the
//! log stays: that the domain was scanned, when, for whom, with what outcome, and the name itself, which the audit
//! trail needs. A running scan continues, and its findings are kept.

use cqrs_es::persist::SerializedEvent;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{self, CommandBus, CommandError, Loaded};
use crate::aggregates::{DomainScan, ScanCommand, ScanError};
use crate::log::{LogError, LogEvent, StreamAppend};
use crate::values::DomainName;
use crate::values::amount::counted;

/// The result of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForgottenDomain {
    /// Number of scans whose results were erased; 0 if there was nothing to erase.
    pub scans: usize,
    /// Number of deleted bodies.
    pub bodies: u64,
    /// The log position from which that is visible.
    pub position: i64,
}

/// Erases a domain of a tenant; a repetition changes nothing.
pub async fn forget_domain(
    bus: &CommandBus,
    domain: &DomainName,
    context: &CommandContext,
) -> Result<ForgottenDomain, CommandError<ScanError>> {
    for _ in 0..bus::MAX_CONFLICTS {
        match try_forget(bus, domain, context).await {
            Err(CommandError::Log(LogError::Conflict)) => {}
            other => return other,
        }
    }
    Err(LogError::Conflict.into())
}

async fn try_forget(
    bus: &CommandBus,
    domain: &DomainName,
    context: &CommandContext,
) -> Result<ForgottenDomain, CommandError<ScanError>> {
    let mut erasing = bus.log().begin_erasure(context.tenant, domain.as_str()).await?;
    let events = erasing.take_events();
    if events.is_empty() {
        return Err(CommandError::NotFound("domain"));
    }
    let last = events
        .iter()
        .map(|event| event.position)
        .max()
        .unwrap_or_default();
    let mut streams: Vec<StreamAppend> = Vec::new();
    for stream in events.chunk_by(|a, b| a.aggregate_id == b.aggregate_id) {
        let append = erase_scan(stream, context).await?;
        streams.extend(Some(append).filter(|append| !append.events.is_empty()));
    }
    let scans = streams.len();
    let erased = erasing.commit(streams).await?;
    tracing::info!(
        tenant.id = %context.tenant,
        "Erased the findings of {} of {domain}: {}",
        counted(scans, "scan"),
        counted(erased.bodies, "body")
    );
    Ok(ForgottenDomain {
        scans,
        bodies: erased.bodies,
        position: erased.position.unwrap_or(last),
    })
}

async fn erase_scan(
    stream: &[LogEvent],
    context: &CommandContext,
) -> Result<StreamAppend, CommandError<ScanError>> {
    let loaded: Loaded<DomainScan> = bus::fold(stream.iter().map(serialized))?;
    let id = stream
        .first()
        .and_then(|event| event.aggregate_id.parse::<Uuid>().ok());
    let id = id.ok_or(CommandError::NotFound("scan"))?;
    let decided = bus::decide(loaded, id, ScanCommand::Erase, context).await;
    decided.map(|(append, _)| append).map_err(CommandError::Refused)
}

fn serialized(event: &LogEvent) -> SerializedEvent {
    SerializedEvent::new(
        event.aggregate_id.clone(),
        usize::try_from(event.sequence).unwrap_or_default(),
        event.aggregate_type.clone(),
        event.event_type.clone(),
        event.event_version.clone(),
        event.payload(),
        event.metadata(),
    )
}
