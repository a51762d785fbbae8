//! The pages under `docs/` that are made from the program: they must say what it says.
//!
//! `UPDATE_DOCS=1 cargo test --test it docs::` writes them anew.

mod events;
mod snippets;

use std::fs;
use std::path::Path;

#[test]
fn the_description_of_the_http_api_is_up_to_date() {
    check("docs/openapi.json", &sitelog::api::openapi::document());
}

#[test]
fn the_page_about_the_command_line_is_up_to_date() {
    check("docs/cli.md", &sitelog::cli::reference());
}

#[test]
fn the_catalogue_of_events_is_up_to_date() {
    check("docs/events.md", &events::page());
}

#[test]
fn every_failure_reason_is_explained_to_who_runs_the_service() {
    let page = read("docs/operations.md");
    for reason in sitelog::values::FailureReason::ALL {
        assert!(
            page.contains(&format!("| `{reason}` |")),
            "docs/operations.md lacks {reason}"
        );
    }
}

fn check(path: &str, said: &str) {
    let said = format!("{}\n", said.trim_end());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), &said).unwrap();
    }
    let hint = "run UPDATE_DOCS=1 cargo test --test it docs::";
    assert!(read(path) == said, "{path} is stale; {hint}");
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_default()
}
