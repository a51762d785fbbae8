//! One scan: its events and its findings.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::entry::Visitor;
use super::form::{Form, PICTURES};
use super::log::raw;
use super::parts::{action, badge, counted, duration, seconds, seen_from, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::aggregates::{STREAM_TYPES, ScanEvent, ScanStatus};
use crate::api::ApiState;
use crate::api::at_least::AtLeast;
use crate::api::list_quotas::require_room_for_urls;
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::api::request::{CommandRequest, PathOf, QueryOf};
use crate::api::v4::get_scan::find_scan;
use crate::commands::cancel_scan::cancel_scan;
use crate::commands::request_scan::request_scan;
use crate::commands::retry_scan::retry_scan;
use crate::log::LogEvent;
use crate::log::read::EventFilter;
use crate::projections::jobs::{JobRow, Jobs};
use crate::values::event_type::Tone;
use crate::values::{self, DomainName, EventType, FailureReason, ScanId, ScanOptions};

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

/// Starts a scan of one domain.
pub(super) async fn create(
    State(state): State<ApiState>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let form = Form::of(&request).await?;
    let domain = DomainName::parse(form.text("domain"))
        .map_err(|error| Problem::of(ProblemCode::InvalidDomain, sentence(&error)))?;
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
                dt { "Finished" } dd { (time(row.completed_at)) @if let Some(took) = took { span.muted { " after " (duration(took)) } } }
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
                    div { strong { (event.event_type) } " " (words(event)) }
                    div.small.muted { (time(Some(at))) " · position " (event.position)
                        @if let Some(actor) = actor { " · " (actor) } }
                    details.small { summary { "Event as JSON" } (raw(event)) }
                }
            }
        }
    }
}

fn colour(kind: &str) -> &'static str {
    match kind.parse::<EventType>().map(EventType::tone) {
        Ok(Tone::Good) => "completed",
        Ok(Tone::Bad | Tone::Warning) => "failed",
        Ok(Tone::UnderWay) => "running",
        Ok(Tone::Neutral) | Err(_) => "",
    }
}

/// An event as text; empty if the type says everything, or if a later release wrote it.
fn words(event: &LogEvent) -> Markup {
    let Ok(event) = event.decode::<ScanEvent>() else {
        return html! {};
    };
    html! {
        @match event {
            ScanEvent::ScanStarted { attempt, .. } => { "attempt " (attempt) }
            ScanEvent::ScanAbandoned { attempt, .. } => { "the worker of attempt " (attempt) " was lost" }
            ScanEvent::RobotsRead { url, status, not_modified, allowed, .. } => {
                (url) ": " (answered(status, not_modified)) @if !allowed && status == 200 { ", disallows the home page" }
            }
            ScanEvent::SitemapParsed { url, kind, status, not_modified, entries, problems, .. } => {
                (url) ": " (kind.as_str()) ", " (answered(status, not_modified)) ", "
                (counted(entries, "entry")) (codes(&problems))
            }
            ScanEvent::PageRead { url, status, not_modified, bytes, problems, .. } => {
                (url) ": " (answered(status, not_modified)) ", " (counted(bytes, "byte")) (codes(&problems))
            }
            ScanEvent::PictureRead { url, kind, picture, .. } => {
                (url) ": " (kind.as_str()) ", " (counted(picture.bytes, "byte")) " stored"
            }
            ScanEvent::ScanAttemptFailed { reason, error, .. } | ScanEvent::ScanFailed { reason, error, .. } => {
                code { (reason) } " " (error)
            }
            ScanEvent::ScanCompleted { totals, .. } => {
                (counted(totals.pages, "page")) ", " (counted(totals.sitemap_urls, "URL")) " in "
                (counted(totals.sitemaps, "sitemap")) ", " (counted(totals.emails, "email address")) ", "
                (counted(totals.phones, "phone number"))
            }
            ScanEvent::DomainChanged { fields, .. } => { (fields.join(", ")) }
            ScanEvent::ScanRetried { round, .. } => { "round " (round) " started" }
            ScanEvent::ScanErased { .. } => { "the findings were erased" }
            ScanEvent::ScanRequested { .. } | ScanEvent::ScanCancelled { .. } | ScanEvent::ScanImported { .. } => {}
        }
    }
}

fn answered(status: u16, not_modified: bool) -> Markup {
    html! {
        @if not_modified { "unchanged since the last scan" }
        @else if status == 0 { "no response" }
        @else { "HTTP " (status) }
    }
}

fn codes(problems: &[values::Problem]) -> Markup {
    let codes: Vec<&str> = problems.iter().map(|problem| problem.code.as_str()).collect();
    html! { @if !codes.is_empty() { " (" (codes.join(", ")) ")" } }
}
