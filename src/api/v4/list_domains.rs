//! `GET /domains`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::{Domain, Page};
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{AtLeast, Paging, QueryOf, Tenant};
use crate::projections::domains::{self, Domains, query::DomainFilter};
use crate::values::BatchId;

/// Which domains.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DomainQuery {
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
    get, path = "/domains", tag = "domains", params(DomainQuery, Paging, AtLeast),
    responses((status = 200, body = Page<Domain>), (status = 400, body = Problem), (status = 503, body = Problem))
)]
pub(super) async fn list_domains(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<DomainQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<Domain>>, Problem> {
    at_least.wait::<Domains>(&state).await?;
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
    Ok(Json(
        domains::query::list(&state.models, tenant, &filter).await?.into(),
    ))
}
