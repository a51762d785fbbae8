//! The page of an email's unsubscribe link. The token in the link is the credential, because subscribers have no
//! other.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::shell::{Page, Section};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::monitors::subscribers::{UnsubscribeToken, of_token, unsubscribe};

/// Asks first: programs that check mails follow their links.
pub(super) async fn show(
    State(state): State<ApiState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let token = UnsubscribeToken::shown(&token);
    Ok(match of_token(state.monitors.pool(), &token).await? {
        Some((monitor, address)) => page(&html! {
            h1 { "Unsubscribe" }
            p { "Emails about the monitor " strong { (monitor) } " are sent to " (address) "." }
            form method="post" action=(token.path()) { button.primary type="submit" { "Stop these emails" } }
        }),
        None => ended(),
    })
}

/// Unsubscribes: by the button, or by one click in a mail program (RFC 8058), whose request may come from anywhere.
pub(super) async fn stop(
    State(state): State<ApiState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    unsubscribe(state.monitors.pool(), &UnsubscribeToken::shown(&token)).await?;
    Ok(ended())
}

fn ended() -> Response {
    page(&html! {
        h1 { "Unsubscribe" }
        div.panel.good role="status" { p { "You are unsubscribed: this address gets no more emails about the monitor." } }
    })
}

fn page(content: &Markup) -> Response {
    let page = Page::new("Unsubscribe", Section::Monitors).render(None, content);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}
