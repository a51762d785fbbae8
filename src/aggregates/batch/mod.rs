//! A batch: a list of domains. Each of its scans has its own stream.

mod event;
mod status;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use event::BatchEvent;
pub use status::{BatchProgress, BatchStatus};

use crate::values::event_type::StreamType;
use crate::values::{BatchOptions, BodyRef, MonitorId};

/// The state of one batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchScan {
    items: Option<BodyRef>,
    round: u32,
    /// The round whose scans are not all in the log yet.
    expanding: Option<u32>,
    ended: bool,
    cancelled: bool,
}

/// A command on one batch.
#[derive(Clone, Debug, PartialEq)]
pub enum BatchCommand {
    /// Request the scans of a list.
    Request {
        /// Number of its scans.
        total: u32,
        /// The options.
        options: BatchOptions,
        /// The list.
        items: BodyRef,
        /// The monitor of which it is a run.
        monitor: Option<MonitorId>,
    },
    /// Import a batch of the predecessor.
    Import(Box<ImportedBatch>),
    /// Cancel its remaining scans.
    Cancel,
    /// Retry some of its ended scans.
    Reopen {
        /// How many.
        total: u32,
        /// Which; `None` if the one scan is retried in the same append.
        scans: Option<BodyRef>,
    },
    /// Note that each scan of a round is in the log.
    Expand {
        /// The round.
        round: u32,
    },
    /// Note that the last scan of a round ended.
    Complete {
        /// The round.
        round: u32,
    },
}

/// A batch of the predecessor.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedBatch {
    /// Number of its scans.
    pub total: u32,
    /// The options.
    pub options: BatchOptions,
    /// An empty list: its known scans are imported separately.
    pub items: BodyRef,
    /// The row's primary key.
    pub row_id: String,
    /// Its status in the predecessor.
    pub status: String,
    /// The number of completed scans that it counted.
    pub completed: u32,
    /// The number of failed scans that it counted.
    pub failed: u32,
    /// Its error.
    pub error: Option<String>,
    /// The whole row.
    pub row: BodyRef,
    /// Whether it was interrupted.
    pub broken_off: bool,
}

/// Why a command on a batch was refused; nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// There is no such batch.
    #[error("there is no such batch")]
    NotFound,
    /// It is too late to cancel it.
    #[error("the batch has ended and cannot be cancelled")]
    CannotCancel,
    /// It was cancelled.
    #[error("the batch was cancelled; send its domains as a new batch")]
    WasCancelled,
    /// There is nothing to retry.
    #[error("nothing in the batch failed; there is nothing to retry")]
    NothingToRetry,
}

impl BatchScan {
    /// The current round, from 1; 0 before the request.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// The list it was requested with.
    pub fn items(&self) -> Option<&BodyRef> {
        self.items.as_ref()
    }

    fn import(&self, batch: ImportedBatch) -> Vec<BatchEvent> {
        if self.round > 0 {
            return Vec::new();
        }
        vec![
            BatchEvent::BatchRequested {
                total: batch.total,
                options: batch.options,
                items: batch.items,
                monitor_id: None,
            },
            BatchEvent::BatchExpanded { round: 1 },
            BatchEvent::BatchImported {
                row_id: batch.row_id,
                status: batch.status,
                completed: batch.completed,
                failed: batch.failed,
                error: batch.error,
                row: batch.row,
            },
            if batch.broken_off {
                BatchEvent::BatchCancelled {}
            } else {
                BatchEvent::BatchCompleted { round: 1 }
            },
        ]
    }

    /// The events of a command on a batch; `Import` has its own function.
    pub fn decide(&self, command: BatchCommand) -> Result<Option<BatchEvent>, BatchError> {
        let exists = self.round > 0;
        match command {
            BatchCommand::Request { .. } if exists => Ok(None),
            BatchCommand::Request {
                total,
                options,
                items,
                monitor,
            } => Ok(Some(BatchEvent::BatchRequested {
                total,
                options,
                items,
                monitor_id: monitor,
            })),
            BatchCommand::Import(_) => Ok(None),
            _ if !exists => Err(BatchError::NotFound),
            BatchCommand::Cancel if self.cancelled => Ok(None),
            BatchCommand::Cancel if self.ended => Err(BatchError::CannotCancel),
            BatchCommand::Cancel => Ok(Some(BatchEvent::BatchCancelled {})),
            BatchCommand::Reopen { .. } if self.cancelled => Err(BatchError::WasCancelled),
            BatchCommand::Reopen { total: 0, .. } => Err(BatchError::NothingToRetry),
            // A retry of the whole batch is running already: this is a repetition.
            BatchCommand::Reopen { scans: Some(_), .. } if self.expanding.is_some() => Ok(None),
            BatchCommand::Reopen { total, scans } => Ok(Some(BatchEvent::BatchReopened {
                round: self.round + 1,
                total,
                scans,
            })),
            BatchCommand::Expand { round } if self.expanding == Some(round) => {
                Ok(Some(BatchEvent::BatchExpanded { round }))
            }
            BatchCommand::Expand { .. } => Ok(None),
            BatchCommand::Complete { round } if self.is_over() || round != self.round => Ok(None),
            BatchCommand::Complete { round } => Ok(Some(BatchEvent::BatchCompleted { round })),
        }
    }

    /// Whether none of its scans is running or waiting.
    pub fn is_over(&self) -> bool {
        self.ended || self.cancelled
    }
}

impl Aggregate for BatchScan {
    const TYPE: &'static str = StreamType::Batch.as_str();
    type Command = BatchCommand;
    type Event = BatchEvent;
    type Error = BatchError;
    type Services = ();

    async fn handle(
        &mut self,
        command: BatchCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), BatchError> {
        if let BatchCommand::Import(batch) = command {
            for event in self.import(*batch) {
                sink.write(event, self).await;
            }
            return Ok(());
        }
        if let Some(event) = self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: BatchEvent) {
        match event {
            BatchEvent::BatchRequested { items, .. } => {
                self.items = Some(items);
                self.round = 1;
                self.expanding = Some(1);
            }
            BatchEvent::BatchCancelled {} => self.cancelled = true,
            BatchEvent::BatchReopened { round, scans, .. } => {
                self.round = round;
                self.ended = false;
                self.expanding = scans.map(|_| round).or(self.expanding);
            }
            BatchEvent::BatchExpanded { .. } => self.expanding = None,
            BatchEvent::BatchImported { .. } => {}
            BatchEvent::BatchCompleted { .. } => self.ended = true,
        }
    }
}
