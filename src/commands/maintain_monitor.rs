//! Changes, pauses, resumes or deletes a monitor.

use chrono::{DateTime, Utc};

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError, MAX_CONFLICTS};
use super::create_monitor::SealedList;
use crate::aggregates::monitor::{Monitor, MonitorCommand, MonitorError};
use crate::log::LogError;
use crate::values::MonitorId;
use crate::values::monitor::{InvalidMonitor, MonitorChange};

/// The commands for a monitor other than changing and running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MonitorWork {
    /// Pause it.
    Pause,
    /// Resume it; missed runs are skipped.
    Resume,
    /// Delete it. The results of its runs stay.
    Delete,
}

/// Why a monitor was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is none.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The new settings are invalid.
    #[error(transparent)]
    Settings(#[from] InvalidMonitor),
}

/// Runs the command; returns the position from which the result is visible. `now` is the time of the database's clock.
pub async fn maintain_monitor(
    bus: &CommandBus,
    id: MonitorId,
    work: MonitorWork,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<i64, CommandError<MonitorError>> {
    let command = match work {
        MonitorWork::Pause => MonitorCommand::Pause,
        MonitorWork::Resume => MonitorCommand::Resume { now },
        MonitorWork::Delete => MonitorCommand::Delete,
    };
    let done = bus
        .execute::<Monitor>(id.0, command, Attachments::default(), context)
        .await?;
    Ok(done.position)
}

/// Changes what a change names; `list` is what it refers to. Returns the position from which it is visible.
pub async fn change_monitor(
    bus: &CommandBus,
    id: MonitorId,
    change: MonitorChange,
    list: Option<SealedList>,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<i64, CommandError<ChangeError>> {
    if let Some(done) = bus.first_result::<Monitor, _>(context).await? {
        return Ok(done.position);
    }
    for _ in 0..MAX_CONFLICTS {
        let loaded = bus.load::<Monitor>(id.0).await?;
        let settings = loaded
            .aggregate
            .settings()
            .filter(|_| loaded.tenant == Some(context.tenant));
        let Some(settings) = settings else {
            return Err(CommandError::NotFound("monitor"));
        };
        let settings = change.clone().of(settings);
        let settings = settings.map_err(|error| CommandError::Refused(error.into()))?;
        let attachments = Attachments {
            bodies: list.iter().map(|list| list.body.clone()).collect(),
            ..Attachments::default()
        };
        let command = MonitorCommand::Change { settings, now };
        let done = bus.execute_on(loaded, id.0, command, attachments, context).await;
        match done {
            Err(CommandError::Log(LogError::Conflict)) => {}
            Ok(done) => return Ok(done.position),
            Err(CommandError::Refused(error)) => return Err(CommandError::Refused(error.into())),
            Err(CommandError::NotFound(what)) => return Err(CommandError::NotFound(what)),
            Err(CommandError::Log(error)) => return Err(error.into()),
        }
    }
    Err(LogError::Conflict.into())
}
