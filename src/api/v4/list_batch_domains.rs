//! `GET /batches/{id}/domains`.

use axum::extract::State;
use axum::response::Response;

use super::get_batch::find_batch;
use super::list_scans::ScanQuery;
use super::views::{BatchDomain, Page};
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::domains::{self, Domains};
use crate::projections::jobs::{self, Jobs};
use crate::values::{BatchId, TenantId};

/// The list of a batch, line by line, with the results of each domain and the other columns of the list.
#[utoipa::path(
    get, path = "/batches/{id}/domains", tag = "batches",
    params(("id" = uuid::Uuid, Path), ScanQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<BatchDomain>),
        (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_batch_domains(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(id): PathOf<BatchId>,
    QueryOf(query): QueryOf<ScanQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Jobs>(&state).await?;
    at_least.wait::<Domains>(&state).await?;
    find_batch(&state, tenant, id)
        .await?
        .ok_or_else(|| Problem::not_found("batch"))?;
    let list = BatchDomains { batch: id, query };
    wanted.answer(&state, tenant, paging, list).await
}

/// The list of a batch, with what is known of each domain.
pub(crate) struct BatchDomains {
    /// The batch.
    pub(crate) batch: BatchId,
    /// Only the lines whose scans match.
    pub(crate) query: ScanQuery,
}

impl List for BatchDomains {
    type Row = BatchDomain;

    fn name(&self) -> String {
        format!("batch-{}-domains", self.batch)
    }

    fn batch(&self) -> Option<BatchId> {
        Some(self.batch)
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<BatchDomain>, Problem> {
        let filter = jobs::query::JobFilter {
            batch: Some(self.batch),
            ..self.query.filter(paging)?
        };
        let scans = jobs::query::list(&state.models, tenant, &filter).await?;
        let names: Vec<String> = scans.items.iter().map(|scan| scan.domain.clone()).collect();
        let mut known = domains::query::named(&state.models, tenant, &names).await?;
        let rows = scans.items.into_iter().map(|scan| {
            let domain = known.remove(&scan.domain);
            BatchDomain::of(scan, domain)
        });
        let items: Result<Vec<_>, _> = rows.collect();
        let items = items.map_err(|error| {
            tracing::error!(%error, "Cannot show a domain's row");
            Problem::internal()
        })?;
        Ok(Page {
            items,
            next: scans.next,
        })
    }
}
