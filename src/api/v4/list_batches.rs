//! `GET /batches`.

use axum::Json;
use axum::extract::State;

use super::views::{Batch, Page};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{AtLeast, Paging, QueryOf, Tenant};
use crate::projections::batch_jobs::{self, BatchJobs};

/// Batches, newest first.
#[utoipa::path(
    get, path = "/batches", tag = "batches", params(Paging, AtLeast),
    responses((status = 200, body = Page<Batch>), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_batches(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<Batch>>, Problem> {
    at_least.wait::<BatchJobs>(&state).await?;
    let listed = batch_jobs::query::list(&state.models, tenant, paging.after()?, paging.limit()?).await?;
    Ok(Json(listed.into()))
}
