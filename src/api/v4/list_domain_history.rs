//! `GET /domains/{domain}/history`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::views::Page;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{AtLeast, Paging, PathOf, QueryOf, Tenant};
use crate::projections::domains::Domains;
use crate::projections::history::{self, FieldChange};
use crate::projections::query::Listed;
use crate::values::DomainName;

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only of this field, e.g. `title`.
    field: Option<String>,
}

/// What changed in what is known of a domain, field by field, newest first: from what to what, when, by which scan
/// and which event. Folded from the log itself.
#[utoipa::path(
    get, path = "/domains/{domain}/history", tag = "domains",
    params(("domain" = String, Path), HistoryQuery, Paging, AtLeast),
    responses(
        (status = 200, body = Page<FieldChange>), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 503, body = Problem),
    )
)]
pub(super) async fn list_domain_history(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    PathOf(domain): PathOf<String>,
    QueryOf(query): QueryOf<HistoryQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Json<Page<FieldChange>>, Problem> {
    at_least.wait::<Domains>(&state).await?;
    let domain = DomainName::parse(&domain).map_err(|_| Problem::not_found("domain"))?;
    let changes = history::of_domain(&state.models, tenant, &domain).await?;
    let changes = changes.ok_or_else(|| Problem::not_found("domain"))?;
    // A domain's story only grows, so a place counted from its beginning stays.
    let numbered = changes.into_iter().enumerate().rev();
    let before = paging.after::<usize>()?.unwrap_or(usize::MAX);
    let wanted = numbered.filter(|(place, change)| {
        *place < before && query.field.as_ref().is_none_or(|field| change.field == *field)
    });
    let limit = paging.limit()?;
    let rows: Vec<_> = wanted
        .take(usize::try_from(limit + 1).unwrap_or(usize::MAX))
        .collect();
    let listed = Listed::of(rows, limit, |(place, _)| place.to_string());
    Ok(Json(Page {
        items: listed.items.into_iter().map(|(_, change)| change).collect(),
        next: listed.next,
    }))
}
