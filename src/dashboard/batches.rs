//! All batches, newest first.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::chart::progress;
use super::entry::Visitor;
use super::parts::{badge, number, pager, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf};
use crate::projections::batch_jobs::BatchRow;
use crate::projections::batch_jobs::query::{self, BatchFilter};

/// Batches on one page.
const ROWS: i64 = 50;

#[derive(Debug, Default, Deserialize)]
pub(super) struct BatchesQuery {
    cursor: Option<String>,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(given): QueryOf<BatchesQuery>,
) -> Result<Markup, Problem> {
    let is_first = given.cursor.is_none();
    let paging = Paging {
        limit: None,
        cursor: given.cursor,
    };
    let filter = BatchFilter {
        before: paging.after()?,
        limit: ROWS,
        ..BatchFilter::default()
    };
    let listed = query::list(&state.models, visitor.tenant(), &filter).await?;
    let content = html! {
        h1 { "Batches" }
        @if visitor.may(Scope::Write) { div.actions { a.button href="/#list" { "New batch" } } }
        section #batches data-part {
            (table(&listed.items, "No batches yet. The first list you send appears here."))
            @if !listed.items.is_empty() { (pager(listed.next.as_ref(), "/batches", is_first)) }
        }
    };
    Ok(Page::new("Batches", Section::Batches)
        .polling()
        .render(Some(&visitor), &content))
}

/// A table of batches; a text if there are none.
pub(super) fn table(batches: &[BatchRow], none: &str) -> Markup {
    if batches.is_empty() {
        return html! { p.empty { (none) } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Batches" {
            table {
                thead { tr {
                    th scope="col" { "Requested" } th scope="col" { "Status" } th.number scope="col" { "Domains" }
                    th scope="col" { "Progress" } th.number.wide scope="col" { "Completed" }
                    th.number.wide scope="col" { "Failed" } th.wide scope="col" { "Finished" }
                } }
                tbody {
                    @for row in batches {
                        tr {
                            th scope="row" { a href={ "/batches/" (row.batch_id) } { (time(Some(row.created_at))) } }
                            td { (badge(row.status.as_str())) }
                            td.number { (number(row.total_domains.into())) }
                            td { (progress(row, "thin")) }
                            td.number.wide { (number(row.completed_domains.into())) }
                            td.number.wide { (number(row.failed_domains.into())) }
                            td.wide { (time(row.end_time)) }
                        }
                    }
                }
            }
        }
    }
}
