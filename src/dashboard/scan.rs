//! One scan: how it went, event by event, and what it found.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::entry::Visitor;
use super::form::{Form, PICTURES};
use super::log::raw;
use super::parts::{action, badge, duration, number, seconds, seen_from, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::aggregates::{STREAM_TYPES, ScanStatus};
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::quota::require_room_for_urls;
use crate::api::request::{AtLeast, CommandRequest, PathOf, QueryOf};
use crate::api::v4::get_scan::find_scan;
use crate::commands::cancel_scan::cancel_scan;
use crate::commands::request_scan::request_scan;
use crate::commands::retry_scan::retry_scan;
use crate::log::LogEvent;
use crate::log::read::EventFilter;
use crate::projections::jobs::{JobRow, Jobs};
use crate::values::event_type::Tone;
use crate::values::{DomainName, EventType, FailureReason, ScanId, ScanOptions};

/// Events that are shown; a scan has a few dozen.
const EVENTS: i64 = 1000;

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<ScanId>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Markup, Problem> {
    at_least.wait::<Jobs>(&state).await?;
    let row = find_scan(&state, visitor.tenant(), id).await?;
    let row = row.ok_or_else(|| Problem::not_found("scan"))?;
    let events = state
        .log
        .events(&EventFilter {
            tenant: Some(visitor.tenant()),
            stream: Some((STREAM_TYPES, id.to_string())),
            after: 0,
            limit: EVENTS,
        })
        .await?;
    let content = html! {
        section #scan data-part { (head(&row, &visitor)) }
        h2 { "What happened" }
        section #story data-part { (story(&events)) }
        section #found data-part { @if let Some(found) = &row.result_data {
            h2 { "Findings" }
            @if row.domain_id.is_some() { p { a href={ "/domains/" (row.domain) } { "Overview of " (row.domain) } } }
            details { summary { "As JSON" }
                pre tabindex="0" { code { (serde_json::to_string_pretty(&found.to_value()).unwrap_or_default()) } } }
        } }
    };
    let title = format!("Scan of {}", row.domain);
    let mut page = Page::new(&title, Section::Domains);
    if !row.status.is_ended() {
        let last = events.last().map_or(0, |event| event.position);
        page = page.following(format!("/api/v4/scans/{id}/events?after={last}"), 300);
    }
    Ok(page.render(Some(&visitor), &content))
}

/// Requests a scan of one domain.
pub(super) async fn create(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let form = Form::of(&request).await?;
    let domain = DomainName::parse(form.text("domain"))
        .map_err(|error| Problem::of(ProblemCode::InvalidDomain, format!("{error}.")))?;
    require_room_for_urls(&state, request.context.tenant).await?;
    let context = form.context(&request, "POST /scans (page)");
    let options = ScanOptions::wanted(form.wanted_scan()?);
    let scan = request_scan(&state.bus, domain, options, &context).await?;
    Ok(seen_from("/scans", scan.scan_id, scan.position))
}

pub(super) async fn cancel(
    State(state): State<ApiState>,
    PathOf(id): PathOf<ScanId>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let position = cancel_scan(&state.bus, id, &request.context).await?;
    Ok(seen_from("/scans", id, position))
}

pub(super) async fn retry(
    State(state): State<ApiState>,
    PathOf(id): PathOf<ScanId>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let position = retry_scan(&state.bus, id, &request.context).await?;
    Ok(seen_from("/scans", id, position))
}

fn head(row: &JobRow, visitor: &Visitor) -> Markup {
    let path = format!("/scans/{}", row.scan_id);
    let took = row
        .started_at
        .zip(row.completed_at)
        .map(|(from, to)| seconds(to - from));
    html! {
        h1 { "Scan of "
            @if row.domain_id.is_some() { a href={ "/domains/" (row.domain) } { (row.domain) } } @else { (row.domain) }
            " " (badge(row.status.as_str())) }
        (failure(row))
        dl.facts {
            dt { "Requested" } dd { (time(Some(row.created_at))) @if let Some(by) = &row.created_by { " by " (by) } }
            @if row.started_at.is_some() { dt { "Started" } dd { (time(row.started_at)) } }
            @if row.completed_at.is_some() {
                dt { "Ended" } dd { (time(row.completed_at)) @if let Some(took) = took { span.muted { " after " (duration(took)) } } }
            }
            dt { "Attempts" } dd { (row.attempts) }
            @if let Some(batch) = row.batch_id {
                dt { "Batch" } dd { a href={ "/batches/" (batch) } { (batch) } @if let Some(line) = row.line { ", line " (line) } }
            }
            dt { "ID" } dd.mono { (row.scan_id) }
        }
        @if visitor.may(Scope::Write) {
            div.actions {
                @match row.status {
                    ScanStatus::Pending | ScanStatus::Running => (action(&format!("{path}/cancel"), "Cancel", "danger")),
                    ScanStatus::Failed if row.reason == Some(FailureReason::InvalidDomain) => {}
                    ScanStatus::Failed | ScanStatus::Cancelled => (action(&format!("{path}/retry"), "Retry", "primary")),
                    ScanStatus::Completed => {}
                }
                (again(&row.domain, "Scan again"))
            }
        }
    }
}

