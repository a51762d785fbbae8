//! The first page: send a list, and see how the lists sent before are.

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::entry::Visitor;
use super::parts::{badge, number, pager, time};
use super::picture::progress;
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf};
use crate::projections::batch_jobs::BatchRow;
use crate::projections::batch_jobs::query::{self, BatchFilter};
use crate::projections::query::Listed;

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
        p { "Send a list of domains; sitelog scans each site and stores the results." }
        @if visitor.may(Scope::Write) { (list_form()) }
        section #batches data-part { (table(&listed, is_first)) }
    };
    Ok(Page::new("Batches", Section::Batches)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

/// Where a list goes in.
fn list_form() -> Markup {
    html! {
        form.panel method="post" action="/batches/check" enctype="multipart/form-data" {
            h2 { "New batch" }
            div.columns {
                div {
                    div.drop {
                        p { label for="file" { strong { "Drop a file here" } ", or choose one" } }
                        input #file type="file" name="file" accept=".csv,.txt,.tsv,.ndjson,.jsonl,.xlsx,text/csv,text/plain";
                    }
                    p.small.muted { "CSV, Excel (.xlsx), plain lines or NDJSON, in any common encoding; at most 100,000 domains and 32 MB." }
                }
                div {
                    label for="list" { "or paste a list, one domain per line" }
                    textarea #list name="list" rows="5" spellcheck="false" placeholder="example.com" {}
                }
            }
            p { button.primary type="submit" { "Check the list" } " "
                span.small.muted { "No scan starts until you have seen the rejected lines and confirmed the list." } }
        }
    }
}

fn table(listed: &Listed<BatchRow>, is_first: bool) -> Markup {
    if listed.items.is_empty() {
        return html! { p.empty { "No batches yet. The first list you send appears here." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Batches" {
            table {
                thead { tr {
                    th scope="col" { "Requested" } th scope="col" { "Status" } th.number scope="col" { "Domains" }
                    th scope="col" { "Progress" } th.number.wide scope="col" { "Completed" }
                    th.number.wide scope="col" { "Failed" } th.wide scope="col" { "Ended" }
                } }
                tbody {
                    @for row in &listed.items {
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
        (pager(listed.next.as_ref(), "/batches", is_first))
    }
}
