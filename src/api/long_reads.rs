//! Long reads (exports, history, earlier states, the audit trail) use separate connections, so that a status is
//! answered immediately while many of them run.

use super::ApiState;
use crate::commands::CommandBus;
use crate::log::EventLog;
use crate::projections::ReadModels;

/// The log and the read models through the connections for long reads.
#[derive(Clone)]
pub struct LongReads {
    log: EventLog,
    models: ReadModels,
}

impl LongReads {
    /// The log through the connections of these read models.
    pub fn new(log: &EventLog, models: ReadModels) -> Self {
        Self {
            log: log.read_through(models.pool.clone()),
            models,
        }
    }
}

impl ApiState {
    /// The same for a handler whose reads may take long.
    #[must_use]
    pub fn for_long_reads(&self) -> Self {
        let LongReads { log, models } = self.long_reads.clone();
        Self {
            bus: CommandBus::new(log.clone()),
            log,
            models,
            ..self.clone()
        }
    }
}
