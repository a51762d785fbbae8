//! Events as the log stores them: the type is a name, and the data is JSON.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::LogError;
use crate::values::TenantId;
use crate::values::versioned::{self, DecodeError, VersionedEvent};

/// The canonical text of an event, as SQL over a row of `events`: what its leaf is the hash of. The same is in the
/// function `event_leaf`.
pub(super) const CANONICAL: &str = "jsonb_build_array(position, event_id, aggregate_type, aggregate_id, sequence, \
     event_type, event_version, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
     tenant_id, payload, metadata)::text";

/// An event to append.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// A fresh id.
    pub event_id: Uuid,
    /// Past tense, e.g. `ScanRequested`.
    pub event_type: String,
    /// Version of the payload's structure.
    pub event_version: String,
    /// The event as an externally tagged enum, as postgres-es writes it.
    pub payload: Value,
    /// Tenant, actor, request, cause: a flat object of strings.
    pub metadata: Value,
}

/// An event that is in the log.
#[derive(Clone, Debug)]
pub struct LogEvent {
    /// Dense, in commit order, from 1.
    pub position: i64,
    /// Unique.
    pub event_id: Uuid,
    /// Kind of stream.
    pub aggregate_type: String,
    /// Id of the stream.
    pub aggregate_id: String,
    /// Place in the stream, from 1.
    pub sequence: i64,
    /// Past tense, e.g. `ScanRequested`.
    pub event_type: String,
    /// Version of the payload's structure.
    pub event_version: String,
    /// When it was committed (microseconds, never before that of an earlier position).
    pub recorded_at: DateTime<Utc>,
    /// The tenant.
    pub tenant_id: TenantId,
    /// The event as an externally tagged enum; as text, because most readers convert it directly to a type.
    pub payload: Box<RawValue>,
    /// Tenant, actor, request, cause.
    pub metadata: Box<RawValue>,
}

/// The part of the metadata that readers use.
#[derive(Default, Deserialize)]
struct Circumstances {
    actor: Option<String>,
    occurred_at: Option<String>,
}

impl LogEvent {
    /// The event in the present shape of its type, whatever version is stored.
    pub fn decode<E: VersionedEvent>(&self) -> Result<E, LogError> {
        versioned::decode_text(&self.event_type, &self.event_version, self.payload.get())
            .map_err(|error| undecodable(self.position, &self.event_type, &self.event_version, error))
    }

    /// Who caused it, and when it happened: `occurred_at` of an imported event, else when it was recorded.
    pub fn circumstances(&self) -> (Option<String>, DateTime<Utc>) {
        let circumstances: Circumstances = serde_json::from_str(self.metadata.get()).unwrap_or_default();
        let occurred = circumstances.occurred_at.as_deref();
        let at = occurred.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        (
            circumstances.actor,
            at.map_or(self.recorded_at, |at| at.with_timezone(&Utc)),
        )
    }

    /// Whether it was imported: it happened before this log existed.
    pub fn is_imported(&self) -> bool {
        let circumstances: Circumstances = serde_json::from_str(self.metadata.get()).unwrap_or_default();
        circumstances.occurred_at.is_some()
    }

    /// The event's fields without the enum's tag.
    pub fn data(&self) -> Value {
        let payload = self.payload();
        payload.get(&self.event_type).cloned().unwrap_or(payload)
    }

    /// The event as an externally tagged enum, as a tree.
    pub fn payload(&self) -> Value {
        to_value(&self.payload)
    }

    /// Tenant, actor, request, cause, as a tree.
    pub fn metadata(&self) -> Value {
        to_value(&self.metadata)
    }
}

/// jsonb is always valid.
fn to_value(text: &RawValue) -> Value {
    serde_json::from_str(text.get()).unwrap_or_default()
}

/// Says which event could not be read.
pub fn undecodable(position: i64, event_type: &str, version: &str, error: DecodeError) -> LogError {
    let (event_type, version) = (event_type.to_owned(), version.to_owned());
    match error {
        DecodeError::UnknownVersion => LogError::UnknownVersion {
            position,
            event_type,
            version,
        },
        DecodeError::Unreadable(source) => LogError::Unreadable {
            position,
            event_type,
            version,
            source,
        },
    }
}

/// Removes U+0000 from all texts, because jsonb cannot hold it; returns whether there was any.
pub fn strip_nul(value: &mut Value) -> bool {
    match value {
        Value::String(text) if text.contains('\0') => {
            text.retain(|c| c != '\0');
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| strip_nul(item) | any),
        Value::Object(fields) => fields
            .values_mut()
            .fold(false, |any, field| strip_nul(field) | any),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_is_stripped_at_any_depth_and_reported() {
        let mut value = serde_json::json!({"a": ["x\u{0}y", {"b": "\u{0}"}], "c": 1});
        assert!(strip_nul(&mut value));
        assert_eq!(value, serde_json::json!({"a": ["xy", {"b": ""}], "c": 1}));
        assert!(!strip_nul(&mut value));
    }
}
