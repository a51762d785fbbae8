//! All domains: search, filter, choose columns, export.

use axum::extract::{RawQuery, State};
use maud::{Markup, html};

use super::domain_columns::{COLUMNS, Column};
use super::domain_selection as selection;
use super::entry::Visitor;
use super::links::link_form;
use super::parts::{choice, link, pager};
use super::saved_filters;
use super::shell::{Page, Section};
use super::site_picture::name_in_list;
use crate::access::Scope;
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::{Paging, QueryOf};
use crate::api::v4::list_domains::DomainQuery;
use crate::projections::domains::{self, DomainRow};
use crate::projections::query::Listed;
use crate::values::site_state::SiteStateKind;

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    RawQuery(raw): RawQuery,
    QueryOf(query): QueryOf<DomainQuery>,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Markup, Problem> {
    let filter = query.filter(&paging)?;
    let listed = domains::query::list(&state.models, visitor.tenant(), &filter).await?;
    let address = Address::of(raw.as_deref().unwrap_or_default());
    let is_filtered = !address.filters.is_empty();
    let may_write = visitor.may(Scope::Write);
    let saved = saved_filters::of_tenant(&state, &visitor).await?;
    let monitors = selection::monitors(&state, &visitor).await?;
    let content = html! {
        h1 { "Domains" }
        p { "All scanned domains, with their latest results. " a href="/technologies" { "Show technologies" } }
        (filter_form(&query, &address))
        (saved_filters::bar(&saved, &address, &visitor))
        section #domains data-part {
            @if listed.items.is_empty() {
                p.empty { @if is_filtered { "No domain matches these filters." } @else {
                    "Nothing has been scanned yet."
                    @if may_write { " " a href="/" { "Send a list" } " to begin." }
                } }
            } @else {
                (export(&address, &visitor))
                (selection::actions(&monitors, may_write))
                (table(&listed, &address, paging.cursor.is_none()))
            }
        }
    };
    Ok(Page::new("Domains", Section::Domains).render(Some(&visitor), &content))
}

/// The query of the URL: filters, which are those of the API, and columns.
pub(super) struct Address {
    filters: Vec<(String, String)>,
    sort: String,
    columns: Vec<&'static Column>,
    is_usual: bool,
}

impl Address {
    pub(super) fn of(query: &str) -> Self {
        let mut filters = Vec::new();
        let (mut sort, mut chosen) = (String::new(), Vec::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "column" => chosen.push(value.into_owned()),
                "sort" => sort = value.into_owned(),
                "cursor" | "limit" => {}
                _ => filters.push((name.into_owned(), value.into_owned())),
            }
        }
        let is_usual = chosen.is_empty();
        let is_shown = |column: &&Column| {
            if is_usual {
                column.is_usual
            } else {
                chosen.iter().any(|word| word == column.word)
            }
        };
        let columns = COLUMNS.iter().filter(is_shown).collect();
        Self {
            filters,
            sort,
            columns,
            is_usual,
        }
    }

    /// The query of this list: always the same text for the same list.
    pub(super) fn query(&self) -> String {
        let address = self.sorted(&self.sort);
        address
            .split_once('?')
            .map_or_else(String::new, |(_, query)| query.to_owned())
    }

    /// The address of this list in another order.
    fn sorted(&self, sort: &str) -> String {
        let mut query: Vec<(&str, &str)> = self
            .filters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        query.sort_unstable();
        query.push(("sort", sort));
        if !self.is_usual {
            query.extend(self.columns.iter().map(|column| ("column", column.word)));
        }
        link("/domains", &query)
    }

    /// The same rows from the API.
    fn export(&self, format: &str) -> String {
        let mut query: Vec<(&str, &str)> = self
            .filters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        query.push(("sort", &self.sort));
        query.push(("format", format));
        link("/api/v4/domains", &query)
    }
}

