//! `GET /batches/{id}/scans`.

use axum::extract::State;
use axum::response::Response;

use super::get_batch::find_batch;
use super::list_scans::ScanQuery;
use super::views::{Page, Scan};
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::export::{FormatQuery, Wanted};
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::jobs::Jobs;
use crate::values::BatchId;

/// The scans of a batch, in log order.
#[utoipa::path(
    get, path = "/batches/{id}/scans", tag = "batches",
    params(("id" = uuid::Uuid, Path), ScanQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<Scan>),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_batch_scans(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<BatchId>,
    QueryOf(query): QueryOf<ScanQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Jobs>(&state).await?;
    find_batch(&state, tenant, id)
        .await?
        .ok_or_else(|| Problem::not_found("batch"))?;
    let list = ScanQuery {
        batch: Some(id.to_string()),
        ..query
    };
    wanted.answer(&state, tenant, paging, list).await
}
