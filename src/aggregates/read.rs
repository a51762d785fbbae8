//! Whether an event of the log can be read by this release.

use serde_json::value::RawValue;

use super::{BatchEvent, MonitorEvent, ScanEvent, TenantEvent, WebhookEvent};
use crate::values::versioned::{DecodeError, decode_text};

/// Whether an event of a stream type and version can be converted to its current structure.
pub fn can_read(
    stream_type: &str,
    event_type: &str,
    version: &str,
    payload: &RawValue,
) -> Result<(), DecodeError> {
    match stream_type {
        "domain_scan" => decode_text::<ScanEvent>(event_type, version, payload.get()).map(drop),
        "batch_scan" => decode_text::<BatchEvent>(event_type, version, payload.get()).map(drop),
        "webhook" => decode_text::<WebhookEvent>(event_type, version, payload.get()).map(drop),
        "tenant" => decode_text::<TenantEvent>(event_type, version, payload.get()).map(drop),
        "monitor" => decode_text::<MonitorEvent>(event_type, version, payload.get()).map(drop),
        _ => Err(DecodeError::UnknownVersion),
    }
}
