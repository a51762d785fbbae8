//! The status of a batch: a function of its own events and the counts of its scans' statuses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The status of a batch, everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchStatus {
    /// No scan has started.
    Pending,
    /// Some scans are still to end.
    Running,
    /// Ended, nothing failed.
    Completed,
    /// Ended; some completed, some failed.
    Partial,
    /// Ended, and nothing completed.
    Failed,
    /// Cancelled.
    Cancelled,
}

/// The inputs of the status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchProgress {
    /// Scans that completed.
    pub completed: u32,
    /// Scans that failed.
    pub failed: u32,
    /// Whether any scan has started or ended.
    pub started: bool,
    /// Whether the log says that the last scan ended.
    pub ended: bool,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

impl BatchStatus {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Partial,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Derives the status of a batch; only this function does that.
    pub fn of(progress: BatchProgress) -> Self {
        match progress {
            BatchProgress { cancelled: true, .. } => Self::Cancelled,
            BatchProgress {
                ended: false,
                started: false,
                ..
            } => Self::Pending,
            BatchProgress { ended: false, .. } => Self::Running,
            BatchProgress {
                completed: 0,
                failed: 0,
                ..
            } => Self::Cancelled,
            BatchProgress { failed: 0, .. } => Self::Completed,
            BatchProgress { completed: 0, .. } => Self::Failed,
            _ => Self::Partial,
        }
    }

    /// The word in the API and in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens without a new request.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

impl fmt::Display for BatchStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for BatchStatus {
    type Err = UnknownBatchStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| UnknownBatchStatus(word.to_owned()))
    }
}

/// A word that is not a status of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not one of pending, running, completed, partial, failed, cancelled")]
pub struct UnknownBatchStatus(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_follows_from_the_counts_once_the_batch_has_ended() {
        let of = |completed, failed| {
            BatchStatus::of(BatchProgress {
                completed,
                failed,
                started: true,
                ended: true,
                cancelled: false,
            })
        };
        assert_eq!(of(3, 0), BatchStatus::Completed);
        assert_eq!(of(2, 1), BatchStatus::Partial);
        assert_eq!(of(0, 3), BatchStatus::Failed);
        assert_eq!(
            of(0, 0),
            BatchStatus::Cancelled,
            "each of its scans was cancelled"
        );
    }

    #[test]
    fn full_counts_are_no_end_before_the_log_says_so() {
        let progress = BatchProgress {
            completed: 3,
            started: true,
            ..BatchProgress::default()
        };
        assert_eq!(BatchStatus::of(progress), BatchStatus::Running);
        assert_eq!(BatchStatus::of(BatchProgress::default()), BatchStatus::Pending);
    }

    #[test]
    fn cancelled_wins() {
        let progress = BatchProgress {
            completed: 3,
            failed: 1,
            started: true,
            ended: true,
            cancelled: true,
        };
        assert_eq!(BatchStatus::of(progress), BatchStatus::Cancelled);
    }
}
