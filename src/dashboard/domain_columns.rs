//! The columns of the list of domains.

use maud::{Markup, html};

use super::parts::{badge, number, outward, time};
use crate::projections::domains::DomainRow;
use crate::values::Findings;

/// A column of the table: its word in the address, its name, how it is shown.
pub(super) struct Column {
    pub(super) word: &'static str,
    pub(super) name: &'static str,
    pub(super) is_usual: bool,
    pub(super) cell: fn(&DomainRow) -> Markup,
}

pub(super) const COLUMNS: [Column; 16] = [
    Column {
        word: "status",
        name: "Status",
        is_usual: true,
        cell: |row| badge(row.status.as_str()),
    },
    Column {
        word: "site_state",
        name: "Site type",
        is_usual: false,
        cell: state,
    },
    Column {
        word: "title",
        name: "Title",
        is_usual: true,
        cell: |row| text(row.title.as_ref()),
    },
    Column {
        word: "email",
        name: "Email",
        is_usual: true,
        cell: |row| addresses(&row.email_addresses),
    },
    Column {
        word: "phone",
        name: "Phone",
        is_usual: true,
        cell: |row| lines(&row.phone_numbers),
    },
    Column {
        word: "email_provider",
        name: "Email provider",
        is_usual: false,
        cell: |row| {
            let found: Findings = row.meta_json.read().unwrap_or_default();
            text(found.email_provider.map(|provider| provider.name).as_ref())
        },
    },
    Column {
        word: "technologies",
        name: "Technologies",
        is_usual: false,
        cell: stack,
    },
    Column {
        word: "wordpress",
        name: "WordPress",
        is_usual: true,
        cell: wordpress,
    },
    Column {
        word: "elementor",
        name: "Elementor",
        is_usual: false,
        cell: |row| yes(row.has_elementor, row.elementor_version.as_ref()),
    },
    Column {
        word: "language",
        name: "Language",
        is_usual: true,
        cell: |row| text(row.language.as_ref()),
    },
    Column {
        word: "description",
        name: "Description",
        is_usual: false,
        cell: |row| text(row.description.as_ref()),
    },
    Column {
        word: "profiles",
        name: "Profiles",
        is_usual: false,
        cell: profiles,
    },
    Column {
        word: "sitemap_urls",
        name: "Sitemap URLs",
        is_usual: false,
        cell: |row| html! { (number(row.sitemap_urls.into())) },
    },
    Column {
        word: "first_scan",
        name: "First scan",
        is_usual: false,
        cell: |row| time(row.first_scan),
    },
    Column {
        word: "last_scan",
        name: "Last scan",
        is_usual: true,
        cell: |row| time(row.last_scan),
    },
    Column {
        word: "last_error",
        name: "Last error",
        is_usual: false,
        cell: |row| text(row.last_error.as_ref()),
    },
];

fn text(value: Option<&String>) -> Markup {
    html! { @if let Some(value) = value { (value) } @else { span.muted { "–" } } }
}

/// Phone numbers: none is broken in the middle.
fn lines(values: &[String]) -> Markup {
    html! {
        @if values.is_empty() { span.muted { "–" } }
        @for value in values.iter().take(3) { div.nowrap { (value) } }
        @if values.len() > 3 { div.muted { "and " (values.len() - 3) " more" } }
    }
}

/// Email addresses: a long one is broken only before its domain.
fn addresses(values: &[String]) -> Markup {
    html! {
        @if values.is_empty() { span.muted { "–" } }
        @for value in values.iter().take(3) {
            div.address { @match value.split_once('@') { Some((user, domain)) => { (user) wbr; "@" (domain) } None => { (value) } } }
        }
        @if values.len() > 3 { div.muted { "and " (values.len() - 3) " more" } }
    }
}

fn yes(is: bool, version: Option<&String>) -> Markup {
    html! { @if is { (version.map_or("yes", |version| version)) } @else { span.muted { "–" } } }
}

fn state(row: &DomainRow) -> Markup {
    let found: Findings = row.meta_json.read().unwrap_or_default();
    html! { @if let Some(found) = found.site_state { (found.state.label()) } @else { span.muted { "–" } } }
}

fn wordpress(row: &DomainRow) -> Markup {
    yes(row.is_wordpress, row.wordpress_version.as_ref())
}

fn stack(row: &DomainRow) -> Markup {
    let names: Vec<&str> = row
        .tech_stack
        .as_object()
        .into_iter()
        .flat_map(|categories| categories.values())
        .flat_map(|category| category.as_array().into_iter().flatten())
        .filter_map(|name| name.as_str())
        .collect();
    html! { @if names.is_empty() { span.muted { "–" } } @else { (names.join(", ")) } }
}

fn profiles(row: &DomainRow) -> Markup {
    let found = [
        &row.facebook_url,
        &row.twitter_url,
        &row.linkedin_url,
        &row.instagram_url,
        &row.youtube_url,
    ];
    html! { @for url in found.into_iter().flatten() { div { (outward(url)) } } }
}
