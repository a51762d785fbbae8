//! `GET /batches/{id}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::views::Batch;
use crate::api::ApiState;
use crate::api::at_least::{AtLeast, wait_until_projected};
use crate::api::conditional;
use crate::api::problem::Problem;
use crate::api::request::{AsOf, PathOf, QueryOf, Tenant};
use crate::projections::as_of;
use crate::projections::batch_jobs::{self, BatchJobs, BatchKey, BatchRow};
use crate::values::{BatchId, TenantId};

/// Status and progress of a batch.
#[utoipa::path(
    get, path = "/batches/{id}", tag = "batches", params(("id" = uuid::Uuid, Path), AtLeast, AsOf),
    responses(
        (status = 200, body = Batch), (status = 304, description = "Unchanged since `If-None-Match`"),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn get_batch(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<BatchId>,
    QueryOf(at_least): QueryOf<AtLeast>,
    QueryOf(as_of): QueryOf<AsOf>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    at_least.wait::<BatchJobs>(&state).await?;
    let row = match as_of.position(&state).await? {
        Some(position) => {
            let then = as_of::row::<BatchJobs>(
                &state.for_long_reads().models,
                tenant,
                &BatchKey::new(id),
                position,
            )
            .await?;
            then.filter(|row| row.tenant_id == tenant)
        }
        None => find_batch(&state, tenant, id).await?,
    };
    let row = row.ok_or_else(|| Problem::not_found("batch"))?;
    Ok(conditional::answer(&headers, row.position, Batch::from(row)))
}

/// A batch's row; waits for it if the log knows the batch.
pub(crate) async fn find_batch(
    state: &ApiState,
    tenant: TenantId,
    id: BatchId,
) -> Result<Option<BatchRow>, Problem> {
    if let Some(row) = batch_jobs::query::find(&state.models, tenant, id).await? {
        return Ok(Some(row));
    }
    if !wait_until_projected::<BatchJobs>(state, tenant, "batch_scan", id.0).await? {
        return Ok(None);
    }
    Ok(batch_jobs::query::find(&state.models, tenant, id).await?)
}
