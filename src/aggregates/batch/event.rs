//! What happens to a batch as a whole. What happens to its scans stands on their own streams: a batch's stream
//! stays tiny whatever its size.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::values::versioned::current_version;
use crate::values::{BatchOptions, BodyRef, VersionedEvent};

/// The events of one batch's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub enum BatchEvent {
    /// Somebody sent a list of domains. The first event of every batch.
    BatchRequested {
        /// Scans it stands for.
        total: u32,
        /// How it is worked through.
        options: BatchOptions,
        /// Body: the list, one JSON object per line (`line` and `domain`, or `line`, `input` and `error`).
        items: BodyRef,
    },
    /// Somebody called the rest of it off. Its scans that have not ended are cancelled one by one.
    BatchCancelled {},
    /// Some of its ended scans are to be done again. A new round begins.
    BatchReopened {
        /// The round that begins, from 2.
        round: u32,
        /// How many scans are done again.
        total: u32,
        /// Body: which scans, and which round of each, one JSON object per line. Null if it is the one scan
        /// that was retried in the same append.
        scans: Option<BodyRef>,
    },
    /// Each scan that the round asks for is in the log. From here on a count of open scans can be trusted.
    BatchExpanded {
        /// The round.
        round: u32,
    },
    /// The last scan of a round ended. A batch that was cancelled has none.
    BatchCompleted {
        /// The round that ended.
        round: u32,
    },
}

impl BatchEvent {
    /// The name of its type.
    fn name(&self) -> &'static str {
        match self {
            Self::BatchRequested { .. } => "BatchRequested",
            Self::BatchCancelled {} => "BatchCancelled",
            Self::BatchReopened { .. } => "BatchReopened",
            Self::BatchExpanded { .. } => "BatchExpanded",
            Self::BatchCompleted { .. } => "BatchCompleted",
        }
    }
}

impl VersionedEvent for BatchEvent {
    const VERSIONS: &'static [(&'static str, u32)] = &[
        ("BatchRequested", 1),
        ("BatchCancelled", 1),
        ("BatchReopened", 1),
        ("BatchExpanded", 1),
        ("BatchCompleted", 1),
    ];
}

impl DomainEvent for BatchEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        let version = current_version::<Self>(self.name());
        version.expect("each type has a version").to_string()
    }
}
