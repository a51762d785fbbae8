//! `GET /scans`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Page, Scan};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::export::{FormatQuery, Listing, Wanted};
use crate::api::problem::Problem;
use crate::api::request::{AtLeast, Paging, QueryOf, Tenant};
use crate::projections::jobs::{self, Jobs, query::JobFilter};
use crate::values::{BatchId, DomainName, TenantId};

/// Which scans.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScanQuery {
    /// Only in this status.
    pub(super) status: Option<String>,
    /// Only of this domain.
    pub(super) domain: Option<String>,
    /// Only of this batch.
    pub(super) batch: Option<String>,
}

/// Scans in the order of their requests.
#[utoipa::path(
    get, path = "/scans", tag = "scans", params(ScanQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, content(
            (Page<Scan> = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 422, description = "More rows than a workbook takes", body = Problem),
        (status = 400, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn list_scans(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<ScanQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Jobs>(&state).await?;
    let reading = state.clone();
    let listing = Listing {
        tenant,
        batch: query.batch.as_deref().and_then(|id| id.parse().ok()),
        name: "scans".to_owned(),
        paging,
        read: move |paging| {
            let (state, query) = (reading.clone(), query.clone());
            async move { page(&state, tenant, None, &query, &paging).await }
        },
    };
    wanted.answer(&state, listing).await
}

/// One page of them, or of those of a batch.
pub(crate) async fn page(
    state: &ApiState,
    tenant: TenantId,
    batch: Option<BatchId>,
    query: &ScanQuery,
    paging: &Paging,
) -> Result<Page<Scan>, Problem> {
    let mut filter = query.filter(paging)?;
    filter.batch = batch.or(filter.batch);
    Ok(jobs::query::list(&state.models, tenant, &filter).await?.into())
}

impl ScanQuery {
    pub(super) fn filter(&self, paging: &Paging) -> Result<JobFilter, Problem> {
        let invalid = |detail: String| Problem::bad_request("invalid_query", detail);
        let status = self.status.as_deref().map(str::parse::<ScanStatus>).transpose();
        let domain = self.domain.as_deref().map(DomainName::parse).transpose();
        let batch = self.batch.as_deref().map(str::parse::<BatchId>).transpose();
        Ok(JobFilter {
            status: status.map_err(|error| invalid(format!("status: {error}.")))?,
            domain: domain
                .map_err(|error| invalid(format!("domain: {error}.")))?
                .map(String::from),
            batch: batch.map_err(|_| invalid("batch must be a batch's id.".to_owned()))?,
            after: paging.after()?,
            limit: paging.limit()?,
        })
    }
}
