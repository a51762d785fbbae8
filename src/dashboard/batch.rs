//! One batch: its progress, its failures, and its scans.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::chart::{self, Column, progress};
use super::entry::Visitor;
use super::parts::{
    self, action, badge, choice, counted, duration, link, number, pager, reason_label, seen_from, time,
};
use super::shell::{Page, Section};
use super::technologies;
use crate::access::Scope;
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::problem::Problem;
use crate::api::request::{CommandRequest, Paging, PathOf, QueryOf};
use crate::api::v4::get_batch::find_batch;
use crate::api::v4::list_scans::ScanQuery;
use crate::api::v4::retry_batch::retry_failed;
use crate::commands::cancel_batch::cancel_batch;
use crate::projections::batch_jobs::{BatchJobs, BatchRow};
use crate::projections::domains::technologies::{TechnologyCount, technologies as most_frequent};
use crate::projections::jobs::query::JobFilter;
use crate::projections::jobs::throughput::{Throughput, throughput};
use crate::projections::jobs::{self, JobRow};
use crate::projections::query::Listed;
use crate::values::{BatchId, FailureReason};

/// From this number of scans, the page refreshes less often: counting them takes time.
const LARGE: i32 = 5_000;

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<BatchId>,
    QueryOf(query): QueryOf<ScanQuery>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Markup, Problem> {
    at_least.wait::<BatchJobs>(&state).await?;
    let tenant = visitor.tenant();
    let row = find_batch(&state, tenant, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("batch"))?;
    let filter = JobFilter {
        batch: Some(id),
        ..query.filter(&paging)?
    };
    let scans = jobs::query::list(&state.models, tenant, &filter).await?;
    let is_first = paging.cursor.is_none();
    let is_large = row.total_domains > LARGE;
    // Further rows are requested without the pictures.
    let throughput = if is_first {
        throughput(&state.models, tenant, id).await?
    } else {
        None
    };
    let found = if is_first && !is_large && row.status.is_ended() {
        most_frequent(&state.models, tenant, Some(id)).await?
    } else {
        Vec::new()
    };
    let content = html! {
        h1 { "Batch of " (counted(row.total_domains, "domain")) }
        section #progress data-part { (head(&row, throughput.as_ref())) }
        @if visitor.may(Scope::Write) { section #actions data-part { (actions(&row)) } }
        section #charts data-part { (charts(&row, throughput.as_ref(), &found)) }
        h2 #scans-title { "Scans" }
        (filter_form(&row, &query))
        section #scans data-part { (table(&row, &query, &scans, is_first)) }
    };
    let title = format!("{}% of {}", percent(&row), counted(row.total_domains, "domain"));
    let mut page = Page::new(&title, Section::Batches);
    if !row.status.is_ended() {
        let pause = if is_large { 4000 } else { 1000 };
        page = page.following(
            format!("/api/v4/batches/{id}/events?after={}", row.position),
            pause,
        );
    }
    Ok(page.render(Some(&visitor), &content))
}

pub(super) async fn cancel(
    State(state): State<ApiState>,
    PathOf(id): PathOf<BatchId>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let position = cancel_batch(&state.bus, id, &request.context).await?;
    Ok(seen_from("/batches", id, position))
}

/// Retries the failed scans.
pub(super) async fn retry(
    State(state): State<ApiState>,
    PathOf(id): PathOf<BatchId>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let position = retry_failed(&state, id, &request.context).await?;
    Ok(seen_from("/batches", id, position))
}

fn ended(row: &BatchRow) -> i64 {
    i64::from(row.completed_domains) + i64::from(row.failed_domains) + i64::from(row.cancelled_domains)
}

/// Whole percents, 100 only when all is done.
fn percent(row: &BatchRow) -> i64 {
    ended(row) * 100 / i64::from(row.total_domains.max(1))
}

fn head(row: &BatchRow, throughput: Option<&Throughput>) -> Markup {
    let open = i64::from(row.total_domains) - ended(row);
    html! {
        p { (badge(row.status.as_str())) " requested " (time(Some(row.created_at)))
            @if let Some(by) = &row.created_by { " by " (by) }
            @if let Some(monitor) = row.monitor_id { " for a " a href={ "/monitors/" (monitor) } { "monitor" } }
            @if row.end_time.is_some() { ", finished " (time(row.end_time)) } }
        (progress(row, ""))
        ul.legend {
            li.completed { span { (number(row.completed_domains.into())) " completed" } }
            li.failed { span { (number(row.failed_domains.into())) " failed" } }
            @if row.cancelled_domains > 0 { li.cancelled { span { (number(row.cancelled_domains.into())) " cancelled" } } }
            @if open > 0 { li.muted { span { (number(open)) " remaining" } } }
        }
        dl.figures {
            div { dt { "Progress" } dd { (percent(row)) "%" } }
            @match (row.status.is_ended(), throughput) {
                (false, Some(throughput)) => {
                    @let rate = rate_of(throughput);
                    div { dt { "Domains per second" } dd { (format!("{rate:.1}")) } }
                    div { dt { "Estimated time left" } dd { (left(open, rate)) } }
                }
                (true, _) => {
                    @if let Some(seconds) = row.processing_time {
                        div { dt { "Duration" } dd { (duration(seconds)) } }
                        @if seconds > 0.0 { div { dt { "Domains per second" } dd { (format!("{:.1}", f64::from(row.total_domains) / seconds)) } } }
                    }
                }
                (false, None) if row.start_time.is_none() => { div { dt { "Estimated time left" } dd { "waiting in the queue" } } }
                (false, None) => {}
            }
        }
    }
}

/// Ended scans a second over the last minute, or since the beginning if that is shorter.
#[expect(clippy::cast_precision_loss, reason = "it is told to one place")]
fn rate_of(throughput: &Throughput) -> f64 {
    let age = (throughput.seconds * i64::try_from(throughput.buckets.len()).unwrap_or(60)) as f64;
    throughput.last_minute as f64 / age.clamp(1.0, 60.0)
}

#[expect(clippy::cast_precision_loss, reason = "it is told in words")]
fn left(open: i64, rate: f64) -> String {
    if rate > 0.0 {
        duration(open as f64 / rate)
    } else {
        "not known yet".to_owned()
    }
}

fn actions(row: &BatchRow) -> Markup {
    let path = format!("/batches/{}", row.batch_id);
    // An input that is not a domain would fail again.
    let hopeless = row
        .failures
        .get(FailureReason::InvalidDomain.as_str())
        .copied()
        .unwrap_or(0);
    let failed = row.failed_domains - hopeless;
    let export =
        |what: &str, format: &str| format!("/api/v4/batches/{}/{what}?format={format}", row.batch_id);
    html! {
        div.actions {
            @if !row.status.is_ended() {
                details.menu { summary { "Cancel…" }
                    p { "Running scans are cancelled; finished scans are kept." }
                    (action(&format!("{path}/cancel"), "Cancel batch", "danger"))
                }
            } @else if failed > 0 && !row.cancelled {
                (action(&format!("{path}/retry"), &format!("Retry {}", counted(i64::from(failed), "failed scan")), "primary"))
            }
            details.menu { summary { "Export" }
                ul {
                    li { "Results: " a href=(export("domains", "csv")) { "CSV" } ", " a href=(export("domains", "xlsx")) { "Excel" }
                        ", " a href=(export("domains", "ndjson")) { "NDJSON" }
                        ", " a href=(export("domains", "parquet")) { "Parquet" } }
                    li { "Scans: " a href=(export("scans", "csv")) { "CSV" } ", " a href=(export("scans", "xlsx")) { "Excel" }
                        ", " a href=(export("scans", "ndjson")) { "NDJSON" }
                        ", " a href=(export("scans", "parquet")) { "Parquet" } }
                }
                @if !row.status.is_ended() { p.small.muted { "The batch is still running: the files contain the results so far." } }
            }
        }
    }
}

fn charts(row: &BatchRow, throughput: Option<&Throughput>, found: &[TechnologyCount]) -> Markup {
    let mut failures: Vec<_> = row.failures.iter().filter(|(_, count)| **count > 0).collect();
    failures.sort_by_key(|(reason, count)| (-**count, reason.as_str()));
    let failures: Vec<(Markup, i64)> = failures
        .into_iter()
        .map(|(reason, count)| {
            let here = link(&format!("/batches/{}", row.batch_id), &[("reason", reason)]);
            (
                html! { a href={ (here) "#scans-title" } { (reason_label(reason)) } " " code.small.muted { (reason) } },
                i64::from(*count),
            )
        })
        .collect();
    html! {
        div.columns {
            @if let Some(throughput) = throughput.filter(|throughput| throughput.buckets.len() > 1) {
                div { h2 { "Throughput" } (over_time(throughput)) }
            }
            @if !failures.is_empty() { div { h2 { "Failures by reason" } (chart::shares("Failed scans for each reason", &failures)) } }
            @if row.total_domains > LARGE && row.completed_domains > 0 {
                div { h2 { "Technologies" } p { a href={ "/technologies?batch=" (row.batch_id) } { "Count the technologies of all domains" } } }
            }
            @if !found.is_empty() { div { h2 { "Technologies" } (technologies::shares(found, Some(row.batch_id))) } }
        }
    }
}

fn over_time(throughput: &Throughput) -> Markup {
    let columns: Vec<Column> = throughput
        .buckets
        .iter()
        .map(|bucket| Column {
            completed: bucket.completed,
            failed: bucket.failed,
        })
        .collect();
    let most = columns.iter().map(|c| c.completed + c.failed).max().unwrap_or(0);
    let unit = match throughput.seconds {
        1 => "second".to_owned(),
        seconds => format!("{seconds} seconds"),
    };
    let label = format!(
        "Finished scans per {unit}: completed (bottom), failed (top); maximum {}",
        number(most)
    );
    let to = throughput.from
        + chrono::Duration::seconds(throughput.seconds * i64::try_from(columns.len()).unwrap_or(0));
    html! {
        figure {
            (chart::columns(&columns, &label))
            figcaption { span { (throughput.from.format("%H:%M:%S")) } span { (label) } span { (to.format("%H:%M:%S UTC")) } }
        }
    }
}

fn filter_form(row: &BatchRow, query: &ScanQuery) -> Markup {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let (status, reason) = (given(&query.status), given(&query.reason));
    html! {
        form.filter method="get" action={ "/batches/" (row.batch_id) "#scans-title" } {
            label { "Domain contains" input name="contains" type="search" value=(given(&query.contains)); }
            label { "Status" select name="status" {
                (choice("", "all", &status))
                @for one in ScanStatus::ALL { (choice(one.as_str(), one.as_str(), &status)) }
            } }
            @if !row.failures.is_empty() || query.reason.is_some() {
                label { "Reason" select name="reason" {
                    (choice("", "all", &reason))
                    @for one in row.failures.keys() { (choice(one, reason_label(one), &reason)) }
                } }
            }
            button type="submit" { "Filter" }
            @if query.status.is_some() || query.reason.is_some() || query.contains.is_some() {
                a.button href={ "/batches/" (row.batch_id) "#scans-title" } { "Show all" }
            }
        }
    }
}

fn table(row: &BatchRow, query: &ScanQuery, scans: &Listed<JobRow>, is_first: bool) -> Markup {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let here = link(
        &format!("/batches/{}", row.batch_id),
        &[
            ("status", &given(&query.status)),
            ("reason", &given(&query.reason)),
            ("contains", &given(&query.contains)),
        ],
    );
    if scans.items.is_empty() {
        let is_filtered = here.contains('?');
        return html! {
            p.empty { @if is_filtered { "No scan matches these filters." } @else { "The scans are being queued." } }
        };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Scans" {
            table {
                thead { tr {
                    th.number scope="col" { "Line" } th scope="col" { "Domain" } th scope="col" { "Status" }
                    th scope="col" { "Error" } th.number.wide scope="col" { "Attempts" } th.wide scope="col" { "Finished" }
                } }
                tbody { @for scan in &scans.items { (line(scan)) } }
            }
        }
        (pager(scans.next.as_ref(), &here, is_first))
    }
}

fn line(scan: &JobRow) -> Markup {
    let is_known = scan.status == ScanStatus::Completed;
    html! {
        tr {
            td.number { @if let Some(line) = scan.line { (line) } }
            th scope="row" {
                @if is_known { a href={ "/domains/" (scan.domain) } { (scan.domain) } }
                @else { a href={ "/scans/" (scan.scan_id) } { (scan.domain) } }
            }
            td { a href={ "/scans/" (scan.scan_id) } aria-label={ (scan.status.as_str()) ", the scan of " (scan.domain) } { (badge(scan.status.as_str())) } }
            td.text { @if let Some(reason) = scan.reason { (parts::reason(reason)) div.wide.small.muted { (scan.error.as_deref().unwrap_or_default()) } } }
            td.number.wide { (scan.attempts) }
            td.wide { (time(scan.completed_at)) }
        }
    }
}
