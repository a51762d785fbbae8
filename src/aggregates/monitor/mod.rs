//! A monitor: domains that are scanned on a schedule. `monitors` decides when a run is due, because it knows the time.
//! This module ensures that no scheduled time has two runs.

mod event;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use event::MonitorEvent;

use crate::values::BatchId;
use crate::values::event_type::StreamType;
use crate::values::monitor::{MonitorSettings, SkipReason, Slot};

/// The state of one monitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    settings: Option<MonitorSettings>,
    paused: bool,
    deleted: bool,
    /// The scheduled time that was handled last; runs are due at the times of the rhythm after it.
    last: Option<DateTime<Utc>>,
    /// The batch of the last run.
    batch: Option<BatchId>,
}

/// A command on one monitor.
#[derive(Clone, Debug, PartialEq)]
pub enum MonitorCommand {
    /// Create it.
    Create {
        /// The settings.
        settings: MonitorSettings,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Change its settings.
    Change {
        /// The new settings.
        settings: MonitorSettings,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Pause it.
    Pause,
    /// Resume it.
    Resume {
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Begin a run.
    Run {
        /// When it is due; `None` for a run on request.
        slot: Option<Slot>,
        /// Its batch, which is requested in the same append.
        batch: BatchId,
        /// Domains.
        total: u32,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Record that a run does not take place.
    Skip {
        /// When it was due.
        slot: Slot,
        /// The reason.
        reason: SkipReason,
        /// The current time.
        now: DateTime<Utc>,
    },
    /// Delete it.
    Delete,
}

/// Why a command on a monitor was refused; nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MonitorError {
    /// There is no such monitor.
    #[error("there is no such monitor")]
    NotFound,
    /// A requested run would overlap another one, or has nothing to scan.
    #[error("the monitor cannot run now: {}", words(*.0))]
    CannotRun(SkipReason),
}

/// Why a run cannot take place, as text within a sentence.
pub fn words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::StillRunning => "the batch of the previous run has not ended",
        SkipReason::NoDomains => "its filter matches no domain",
        SkipReason::TooManyDomains => {
            "it has more domains than a batch may have, or than the tenant's quota of domains per batch"
        }
        SkipReason::UrlQuotaReached => "the tenant has reached its quota of stored URLs",
        SkipReason::AlreadyRan => "the run for this scheduled time has already taken place",
    }
}

impl Monitor {
    /// Its settings; none before it was created and after it was deleted.
    pub fn settings(&self) -> Option<&MonitorSettings> {
        self.settings.as_ref().filter(|_| !self.deleted)
    }

    /// Whether it runs on its schedule.
    pub fn is_active(&self) -> bool {
        self.settings().is_some() && !self.paused
    }

    /// The last scheduled time that was handled.
    pub fn last(&self) -> Option<DateTime<Utc>> {
        self.last
    }

    /// The batch of the last run.
    pub fn batch(&self) -> Option<BatchId> {
        self.batch
    }

    /// Whether a scheduled time was handled already. A time in the future was written under a wrong clock, and is ignored.
    fn is_past(&self, slot: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.last.is_some_and(|last| slot <= last && last <= now)
    }

    fn decide(&self, command: MonitorCommand) -> Result<Option<MonitorEvent>, MonitorError> {
        let Some(settings) = &self.settings else {
            return match command {
                MonitorCommand::Create { settings, now } => {
                    Ok(Some(MonitorEvent::MonitorCreated { settings, since: now }))
                }
                _ => Err(MonitorError::NotFound),
            };
        };
        if self.deleted {
            return match command {
                MonitorCommand::Delete | MonitorCommand::Skip { .. } => Ok(None),
                _ => Err(MonitorError::NotFound),
            };
        }
        Ok(match command {
            MonitorCommand::Create { .. } => None,
            MonitorCommand::Change { settings: new, .. } if new == *settings => None,
            MonitorCommand::Change { settings: new, now } => Some(MonitorEvent::MonitorChanged {
                since: (!new.has_rhythm_of(settings)).then_some(now),
                settings: new,
            }),
            MonitorCommand::Pause => (!self.paused).then_some(MonitorEvent::MonitorPaused {}),
            MonitorCommand::Resume { now } => {
                self.paused.then_some(MonitorEvent::MonitorResumed { since: now })
            }
            MonitorCommand::Run {
                slot: Some(slot),
                now,
                ..
            }
            | MonitorCommand::Skip { slot, now, .. }
                if self.paused || self.is_past(slot.at, now) =>
            {
                None
            }
            MonitorCommand::Run {
                slot, batch, total, ..
            } => Some(MonitorEvent::MonitorRan {
                slot: slot.map(|slot| slot.at),
                batch_id: batch,
                total,
                missed: slot.map_or(0, |slot| slot.missed),
            }),
            MonitorCommand::Skip { slot, reason, .. } => Some(MonitorEvent::MonitorSkipped {
                slot: slot.at,
                reason,
                missed: slot.missed,
            }),
            MonitorCommand::Delete => Some(MonitorEvent::MonitorDeleted {}),
        })
    }
}

impl Aggregate for Monitor {
    const TYPE: &'static str = StreamType::Monitor.as_str();
    type Command = MonitorCommand;
    type Event = MonitorEvent;
    type Error = MonitorError;
    type Services = ();

    async fn handle(
        &mut self,
        command: MonitorCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), MonitorError> {
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: MonitorEvent) {
        match event {
            MonitorEvent::MonitorCreated { settings, since } => {
                self.settings = Some(settings);
                self.last = Some(since);
            }
            MonitorEvent::MonitorChanged { settings, since } => {
                self.settings = Some(settings);
                self.last = since.or(self.last);
            }
            MonitorEvent::MonitorPaused {} => self.paused = true,
            MonitorEvent::MonitorResumed { since } => {
                self.paused = false;
                self.last = Some(since);
            }
            MonitorEvent::MonitorRan { slot, batch_id, .. } => {
                self.last = slot.or(self.last);
                self.batch = Some(batch_id);
            }
            MonitorEvent::MonitorSkipped { slot, .. } => self.last = Some(slot),
            MonitorEvent::MonitorDeleted {} => self.deleted = true,
        }
    }
}
