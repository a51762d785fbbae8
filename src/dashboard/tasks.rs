//! The task queue: running, waiting and stuck tasks, and scans that failed permanently. For operators, over all
//! tenants.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::entry::Visitor;
use super::parts::{self, action, duration, link, number, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{PathOf, QueryOf};
use crate::pools::PoolUsage;
use crate::progress::{self, ClockCheck, Stuck};
use crate::projections::jobs::{self, JobRow};
use crate::tasks::workers::WorkerRow;
use crate::tasks::{TaskCondition, TaskRow};
use crate::values::ScanId;

/// Tasks that are shown; all are counted.
const ROWS: i64 = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct TasksQuery {
    show: Option<String>,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(query): QueryOf<TasksQuery>,
) -> Result<Markup, Problem> {
    visitor.require(Scope::Operator)?;
    let counts = state.tasks.counts().await?;
    let stuck = progress::stuck(&state.models.pool).await?;
    let clock = ClockCheck::read(&state.models.pool).await?;
    let shown = match query.show.as_deref() {
        None => first_of(&counts),
        Some(word) => TaskCondition::ALL
            .into_iter()
            .find(|condition| condition.as_str() == word)
            .ok_or_else(|| {
                let detail = format!("show is '{word}'; it must be stuck, leased, ready or delayed.");
                Problem::of(ProblemCode::InvalidQuery, detail)
            })?,
    };
    let rows = state.tasks.list_in(shown, ROWS).await?;
    let workers = state.tasks.workers().list().await?;
    let dead = jobs::given_up(&state.models, visitor.tenant(), ROWS).await?;
    let content = html! {
        h1 { "Tasks" }
        p { "The queue of scans across all tenants. A task is running while its worker renews the lease." }
        section #stuck_section data-part { (stuck_section(&stuck, &clock)) (full_pools(&state.pools.usage())) }
        section #tasks data-part {
            nav aria-label="Tasks by condition" {
                div.actions {
                    @for (condition, count) in &counts {
                        a.button href={ "/tasks?show=" (condition.as_str()) }
                            aria-current=[(*condition == shown).then_some("true")] {
                            (named(*condition)) ": " strong { (number(*count)) }
                        }
                    }
                }
            }
            h2 { (named(shown)) }
            p.muted { (explained(shown)) }
            (table(&rows, shown, &visitor))
        }
        section #workers data-part { (workers_table(&workers)) }
        section #dead data-part { (given_up(&dead, &visitor)) }
    };
    Ok(Page::new("Tasks", Section::Tasks)
        .polling()
        .render(Some(&visitor), &content))
}

/// Makes a task due now.
pub(super) async fn hasten(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(scan): PathOf<ScanId>,
    QueryOf(query): QueryOf<TasksQuery>,
) -> Result<Response, Problem> {
    visitor.require(Scope::Operator)?;
    if state.tasks.make_due_now(scan).await? {
        let here = link("/tasks", &[("show", &query.show.unwrap_or_default())]);
        return Ok(Redirect::to(&here).into_response());
    }
    let detail = "No task of this scan is waiting: a worker is processing it, or the scan has ended.";
    Err(Problem::of(ProblemCode::Conflict, detail))
}

/// `Stuck` if any task is stuck, otherwise the first condition that has tasks.
fn first_of(counts: &[(TaskCondition, i64)]) -> TaskCondition {
    let busy = counts.iter().find(|(_, count)| *count > 0);
    busy.map_or(TaskCondition::Leased, |(condition, _)| *condition)
}

fn named(condition: TaskCondition) -> &'static str {
    match condition {
        TaskCondition::Stuck => "Stuck",
        TaskCondition::Leased => "Running",
        TaskCondition::Ready => "Ready",
        TaskCondition::Delayed => "Delayed",
    }
}

fn explained(condition: TaskCondition) -> &'static str {
    match condition {
        TaskCondition::Stuck => {
            "No worker has taken a task for five minutes, or the worker that took these tasks does not finish them. Is a process with the role worker running?"
        }
        TaskCondition::Leased => "A worker holds a lease on each of these tasks.",
        TaskCondition::Ready => {
            "Waiting for a free worker, for their turn among tenants and batches, or for the end of their host's cooldown."
        }
        TaskCondition::Delayed => {
            "Waiting until a set time, for example for a retry after a temporary failure."
        }
    }
}

