//! Users who signed in with a provider, for administrators: the list, and signing them out.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::entry::Visitor;
use super::form::Form;
use super::parts::{counted, time};
use crate::access::Scope;
use crate::access::people::PersonRow;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::CommandRequest;
use crate::commands::change_access::sign_out_person;

/// Signs a person out in all browsers.
pub(super) async fn sign_out(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Admin)?;
    let form = Form::of(&request).await?;
    sign_out_person(&state.bus, form.text("actor"), &request.context).await?;
    Ok(Redirect::to("/keys#people").into_response())
}

/// The section with the users for administrators; empty if there are none.
pub(super) fn section(rows: &[PersonRow]) -> Markup {
    if rows.is_empty() {
        return html! {};
    }
    html! {
        h2 #people { "Users" }
        p { "Users who signed in with your identity provider. To remove their access, change their account there, then sign them out here." }
        div.scroll tabindex="0" role="region" aria-label="Users" {
            table {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Actor in the log" } th scope="col" { "Scopes" }
                    th scope="col" { "Last sign-in" } th scope="col" { "Sessions" }
                    th scope="col" { span.visually-hidden { "Actions" } }
                } }
                tbody { @for row in rows { (line(row)) } }
            }
        }
    }
}

fn line(row: &PersonRow) -> Markup {
    html! {
        tr {
            th scope="row" { (row.name) }
            td.mono { (row.actor) }
            td { (row.scopes.join(", ")) }
            td { (time(Some(row.last_signed_in_at))) }
            td { (counted(row.sessions, "session")) }
            td { @if row.sessions > 0 {
                form method="post" action="/people/sign-out" {
                    input type="hidden" name="actor" value=(row.actor);
                    button type="submit" { "Sign out" span.visually-hidden { " " (row.name) } }
                }
            } }
        }
    }
}