/// Asks for another scan of a domain.
pub(super) fn again(domain: &str, name: &str) -> Markup {
    html! {
        form method="post" action="/scans" {
            (super::parts::request_key())
            input type="hidden" name="domain" value=(domain);
            input type="hidden" name=(PICTURES) value="1";
            button type="submit" { (name) }
        }
    }
}

/// Why it failed, or failed last.
fn failure(row: &JobRow) -> Markup {
    html! {
        @if let Some(reason) = row.reason {
            div class={ "panel " (if row.status == ScanStatus::Failed { "bad" } else { "note" }) } {
                p { strong { (row.error.as_deref().unwrap_or(reason.as_str())) } }
                p.small { (reason.label()) " " code { (reason) } " · " a href={ "/docs/problems/" (reason) } { "about this error" }
                    @if let Some(next) = row.next_attempt_at { " · next attempt " (time(Some(next))) } }
            }
        }
    }
}

/// The scan's stream, oldest first.
fn story(events: &[LogEvent]) -> Markup {
    html! {
        ol.story {
            @for event in events {
                @let (actor, at) = event.circumstances();
                li class=(colour(&event.event_type)) {
                    div { strong { (event.event_type) } " " (words(&event.event_type, &event.data())) }
                    div.small.muted { (time(Some(at))) " · position " (event.position)
                        @if let Some(actor) = actor { " · " (actor) } }
                    details.small { summary { "The event" } (raw(event)) }
                }
            }
        }
    }
}

fn colour(kind: &str) -> &'static str {
    match kind.parse::<EventType>().map(EventType::tone) {
        Ok(Tone::Good) => "completed",
        Ok(Tone::Bad | Tone::Doubtful) => "failed",
        Ok(Tone::UnderWay) => "running",
        Ok(Tone::Neutral) | Err(_) => "",
    }
}

/// An event in words.
fn words(kind: &str, data: &Value) -> Markup {
    let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
    let count = |value: &Value| number(value.as_i64().unwrap_or_default());
    // A later release wrote it.
    let Ok(kind) = kind.parse::<EventType>() else {
        return html! {};
    };
    html! {
        @match kind {
            EventType::ScanStarted => { "attempt " (count(&data["attempt"])) }
            EventType::ScanAbandoned => { "the worker of attempt " (count(&data["attempt"])) " was lost" }
            EventType::RobotsRead => { (text("url")) ": " (answered(data)) @if data["allowed"] == false && data["status"] == 200 { ", disallows the home page" } }
            EventType::SitemapParsed => { (text("url")) ": " (text("kind")) ", " (answered(data)) ", " (count(&data["entries"])) " entries" (problems(data)) }
            EventType::PageRead => { (text("url")) ": " (answered(data)) ", " (count(&data["bytes"])) " bytes" (problems(data)) }
            EventType::PictureRead => { (text("url")) ": " (text("kind")) ", " (count(&data["picture"]["bytes"])) " bytes stored" }
            EventType::ScanAttemptFailed | EventType::ScanFailed => { code { (text("reason")) } " " (text("error")) }
            EventType::ScanCompleted => {
                @let totals = &data["totals"];
                (count(&totals["pages"])) " pages, " (count(&totals["sitemap_urls"])) " URLs in " (count(&totals["sitemaps"])) " sitemaps, "
                (count(&totals["emails"])) " e-mail addresses, " (count(&totals["phones"])) " phone numbers"
            }
            EventType::DomainChanged => {
                @let names: Vec<&str> = data["fields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                (names.join(", "))
            }
            EventType::ScanRetried => { "round " (count(&data["round"])) " started" }
            EventType::ScanErased => { "the findings were erased" }
            // The type alone says it.
            EventType::ScanRequested | EventType::ScanCancelled | EventType::ScanImported => {}
            // Not of a scan.
            EventType::BatchRequested
                | EventType::BatchCancelled
                | EventType::BatchReopened
                | EventType::BatchExpanded
                | EventType::BatchImported
                | EventType::BatchCompleted
                | EventType::WebhookCreated
                | EventType::WebhookChanged
                | EventType::WebhookSecretRotated
                | EventType::WebhookDisabled
                | EventType::WebhookEnabled
                | EventType::WebhookReplayRequested
                | EventType::WebhookResendRequested
                | EventType::WebhookTested
                | EventType::WebhookDeleted
                | EventType::MonitorCreated
                | EventType::MonitorChanged
                | EventType::MonitorPaused
                | EventType::MonitorResumed
                | EventType::MonitorRan
                | EventType::MonitorSkipped
                | EventType::MonitorDeleted
                | EventType::KeyCreated
                | EventType::KeyRevoked
                | EventType::TenantSettingsChanged
                | EventType::PersonSignedOut => {}
        }
    }
}

fn answered(data: &Value) -> Markup {
    html! {
        @match data["status"].as_i64() {
            _ if data["not_modified"] == true => { "unchanged since the last scan" }
            Some(0) | None => { "no response" }
            Some(status) => { "HTTP " (status) }
        }
    }
}

fn problems(data: &Value) -> Markup {
    let codes: Vec<&str> = data["problems"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|problem| problem["code"].as_str())
        .collect();
    html! { @if !codes.is_empty() { " (" (codes.join(", ")) ")" } }
}