/// What makes no progress in addition to the queue, and errors of the clock; nothing if all is well.
fn stuck_section(stuck: &[Stuck], clock: &ClockCheck) -> Markup {
    let problems = clock.problems();
    html! {
        @if !stuck.is_empty() || !problems.is_empty() {
            div.panel.bad role="alert" {
                h2 { "No progress" }
                ul {
                    @for one in stuck { li { (one) } }
                    @for problem in &problems { li { (problem) } }
                }
            }
        }
        @if let Some(note) = clock.note() { p.muted { (note) } }
    }
}

/// Which database connections of this process are all in use; nothing if none are.
fn full_pools(pools: &[PoolUsage]) -> Markup {
    let full: Vec<&PoolUsage> = pools.iter().filter(|pool| pool.is_full()).collect();
    html! {
        @if !full.is_empty() {
            p.muted {
                "All connections of these database pools are in use: "
                @for (index, pool) in full.iter().enumerate() {
                    @if index > 0 { ", " }
                    (pool.name) " (" (pool.max) ")"
                }
                ". SITELOG_DATABASE__CONNECTIONS sets their number."
            }
        }
    }
}

fn table(rows: &[TaskRow], shown: TaskCondition, visitor: &Visitor) -> Markup {
    if rows.is_empty() {
        return html! { p.empty { "None." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Tasks" {
            table {
                thead { tr {
                    th scope="col" { "Host" } th scope="col" { "Due" } th scope="col" { "Worker" }
                    th.wide scope="col" { "Leased until" } th.wide scope="col" { "Cooldown until" }
                    th scope="col" { span.visually-hidden { "Actions" } }
                } }
                tbody { @for row in rows {
                    tr {
                        th scope="row" {
                            @if row.tenant_id == visitor.tenant().0 { a href={ "/scans/" (row.scan_id) } { (row.host) } }
                            @else { (row.host) div.small.muted { "of tenant " (row.tenant_id) } }
                        }
                        td { (time(Some(row.due_at))) " "
                            @if row.due_for_seconds > 60.0 { span.muted { "(" (duration(row.due_for_seconds)) " ago)" } } }
                        td.mono { (row.worker.as_deref().unwrap_or("–")) }
                        td.wide { (time(row.leased_until)) }
                        td.wide { (time(row.rest_until)) }
                        td { @if shown != TaskCondition::Leased { (action(&format!("/tasks/{}/hasten?show={}", row.scan_id, shown.as_str()), "Run now", "")) } }
                    }
                } }
            }
        }
    }
}

/// The workers of all machines.
fn workers_table(rows: &[WorkerRow]) -> Markup {
    html! {
        h2 { "Workers" }
        p.muted { "Worker processes, local or remote. If a worker does not respond for 15 seconds, other workers take over its scans." }
        @if rows.is_empty() { p.empty { "No worker was seen in the last day. Start a process with the role worker." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Workers" {
                table {
                    thead { tr {
                        th scope="col" { "Worker" } th scope="col" { "Version" } th scope="col" { "Running" }
                        th.wide scope="col" { "Connection" } th.wide scope="col" { "Started" } th scope="col" { "Last seen" }
                    } }
                    tbody { @for row in rows {
                        tr {
                            th.mono scope="row" { (row.name) }
                            td { (row.version) }
                            td { (number(row.under_way)) " of " (row.concurrency) }
                            td.wide { @if row.over_nats { "NATS" } @else { "database" } }
                            td.wide { (time(Some(row.since))) }
                            td { (time(Some(row.beat_at))) @if row.is_silent() { " " span.muted { "(silent for " (duration(row.silent_seconds)) ")" } } }
                        }
                    } }
                }
            }
        }
    }
}

/// Scans that failed because of sitelog, not because of the site.
fn given_up(rows: &[JobRow], visitor: &Visitor) -> Markup {
    html! {
        h2 { "Failed because of sitelog" }
        p.muted { "Scans of your tenant that failed because of an error in sitelog rather than the site: their workers crashed repeatedly, or an internal error occurred." }
        @if rows.is_empty() { p.empty { "None." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Scans that failed because of sitelog" {
                table {
                    thead { tr { th scope="col" { "Domain" } th scope="col" { "Error" } th scope="col" { "Time" }
                        th scope="col" { span.visually-hidden { "Actions" } } } }
                    tbody { @for row in rows {
                        tr {
                            th scope="row" { a href={ "/scans/" (row.scan_id) } { (row.domain) } }
                            td.text { @if let Some(reason) = row.reason { (parts::reason(reason)) " " } div.small.muted { (row.error.as_deref().unwrap_or_default()) } }
                            td { (time(row.completed_at)) }
                            td { @if visitor.may(Scope::Write) { (action(&format!("/scans/{}/retry", row.scan_id), "Retry", "")) } }
                        }
                    } }
                }
            }
        }
    }
}
