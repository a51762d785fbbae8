//! Whose a job is, for clients that name a tenant when they send it and none when they ask for it.

use axum::http::HeaderMap;
use uuid::Uuid;

use super::error::LegacyError;
use crate::api::ApiState;
use crate::api::request::tenant_in;
use crate::values::TenantId;

/// The tenant in whose name a stream may be looked up: the one the request names, else the stream's own. So the id
/// alone gives access, as it always did in v1: it is a UUID that nobody can guess. `None` if there is no such stream.
pub(super) async fn owner_of(
    state: &ApiState,
    headers: &HeaderMap,
    aggregate_type: &str,
    id: Uuid,
) -> Result<Option<TenantId>, LegacyError> {
    match tenant_in(headers)? {
        Some(named) => Ok(Some(named)),
        None => Ok(state.log.stream_owner(aggregate_type, &id.to_string()).await?),
    }
}
