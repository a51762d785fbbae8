//! `GET /domains`.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Domain, Page};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::export::{FormatQuery, Listing, Wanted};
use crate::api::problem::Problem;
use crate::api::request::{AtLeast, Paging, QueryOf, Tenant};
use crate::projections::domains::{self, Domains, query::DomainFilter};
use crate::values::{BatchId, TenantId};

/// Which domains.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DomainQuery {
    /// Only those whose latest scan has this status.
    status: Option<String>,
    /// Only those whose name holds this text.
    contains: Option<String>,
    /// Only those whose latest scan belongs to this batch.
    batch: Option<String>,
    /// Only those that run WordPress, or do not.
    is_wordpress: Option<bool>,
}

/// Domains by name.
#[utoipa::path(
    get, path = "/domains", tag = "domains", params(DomainQuery, FormatQuery, Paging, AtLeast),
    responses(
        (status = 200, content(
            (Page<Domain> = "application/json"), (String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        )),
        (status = 422, description = "More rows than a workbook takes", body = Problem),
        (status = 400, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn list_domains(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<DomainQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    at_least.wait::<Domains>(&state).await?;
    let reading = state.clone();
    let listing = Listing {
        tenant,
        batch: query.batch.as_deref().and_then(|id| id.parse().ok()),
        name: "domains".to_owned(),
        paging,
        read: move |paging| {
            let (state, query) = (reading.clone(), query.clone());
            async move { page(&state, tenant, query, &paging).await }
        },
    };
    wanted.answer(&state, listing).await
}

/// One page of them.
pub(crate) async fn page(
    state: &ApiState,
    tenant: TenantId,
    query: DomainQuery,
    paging: &Paging,
) -> Result<Page<Domain>, Problem> {
    let invalid = |detail: String| Problem::bad_request("invalid_query", detail);
    let status = query.status.as_deref().map(str::parse::<ScanStatus>).transpose();
    let batch = query.batch.as_deref().map(str::parse::<BatchId>).transpose();
    let filter = DomainFilter {
        status: status.map_err(|error| invalid(format!("status: {error}.")))?,
        contains: query.contains,
        batch: batch.map_err(|_| invalid("batch must be a batch's id.".to_owned()))?,
        is_wordpress: query.is_wordpress,
        after: paging.after()?,
        limit: paging.limit()?,
    };
    Ok(domains::query::list(&state.models, tenant, &filter).await?.into())
}
