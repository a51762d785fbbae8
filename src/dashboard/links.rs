//! Links to exports: created from a list's page, shown once, listed and revoked.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use uuid::Uuid;

use super::entry::Visitor;
use super::form::Form;
use super::parts::{public_url, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::access::links::{self, LinkRow};
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, PathOf};
use crate::api::v4::export_links::create as create_link;

/// Days that the form offers.
const DAYS: i64 = 30;

pub(super) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    let rows = links::list(state.access.pool(), visitor.tenant()).await?;
    let content = html! {
        h1 { "Links to exports" }
        p { "A link lets a spreadsheet or another program read one export without a key. Create one from a list page, for example "
            a href="/domains" { "Domains" } " or " a href="/changes" { "Changes" } "." }
        @if rows.is_empty() { p.empty { "No links yet." } } @else { (table(&rows, visitor.may(Scope::Write))) }
    };
    Ok(Page::new("Links to exports", Section::Domains).render(Some(&visitor), &content))
}

/// Creates a link and shows it once.
pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    headers: HeaderMap,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let days = form.number("days")?.unwrap_or(DAYS);
    let days =
        u32::try_from(days).map_err(|_| Problem::of(ProblemCode::InvalidField, "days must be 1 to 365."))?;
    let (path, name) = (form.text("path"), form.text("name"));
    let (row, link) = create_link(&state, path, name, days, &request.context).await?;
    let url = public_url(&headers, &link);
    let content = html! {
        h1 { "Link to an export" }
        div.panel.good role="status" {
            p { strong { "Anyone with this link can read this export. It is shown only once." } }
            pre tabindex="0" { code { (url) } }
            p { "In Google Sheets: " code { "=IMPORTDATA(\"" (url) "\")" } }
            p { "In Excel: Data → From Web." }
            p { "It expires " (time(Some(row.expires_at))) "." }
        }
        p { a href="/links" { "Show all links" } }
    };
    let page = Page::new("Link to an export", Section::Domains).render(Some(&visitor), &content);
    Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
}

/// Revokes a link.
pub(super) async fn revoke(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<Uuid>,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    if !links::revoke(state.access.pool(), visitor.tenant(), id).await? {
        return Err(Problem::not_found("link"));
    }
    Ok(Redirect::to("/links").into_response())
}

/// On the page of a list: makes a link to its export.
pub(super) fn link_form(path: &str, visitor: &Visitor) -> Markup {
    let entered = visitor.refused.form("/links");
    html! {
        details open[entered.is_refused()] { summary { "Create a link for spreadsheets" }
            form.filter method="post" action="/links" {
                input type="hidden" name="path" value=(path);
                label { "Name" input name="name" maxlength="100" value=(entered.value("name", "")); (entered.error("name")) }
                label { "Valid for (days)" input name="days" type="number" min="1" max="365" value=(entered.value("days", &DAYS.to_string())) aria-invalid=[entered.invalid("days")];
                    (entered.error("days")) }
                button type="submit" { "Create link" }
            }
            p.small { a href="/links" { "Show all links" } }
        }
    }
}

fn table(rows: &[LinkRow], may_write: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Links to exports" {
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Export" } th.wide scope="col" { "Created" }
                    th scope="col" { "Last used" } th scope="col" { "Expires" }
                    th scope="col" { span.visually-hidden { "Actions" } } } }
                tbody { @for row in rows {
                    tr {
                        th scope="row" { @if row.name.is_empty() { "–" } @else { (row.name) } }
                        td.text { code { (row.path) } }
                        td.wide { (time(Some(row.created_at))) " by " (row.created_by) }
                        td { (time(row.used_at)) }
                        td { (time(Some(row.expires_at))) }
                        td { @if may_write {
                            form method="post" action={ "/links/" (row.link_id) "/revoke" } {
                                button.danger type="submit" { "Revoke" }
                            }
                        } }
                    }
                } }
            }
        }
    }
}
