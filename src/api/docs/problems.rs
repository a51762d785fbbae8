//! The meaning of each code, and what to do.

use maud::{Markup, html};

use super::reasons::{REASONS, Reason};
use super::{page, table, text};
use crate::api::problem::ProblemCode;

/// All codes.
pub(super) fn list() -> Markup {
    page(
        "Errors",
        &html! {
            p {
                "An error has the media type " code { "application/problem+json" } " (RFC 9457). Its "
                code { "code" } " is stable, its " code { "type" } " links to this documentation, and its " code { "detail" }
                " describes the individual error."
            }
            h2 id="codes" { "Errors of the API" }
            (table("Errors of the API", &["Status", "Code", "Meaning"], &html! {
                @for code in ProblemCode::ALL {
                    tr { td { (code.status().as_u16()) } td { (link(code.as_str())) } td { (text(code.meaning())) } }
                }
            }))
            h2 id="reasons" { "Why a scan failed" }
            p { "The field " code { "reason" } " of a scan that failed or whose last attempt failed." }
            (table("Why a scan failed", &["Reason", "Meaning", "Retried"], &html! {
                @for reason in REASONS {
                    tr { td { (link(reason.reason.as_str())) } td { (text(reason.meaning)) } td { (reason.again) } }
                }
            }))
        },
    )
}

/// The page of a code: of an API error, of a failed scan, or of both.
pub(super) fn one(code: &str) -> Option<Markup> {
    let answer = ProblemCode::ALL.iter().find(|known| known.as_str() == code);
    let reason = REASONS.iter().find(|known| known.reason.as_str() == code);
    if answer.is_none() && reason.is_none() {
        return None;
    }
    let content = html! {
        @if let Some(answer) = answer {
            h2 { "As an API error: status " (answer.status().as_u16()) }
            p { (text(answer.meaning())) }
            h3 { "What to do" }
            p { (text(answer.remedy())) }
        }
        @if let Some(Reason { meaning, again, remedy, .. }) = reason {
            h2 { "As the reason for a failed scan" }
            p { (text(meaning)) }
            p { "Retried automatically: " (again) "." }
            h3 { "What to do" }
            p { (text(remedy)) }
        }
        p { a href="/docs/problems" { "All errors" } }
    };
    Some(page(code, &content))
}

/// For an unknown code.
pub(super) fn unknown() -> Markup {
    page(
        "Unknown error code",
        &html! { p { "sitelog has no error with this code. " a href="/docs/problems" { "All errors" } } },
    )
}

fn link(code: &str) -> Markup {
    html! { a href={ "/docs/problems/" (code) } { code { (code) } } }
}
