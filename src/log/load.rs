//! Loading one stream, through the stock repository of postgres-es.

use cqrs_es::Aggregate;
use cqrs_es::persist::{PersistedEventRepository, PersistenceError, SerializedEvent};
use postgres_es::PostgresEventRepository;

use super::{EventLog, LogError};

impl EventLog {
    /// All events of a stream, in order; none if there is no such stream.
    pub async fn stream<A: Aggregate>(&self, aggregate_id: &str) -> Result<Vec<SerializedEvent>, LogError> {
        let repository = PostgresEventRepository::new(self.pool.clone());
        repository
            .get_events::<A>(aggregate_id)
            .await
            .map_err(unavailable)
    }
}

/// postgres-es hides the client's error in a box; its text is what is left of it.
fn unavailable(error: PersistenceError) -> LogError {
    LogError::Unavailable(sqlx::Error::Io(std::io::Error::other(error)))
}
