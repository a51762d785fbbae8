//! `GET /batches`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Batch, Page};
use crate::aggregates::BatchStatus;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf, Tenant, filter, one_of};
use crate::projections::batch_jobs::{self, BatchJobs, query::BatchFilter};

/// Which batches.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct BatchesQuery {
    /// Only batches with this status.
    status: Option<String>,
    /// Only runs of this monitor; `monitor_id` is an alias.
    #[serde(alias = "monitor_id")]
    monitor: Option<String>,
}

/// Batches, newest first.
#[utoipa::path(
    get, path = "/batches", tag = "batches", params(BatchesQuery, Paging, AtLeast),
    responses((status = 200, body = Page<Batch>), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_batches(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<BatchesQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<Batch>>, Problem> {
    at_least.wait::<BatchJobs>(&state).await?;
    let wanted = BatchFilter {
        status: filter("status", query.status.as_deref(), || one_of(&BatchStatus::ALL))?,
        monitor: filter("monitor", query.monitor.as_deref(), || {
            "a monitor's ID".to_owned()
        })?,
        before: paging.after()?,
        limit: paging.limit()?,
    };
    let listed = batch_jobs::query::list(&state.models, tenant, &wanted).await?;
    Ok(Json(listed.into()))
}
