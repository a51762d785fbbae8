//! A list on its way in: first what is wrong with it, then, if somebody says so, the batch.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use maud::{Markup, html};
use serde_json::json;

use super::entry::Visitor;
use super::form::Form;
use super::parts::{counted, number, request_key, seen_from};
use super::shell::{Page, Section};
use crate::api::ApiState;
use crate::api::batch_input::{BatchInput, RejectedLine};
use crate::api::problem::Problem;
use crate::api::quota::{require_acceptable, require_room_for_urls};
use crate::api::request::CommandRequest;
use crate::commands::request_batch::request_batch;
use crate::values::batch_list::looks_like_ndjson;

/// Bad lines that are shown; who sends a wrong file has seen enough.
const SHOWN: usize = 500;

/// Tells what is wrong with a list, and asks whether to go on.
pub(super) async fn check(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    let form = Form::of(&request).await?;
    let (content, is_file) = list_of(&form);
    let input = read(content, &form)?;
    let refusal = require_sendable(&state, &visitor, &input).await.err();
    let page = html! {
        h1 { "Check the list" }
        (rejects(&input.rejected))
        dl.figures {
            div { dt { "to be scanned" } dd { (number(count(input.items.len()))) } }
            div { dt { "lines rejected" } dd { (number(count(input.rejected.len()))) } }
            div { dt { "lines that repeat a domain" } dd { (number(count(input.duplicates))) } }
        }
        @if let Some(problem) = &refusal {
            div.panel.bad { p { strong { "This list cannot be sent. " } (problem.detail) } }
            p { a.button href="/" { "Send another list" } }
        } @else {
            (confirmation(&input, content))
        }
        @if is_file { p.small.muted { "Extra columns of a CSV file are kept, and stand in the batch's exports." } }
    };
    let page = Page::new("Check the list", Section::Batches).render(Some(&visitor), &page);
    held(&state, page.into_string())
}

/// Bytes that are handed over at a time.
const PIECE: usize = 64 * 1024;

/// A page that holds a whole list: it takes of the room for bodies until it is sent, however slowly it is taken.
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
    let form = Form::of(&request).await?;
    let input = read(list_of(&form).0, &form)?;
    require_sendable(&state, &visitor, &input).await?;
    let summary =
        json!({ "accepted": input.items.len(), "duplicates": input.duplicates, "rejected": input.rejected });
    let context = form.context(&request, "POST /batches (page)");
    let batch = request_batch(&state.bus, &input.items, input.options, summary, &context).await?;
    Ok(seen_from("/batches", batch.batch_id, batch.position))
}

async fn require_sendable(state: &ApiState, visitor: &Visitor, input: &BatchInput) -> Result<(), Problem> {
    require_acceptable(state, visitor.tenant(), input).await?;
    require_room_for_urls(state, visitor.tenant()).await
}

/// The list, from a file or pasted, and whether it is a file's.
fn list_of(form: &Form) -> (&[u8], bool) {
    match form.bytes("file") {
        [] => (form.bytes("list"), false),
        file => (file, true),
    }
}

fn read(content: &[u8], form: &Form) -> Result<BatchInput, Problem> {
    let kind = if looks_like_ndjson(content) {
        "application/x-ndjson"
    } else {
        "text/csv"
    };
    BatchInput::read(
        kind,
        content,
        form.number("max_pages")?,
        form.number("max_concurrent")?,
    )
}

/// What is wrong comes first.
fn rejects(rejected: &[RejectedLine]) -> Markup {
    html! {
        @if rejected.is_empty() {
            div.panel.good { p { "Every line is a domain." } }
        } @else {
            div.panel.bad {
                p { strong { (counted(count(rejected.len()), "line")) " will not be scanned." }
                    " Mend them in your file and send it again, or go on without them." }
                div.scroll tabindex="0" role="region" aria-label="Rejected lines" {
                    table {
                        thead { tr { th.number scope="col" { "Line" } th scope="col" { "Input" } th scope="col" { "What is wrong" } } }
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

/// The list goes along hidden, so that nothing of it is kept before somebody has agreed.
fn confirmation(input: &BatchInput, content: &[u8]) -> Markup {
    let options = input.options;
    html! {
        form.panel method="post" action="/batches" enctype="multipart/form-data" {
            (request_key())
            // The first line feed is the element's own (HTML, 13.1.2.5), so that lines keep their numbers.
            textarea name="list" hidden { "\n" (String::from_utf8_lossy(content)) }
            div.fields {
                p { label for="max_pages" { "HTML pages per site" }
                    input #max_pages name="max_pages" type="number" min="1" max="100" value=(options.scan.max_pages); }
                p { label for="max_concurrent" { "Sites at once" }
                    input #max_concurrent name="max_concurrent" type="number" min="1" max="1000" value=(options.max_concurrent); }
            }
            div.actions {
                button.primary type="submit" { "Scan " (counted(count(input.items.len()), "domain")) }
                a.button href="/" { "Send another list" }
            }
        }
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
