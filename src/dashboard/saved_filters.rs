//! Saved filters of the list of domains: shown above the list, and managed on a separate page.

use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use uuid::Uuid;

use super::domains::Address;
use super::entry::Visitor;
use super::form::Form;
use super::parts::time;
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, Paging, PathOf};
use crate::api::v4::list_domains::DomainQuery;
use crate::saved_filters::{self, MAX_NAME, SaveError, SavedFilter};

pub(super) async fn show(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    let filters = of_tenant(&state, &visitor).await?;
    let content = html! {
        h1 { "Saved filters" }
        p { "Filters of the list of " a href="/domains" { "domains" } ", with its order and columns. Everybody with access to this tenant sees them." }
        @if filters.is_empty() { p.empty { "No saved filters yet. Filter the list of " a href="/domains" { "domains" } ", then choose " strong { "Save this filter" } "." } }
        @else { (table(&filters, visitor.may(Scope::Write))) }
    };
    Ok(Page::new("Saved filters", Section::Domains).render(Some(&visitor), &content))
}

/// The saved filters of the visitor's tenant.
pub(super) async fn of_tenant(state: &ApiState, visitor: &Visitor) -> Result<Vec<SavedFilter>, Problem> {
    saved_filters::list(state.access.pool(), visitor.tenant())
        .await
        .map_err(problem)
}

/// Saves a filter and shows its domains.
pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let query = Address::of(form.text("query")).query();
    require_filter(&query)?;
    let (tenant, actor) = (visitor.tenant(), &request.context.actor);
    saved_filters::create(state.access.pool(), tenant, form.text("name"), &query, actor)
        .await
        .map_err(problem)?;
    Ok(Redirect::to(&format!("/domains?{query}")).into_response())
}

/// Renames or deletes a filter.
pub(super) async fn maintain(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf((id, work)): PathOf<(Uuid, String)>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let (pool, tenant) = (state.access.pool(), visitor.tenant());
    let is_there = match work.as_str() {
        "rename" => {
            let form = Form::of(&request).await?;
            saved_filters::rename(pool, tenant, id, form.text("name")).await
        }
        "delete" => saved_filters::delete(pool, tenant, id).await,
        _ => return Err(Problem::not_found("path")),
    };
    if is_there.map_err(problem)? {
        Ok(Redirect::to("/saved-filters").into_response())
    } else {
        Err(Problem::not_found("saved filter"))
    }
}

/// Refuses a query that the list of domains would refuse.
fn require_filter(query: &str) -> Result<(), Problem> {
    let invalid = |detail: String| Problem::of(ProblemCode::InvalidField, detail);
    if query.is_empty() {
        return Err(invalid(
            "The list shows all domains: there is no filter to save.".to_owned(),
        ));
    }
    let uri: Uri = format!("/domains?{query}")
        .parse()
        .map_err(|error| invalid(format!("The filter cannot be read: {error}.")))?;
    let Query(query) =
        Query::<DomainQuery>::try_from_uri(&uri).map_err(|rejection| invalid(rejection.body_text()))?;
    query.filter(&Paging::default()).map(drop)
}

fn problem(error: SaveError) -> Problem {
    let text = error.to_string();
    if let SaveError::Unavailable(source) = error {
        tracing::error!(error = &source as &dyn std::error::Error, "{text}");
        return Problem::unavailable("Cannot read or write the saved filters; try again.");
    }
    let (first, rest) = text.split_at(1);
    let detail = format!("{}{rest}.", first.to_uppercase());
    Problem::of(ProblemCode::InvalidField, detail).with("field", "name")
}

/// Above the list: the saved filters, and a form that saves the one that is shown.
pub(super) fn bar(filters: &[SavedFilter], address: &Address, visitor: &Visitor) -> Markup {
    let entered = visitor.refused.form("/saved-filters");
    let shown = address.query();
    let is_saved = filters.iter().any(|filter| filter.query == shown);
    html! {
        @if !filters.is_empty() {
            nav.saved aria-label="Saved filters" {
                @for filter in filters {
                    a href={ "/domains?" (filter.query) } aria-current=[(filter.query == shown).then_some("page")] { (filter.name) }
                }
                a.small href="/saved-filters" { "Edit saved filters" }
            }
        }
        @if visitor.may(Scope::Write) && !shown.is_empty() && !is_saved {
            details open[entered.is_refused()] { summary { "Save this filter" }
                form.filter method="post" action="/saved-filters" {
                    input type="hidden" name="query" value=(shown);
                    label { "Name" input name="name" required maxlength=(MAX_NAME) value=(entered.value("name", "")) aria-invalid=[entered.invalid("name")];
                        (entered.error("name")) }
                    button type="submit" { "Save" }
                }
            }
        }
    }
}

fn table(filters: &[SavedFilter], may_write: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Saved filters" {
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Filter" } th.wide scope="col" { "Saved" }
                    @if may_write { th scope="col" { span.visually-hidden { "Actions" } } } } }
                tbody { @for filter in filters {
                    tr {
                        th scope="row" { a href={ "/domains?" (filter.query) } { (filter.name) } }
                        td.text { (words(&filter.query)) }
                        td.wide { (time(Some(filter.created_at))) " by " (filter.created_by) }
                        @if may_write { td { (changes(filter)) } }
                    }
                } }
            }
        }
    }
}

fn changes(filter: &SavedFilter) -> Markup {
    let path = format!("/saved-filters/{}", filter.filter_id);
    html! {
        details { summary { "Rename or delete" }
            form.filter method="post" action={ (path) "/rename" } {
                label { "Name" input name="name" required maxlength=(MAX_NAME) value=(filter.name); }
                button type="submit" { "Rename" }
            }
            form method="post" action={ (path) "/delete" } { button.danger type="submit" { "Delete" } }
        }
    }
}

/// A query in words: `status: failed, technology: Shopify`.
fn words(query: &str) -> String {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let words: Vec<String> = pairs
        .map(|(name, value)| format!("{}: {value}", name.replace('_', " ")))
        .collect();
    words.join(", ")
}
