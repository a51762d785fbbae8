//! `GET /scans/{id}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::views::Scan;
use crate::api::ApiState;
use crate::api::at_least::{AtLeast, wait_until_projected};
use crate::api::conditional;
use crate::api::problem::Problem;
use crate::api::request::{AsOf, PathOf, QueryOf, Tenant};
use crate::projections::as_of;
use crate::projections::jobs::{self, JobKey, JobRow, Jobs};
use crate::values::{ScanId, TenantId};

/// Status and result of a scan.
#[utoipa::path(
    get, path = "/scans/{id}", tag = "scans", params(("id" = uuid::Uuid, Path), AtLeast, AsOf),
    responses(
        (status = 200, body = Scan), (status = 304, description = "Unchanged since `If-None-Match`"),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn get_scan(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<ScanId>,
    QueryOf(at_least): QueryOf<AtLeast>,
    QueryOf(as_of): QueryOf<AsOf>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    at_least.wait::<Jobs>(&state).await?;
    let row = match as_of.position(&state).await? {
        Some(position) => {
            let models = &state.for_long_reads().models;
            let then = as_of::row::<Jobs>(models, tenant, &JobKey::new(id), position).await?;
            match then.filter(|row| row.tenant_id == tenant) {
                Some(row) => Some(jobs::query::complete(models, tenant, row).await?),
                None => None,
            }
        }
        None => find_scan(&state, tenant, id).await?,
    };
    let row = row.ok_or_else(|| Problem::not_found("scan"))?;
    Ok(conditional::answer(&headers, row.position, Scan::from(row)))
}

/// A scan's row; waits for it if the log knows the scan.
pub(crate) async fn find_scan(
    state: &ApiState,
    tenant: TenantId,
    id: ScanId,
) -> Result<Option<JobRow>, Problem> {
    if let Some(row) = jobs::query::find(&state.models, tenant, id).await? {
        return Ok(Some(row));
    }
    if !wait_until_projected::<Jobs>(state, tenant, "domain_scan", id.0).await? {
        return Ok(None);
    }
    Ok(jobs::query::find(&state.models, tenant, id).await?)
}
