//! What happens to a batch as a whole. What happens to its scans stands on their own streams: a batch's stream
//! stays tiny whatever its size.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::values::{BatchOptions, BodyRef};

/// The events of one batch's stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum BatchEvent {
    /// Somebody sent a list of domains.
    BatchRequested {
        /// Scans it stands for.
        total: u32,
        /// How it is worked through.
        options: BatchOptions,
        /// The list, one JSON object per line.
        items: BodyRef,
    },
    /// Somebody called the rest of it off.
    BatchCancelled {},
    /// Some of its ended scans are to be done again.
    BatchReopened {
        /// The round that begins, from 2.
        round: u32,
        /// How many scans are done again.
        total: u32,
        /// Which, and which round of each: one JSON object per line. `None`: the one that was retried with this event.
        scans: Option<BodyRef>,
    },
    /// Each scan that the round asks for is in the log.
    BatchExpanded {
        /// The round.
        round: u32,
    },
    /// The last of its scans ended.
    BatchCompleted {
        /// The round that ended.
        round: u32,
    },
}

impl DomainEvent for BatchEvent {
    fn event_type(&self) -> String {
        let name = match self {
            Self::BatchRequested { .. } => "BatchRequested",
            Self::BatchCancelled {} => "BatchCancelled",
            Self::BatchReopened { .. } => "BatchReopened",
            Self::BatchExpanded { .. } => "BatchExpanded",
            Self::BatchCompleted { .. } => "BatchCompleted",
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
