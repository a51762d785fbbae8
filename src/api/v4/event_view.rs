//! The views of events in v4.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::example::{self, Example};
use crate::log::LogEvent;

/// One event of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// The log position: dense, in commit order, starting at 1.
    pub position: i64,
    /// The unique ID of the event.
    pub event_id: Uuid,
    /// The stream of the event, and the place in it.
    pub stream: StreamPlace,
    /// The event type, in past tense.
    #[serde(rename = "type")]
    #[schema(example = "ScanRequested")]
    pub kind: String,
    /// Version of the schema of `data`.
    pub version: u32,
    /// When the event was recorded, UTC.
    pub recorded_at: DateTime<Utc>,
    /// The tenant of the event.
    pub tenant_id: Uuid,
    /// Who caused the event.
    pub actor: Option<String>,
    /// What happened.
    #[schema(value_type = Object)]
    pub data: Value,
    /// Further details, such as the ID of the request.
    #[schema(value_type = Object)]
    pub metadata: Value,
}

impl Example for Event {
    fn example() -> Self {
        let actor = "policy:complete_batches".to_owned();
        Self {
            position: 27,
            event_id: example::EVENT,
            stream: StreamPlace {
                kind: "batch_scan".to_owned(),
                id: example::BATCH.to_string(),
                sequence: 3,
            },
            kind: "BatchCompleted".to_owned(),
            version: 1,
            recorded_at: example::ended(),
            tenant_id: example::TENANT,
            data: json!({ "round": 1 }),
            metadata: json!({ "tenant_id": example::TENANT, "actor": actor, "roles": "system" }),
            actor: Some(actor),
        }
    }
}

/// A place in a stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamPlace {
    /// `domain_scan`, `batch_scan`, `webhook`, `monitor` or `tenant`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The ID of the scan, batch, webhook, monitor or tenant.
    pub id: String,
    /// The sequence number in the stream, starting at 1.
    pub sequence: i64,
}

impl From<LogEvent> for Event {
    fn from(event: LogEvent) -> Self {
        Self {
            position: event.position,
            event_id: event.event_id,
            kind: event.event_type.clone(),
            version: event.event_version.parse().unwrap_or_default(),
            recorded_at: event.recorded_at,
            tenant_id: event.tenant_id.0,
            actor: event.circumstances().0,
            data: event.data(),
            metadata: event.metadata(),
            stream: StreamPlace {
                kind: event.aggregate_type,
                id: event.aggregate_id,
                sequence: event.sequence,
            },
        }
    }
}
