//! Examples of responses, for the API document. Each is defined beside its type and is a value of it. So a field
//! that is added, removed or renamed does not compile until the example has it.

use chrono::{DateTime, Utc};
use uuid::{Uuid, uuid};

/// A type with an example.
pub(crate) trait Example: Sized {
    /// The example.
    fn example() -> Self;
}

pub(crate) const SCAN: Uuid = uuid!("44213440-a5e0-423c-84f2-c713fba75afc");
pub(crate) const EARLIER_SCAN: Uuid = uuid!("0b8c1a5e-7d4e-4c56-9a5b-0c5d3f1b2a77");
pub(crate) const BATCH: Uuid = uuid!("1e160072-a40f-4d46-9963-dff42765c1b8");
pub(crate) const DOMAIN: Uuid = uuid!("433fbd3b-cebc-5882-af7e-9ac520d9090c");
pub(crate) const MONITOR: Uuid = uuid!("01a2097a-4d10-7c31-8b52-6a7c1f0e9d20");
pub(crate) const WEBHOOK: Uuid = uuid!("01a20973-c0d0-7192-992a-c381a48a7d60");
pub(crate) const EVENT: Uuid = uuid!("019f8d3c-6a0e-7c61-9f0e-0d9a3a3c1f10");
pub(crate) const TENANT: Uuid = uuid!("550e8400-e29b-41d4-a716-446655440000");
/// Whatever else has an id.
pub(crate) const OTHER: Uuid = uuid!("01a2097c-2d30-7e51-8a74-8c9e3f2a1b42");

/// When the examples begin.
pub(crate) fn began() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_795_456_263_175_525).unwrap_or_default()
}

/// When their scans end.
pub(crate) fn ended() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_795_456_263_779_542).unwrap_or_default()
}

/// A week later.
pub(crate) fn later() -> DateTime<Utc> {
    ended() + chrono::TimeDelta::weeks(1)
}
