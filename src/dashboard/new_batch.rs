//! A new list: the page shows its errors first; the batch starts after confirmation.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use maud::{Markup, html};
use serde_json::json;

use super::entry::Visitor;
use super::form::{Form, file_field};
use super::parts::{counted, number, request_key, seen_from};
use super::shell::{Page, Section};
use crate::api::ApiState;
use crate::api::batch_input::{BatchInput, RejectedLine, in_background};
use crate::api::list_quotas::{require_acceptable, require_room_for_urls, wait_for_list_turn};
use crate::api::problem::Problem;
use crate::api::request::CommandRequest;
use crate::commands::request_batch::{BatchItem, request_batch};
use crate::commands::request_scan::request_scan;
use crate::values::batch_list::{self, ChosenBy, ChosenColumn, ListText};
use crate::values::site_files::{SiteFile, SiteFileSet};
use crate::values::{BatchOptions, ScanOptions};

/// Rejected lines that are shown; more do not help.
const SHOWN: usize = 500;

/// Scans a domain, or a list without invalid lines. Shows the errors of any other list.
pub(super) async fn start(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let _turn = wait_for_list_turn(&state, visitor.tenant()).await?;
    let form = Form::of(&request).await?;
    let checked = read(&form).await?;
    let is_clean = checked.input.rejected.is_empty() && checked.columns.len() < 2;
    if !is_clean || require_sendable(&state, &visitor, &checked.input).await.is_err() {
        return confirm(&state, &visitor, &form, checked).await;
    }
    let input = checked.input;
    if let [BatchItem::Scan { domain, .. }] = input.items.as_slice() {
        let context = form.context(&request, "POST /scans (page)");
        let scan = request_scan(&state.bus, domain.clone(), input.options.scan, &context).await?;
        return Ok(seen_from("/scans", scan.scan_id, scan.position));
    }
    request_list(&state, &form, &request, &input).await
}

/// Shows the errors of a list, and asks for confirmation.
pub(super) async fn check(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let _turn = wait_for_list_turn(&state, visitor.tenant()).await?;
    let form = Form::of(&request).await?;
    let checked = read(&form).await?;
    confirm(&state, &visitor, &form, checked).await
}

async fn confirm(
    state: &ApiState,
    visitor: &Visitor,
    form: &Form,
    checked: Checked,
) -> Result<Response, Problem> {
    let Checked { text, input, columns } = checked;
    let refusal = require_sendable(state, visitor, &input).await.err();
    let page = html! {
        h1 { "Check the list" }
        @if !input.items.is_empty() || !input.rejected.is_empty() { (rejects(&input.rejected, refusal.is_none())) }
        dl.figures {
            div { dt { "Domains to scan" } dd { (number(count(input.items.len()))) } }
            div { dt { "Rejected lines" } dd { (number(count(input.rejected.len()))) } }
            div { dt { "Duplicates" } dd { (number(count(input.duplicates))) } }
        }
        @for note in &input.notes { p.small { (note) } }
        @if let Some(column) = &input.column { (choice_of_column((column, &columns), &text, form, input.options.scan.files)) }
        @if let Some(problem) = &refusal {
            div.panel.bad { p { strong { "This list cannot be scanned. " } (problem.detail) } }
            p { a.button href="/" { "Choose another list" } }
        } @else {
            (confirmation(&input, &text, form.text("column")))
        }
        @if columns.len() > 1 { p.small.muted { "The other columns are kept and included in the batch's exports." } }
    };
    let page = Page::new("Check the list", Section::Batches).render(Some(visitor), &page);
    held(state, page.into_string())
}

/// Bytes that are handed over at a time.
const PIECE: usize = 64 * 1024;

/// A page with a whole list: it counts against the memory for bodies until it is sent completely.
fn held(state: &ApiState, page: String) -> Result<Response, Problem> {
    let room = state.limits.bodies.hold(page.len())?;
    let page = Bytes::from(page);
    let pieces = (0..page.len()).step_by(PIECE).map(move |from| {
        let _until_the_last_is_taken = &room;
        Ok::<_, Infallible>(page.slice(from..page.len().min(from + PIECE)))
    });
    let body = Body::from_stream(futures::stream::iter(pieces));
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok((kind, body).into_response())
}

/// Requests the batch.
pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let _turn = wait_for_list_turn(&state, visitor.tenant()).await?;
    let form = Form::of(&request).await?;
    let input = read(&form).await?.input;
    require_sendable(&state, &visitor, &input).await?;
    request_list(&state, &form, &request, &input).await
}

async fn request_list(
    state: &ApiState,
    form: &Form,
    request: &CommandRequest,
    input: &BatchInput,
) -> Result<Response, Problem> {
    let summary = json!({ "accepted": input.items.len(), "duplicates": input.duplicates, "rejected": input.rejected, "column": input.column, "notes": input.notes });
    let context = form.context(request, "POST /batches (page)");
    let batch = request_batch(&state.bus, &input.items, input.options, summary, &context).await?;
    Ok(seen_from("/batches", batch.batch_id, batch.position))
}

