//! What happens to a monitor. What its runs find stands on the streams of their scans.

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::monitor::{MonitorSettings, SkipReason};
use crate::values::versioned::current_version;
use crate::values::{BatchId, VersionedEvent};

/// The events of one monitor's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum MonitorEvent {
    /// A monitor was created.
    MonitorCreated {
        /// What it does.
        settings: MonitorSettings,
        /// The first run is at the first time of the rhythm after this one.
        since: DateTime<Utc>,
    },
    /// The settings of the monitor were changed.
    MonitorChanged {
        /// What it does from now on.
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
        /// When the run was due by the rhythm. Null if somebody requested it.
        slot: Option<DateTime<Utc>>,
        /// The batch.
        batch_id: BatchId,
        /// Number of domains.
        total: u32,
        /// Times of the rhythm before this one that were missed and are not made up; at most 1000 are counted.
        missed: u32,
    },
    /// A run did not take place.
    MonitorSkipped {
        /// When the run was due by the rhythm.
        slot: DateTime<Utc>,
        /// Why.
        reason: SkipReason,
        /// Times of the rhythm before this one that were missed and are not made up; at most 1000 are counted.
        missed: u32,
    },
    /// The monitor was deleted. The results of its runs stay.
    MonitorDeleted {},
}

impl MonitorEvent {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::MonitorCreated { .. } => "MonitorCreated",
            Self::MonitorChanged { .. } => "MonitorChanged",
            Self::MonitorPaused {} => "MonitorPaused",
            Self::MonitorResumed { .. } => "MonitorResumed",
            Self::MonitorRan { .. } => "MonitorRan",
            Self::MonitorSkipped { .. } => "MonitorSkipped",
            Self::MonitorDeleted {} => "MonitorDeleted",
        }
    }
}

impl VersionedEvent for MonitorEvent {
    const VERSIONS: &'static [(&'static str, u32)] = &[
        ("MonitorCreated", 1),
        ("MonitorChanged", 1),
        ("MonitorPaused", 1),
        ("MonitorResumed", 1),
        ("MonitorRan", 1),
        ("MonitorSkipped", 1),
        ("MonitorDeleted", 1),
    ];
    const UPCASTERS: &'static [crate::values::versioned::Upcaster] = &[];
}

impl DomainEvent for MonitorEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        let version = current_version::<Self>(self.name());
        version.expect("each type has a version").to_string()
    }
}
