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
        /// Body: the list, one JSON object per line (`line` and `domain`, or `line`, `input` and `error`). What stood
        /// beside a domain is in `cells`, and the first line that has them names their `columns`.
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
    /// The batch was worked through by the predecessor and brought over. What it counted stands here, for it kept no
    /// trace of most of its scans; what is known of some of them does not count besides.
    BatchImported {
        /// Primary key of the row in the predecessor's table `batch_jobs`.
        row_id: String,
        /// The predecessor's word for how far it was.
        status: String,
        /// Domains that it counted as completed.
        completed: u32,
        /// Domains that it counted as failed.
        failed: u32,
        /// Its error, or null.
        error: Option<String>,
        /// Body: the whole row as JSON.
        row: BodyRef,
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
            Self::BatchImported { .. } => "BatchImported",
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
        ("BatchImported", 1),
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
