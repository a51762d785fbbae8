//! `GET /domains/{domain}`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::views::Domain;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::conditional;
use crate::api::problem::Problem;
use crate::api::request::{AsOf, PathOf, QueryOf, Tenant};
use crate::projections::as_of;
use crate::projections::domains::{self, DomainKey, Domains};
use crate::values::{DomainName, TenantId};

/// The latest results of a domain.
#[utoipa::path(
    get, path = "/domains/{domain}", tag = "domains", params(("domain" = String, Path), AtLeast, AsOf),
    responses(
        (status = 200, body = Domain), (status = 304, description = "Unchanged since `If-None-Match`"),
        (status = 400, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn get_domain(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(domain): PathOf<String>,
    QueryOf(at_least): QueryOf<AtLeast>,
    QueryOf(as_of): QueryOf<AsOf>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    at_least.wait::<Domains>(&state).await?;
    let domain = DomainName::parse(&domain).map_err(|_| Problem::not_found("domain"))?;
    let row = match as_of.position(&state).await? {
        Some(position) => {
            let key = DomainKey::new(tenant, domain.as_str());
            as_of::row::<Domains>(&state.for_long_reads().models, tenant, &key, position).await?
        }
        None => domains::query::find(&state.models, tenant, &domain).await?,
    };
    let row = row.ok_or_else(|| Problem::not_found("domain"))?;
    Ok(conditional::answer(&headers, row.position, Domain::from(row)))
}

/// The domain that a path names, if something is known of it.
pub(super) async fn known_domain(
    state: &ApiState,
    tenant: TenantId,
    named: &str,
) -> Result<DomainName, Problem> {
    let not_found = || Problem::not_found("domain");
    let domain = DomainName::parse(named).map_err(|_| not_found())?;
    let row = domains::query::find(&state.models, tenant, &domain).await?;
    row.map(|_| domain).ok_or_else(not_found)
}
