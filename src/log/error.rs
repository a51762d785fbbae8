//! What can go wrong with the log.

/// Why an append or a read did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Somebody else appended to one of the streams first; load again and decide again.
    #[error("another append to the stream was first")]
    Conflict,
    /// The idempotency key belongs to a different request.
    #[error("the idempotency key was used before with another request body")]
    KeyReused,
    /// The database did not answer, was full or broke off; nothing can be said of what was under way.
    #[error("the event log cannot be reached or written")]
    Unavailable(#[source] sqlx::Error),
    /// The database refuses this very append for what it holds; a repeat would be refused too.
    #[error("the event log refuses this append")]
    Rejected(#[source] sqlx::Error),
    /// The group commit is gone: the process is shutting down.
    #[error("the event log is closed")]
    Closed,
    /// An event or body in the log cannot be read by this release.
    #[error("event {position} of type {event_type} version {version} cannot be read")]
    Unreadable {
        /// Where it stands.
        position: i64,
        /// Its type.
        event_type: String,
        /// Its version.
        version: String,
        /// What the decoder said.
        #[source]
        source: serde_json::Error,
    },
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}