async fn require_sendable(state: &ApiState, visitor: &Visitor, input: &BatchInput) -> Result<(), Problem> {
    require_acceptable(state, visitor.tenant(), input).await?;
    require_room_for_urls(state, visitor.tenant()).await
}

/// A list that was read.
struct Checked {
    /// The list in UTF-8, embedded in the page.
    text: String,
    input: BatchInput,
    /// The names of its columns.
    columns: Vec<String>,
}

/// Reads the list, from a file or pasted.
async fn read(form: &Form) -> Result<Checked, Problem> {
    let content = match form.shared("file") {
        file if file.is_empty() => form.shared("list"),
        file => file,
    };
    let options = BatchOptions::wanted(form.wanted_scan()?, form.number("max_concurrent")?);
    let column = form.text("column").to_owned();
    in_background(move || {
        let text = ListText::of(&content, None)?;
        let list = text.read(batch_list::Form::Unknown, Some(&column))?;
        Ok(Checked {
            columns: list.columns.clone(),
            input: BatchInput::of(list, options)?,
            text: text.text.into_owned(),
        })
    })
    .await
}

/// Says which column was used, and offers the others.
fn choice_of_column(
    (taken, columns): (&ChosenColumn, &[String]),
    text: &str,
    form: &Form,
    files: SiteFileSet,
) -> Markup {
    let why = match taken.chosen_by {
        ChosenBy::Header => "detected by its name",
        ChosenBy::Content => "it contains the most domains",
        ChosenBy::EmailAddresses => "it contains email addresses; their domains are used",
        ChosenBy::Request => "you chose it",
    };
    html! {
        p { "The domains were read from the column " strong { (taken.name) } ": " (why) "." }
        @if columns.len() > 1 {
            form.panel method="post" action="/batches/check" enctype="multipart/form-data" {
                (carried(text))
                @for name in ["max_pages", "max_concurrent", "sitemap_sample"] { input type="hidden" name=(name) value=(form.text(name)); }
                @for file in files.iter() { input type="hidden" name=(file_field(file)) value="1"; }
                div.fields {
                    p { label for="column" { "Domain column" }
                        select #column name="column" {
                            @for (number, name) in (1..).zip(columns) {
                                // The number, because names may repeat; the fields of objects have none.
                                @let value = if taken.number.is_some() { format!("column_{number}") } else { name.clone() };
                                @let is_taken = taken.number.map_or(*name == taken.name, |taken| taken == number);
                                option value=(value) selected[is_taken] { (number) ": " (name) }
                            }
                        } }
                }
                div.actions { button type="submit" { "Use this column" } }
            }
        }
    }
}

/// The list is a hidden field of the form, so that nothing is stored before the confirmation.
fn carried(text: &str) -> Markup {
    // The first line feed is the element's own (HTML, 13.1.2.5), so that lines keep their numbers.
    html! { textarea name="list" hidden { "\n" (text) } }
}

/// The errors come first.
fn rejects(rejected: &[RejectedLine], can_continue: bool) -> Markup {
    html! {
        @if rejected.is_empty() {
            div.panel.good { p { "No lines were rejected." } }
        } @else {
            div.panel.bad {
                p { strong { (counted(count(rejected.len()), "line")) " will not be scanned." }
                    " Correct the list and send it again"
                    @if can_continue { ", or continue without the rejected lines" } "." }
                div.scroll tabindex="0" role="region" aria-label="Rejected lines" {
                    table {
                        thead { tr { th.number scope="col" { "Line" } th scope="col" { "Input" } th scope="col" { "Error" } } }
                        tbody {
                            @for line in rejected.iter().take(SHOWN) {
                                tr { td.number { (line.line) } td.text.mono { (line.input) } td { (line.error) } }
                            }
                        }
                    }
                }
                @if rejected.len() > SHOWN { p { "… and " (number(count(rejected.len() - SHOWN))) " more." } }
            }
        }
    }
}

/// Asks for confirmation.
fn confirmation(input: &BatchInput, text: &str, column: &str) -> Markup {
    let options = input.options;
    html! {
        form.panel method="post" action="/batches" enctype="multipart/form-data" {
            (request_key())
            (carried(text))
            input type="hidden" name="column" value=(column);
            div.fields {
                p { label for="max_pages" { "Pages per domain" }
                    input #max_pages name="max_pages" type="number" min="1" max="100" value=(options.scan.max_pages); }
                p { label for="max_concurrent" { "Concurrent scans" }
                    input #max_concurrent name="max_concurrent" type="number" min="1" max="1000" value=(options.max_concurrent); }
                p { label for="sitemap_sample" { "Sitemap URLs to check per domain" }
                    input #sitemap_sample name="sitemap_sample" type="number" min="0" max=(ScanOptions::MAX_SITEMAP_SAMPLE) value=(options.scan.sitemap_sample); }
            }
            fieldset {
                legend { "Also fetch (one extra request each)" }
                @for file in SiteFile::ALL.iter().copied() {
                    label { input type="checkbox" name=(file_field(file)) value="1" checked[options.scan.files.contains(file)]; " " (file.label()) " " }
                }
            }
            div.actions {
                button.primary type="submit" { "Scan " (counted(count(input.items.len()), "domain")) }
                a.button href="/" { "Choose another list" }
            }
        }
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
