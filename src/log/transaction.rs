//! Changes a table outside the log and appends the matching events, in one transaction. For changes that must be in
//! effect when the response is sent and that cannot be derived from the log, because they contain secrets.

use sqlx::{PgConnection, PgTransaction};

use super::append::{AppendUnit, Appended, append_events};
use super::{EventLog, LogError};

/// A started transaction; dropping it changes nothing.
pub struct TransactionWithEvents {
    log: EventLog,
    tx: PgTransaction<'static>,
}

impl EventLog {
    /// Starts a transaction that changes other tables and the log.
    pub async fn begin_with_events(&self) -> Result<TransactionWithEvents, LogError> {
        let tx = self.pool.begin().await?;
        Ok(TransactionWithEvents {
            log: self.clone(),
            tx,
        })
    }
}

impl TransactionWithEvents {
    /// The connection for changes of the other tables.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.tx
    }

    /// Appends and commits: the last position written, if there is one. [`LogError::Conflict`] if a stream grew
    /// meanwhile; then nothing is changed. From here on the head of the log is held, so this comes last.
    pub async fn commit(mut self, unit: AppendUnit) -> Result<Option<i64>, LogError> {
        let mut position = None;
        for outcome in append_events(&mut self.tx, std::iter::once(&unit)).await? {
            if let Appended::Committed(last) = outcome.into_result()? {
                position = last;
            }
        }
        self.tx.commit().await?;
        self.log.wake();
        Ok(position)
    }
}
