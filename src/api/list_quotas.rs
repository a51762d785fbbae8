//! The quotas of a tenant: domains per list, and stored URLs.

use super::ApiState;
use super::batch_input::BatchInput;
use super::problem::{Problem, ProblemCode};
use crate::projections::sitemaps;
use crate::values::TenantId;

/// Waits until the tenant may send a list, which is as much work as an export and shares the turns of those. The next
/// list may be sent when the returned value is dropped.
pub(crate) async fn wait_for_list_turn(
    state: &ApiState,
    tenant: TenantId,
) -> Result<impl Sized + use<>, Problem> {
    Ok(state.for_long_reads().models.turn(tenant).await?)
}

/// Refuses a tenant that has reached its quota of stored sitemap URLs. Running scans are not interrupted when the quota
/// is reached, so the scans of one request may exceed it.
pub(crate) async fn require_room_for_urls(state: &ApiState, tenant: TenantId) -> Result<(), Problem> {
    let settings = state.access.tenants().settings(tenant).await?;
    let Some(quota) = settings.max_stored_urls else {
        return Ok(());
    };
    let stored = sitemaps::query::stored_urls(&state.models, tenant).await?;
    if stored < quota {
        return Ok(());
    }
    let detail = format!(
        "The tenant has {stored} stored URLs of sitemaps; its quota is {quota}. Erase domains that are no longer \
         needed, or ask the operator for a higher quota."
    );
    Err(Problem::of(ProblemCode::UrlQuotaReached, detail)
        .with("stored", stored)
        .with("quota", quota))
}

/// Refuses a list without a valid line, or above the tenant's quota.
pub(crate) async fn require_acceptable(
    state: &ApiState,
    tenant: TenantId,
    input: &BatchInput,
) -> Result<(), Problem> {
    input.require_some()?;
    let settings = state.access.tenants().settings(tenant).await?;
    input.require_at_most(settings.max_batch_domains)
}
