//! `/docs`: the API documentation for people, generated from the API document and the problem codes. It is public,
//! and loads nothing from other hosts.

mod operations;
mod problems;
mod reasons;
mod snippets;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::ApiState;

const STYLE: &str = concat!("/assets/app.css?v=", env!("CARGO_PKG_VERSION"));
const ICON: &str = "/assets/icon.svg";

/// The pages, of the document as text.
pub(super) fn routes(document: &str) -> Router<ApiState> {
    let document: Value = serde_json::from_str(document).expect("our own document");
    let overview = answer(StatusCode::OK, operations::page(&document));
    let problems = answer(StatusCode::OK, problems::list());
    Router::new()
        .route("/docs", get(overview))
        .route("/docs/problems", get(problems))
        .route("/docs/problems/{code}", get(problem))
}

async fn problem(Path(code): Path<String>) -> Response {
    let (status, page) = match problems::one(&code) {
        Some(page) => (StatusCode::OK, page),
        None => (StatusCode::NOT_FOUND, problems::unknown()),
    };
    answer(status, page).into_response()
}

fn answer(status: StatusCode, page: Markup) -> (StatusCode, Html<String>) {
    (status, Html(page.into_string()))
}

/// A page of the docs, with the looks of all pages: their style sheet is served alongside the API.
fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · sitelog" }
                link rel="icon" href=(ICON) type="image/svg+xml";
                link rel="stylesheet" href=(STYLE);
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.bar-top {
                    nav aria-label="Documentation" {
                        a.brand href="/" { img src=(ICON) alt="" width="20" height="20"; "sitelog" }
                        a href="/docs" { "API" }
                        a href="/docs/problems" { "Errors" }
                        a href="/openapi.json" { "openapi.json" }
                    }
                }
                main id="main" tabindex="-1" { h1 { (title) } (content) }
                footer { "sitelog " (env!("CARGO_PKG_VERSION")) " · times are UTC" }
            }
        }
    }
}

/// A table that scrolls if it is wider than the screen. It can be focused, so that the keyboard scrolls it.
fn table(label: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// Preformatted text that scrolls.
fn code_block(shown: &str) -> Markup {
    html! { pre tabindex="0" { code { (shown) } } }
}

/// A path that may be wrapped after each slash.
fn path_of(path: &str) -> Markup {
    html! {
        @for (n, part) in path.split('/').enumerate() { @if n > 0 { "/" wbr; } (part) }
    }
}

/// A text with `code` in backticks, as doc comments have it.
fn text(words: &str) -> Markup {
    html! {
        @for (n, part) in words.split('`').enumerate() {
            @if n % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}
