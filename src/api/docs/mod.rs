//! `/docs`: the API for people, made from its own document and from the codes it answers with; public, without a
//! network, script or style of others.

pub(super) mod codes;
mod operations;
mod problems;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::ApiState;

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

/// A page of the docs.
fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – sitelog" }
                link rel="stylesheet" href="/assets/app.css";
            }
            body {
                header {
                    nav aria-label="Documentation" {
                        a href="/" { "sitelog" } " " a href="/docs" { "API" } " "
                        a href="/docs/problems" { "Problems" } " " a href="/openapi.json" { "openapi.json" }
                    }
                }
                main { h1 { (title) } (content) }
            }
        }
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
