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
        /// The first run is at the first time of the rhythm after this one.
        since: DateTime<Utc>,
    },
    /// The settings of the monitor were changed.
    MonitorChanged {
        /// The new settings.
        settings: MonitorSettings,
        /// The next run is at the first time of the rhythm after this one. Null if the rhythm is the same as before.
        since: Option<DateTime<Utc>>,
    },
    /// The monitor does not run until it is resumed.
    MonitorPaused {},
    /// The monitor runs again. What was missed meanwhile is not made up.
    MonitorResumed {
        /// The next run is at the first time of the rhythm after this one.
        since: DateTime<Utc>,
    },
    /// A run began: the batch is requested in the same append.
    MonitorRan {
        /// When the run was due by the rhythm. Null if it was requested.
        slot: Option<DateTime<Utc>>,
        /// The batch.
        batch_id: BatchId,
        /// Number of domains.
        total: u32,
        /// Times of the rhythm before this one that were missed and are skipped; at most 1000 are counted.
        missed: u32,
    },
    /// A run did not take place.
    MonitorSkipped {
        /// When the run was due by the rhythm.
        slot: DateTime<Utc>,
        /// The reason.
        reason: SkipReason,
        /// Times of the rhythm before this one that were missed and are skipped; at most 1000 are counted.
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
