//! Loading one stream, through the upstream repository of postgres-es.

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

    /// Replaces the position in a stream by the log position in an error.
    pub async fn locate(
        &self,
        aggregate_type: &str,
        aggregate_id: &str,
        mut error: LogError,
    ) -> Result<LogError, LogError> {
        if let LogError::UnknownVersion { position, .. } | LogError::Unreadable { position, .. } = &mut error
        {
            *position = sqlx::query_scalar(
                "select position from events where aggregate_type = $1 and aggregate_id = $2 and sequence = $3",
            )
            .bind(aggregate_type)
            .bind(aggregate_id)
            .bind(*position)
            .fetch_one(&self.pool)
            .await?;
        }
        Ok(error)
    }
}

/// postgres-es hides the client's error in a box; its text is what is left of it.
fn unavailable(error: PersistenceError) -> LogError {
    LogError::Unavailable(sqlx::Error::Io(std::io::Error::other(error)))
}
