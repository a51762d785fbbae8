//! Finds due monitors, and starts their runs. Several processes share the work.

use std::time::Duration;

use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::due::{self, Due};
use super::{Monitors, RunError};
use crate::commands::CommandContext;
use crate::commands::run_monitor::{Run, known_monitor};
use crate::values::monitor::Slot;

/// Maximum number of monitors that are claimed at once.
const PAGE: i64 = 32;
/// Runs that are begun at once: their appends share commits.
const AT_ONCE: usize = 8;
/// How often a process checks. A run begins at most this long after its scheduled time.
const POLL: Duration = Duration::from_secs(1);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_secs(3);

/// Runs monitors until it is stopped; the current work then ends.
pub async fn watch(monitors: Monitors, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match due::claim(&monitors.pool, PAGE).await {
            Ok(due) => {
                let is_all = due.len() < usize::try_from(PAGE).unwrap_or_default();
                let checks = futures::stream::iter(due);
                checks
                    .for_each_concurrent(AT_ONCE, |due| check_monitor(&monitors, due))
                    .await;
                if is_all { POLL } else { Duration::ZERO }
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot look for due monitors; retrying");
                PAUSE
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Checks one monitor, and logs the outcome. After a failure the monitor is checked again when its lease has expired.
async fn check_monitor(monitors: &Monitors, due: Due) {
    let id = due.id();
    match run_if_due(monitors, &due).await {
        Ok(Run::Began { batch, .. }) => tracing::info!(monitor.id = %id, "Monitor {id} runs: batch {batch}"),
        Ok(Run::Skipped(reason)) => tracing::info!(monitor.id = %id, "Monitor {id} skips a run: {reason}"),
        Ok(Run::Nothing) => {}
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, monitor.id = %id, "Cannot run monitor {id}; retrying within half a minute");
        }
    }
}

async fn run_if_due(monitors: &Monitors, due: &Due) -> Result<Run, RunError> {
    let id = due.id();
    let Some(known) = known_monitor(&monitors.bus, id).await? else {
        return Ok(Run::Nothing);
    };
    if !known.is_active {
        return Ok(Run::Nothing);
    }
    let schedule = known.settings.schedule(id);
    let check = schedule.check(known.last, due.next_run, due.now);
    let run = match check.due {
        None => Run::Nothing,
        Some(at) => {
            let slot = Slot {
                at,
                missed: check.missed,
            };
            let context = CommandContext::internal(known.tenant, "policy:run_monitors");
            monitors.run(id, &known, Some(slot), &context).await?
        }
    };
    // If this fails, the lease expires, and the next check finds nothing to do.
    due::release(&monitors.pool, due, &check)
        .await
        .map_err(|error| RunError::Command(crate::log::LogError::Unavailable(error).into()))?;
    Ok(run)
}
