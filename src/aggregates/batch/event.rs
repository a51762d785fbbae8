//! The events of a batch as a whole. The events of its scans are in their own streams, so a batch's stream stays
//! short.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::aggregates::scan::add_options;
use crate::values::event_type::{EventType, StreamType};
use crate::values::versioned::Upcaster;
use crate::values::{BatchOptions, BodyRef, MonitorId, VersionedEvent};

/// The events of one batch's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum BatchEvent {
    /// A batch was requested. The first event of every batch.
    BatchRequested {
        /// Number of scans in the batch.
        total: u32,
        /// The options of the batch.
        options: BatchOptions,
        /// Body: the list, one JSON object per line (`line` and `domain`, or `line`, `input` and `error`). The other
        /// columns of a domain are in `cells`; the first line that has them contains their names in `columns`.
        items: BodyRef,
        /// The monitor of which the batch is a run, or null.
        monitor_id: Option<MonitorId>,
    },
    /// The batch was cancelled. Its scans that have not ended are cancelled one by one.
    BatchCancelled {},
    /// Some of its ended scans are retried. A new round starts.
    BatchReopened {
        /// Number of the new round, starting at 2.
        round: u32,
        /// Number of retried scans.
        total: u32,
        /// Body: the retried scans and the round of each, one JSON object per line. Null if only the scan in the same
        /// append is retried.
        scans: Option<BodyRef>,
    },
    /// All scans of the round are in the log. From here on, the count of open scans is reliable.
    BatchExpanded {
        /// Number of the round.
        round: u32,
    },
    /// A batch of the predecessor was imported. The event contains the predecessor's counts, because the predecessor
    /// did not keep most of the scans; the scans that it kept are not counted a second time.
    BatchImported {
        /// Primary key of the row in the predecessor's table `batch_jobs`.
        row_id: String,
        /// The status in the predecessor.
        status: String,
        /// Number of completed domains in the predecessor.
        completed: u32,
        /// Number of failed domains in the predecessor.
        failed: u32,
        /// The error in the predecessor, or null.
        error: Option<String>,
        /// Body: the whole row as JSON.
        row: BodyRef,
    },
    /// The last scan of a round ended. A cancelled batch has no such event.
    BatchCompleted {
        /// Number of the round that ended.
        round: u32,
    },
}

impl BatchEvent {
    /// Its type.
    pub fn kind(&self) -> EventType {
        match self {
            Self::BatchRequested { .. } => EventType::BatchRequested,
            Self::BatchCancelled {} => EventType::BatchCancelled,
            Self::BatchReopened { .. } => EventType::BatchReopened,
            Self::BatchExpanded { .. } => EventType::BatchExpanded,
            Self::BatchImported { .. } => EventType::BatchImported,
            Self::BatchCompleted { .. } => EventType::BatchCompleted,
        }
    }
}

impl VersionedEvent for BatchEvent {
    const UPCASTERS: &'static [Upcaster] = &[
        Upcaster {
            event_type: EventType::BatchRequested.as_str(),
            from: 1,
            upcast: without_files_and_sample,
        },
        Upcaster {
            event_type: EventType::BatchRequested.as_str(),
            from: 2,
            upcast: without_monitor,
        },
    ];

    fn version_of(event_type: &str) -> Option<u32> {
        EventType::of_stream(StreamType::Batch, event_type).map(EventType::version)
    }
}

/// Before version 2, scans read only pages and sitemaps, and did not check sitemap URLs.
fn without_files_and_sample(mut fields: Map<String, Value>) -> Map<String, Value> {
    let options = fields
        .get_mut("options")
        .and_then(|options| options.get_mut("scan"));
    if let Some(Value::Object(options)) = options {
        add_options(options);
    }
    fields
}

/// Before version 3 there were no monitors.
fn without_monitor(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("monitor_id".to_owned(), Value::Null);
    fields
}

impl DomainEvent for BatchEvent {
    fn event_type(&self) -> String {
        self.kind().to_string()
    }

    fn event_version(&self) -> String {
        self.kind().version().to_string()
    }
}
