//! Errors of the log.

use super::body::MAX_CONTENT;

/// Why an append or a read failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another append to one of the streams was first; load again and decide again.
    #[error("another append to the stream came first")]
    Conflict,
    /// Bodies of the append were sealed with a salt that is not (or no longer) their subject's; ask for it again and
    /// seal them again.
    #[error("the salt of the append's bodies is outdated")]
    SaltChanged,
    /// The idempotency key belongs to a different request.
    #[error("the idempotency key was used before with another request body")]
    KeyReused,
    /// The database did not answer, was full or closed the connection; it is unknown whether the statement took effect.
    #[error("cannot reach or write the event log")]
    Unavailable(#[source] sqlx::Error),
    /// The database refuses this very append for what it holds; a repeat would be refused too.
    #[error("the event log rejected this append")]
    Rejected(#[source] sqlx::Error),
    /// A body of the append exceeds the maximum size.
    #[error(
        "a body of {subject} has {bytes} bytes; the event log accepts at most {}",
        MAX_CONTENT
    )]
    BodyTooLarge {
        /// The subject of the body: a domain or a batch.
        subject: String,
        /// Its length.
        bytes: usize,
    },
    /// A stored body cannot be decompressed or parsed. Only what refers to it is affected.
    #[error("cannot read the body {digest} of {subject} ({bytes} bytes): {error}; run 'sitelog log verify'")]
    UnreadableBody {
        /// Its digest, in hexadecimal.
        digest: String,
        /// Its subject: a domain or a batch.
        subject: String,
        /// The length of its content, as the event that refers to it says.
        bytes: u64,
        /// The error.
        error: String,
    },
    /// The group commit has ended: the process is shutting down.
    #[error("the event log is closed")]
    Closed,
    /// An event was written by a later release: upgrade this one. Nothing is wrong with the log.
    #[error(
        "event {position} of type {event_type} version {version} was written by a later release: upgrade needed"
    )]
    UnknownVersion {
        /// Its position in the log.
        position: i64,
        /// Its type.
        event_type: String,
        /// Its version.
        version: String,
    },
    /// Events that must be there are not.
    #[error("some of the events {first} to {last} are missing in the log; run 'sitelog log verify'")]
    Incomplete {
        /// The first requested one.
        first: i64,
        /// The last one.
        last: i64,
    },
    /// An event or body in the log cannot be read by this release.
    #[error("cannot read event {position} of type {event_type} version {version}")]
    Unreadable {
        /// Its position in the log.
        position: i64,
        /// Its type.
        event_type: String,
        /// Its version.
        version: String,
        /// The error of the decoder.
        #[source]
        source: serde_json::Error,
    },
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error)
    }
}
