//! The events of a monitor. What its runs find is in the streams of their scans.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::event_type::{EventType, StreamType};
use crate::values::monitor::{MonitorSettings, SkipReason};
use crate::values::{BatchId, VersionedEvent};

/// The events of one monitor's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum MonitorEvent {
    /// A monitor was created.
    MonitorCreated {
        /// The settings.
        settings: MonitorSettings,
        /// The first run is at the first scheduled time after this one.
        since: DateTime<Utc>,
    },
    /// The settings of the monitor were changed.
    MonitorChanged {
        /// The new settings.
        settings: MonitorSettings,
        /// The next run is at the first scheduled time after this one. Null if the schedule did not change.
        since: Option<DateTime<Utc>>,
    },
    /// The monitor does not run until it is resumed.
    MonitorPaused {},
    /// The monitor was resumed. Runs that it missed meanwhile are skipped.
    MonitorResumed {
        /// The next run is at the first scheduled time after this one.
        since: DateTime<Utc>,
    },
    /// A run was started: the batch is requested in the same append.
    MonitorRan {
        /// The scheduled time of the run. Null if it was started manually.
        slot: Option<DateTime<Utc>>,
        /// The batch.
        batch_id: BatchId,
        /// Number of domains.
        total: u32,
        /// Scheduled times before this one that were missed and are skipped; at most 1000 are counted.
        missed: u32,
    },
    /// A run did not take place.
    MonitorSkipped {
        /// The scheduled time of the run.
        slot: DateTime<Utc>,
        /// The reason.
        reason: SkipReason,
        /// Scheduled times before this one that were missed and are skipped; at most 1000 are counted.
        missed: u32,
    },
    /// The monitor was deleted. The results of its runs stay.
    MonitorDeleted {},
}

impl MonitorEvent {
    /// Its type.
    pub fn kind(&self) -> EventType {
        match self {
            Self::MonitorCreated { .. } => EventType::MonitorCreated,
            Self::MonitorChanged { .. } => EventType::MonitorChanged,
            Self::MonitorPaused {} => EventType::MonitorPaused,
            Self::MonitorResumed { .. } => EventType::MonitorResumed,
            Self::MonitorRan { .. } => EventType::MonitorRan,
            Self::MonitorSkipped { .. } => EventType::MonitorSkipped,
            Self::MonitorDeleted {} => EventType::MonitorDeleted,
        }
    }
}

impl VersionedEvent for MonitorEvent {
    fn version_of(event_type: &str) -> Option<u32> {
        EventType::of_stream(StreamType::Monitor, event_type).map(EventType::version)
    }
}

impl DomainEvent for MonitorEvent {
    fn event_type(&self) -> String {
        self.kind().to_string()
    }

    fn event_version(&self) -> String {
        self.kind().version().to_string()
    }
}
