//! The log for people: what happened, to what, when, and who caused it.

use std::collections::{BTreeSet, HashMap};

use axum::extract::State;
use maud::{Markup, html};
use serde::Deserialize;

use super::entry::Visitor;
use super::parts::{link, pager, time};
use super::shell::{Page, Section};
use crate::access::people;
use crate::aggregates::STREAM_TYPES;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf};
use crate::log::LogEvent;
use crate::log::read::EventFilter;
use crate::projections::query::encode_cursor;

/// The names of actors that are users.
type Names = HashMap<String, String>;

/// Events on one page.
const ROWS: usize = 100;

#[derive(Debug, Default, Deserialize)]
pub(super) struct LogQuery {
    stream: Option<String>,
    cursor: Option<String>,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(query): QueryOf<LogQuery>,
) -> Result<Markup, Problem> {
    let stream = query.stream.as_deref().map(str::trim).unwrap_or_default();
    let paging = Paging {
        limit: None,
        cursor: query.cursor.clone(),
    };
    let filter = EventFilter {
        tenant: Some(visitor.tenant()),
        stream: (!stream.is_empty()).then(|| (STREAM_TYPES, stream.to_owned())),
        after: 0,
        limit: i64::try_from(ROWS).unwrap_or(i64::MAX) + 1,
    };
    let mut events = state
        .log
        .latest_events(&filter, paging.after()?.unwrap_or(i64::MAX))
        .await?;
    let more = events.len() > ROWS;
    events.truncate(ROWS);
    let actors = events.iter().filter_map(|event| event.circumstances().0);
    let actors: BTreeSet<String> = actors.filter(|actor| actor.starts_with("oidc:")).collect();
    let actors: Vec<String> = actors.into_iter().collect();
    let names: Names = people::names(state.access.pool(), visitor.tenant(), &actors)
        .await?
        .into_iter()
        .collect();
    let next = events
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.position.to_string()));
    let here = link("/log", &[("stream", stream)]);
    let content = html! {
        h1 { "Log" }
        p { "All events, newest first. All other pages are derived from these events, which never change." }
        form.filter method="get" action="/log" {
            label { "ID of a scan, batch, webhook, monitor or tenant" input name="stream" value=(stream) size="38"; }
            button type="submit" { "Filter" }
            @if !stream.is_empty() { a.button href="/log" { "Show all" } }
        }
        section #events data-part {
            @if events.is_empty() { p.empty { @if stream.is_empty() { "No events." } @else { "No events for this ID." } } }
            @else { (table(&events, &names)) (pager(next.as_ref(), &here, query.cursor.is_none())) }
        }
    };
    Ok(Page::new("Log", Section::Log).render(Some(&visitor), &content))
}

fn table(events: &[LogEvent], names: &Names) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Events" {
            table {
                thead { tr {
                    th.number scope="col" { "Position" } th scope="col" { "Event" } th scope="col" { "Subject" }
                    th scope="col" { "Time" } th.wide scope="col" { "Actor" }
                } }
                tbody { @for event in events { (row(event, names)) } }
            }
        }
    }
}

fn row(event: &LogEvent, names: &Names) -> Markup {
    let data = event.data();
    let domain = data["domain"].as_str().unwrap_or_default();
    let actor = event.circumstances().0.unwrap_or_default();
    html! {
        tr {
            td.number { (event.position) }
            td { details { summary { (event.event_type) } (raw(event)) } }
            td { a href=(place_of(event)) { @if matches!(event.aggregate_type.as_str(), "webhook" | "monitor" | "tenant") { (event.aggregate_type) } @else if domain.is_empty() { "batch " (short(&event.aggregate_id)) } @else { (domain) } } }
            td { (time(Some(event.recorded_at))) }
            td.wide { (actor) @if let Some(name) = names.get(&actor) { br; span.small.muted { (name) } } }
        }
    }
}

/// The beginning of an ID: enough to distinguish a few.
fn short(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

/// The page of what an event is about.
fn place_of(event: &LogEvent) -> String {
    let page = match event.aggregate_type.as_str() {
        "batch_scan" => "batches",
        "monitor" => "monitors",
        "webhook" => "webhooks",
        "tenant" => return "/keys".to_owned(),
        _ => "scans",
    };
    format!("/{page}/{}", event.aggregate_id)
}

/// An event as it is in the log.
pub(super) fn raw(event: &LogEvent) -> Markup {
    let whole = serde_json::json!({
        "position": event.position,
        "event_id": event.event_id,
        "type": event.event_type,
        "version": event.event_version,
        "data": event.data(),
        "metadata": event.metadata(),
    });
    html! { pre tabindex="0" { code { (serde_json::to_string_pretty(&whole).unwrap_or_default()) } } }
}