fn filter_form(query: &DomainQuery, address: &Address) -> Markup {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let as_choice = |value: Option<bool>| value.map(|value| value.to_string()).unwrap_or_default();
    let status = given(&query.status);
    let site_state = given(&query.site_state);
    let either = |name: &str, label: &str, yes: &str, no: &str, chosen: &str| {
        html! {
            label { (label) select name=(name) {
                (choice("", "all", chosen)) (choice("true", yes, chosen)) (choice("false", no, chosen))
            } }
        }
    };
    html! {
        form.filter method="get" action="/domains" role="search" {
            label { "Name or title" input name="contains" type="search" value=(given(&query.contains)); }
            label { "Last scan" select name="status" {
                (choice("", "all", &status))
                @for one in ScanStatus::ALL { (choice(one.as_str(), one.as_str(), &status)) }
            } }
            (either("is_wordpress", "WordPress", "yes", "no", &as_choice(query.is_wordpress)))
            (either("has_email", "Email", "found", "none", &as_choice(query.has_email)))
            (either("has_phone", "Phone", "found", "none", &as_choice(query.has_phone)))
            label { "Site type" select name="site_state" {
                (choice("", "all", &site_state))
                @for one in SiteStateKind::ALL { (choice(one.as_str(), one.label(), &site_state)) }
            } }
            label { "Certificate expires before" input name="tls_expires_before" type="date" value=(given(&query.tls_expires_before)); }
            label { "Email provider" input name="email_provider" value=(given(&query.email_provider)) placeholder="Microsoft 365"; }
            label { "Technology" input name="technology" value=(given(&query.technology)) placeholder="Shopify"; }
            label { "Language" input name="language" value=(given(&query.language)) placeholder="de" size="5"; }
            @if let Some(batch) = &query.batch { input type="hidden" name="batch" value=(batch); }
            @if !address.sort.is_empty() { input type="hidden" name="sort" value=(address.sort); }
            button type="submit" { "Filter" }
            @if !address.filters.is_empty() { a.button href="/domains" { "Show all" } }
            details.menu { summary { "Columns" }
                fieldset.fields {
                    legend.visually-hidden { "Columns" }
                    @for column in &COLUMNS {
                        label.check {
                            input type="checkbox" name="column" value=(column.word)
                                checked[address.columns.iter().any(|one| one.word == column.word)];
                            (column.name)
                        }
                    }
                }
                button type="submit" { "Apply" }
            }
        }
        @if query.batch.is_some() { p.muted { "Domains of one batch. " a href={ "/batches/" (given(&query.batch)) } { "Show the batch" } } }
    }
}

fn export(address: &Address, visitor: &Visitor) -> Markup {
    html! {
        p.small { "Export these rows with all columns: " a href=(address.export("csv")) { "CSV" } ", "
            a href=(address.export("xlsx")) { "Excel" } ", " a href=(address.export("ndjson")) { "NDJSON" } ", "
            a href=(address.export("parquet")) { "Parquet" } }
        @if visitor.may(Scope::Write) { (link_form(&address.export("csv"), visitor)) }
    }
}

fn table(listed: &Listed<DomainRow>, address: &Address, is_first: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Domains" {
            table.cards {
                thead { tr {
                    th.tick scope="col" { span.visually-hidden { "Select" } }
                    (heading("Domain", "domain", address))
                    @for column in &address.columns {
                        @if column.word == "last_scan" { (heading(column.name, "last_scan", address)) }
                        @else { th scope="col" { (column.name) } }
                    }
                } }
                tbody { @for row in &listed.items {
                    tr {
                        td.tick { (selection::tick(&row.domain)) }
                        th scope="row" { a href={ "/domains/" (row.domain) } { (name_in_list(&row.domain, &row.meta_json)) } }
                        @for column in &address.columns { td.text data-label=(column.name) { ((column.cell)(row)) } }
                    }
                } }
            }
        }
        (pager(listed.next.as_ref(), &address.sorted(&address.sort), is_first))
    }
}

/// A heading that sorts; a second click reverses the order.
fn heading(name: &str, sort: &str, address: &Address) -> Markup {
    let current = if address.sort.is_empty() {
        "domain"
    } else {
        &address.sort
    };
    let reverse = format!("-{sort}");
    let (state, next) = match current {
        _ if current == sort => ("ascending", reverse.as_str()),
        _ if current == reverse => ("descending", sort),
        _ => ("none", sort),
    };
    let arrow = match state {
        "ascending" => " ↑",
        "descending" => " ↓",
        _ => "",
    };
    html! { th scope="col" aria-sort=(state) { a href=(address.sorted(next)) { (name) (arrow) } } }
}
