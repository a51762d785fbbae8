//! The problems that a verification can find.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields are named as in the event view and in RFC 9162"
)]
pub enum Finding {
    /// No events are at these positions.
    EventsMissing { first: i64, last: i64 },
    /// An event does not match its leaf.
    EventAltered {
        position: i64,
        event_type: String,
        stream_type: String,
        stream_id: String,
        sequence: i64,
    },
    /// An event is unaltered, but is at another position.
    EventMoved { position: i64, written_at: i64 },
    /// Two events are at one position.
    PositionTaken { position: i64 },
    /// An event is beyond the log's end: it was not appended.
    EventBeyondEnd { position: i64, head: i64 },
    /// A stream lacks events, or has some twice.
    StreamBroken {
        stream_type: String,
        stream_id: String,
        events: i64,
        last_sequence: i64,
    },
    /// An event was written by a later release.
    VersionUnknown {
        position: i64,
        event_type: String,
        version: String,
    },
    /// An event is not what its type and version promise.
    EventUnreadable {
        position: i64,
        event_type: String,
        version: String,
        error: String,
    },
    /// The body of an event is missing, and no event says that it was erased.
    BodyMissing { position: i64, digest: String },
    /// A body does not match its digest.
    BodyAltered { digest: String },
    /// A body cannot be unpacked, so that what refers to it cannot be read.
    BodyUnreadable {
        digest: String,
        subject: String,
        error: String,
    },
    /// An event says that a body was erased, but the body exists.
    BodyNotErased { position: i64, digest: String },
    /// An idempotency key names a position where no event is.
    KeyWithoutEvent {
        tenant_id: String,
        route: String,
        key: String,
        position: i64,
    },
    /// The stored hash of a range of events does not match them: all of them match their leaves, but they were changed.
    NodeAltered { first: i64, last: i64 },
    /// A sealed segment is not what it was when it was sealed.
    SegmentAltered { first: i64, last: i64 },
    /// The tree over this many events has another root than the head that was kept.
    HeadDiffers { size: u64, kept: String, found: String },
    /// The head that was kept covers more events than there are.
    HeadBeyondEnd { size: u64, events: u64 },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventsMissing { first, last } => write!(f, "events {first} to {last} are missing"),
            Self::EventAltered {
                position,
                event_type,
                stream_type,
                stream_id,
                sequence,
            } => write!(
                f,
                "event {position} was changed: its hash does not match its content \
                 ({event_type}, {stream_type}/{stream_id}, sequence {sequence})"
            ),
            Self::EventMoved { position, written_at } => {
                write!(
                    f,
                    "event {position} was moved: it was written as event {written_at}"
                )
            }
            Self::PositionTaken { position } => write!(f, "two events have the position {position}"),
            Self::EventBeyondEnd { position, head } => {
                write!(f, "event {position} was not appended: the log ends at {head}")
            }
            Self::StreamBroken {
                stream_type,
                stream_id,
                events,
                last_sequence,
            } => write!(
                f,
                "stream {stream_type}/{stream_id} has {events} events, but the last one has number {last_sequence}"
            ),
            Self::VersionUnknown {
                position,
                event_type,
                version,
            } => write!(
                f,
                "event {position} of type {event_type} version {version} was written by a later release: upgrade needed"
            ),
            Self::EventUnreadable {
                position,
                event_type,
                version,
                error,
            } => {
                write!(
                    f,
                    "cannot read event {position} of type {event_type} version {version}: {error}"
                )
            }
            Self::BodyMissing { position, digest } => write!(
                f,
                "body {digest} of event {position} is missing, but was not erased by an event"
            ),
            Self::BodyAltered { digest } => {
                write!(
                    f,
                    "body {digest} was changed: its digest does not match its content"
                )
            }
            Self::BodyUnreadable {
                digest,
                subject,
                error,
            } => write!(f, "body {digest} of {subject} cannot be read: {error}"),
            Self::BodyNotErased { position, digest } => {
                write!(
                    f,
                    "body {digest} still exists, although event {position} erased it"
                )
            }
            Self::KeyWithoutEvent {
                tenant_id,
                route,
                key,
                position,
            } => write!(
                f,
                "idempotency key '{key}' of {route} (tenant {tenant_id}) refers to event {position}, which does not exist"
            ),
            Self::NodeAltered { first, last } => write!(
                f,
                "events {first} to {last} do not match their stored hash: some events, or the hash, were changed"
            ),
            Self::SegmentAltered { first, last } => {
                write!(
                    f,
                    "the segment of events {first} to {last} was changed after it was sealed"
                )
            }
            Self::HeadDiffers { size, kept, found } => write!(
                f,
                "the first {size} events do not match the given head: its root is {kept}, the events have {found}"
            ),
            Self::HeadBeyondEnd { size, events } => write!(
                f,
                "the given head covers {size} events, but the log has only {events}: events were removed"
            ),
        }
    }
}
