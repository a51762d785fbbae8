//! Changes to all domains, the newest first: values before and after, side by side.

use axum::extract::State;
use maud::{Markup, html};
use serde_json::Value;

use super::domain::{readable, shown};
use super::entry::Visitor;
use super::links::link_form;
use super::parts::{choice, counted, link, pager, reason_label, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::export::List;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf};
use crate::api::v4::list_changes::{ChangeQuery, DomainChange};
use crate::api::v4::views;
use crate::values::change_words::field_words;
use crate::values::domain_change::field_names;

/// Changes on one page.
const ROWS: i64 = 50;

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(mut query): QueryOf<ChangeQuery>,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Markup, Problem> {
    // Fields of a form that were left empty.
    for text in [
        &mut query.since,
        &mut query.field,
        &mut query.domain,
        &mut query.batch,
        &mut query.monitor,
        &mut query.sort,
    ] {
        text.take_if(|text| text.trim().is_empty());
    }
    let is_first = paging.cursor.is_none();
    let paging = Paging {
        limit: Some(ROWS),
        cursor: paging.cursor,
    };
    let page = query
        .page(&state.for_long_reads(), visitor.tenant(), &paging)
        .await?;
    let content = html! {
        h1 { "Changes" }
        p { "What each scan found that differs from what was known of the domain, newest first. The first scan of a domain is not listed." }
        (filter_form(&query))
        (listed(&page, &query, is_first, &visitor))
    };
    Ok(Page::new("Changes", Section::Changes).render(Some(&visitor), &content))
}

/// The URL of this list, or of the same rows in another format.
fn address(path: &str, query: &ChangeQuery, format: &str) -> String {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let filters = [
        ("since", given(&query.since)),
        ("field", given(&query.field)),
        ("domain", given(&query.domain)),
        ("batch", given(&query.batch)),
        ("monitor", given(&query.monitor)),
        ("sort", given(&query.sort)),
        ("format", format.to_owned()),
    ];
    let filters: Vec<(&str, &str)> = filters
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    link(path, &filters)
}

fn filter_form(query: &ChangeQuery) -> Markup {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let field = given(&query.field);
    html! {
        form.filter method="get" action="/changes" role="search" {
            label { "Domain" input name="domain" type="search" value=(given(&query.domain)); }
            label { "Field" select name="field" {
                (choice("", "all", &field))
                @for name in field_names() { (choice(name, &field_words(name), &field)) }
            } }
            label { "Since (time or log position)" input name="since" size="22" value=(given(&query.since)) placeholder="2026-01-31T00:00:00Z"; }
            @if let Some(monitor) = &query.monitor { input type="hidden" name="monitor" value=(monitor); }
            @if let Some(batch) = &query.batch { input type="hidden" name="batch" value=(batch); }
            button type="submit" { "Filter" }
            @if !address("", query, "").is_empty() { a.button href="/changes" { "Show all" } }
        }
        @if let Some(monitor) = &query.monitor { p.muted { "Changes found by one monitor. " a href={ "/monitors/" (monitor) } { "Show the monitor" } } }
        @if let Some(batch) = &query.batch { p.muted { "Changes found by one batch. " a href={ "/batches/" (batch) } { "Show the batch" } } }
    }
}

fn listed(
    page: &views::Page<DomainChange>,
    query: &ChangeQuery,
    is_first: bool,
    visitor: &Visitor,
) -> Markup {
    let export = |format: &str| address("/api/v4/changes", query, format);
    html! {
        section #changes {
            @if page.items.is_empty() { p.empty { "No changes yet. They appear when a later scan differs from an earlier one." } }
            @else {
                p.small { "Export these changes: " a href=(export("csv")) { "CSV" } ", " a href=(export("xlsx")) { "Excel" } ", "
                    a href=(export("ndjson")) { "NDJSON" } ", " a href=(export("parquet")) { "Parquet" } }
                @if visitor.may(Scope::Write) { (link_form(&export("csv"), visitor)) }
                @for change in &page.items { (one(change)) }
                (pager(page.next.as_ref(), &address("/changes", query, ""), is_first))
            }
        }
    }
}

pub(super) fn one(change: &DomainChange) -> Markup {
    html! {
        article {
            h2 { a href={ "/domains/" (change.domain) } { (readable(&change.domain)) } }
            p.small.muted { (time(Some(change.at))) " · " a href={ "/scans/" (change.scan_id) } { "Scan" } " · "
                a href={ "/scans/" (change.previous_scan_id) } { "Previous scan" } }
            @if !change.fields.is_empty() {
                div.scroll tabindex="0" role="region" aria-label={ "Changes of " (readable(&change.domain)) } {
                    table.before-after {
                        thead { tr { th scope="col" { "Field" } th scope="col" { "Before" } th scope="col" { "After" } } }
                        tbody { @for field in &change.fields {
                            tr {
                                th scope="row" { (field_words(&field.field)) }
                                @if change.erased && field.field != "status" { td.muted colspan="2" { "erased" } }
                                @else {
                                    td.text { (value(&field.before)) }
                                    td.text { (value(&field.after)) @if field.field == "status" { @if let Some(reason) = &change.reason { " (" (reason_label(reason)) ")" } } }
                                }
                            }
                        } }
                    }
                }
            }
            @if let Some(urls) = change.urls {
                p { "Sitemaps: " (count(urls.added)) " added, " (count(urls.removed)) " removed. "
                    a href={ "/api/v4/changes/" (change.position) "/urls?format=csv" } { "CSV" } }
            }
        }
    }
}

fn count(urls: u64) -> String {
    counted(i64::try_from(urls).unwrap_or(i64::MAX), "URL")
}

fn value(value: &Value) -> Markup {
    let text = shown(value);
    html! { @if text.is_empty() { span.muted { "–" } } @else { (text) } }
}
