//! Starts a run of a monitor: the run and its batch are one append, so neither exists without the other.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{self, CommandBus, CommandError, Loaded, MAX_CONFLICTS};
use super::request_batch::{BatchItem, lines_of};
use crate::aggregates::monitor::{Monitor, MonitorCommand, MonitorError};
use crate::aggregates::{BatchCommand, BatchScan};
use crate::log::{AppendUnit, LogError};
use crate::values::monitor::{MonitorSettings, SkipReason, Slot};
use crate::values::{BatchId, BodyRef, MonitorId, TenantId};

/// The state of a monitor before a run.
#[derive(Clone, Debug)]
pub struct KnownMonitor {
    /// The tenant.
    pub tenant: TenantId,
    /// The settings.
    pub settings: MonitorSettings,
    /// Whether it runs on its schedule.
    pub is_active: bool,
    /// The last scheduled time that was handled.
    pub last: DateTime<Utc>,
}

/// The domains of a run.
#[derive(Clone, Debug)]
pub enum RunDomains {
    /// The monitor's list, as it is stored.
    Listed(BodyRef),
    /// Those that its filter found.
    Found(Vec<BatchItem>),
    /// None: why not.
    Refused(SkipReason),
}

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It began.
    Began {
        /// Its batch.
        batch: BatchId,
        /// Its position in the log.
        position: i64,
    },
    /// It does not take place.
    Skipped(SkipReason),
    /// There is nothing to do: the time was handled already, or the monitor is paused or deleted.
    Nothing,
}

/// A monitor, loaded from the log; `None` if there is none.
pub async fn known_monitor(bus: &CommandBus, id: MonitorId) -> Result<Option<KnownMonitor>, LogError> {
    let Loaded {
        aggregate, tenant, ..
    } = bus.load::<Monitor>(id.0).await?;
    let known = (tenant, aggregate.settings().cloned(), aggregate.last());
    let (Some(tenant), Some(settings), Some(last)) = known else {
        return Ok(None);
    };
    Ok(Some(KnownMonitor {
        tenant,
        settings,
        is_active: aggregate.is_active(),
        last,
    }))
}

/// Begins the run that is due, or, without a slot, a run on request. `now` is the time by the
/// database's clock.
///
/// A due run that cannot take place is skipped, and the log says so; a run on request is refused.
pub async fn run_monitor(
    bus: &CommandBus,
    id: MonitorId,
    slot: Option<Slot>,
    domains: &RunDomains,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Run, CommandError<MonitorError>> {
    if let Some(done) = bus.first_result::<Monitor, _>(context).await? {
        let batch = done
            .repeated
            .as_ref()
            .and_then(|result| result["batch_id"].as_str()?.parse().ok());
        return Ok(Run::Began {
            batch: batch.unwrap_or(BatchId(Uuid::nil())),
            position: done.position,
        });
    }
    let batch = match slot {
        Some(slot) => BatchId::of_run(id, slot.at),
        None => BatchId(Uuid::new_v4()),
    };
    for _ in 0..MAX_CONFLICTS {
        match try_run(bus, id, (slot, batch), domains, now, context).await {
            Err(CommandError::Log(LogError::Conflict)) => {}
            other => return other,
        }
    }
    Err(LogError::Conflict.into())
}

async fn try_run(
    bus: &CommandBus,
    id: MonitorId,
    (slot, batch): (Option<Slot>, BatchId),
    domains: &RunDomains,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Run, CommandError<MonitorError>> {
    let monitor = bus.load::<Monitor>(id.0).await?;
    let settings = monitor
        .aggregate
        .settings()
        .filter(|_| monitor.tenant == Some(context.tenant));
    let Some(options) = settings.map(|settings| settings.options) else {
        return Err(CommandError::NotFound("monitor"));
    };
    let new = bus.load::<BatchScan>(batch.0).await?;
    let reason = match domains {
        _ if new.sequence > 0 => Some(SkipReason::AlreadyRan),
        _ if is_running(bus, &monitor).await? => Some(SkipReason::StillRunning),
        RunDomains::Refused(reason) => Some(*reason),
        RunDomains::Listed(_) | RunDomains::Found(_) => None,
    };
    let (items, total, bodies) = match domains {
        _ if reason.is_some() => (None, 0, Vec::new()),
        RunDomains::Listed(list) => (Some(list.clone()), list.items, Vec::new()),
        RunDomains::Found(found) => {
            let salt = bus.log().salt(context.tenant, &batch.to_string()).await?;
            let (list, body) = salt.seal(&lines_of(found), found.len() as u64);
            (Some(list), found.len() as u64, vec![body])
        }
        RunDomains::Refused(_) => (None, 0, Vec::new()),
    };
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    let command = match (slot, reason) {
        (None, Some(reason)) => return Err(CommandError::Refused(MonitorError::CannotRun(reason))),
        (Some(slot), Some(reason)) => MonitorCommand::Skip { slot, reason, now },
        (slot, None) => MonitorCommand::Run {
            slot,
            batch,
            total,
            now,
        },
    };
    let (stream, monitor) = bus::decide(monitor, id.0, command, context)
        .await
        .map_err(CommandError::Refused)?;
    if stream.events.is_empty() {
        return Ok(Run::Nothing);
    }
    let mut streams = vec![stream];
    if let Some(items) = items {
        let command = BatchCommand::Request {
            total,
            options,
            items,
            monitor: Some(id),
        };
        // A batch that is new refuses nothing.
        let requested = bus::decide(new, batch.0, command, context).await;
        let (requested, _) = requested.map_err(|_| CommandError::NotFound("batch"))?;
        streams.push(requested);
    }
    let unit = AppendUnit {
        tenant: context.tenant,
        streams,
        bodies,
        key: context.key_with(json!({ "batch_id": batch })),
    };
    let done = bus.append(unit, monitor, "monitor", id.0, context).await?;
    Ok(match reason {
        Some(reason) => Run::Skipped(reason),
        None => Run::Began {
            batch: done
                .repeated
                .as_ref()
                .and_then(|result| result["batch_id"].as_str()?.parse().ok())
                .unwrap_or(batch),
            position: done.position,
        },
    })
}

/// Whether the batch of the previous run has not ended.
async fn is_running(bus: &CommandBus, monitor: &Loaded<Monitor>) -> Result<bool, LogError> {
    let Some(batch) = monitor.aggregate.batch() else {
        return Ok(false);
    };
    let before = bus.load::<BatchScan>(batch.0).await?;
    Ok(before.sequence > 0 && !before.aggregate.is_over())
}
