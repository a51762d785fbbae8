//! The overview, sample programs for common tasks, and each operation of the API document.

use maud::{Markup, html};
use serde_json::Value;

use super::{code_block, path_of, snippets, table, text};

/// What is the same for all operations: heading, anchor, text.
const OVERVIEW: &[(&str, &str, &str)] = &[
    (
        "access",
        "Access",
        "Send a key as `Authorization: Bearer …`; `sitelog key create` creates one. Reading needs the scope `read`, \
         changes need `write`. A key belongs to one tenant; with the scope `operator`, `X-Tenant-Id` selects another one.",
    ),
    (
        "errors",
        "Errors",
        "Errors are `application/problem+json` with a stable `code`; their `type` links to a page that says what to do.",
    ),
    (
        "paging",
        "Pagination",
        "Lists return `items` and `next`. Pass `next` as `cursor` to get the next page; it is null on the last page. \
         `limit` is 1 to 1000. A cursor is valid only for the `sort` it came from.",
    ),
    (
        "idempotency",
        "Idempotency",
        "Every POST accepts `Idempotency-Key`. A retried request with the same key and body has no further effect and \
         gets the original response. So you can safely retry any request that got no response.",
    ),
    (
        "waiting",
        "Waiting for results",
        "`Prefer: wait=30` on `POST /api/v4/scans` waits for the result. After a command, `?at_least=<position>` of a GET \
         waits until the change is visible. `If-None-Match` with the previous `ETag` gets 304 while nothing has \
         changed.",
    ),
    (
        "watching",
        "Streaming",
        "`GET /api/v4/batches/{id}/events` and `GET /api/v4/scans/{id}/events` stream events as they happen \
         (server-sent events). After an interruption, `Last-Event-ID` continues the stream; an `EventSource` does so \
         automatically.",
    ),
    (
        "exporting",
        "Exporting results",
        "`?format=csv`, `ndjson`, `xlsx` or `parquet` (or `Accept`) on `GET /api/v4/domains`, `/domains/{domain}/urls`, \
         `/domains/{domain}/sitemap-audit`, `/scans`, `/changes`, `/batches/{id}/scans` and `/batches/{id}/domains` returns all \
         rows that match the filters, as one file. `/batches/{id}/domains` is your list, line by line: the result of each scan, the data of the domain, and at \
         the end the columns of your list; a column whose name is already used gets the prefix `input_`. If an export \
         fails midway, the response is incomplete and clients report an error.",
    ),
    (
        "recent",
        "Recently scanned domains",
        "`max_age_days` on `POST /api/v4/scans` and `POST /api/v4/batches` reuses recent scans instead of scanning \
         again.",
    ),
];

/// The whole of it on one page.
pub(super) fn page(document: &Value) -> Markup {
    let tags = document["tags"].as_array().map_or(&[][..], Vec::as_slice);
    super::page(
        "The HTTP API",
        &html! {
            p { (text(document["info"]["description"].as_str().unwrap_or_default())) }
            nav aria-label="On this page" {
                ul {
                    @for (anchor, heading, _) in OVERVIEW { li { a href={ "#" (anchor) } { (heading) } } }
                    li { a href="#examples" { "Examples" } }
                    @for tag in tags { li { a href={ "#tag-" (of(tag, "name")) } { (capitalised(of(tag, "name"))) } } }
                }
            }
            @for (anchor, heading, words) in OVERVIEW {
                section id=(anchor) { h2 { (heading) } p { (text(words)) } }
            }
            section id="examples" { h2 { "Examples" } (snippets::all()) }
            @for tag in tags {
                section id={ "tag-" (of(tag, "name")) } {
                    h2 { (capitalised(of(tag, "name"))) }
                    p { (of(tag, "description")) }
                    @for (path, method, operation) in operations(document, of(tag, "name")) {
                        (operation_of(path, method, operation))
                    }
                }
            }
        },
    )
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn of<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The operations with a tag, in the order of the document.
fn operations<'a>(document: &'a Value, tag: &'a str) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| {
        operation["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|known| known == tag)
    })
}

fn operation_of(path: &str, method: &str, operation: &Value) -> Markup {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        section id=(of(operation, "operationId")) {
            h3 { code { (method.to_uppercase()) " " (path_of(path)) } }
            p { (text(of(operation, "summary"))) }
            @if operation["description"].is_string() { p { (text(of(operation, "description"))) } }
            @if !parameters.is_empty() {
                details {
                    summary { "Parameters" }
                    (table("Parameters", &["Name", "In", "Meaning", "Values"], &html! {
                        @for parameter in parameters {
                            tr {
                                td { code { (of(parameter, "name")) } }
                                td { (of(parameter, "in")) }
                                td { (text(of(parameter, "description"))) }
                                td { (values(&parameter["schema"])) }
                            }
                        }
                    }))
                }
            }
            @for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                @if !content["example"].is_null() {
                    p { "Request, " code { (media) } }
                    (example(&content["example"]))
                }
            }
            (answers(&operation["responses"]))
        }
    }
}

fn answers(responses: &Value) -> Markup {
    html! {
        details {
            summary { "Responses" }
            (table("Responses", &["Status", "Meaning"], &html! {
                @for (status, response) in responses.as_object().into_iter().flatten() {
                    tr {
                        td { (status) }
                        td {
                            (text(of(response, "description")))
                            @for code in response["x-problem-codes"].as_array().into_iter().flatten() {
                                " " a href={ "/docs/problems/" (code.as_str().unwrap_or_default()) } {
                                    code { (code.as_str().unwrap_or_default()) }
                                }
                            }
                        }
                    }
                }
            }))
        }
        @for (status, response) in responses.as_object().into_iter().flatten() {
            @for (_, content) in response["content"].as_object().into_iter().flatten() {
                @if status.starts_with('2') && !content["example"].is_null() {
                    p { "Response " (status) }
                    (example(&content["example"]))
                }
            }
        }
    }
}

fn example(value: &Value) -> Markup {
    let shown = match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string_pretty(value).unwrap_or_default(),
    };
    code_block(&shown)
}

/// The allowed values of a parameter.
fn values(schema: &Value) -> Markup {
    html! {
        @if let Some(words) = schema["enum"].as_array() {
            @for word in words { code { (word.as_str().unwrap_or_default()) } " " }
        } @else {
            (of(schema, "type"))
            @if let (Some(least), Some(most)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
                ", " (least) " to " (most)
            }
        }
    }
}
