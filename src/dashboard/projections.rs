//! The state of the read models: their lag, quarantined rows, and tasks for them. For operators.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::entry::Visitor;
use super::parts::{action, counted, duration, number, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::PathOf;
use crate::projections::quarantine::{self, QuarantinedRow};
use crate::projections::status::{ProjectionState, ProjectionStatus, statuses};
use crate::projections::task::{ProjectionTask, TaskKind, TaskState};
use crate::projections::{ProjectionError, registry};

/// Quarantined rows that are shown.
const MAX_QUARANTINED: i64 = 100;

pub(super) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    visitor.require(Scope::Operator)?;
    let models = statuses(&state.models.pool).await?;
    let rows = quarantine::list(&state.models.pool, MAX_QUARANTINED).await?;
    let content = html! {
        h1 { "Read models" }
        p { "Read models are computed from the log. "
            "You can compare each with the log, and rebuild it while requests continue." }
        section #projections data-part { @for model in &models { (card(model)) } }
        section #parked data-part { (quarantined(&rows)) }
    };
    Ok(Page::new("Read models", Section::Projections)
        .polling()
        .render(Some(&visitor), &content))
}

/// Asks for work on a read model.
pub(super) async fn request(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf((name, work)): PathOf<(String, String)>,
) -> Result<Response, Problem> {
    visitor.require(Scope::Operator)?;
    let kind = match work.as_str() {
        "rebuild" => TaskKind::Rebuild,
        "rollback" => TaskKind::Rollback,
        "verify" => TaskKind::Verify,
        "repair" => TaskKind::Repair,
        "retry-parked" => TaskKind::RetryParked,
        _ => return Err(Problem::not_found("work")),
    };
    let projection = registry::find(&name).ok_or_else(|| Problem::not_found("projection"))?;
    let mut connection = state.models.pool.acquire().await.map_err(ProjectionError::from)?;
    projection
        .request(&mut connection, kind, &visitor.caller.actor)
        .await?;
    Ok(Redirect::to("/projections").into_response())
}

fn card(model: &ProjectionStatus) -> Markup {
    let (state, class) = match model.state {
        ProjectionState::Building => ("building", "partial"),
        ProjectionState::Live => ("live", "completed"),
        ProjectionState::Paused => ("stopped", "failed"),
    };
    html! {
        article.panel aria-label=(model.name) {
            h2 { (model.name) " " span class={ "badge " (class) } { (state) } }
            dl.figures {
                div { dt { "Lag (events)" } dd { (number(model.lag_events)) } }
                div { dt { "Lag (time)" } dd { (duration(model.lag_seconds)) } }
                div { dt { "Quarantined rows" } dd { (number(model.parked)) } }
                div { dt { "Position" } dd { (number(model.position)) } }
                div { dt { "Generation" } dd { (model.generation.map_or("–".to_owned(), |n| n.to_string())) } }
            }
            @if let Some(error) = &model.error { p.failed { "Stopped: " (error) } }
            @if let Some(task) = &model.task { (task_line(task)) }
            @if let Some(verification) = &model.verification {
                @if model.task.as_ref().is_none_or(|task| task.task_id != verification.task_id) { (task_line(verification)) }
            }
            div.actions {
                (action(&format!("/projections/{}/verify", model.name), "Compare with the log", ""))
                (action(&format!("/projections/{}/rebuild", model.name), "Rebuild", ""))
                (action(&format!("/projections/{}/repair", model.name), "Repair differences", ""))
                @if model.parked > 0 {
                    (action(&format!("/projections/{}/retry-parked", model.name), "Retry quarantined rows", ""))
                }
                @if let Some(generation) = model.rollback_to {
                    (action(&format!("/projections/{}/rollback", model.name), &format!("Roll back to generation {generation}"), ""))
                }
            }
        }
    }
}

/// Requested work, and its results.
fn task_line(task: &ProjectionTask) -> Markup {
    let name = match task.kind {
        TaskKind::Rebuild => "Rebuild",
        TaskKind::Rollback => "Rollback",
        TaskKind::Verify => "Comparison",
        TaskKind::Repair => "Repair",
        TaskKind::RetryParked => "Retry of quarantined rows",
    };
    let figure = |name: &str| task.result.as_ref().and_then(|result| result[name].as_i64());
    html! {
        p {
            (name) ": "
            @match task.state {
                TaskState::Queued => { "waiting for a process with the role projector" }
                TaskState::Running => {
                    span.running { "running" }
                    @if let Some(phase) = task.phase { ", " (phase.as_str().replace('_', " ")) }
                    @if task.target > 0 { ", " (number(task.done)) " of " (number(task.target)) " events" }
                    @if let Some(eta) = task.eta_seconds { ", about " (duration(eta)) " left" }
                }
                TaskState::Done => {
                    span.completed { "done" }
                    @if let Some(rows) = figure("rows") { ", " (number(rows)) " rows" }
                    @if let Some(wrong) = figure("wrong") {
                        @if wrong == 0 { ", no differences" }
                        @else { ", " strong.failed { (counted(wrong, "row")) " with differences" } }
                    }
                    @if let Some(repaired) = figure("repaired").filter(|n| *n > 0) { ", " (number(repaired)) " repaired" }
                }
                TaskState::Failed => { strong.failed { "failed" } ": " (task.error.as_deref().unwrap_or("reason unknown")) }
            }
            span.muted.small { " · " (time(task.ended_at.or(task.started_at).or(Some(task.requested_at)))) }
        }
    }
}

fn quarantined(rows: &[QuarantinedRow]) -> Markup {
    html! {
        h2 { "Quarantined rows" }
        @if rows.is_empty() {
            p.empty { "No row is quarantined: every event could be applied." }
        } @else {
            div.scroll tabindex="0" role="region" aria-label="Quarantined rows" {
                table {
                    thead { tr {
                        th scope="col" { "Read model" } th scope="col" { "Row" } th.number scope="col" { "Event" }
                        th scope="col" { "Error" } th.wide scope="col" { "Since" }
                    } }
                    tbody { @for row in rows {
                        tr {
                            th scope="row" { (row.name) } td.mono { (row.key) } td.number { (row.position) }
                            td.text { (row.error) } td.wide { (time(Some(row.parked_at))) }
                        }
                    } }
                }
            }
        }
    }
}
