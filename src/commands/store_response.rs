//! Stores the response to a request that had nothing to do, so that a repetition with the same idempotency key gets
//! the same response.

use serde_json::Value;

use super::CommandContext;
use super::bus::CommandBus;
use crate::log::{AppendUnit, Appended, LogError};

/// Stores a response under the context's key, if it has one; returns the response of the first use of the key.
pub async fn store_response(
    bus: &CommandBus,
    result: Value,
    context: &CommandContext,
) -> Result<Value, LogError> {
    let Some(key) = context.key_with(result.clone()) else {
        return Ok(result);
    };
    let unit = AppendUnit {
        tenant: context.tenant,
        streams: Vec::new(),
        bodies: Vec::new(),
        key: Some(key),
    };
    Ok(match bus.log().append(unit).await? {
        Appended::Committed(_) => result,
        Appended::Repeated { result, .. } => result,
    })
}
