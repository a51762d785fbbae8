//! The first page: a form for a domain or a list, what is running, what ended recently, and the most frequent
//! failures.

use axum::extract::State;
use maud::{Markup, html};

use super::batches::table;
use super::chart::{self, Column};
use super::entry::Visitor;
use super::form::PICTURES;
use super::parts::{self, counted, number, request_key};
use super::refused::Refused;
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::projections::batch_jobs::BatchRow;
use crate::projections::batch_jobs::query::{self, BatchFilter};
use crate::projections::jobs::recent::{DayCount, LATEST, Recent, recent};

/// Batches that are examined: those of them that run are shown, and the last that ended.
const BATCHES: i64 = 50;

/// Ended batches that are shown.
const ENDED: usize = 5;

/// Reasons that are shown.
const REASONS: usize = 6;

pub(super) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    let filter = BatchFilter {
        limit: BATCHES,
        ..BatchFilter::default()
    };
    let batches = query::list(&state.models, visitor.tenant(), &filter).await?;
    let scans = recent(&state.for_long_reads().models, visitor.tenant()).await?;
    let (ended, running): (Vec<BatchRow>, Vec<BatchRow>) =
        batches.items.into_iter().partition(|row| row.status.is_ended());
    let is_new = ended.is_empty() && running.is_empty() && scans.is_empty();
    let content = html! {
        h1 { "Overview" }
        @if visitor.may(Scope::Write) { (form(&visitor.refused)) }
        @if is_new {
            section #now data-part {
                p.empty { "Nothing has been scanned yet."
                    @if visitor.may(Scope::Write) { " Enter a domain above; its results appear within seconds." } }
            }
        } @else {
            section #now data-part { (now(&running, &scans)) }
            section #month data-part { (month(&scans)) }
            section #ended data-part {
                h2 { "Finished batches" }
                (table(&ended[..ended.len().min(ENDED)], "No batch has finished yet."))
                p { a href="/batches" { "All batches" } " · " a href="/domains" { "All domains" } }
            }
        }
    };
    Ok(Page::new("Overview", Section::Overview)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

/// The form for domains: one domain, or a list without invalid lines, is scanned immediately.
fn form(refused: &Refused) -> Markup {
    let entered = Some(refused.form("/start")).filter(|entered| entered.is_refused());
    let entered = entered.unwrap_or_else(|| refused.form("/batches/check"));
    html! {
        form.panel method="post" action="/start" enctype="multipart/form-data" {
            (request_key())
            div.columns {
                div {
                    label for="list" { strong { "Domain or list" } ", one domain per line" }
                    textarea #list name="list" rows="4" spellcheck="false" autocapitalize="none" placeholder="example.com" { "\n" (entered.value("list", "")) }
                }
                div {
                    div.drop {
                        p { label for="file" { strong { "Drop a file here" } ", or choose one" } }
                        input #file type="file" name="file" accept=".csv,.txt,.tsv,.ndjson,.jsonl,.xlsx,text/csv,text/plain";
                    }
                    p.small.muted { "CSV, Excel (.xlsx), NDJSON or plain text (one domain per line), in any common encoding; at most 100,000 domains and 32 MB." }
                }
            }
            p { label.check { input type="checkbox" name=(PICTURES) value="1" checked[entered.is_ticked(PICTURES, true)];
                "Also fetch the icon and logo (one extra request each)" } }
            div.actions {
                button.primary type="submit" { "Scan" }
                button type="submit" formaction="/batches/check" { "Check the list first" }
                span.small.muted { "If the list has invalid lines, you are asked to confirm before the scan starts." }
            }
        }
    }
}

fn now(running: &[BatchRow], scans: &Recent) -> Markup {
    html! {
        h2 { "Running" }
        @if running.is_empty() && scans.open == 0 { p.empty { "Nothing is running." } }
        @else {
            @if scans.open > 0 { p { (counted(scans.open, "scan")) " waiting or running." } }
            @if !running.is_empty() { (table(running, "")) }
        }
    }
}

/// The scans of the last days.
fn month(scans: &Recent) -> Markup {
    let columns: Vec<Column> = scans
        .days
        .iter()
        .map(|day| Column {
            completed: day.completed,
            failed: day.failed,
        })
        .collect();
    let completed: i64 = columns.iter().map(|day| day.completed).sum();
    let failed: i64 = columns.iter().map(|day| day.failed).sum();
    let most = columns.iter().map(|day| day.completed + day.failed).max();
    let most = number(most.unwrap_or(0));
    let label = format!("Finished scans per day: completed (bottom), failed (top); maximum {most}");
    let day = |day: Option<&DayCount>| {
        day.map(|of| of.day.format("%b %-d").to_string())
            .unwrap_or_default()
    };
    html! {
        h2 { "Last 30 days" }
        div.columns {
            div {
                dl.figures {
                    div { dt { "Scans completed" } dd.completed { (number(completed)) } }
                    div { dt { "Scans failed" } dd.failed { (number(failed)) } }
                }
                @if scans.is_cut { p.small.muted { "Counted over the latest " (number(LATEST)) " scans." } }
                figure {
                    (chart::columns(&columns, &label))
                    figcaption { span { (day(scans.days.first())) } span { (label) } span { (day(scans.days.last())) } }
                }
            }
            div {
                h3 { "Top failure reasons" }
                (failures(scans))
            }
        }
    }
}

fn failures(scans: &Recent) -> Markup {
    let mut failures: Vec<_> = scans.failures.iter().collect();
    failures.sort_by_key(|(_, count)| -**count);
    let shown: Vec<(Markup, i64)> = failures
        .iter()
        .take(REASONS)
        .map(|(reason, count)| (parts::reason(**reason), **count))
        .collect();
    html! {
        @if shown.is_empty() { p.empty { "No scan failed." } } @else { (chart::shares("Failed scans for each reason", &shown)) }
        @if failures.len() > REASONS { p.small.muted { "and " (counted((failures.len() - REASONS).try_into().unwrap_or(0), "other reason")) } }
    }
}
