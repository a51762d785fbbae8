//! Technologies by the number of domains, over all domains or a batch. It is a separate page because it reads every
//! domain.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::chart;
use super::entry::Visitor;
use super::parts::link;
use super::shell::{Page, Section};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::QueryOf;
use crate::projections::domains::technologies::{TechnologyCount, technologies};
use crate::values::BatchId;

#[derive(Debug, Default, Deserialize)]
pub(super) struct TechnologiesQuery {
    batch: Option<String>,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(query): QueryOf<TechnologiesQuery>,
) -> Result<Markup, Problem> {
    let batch: Option<BatchId> = match &query.batch {
        Some(id) => Some(id.parse().map_err(|_| Problem::not_found("batch"))?),
        None => None,
    };
    let found = technologies(&state.models, visitor.tenant(), batch).await?;
    let content = html! {
        h1 { "Technologies" }
        p { @match batch {
            Some(id) => { "Technologies of the domains whose latest scan belongs to " a href={ "/batches/" (id) } { "one batch" } "." }
            None => { "Technologies of all domains, most frequent first. Select one to see its domains." }
        } }
        @if found.is_empty() { p.empty { "None recognised yet." } } @else { (shares(&found, batch)) }
    };
    Ok(Page::new("Technologies", Section::Domains).render(Some(&visitor), &content))
}

/// The technologies of many domains, each leading to those domains.
pub(super) fn shares(found: &[TechnologyCount], batch: Option<BatchId>) -> Markup {
    let batch = batch.map(|id| id.to_string()).unwrap_or_default();
    let items: Vec<(Markup, i64)> = found
        .iter()
        .map(|one| {
            let here = link("/domains", &[("technology", &one.name), ("batch", &batch)]);
            (html! { a href=(here) { (one.name) } }, one.domains)
        })
        .collect();
    chart::shares("Domains with each technology", &items)
}
