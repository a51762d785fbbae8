//! The tenant's keys.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use chrono::TimeDelta;
use maud::{Markup, html};

use super::entry::Visitor;
use super::form::Form;
use super::parts::time;
use super::people;
use super::shell::{Page, Section};
use crate::access;
use crate::access::keys::{self, Expiry, KeyRow, NewKey};
use crate::access::{ApiKey, KeyId, Scope, Scopes};
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, PathOf};
use crate::commands::change_access::{create_key, revoke_key};

/// Characters of a key's name at most.
const MAX_NAME: usize = 100;

pub(super) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    page(&state, &visitor, None).await
}

/// Creates a key and shows it once.
pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Admin)?;
    let form = Form::of(&request).await?;
    let new = new_key(&form, &visitor)?;
    let (key, _) = create_key(&state.bus, &new, &request.context).await?;
    let page = page(&state, &visitor, Some(&key)).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// Revokes a key permanently.
pub(super) async fn revoke(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<String>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Admin)?;
    let id = KeyId::parse(&id).ok_or_else(|| Problem::not_found("key"))?;
    let row = revoke_key(&state.bus, Some(visitor.tenant()), &id, &request.context).await?;
    row.ok_or_else(|| Problem::not_found("key"))?;
    Ok(Redirect::to("/keys").into_response())
}

fn new_key(form: &Form, visitor: &Visitor) -> Result<NewKey, Problem> {
    let invalid =
        |field: &str, detail: &str| Problem::of(ProblemCode::InvalidField, detail).with("field", field);
    let name = form.text("name");
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(invalid(
            "name",
            "Enter a name of 1 to 100 characters: who uses the key, and for what.",
        ));
    }
    let scope: Scope = form
        .text("scope")
        .parse()
        .map_err(|error| invalid("scope", &format!("scope: {error}.")))?;
    // A key cannot have more rights than its creator.
    visitor.require(scope)?;
    let days = form.number("days")?;
    if days.is_some_and(|days| !(1..=3650).contains(&days)) {
        return Err(invalid(
            "days",
            "Enter 1 to 3650 days, or leave the field empty for a key that does not expire.",
        ));
    }
    Ok(NewKey {
        tenant: visitor.tenant(),
        name: name.to_owned(),
        scopes: Scopes::from_iter([scope]),
        expires: days.map(|days| Expiry::After(TimeDelta::days(days))),
        created_by: visitor.caller.actor.clone(),
    })
}

async fn page(state: &ApiState, visitor: &Visitor, made: Option<&ApiKey>) -> Result<Markup, Problem> {
    visitor.require(Scope::Admin)?;
    let rows = keys::list(state.access.pool(), Some(visitor.tenant())).await?;
    let people = access::people::list(state.access.pool(), visitor.tenant()).await?;
    let content = html! {
        h1 { "Keys" }
        p { "Send a key with each request: " code { "Authorization: Bearer sitelog_…" } }
        @if let Some(key) = made {
            div.panel.good role="status" {
                p { strong { "Your new key. It is shown only once; store it in a safe place." } }
                pre tabindex="0" { code { (key.reveal()) } }
            }
        }
        (list(&rows))
        (new_form(visitor))
        (people::section(&people))
    };
    Ok(Page::new("Keys", Section::Keys).render(Some(visitor), &content))
}

fn list(rows: &[KeyRow]) -> Markup {
    if rows.is_empty() {
        return html! { p.empty { "No keys yet." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Keys" {
            table {
                thead { tr {
                    th scope="col" { "Name" } th scope="col" { "Key" } th scope="col" { "Scopes" } th.wide scope="col" { "Created" }
                    th scope="col" { "Last used" } th scope="col" { "Expires" } th scope="col" { span.visually-hidden { "Actions" } }
                } }
                tbody { @for row in rows { (line(row)) } }
            }
        }
    }
}

fn line(row: &KeyRow) -> Markup {
    html! {
        tr {
            th scope="row" { (row.name) }
            td.mono { (row.key_id) "_…" }
            td { (row.scopes.join(", ")) }
            td.wide { (time(Some(row.created_at))) " by " (row.created_by) }
            td { (time(row.last_used_at)) }
            @if row.revoked_at.is_some() {
                td { span.failed { "revoked " } (time(row.revoked_at)) }
                td {}
            } @else {
                td { @if row.expires_at.is_some() { (time(row.expires_at)) } @else { span.muted { "never" } } }
                td {
                    details { summary { "Revoke" }
                        form method="post" action={ "/keys/" (row.key_id) "/revoke" } {
                            button.danger type="submit" { "Revoke permanently" }
                        } }
                }
            }
        }
    }
}

fn new_form(visitor: &Visitor) -> Markup {
    let entered = visitor.refused.form("/keys");
    let chosen = entered.value("scope", Scope::Write.as_str());
    html! {
        form.panel method="post" action="/keys" {
            h2 { "New key" }
            div.fields {
                p { label for="name" { "Name (who uses it, and for what)" }
                    input #name name="name" required maxlength=(MAX_NAME) value=(entered.value("name", "")) aria-invalid=[entered.invalid("name")];
                    (entered.error("name")) }
                p { label for="scope" { "Scope" }
                    select #scope name="scope" {
                        @for scope in Scope::ALL.into_iter().filter(|scope| visitor.may(*scope)) {
                            option value=(scope) selected[scope.as_str() == chosen] { (explained(scope)) }
                        }
                    }
                    (entered.error("scope"))
                    span.small.muted { "A key with the scope write can change scans, monitors, webhooks and links. The scope admin also allows managing keys and erasing domains." } }
                p { label for="days" { "Valid for (days)" }
                    input #days name="days" type="number" placeholder="no expiry" min="1" max="3650" value=(entered.value("days", "")) aria-invalid=[entered.invalid("days")];
                    (entered.error("days")) }
            }
            button.primary type="submit" { "Create key" }
        }
    }
}

fn explained(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read: view everything",
        Scope::Write => "write: also make changes",
        Scope::Admin => "admin: also manage keys and erase domains",
        Scope::Operator => "operator: also operate the service",
    }
}
