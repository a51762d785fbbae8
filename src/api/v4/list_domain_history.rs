//! `GET /domains/{domain}/history`.

use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::views::Page;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::example::{self, Example};
use crate::api::problem::Problem;
use crate::api::request::{Paging, PathOf, QueryOf, Tenant};
use crate::projections::domains::Domains;
use crate::projections::history::{self, FieldChange};
use crate::projections::query::Listed;
use crate::values::{DomainName, ScanId};

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only changes of this field, e.g. `title`.
    field: Option<String>,
}

impl Example for FieldChange {
    fn example() -> Self {
        Self {
            field: "title".to_owned(),
            old: Value::Null,
            new: json!("Workshop 1 of Bergamo"),
            scan_id: ScanId(example::SCAN),
            at: example::ended(),
            position: 10,
        }
    }
}

/// Where a change is: of which event, and which of its changes. It stays the same when changes are added or no longer
/// examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HistoryCursor {
    position: i64,
    number: usize,
}

impl fmt::Display for HistoryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, self.number)
    }
}

impl FromStr for HistoryCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (position, number) = text.split_once(':').ok_or(())?;
        Ok(Self {
            position: position.parse().map_err(drop)?,
            number: number.parse().map_err(drop)?,
        })
    }
}

/// The changes of a domain's results, field by field, newest first: old and new value, time, scan and event. They are
/// computed from the log, for the 100 latest scans of the domain; for values of the first of these scans, `old` is
/// null.
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
    let changes = history::of_domain(&state.for_long_reads().models, tenant, &domain).await?;
    let changes = changes.ok_or_else(|| Problem::not_found("domain"))?;
    let numbered = changes
        .chunk_by(|a, b| a.position == b.position)
        .flat_map(|of_event| of_event.iter().enumerate())
        .map(|(number, change)| {
            let position = change.position;
            (HistoryCursor { position, number }, change)
        });
    let before = paging.after::<HistoryCursor>()?;
    let wanted = numbered.rev().filter(|(place, change)| {
        before.is_none_or(|before| *place < before)
            && query.field.as_ref().is_none_or(|field| change.field == *field)
    });
    let limit = paging.limit()?;
    let rows: Vec<_> = wanted
        .take(usize::try_from(limit + 1).unwrap_or(usize::MAX))
        .collect();
    let listed = Listed::of(rows, limit, |(place, _)| place.to_string());
    Ok(Json(Page {
        items: listed
            .items
            .into_iter()
            .map(|(_, change)| change.clone())
            .collect(),
        next: listed.next,
    }))
}
