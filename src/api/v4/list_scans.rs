//! `GET /scans`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Page, Scan};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{Paging, QueryOf, Tenant, filter, one_of, order};
use crate::projections::jobs::query::{JobFilter, JobSort};
use crate::projections::jobs::{self, Jobs};
use crate::values::{BatchId, DomainName, FailureReason, TenantId};

/// Which scans.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScanQuery {
    /// Only scans with this status.
    pub(crate) status: Option<String>,
    /// Only scans that failed for this reason, or whose last attempt failed for it.
    pub(crate) reason: Option<String>,
    /// Only scans of this domain.
    pub(crate) domain: Option<String>,
    /// Only scans whose domain contains this text, case-insensitive.
    pub(crate) contains: Option<String>,
    /// Only scans of this batch; `batch_id` is an alias.
    #[serde(alias = "batch_id")]
    pub(crate) batch: Option<String>,
    /// The order: by time of the request, oldest first (`created_at`) or newest first (`-created_at`).
    pub(crate) sort: Option<String>,
}

/// Lists scans by the time of the request, oldest or newest first.
#[utoipa::path(
    get, path = "/scans", tag = "scans", params(ScanQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<Scan>),
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
    wanted.answer(&state, tenant, paging, query).await
}

impl List for ScanQuery {
    type Row = Scan;

    fn name(&self) -> String {
        match self.batch() {
            Some(id) => format!("batch-{id}-scans"),
            None => "scans".to_owned(),
        }
    }

    fn batch(&self) -> Option<BatchId> {
        self.batch.as_deref()?.parse().ok()
    }

    fn is_costly(&self) -> bool {
        self.contains.is_some()
    }

    async fn page(&self, state: &ApiState, tenant: TenantId, paging: &Paging) -> Result<Page<Scan>, Problem> {
        let filter = self.filter(paging)?;
        Ok(jobs::query::list(&state.models, tenant, &filter).await?.into())
    }
}

impl ScanQuery {
    pub(crate) fn filter(&self, paging: &Paging) -> Result<JobFilter, Problem> {
        let domain = self.domain.as_deref().map(DomainName::parse).transpose();
        let sort: JobSort = order(self.sort.as_deref())?;
        Ok(JobFilter {
            status: filter("status", self.status.as_deref(), || one_of(&ScanStatus::ALL))?,
            reason: filter("reason", self.reason.as_deref(), || one_of(FailureReason::ALL))?,
            domain: domain
                .map_err(|error| Problem::of(ProblemCode::InvalidQuery, format!("domain: {error}.")))?
                .map(String::from),
            contains: self.contains.clone(),
            batch: filter("batch", self.batch.as_deref(), || "a batch's ID".to_owned())?,
            sort,
            after: paging.after_in(sort)?,
            limit: paging.limit()?,
        })
    }
}
