//! A domain's card: who they are, how to reach them and where that was found, what the site is made with, its sitemaps,
//! and what changed over time.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use serde_json::Value;

use super::entry::Visitor;
use super::parts::{self, badge, counted, milliseconds, number, outward, time};
use super::scan::again;
use super::shell::{Page, Section};
use super::sitemap_tree::tree;
use super::{files, network, site_picture, sitemap_audit};
use crate::access::Scope;
use crate::aggregates::STREAM_TYPES;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::PathOf;
use crate::log::read::EventFilter;
use crate::projections::RawJson;
use crate::projections::domains::{self, DomainRow};
use crate::projections::history::{self, FieldChange};
use crate::projections::jobs::query::{JobFilter, JobSort};
use crate::projections::jobs::{self, JobRow};
use crate::values::change_words::field_words;
use crate::values::domain_fields;
use crate::values::findings::Technology;
use crate::values::picture::PictureKind;
use crate::values::site_state::SiteState;
use crate::values::{DomainName, EventType, Findings};

/// Scans that are listed.
const SCANS: i64 = history::LATEST_SCANS;
/// Events of a scan that are searched for its erasure.
const SCAN_EVENTS: i64 = 1000;
/// Characters of a value in the history.
const MAX_VALUE: usize = 300;

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(domain): PathOf<String>,
) -> Result<Markup, Problem> {
    let domain = DomainName::parse(&domain).map_err(|_| Problem::not_found("domain"))?;
    let row = domains::query::find(&state.models, visitor.tenant(), &domain).await?;
    let row = row.ok_or_else(|| Problem::not_found("domain"))?;
    let changes = history::of_domain(&state.for_long_reads().models, visitor.tenant(), &domain).await?;
    let filter = JobFilter {
        domain: Some(row.domain.clone()),
        sort: JobSort::CreatedLast,
        limit: SCANS,
        ..JobFilter::default()
    };
    let scans = jobs::query::list(&state.models, visitor.tenant(), &filter).await?;
    let found: Findings = row.meta_json.read().unwrap_or_default();
    let erased_at = erased_at(&state, &visitor, &row).await?;
    let changes = changes.unwrap_or_default();
    let content = html! {
        (head(&row, &found, &visitor))
        @if let Some(at) = erased_at {
            section #found data-part {
                div.panel.note {
                    p { strong { "The results of this domain were erased on " (time(Some(at))) "." }
                        " Its scans are still listed. Scan it again to collect new results." }
                }
            }
        } @else if row.last_completed_id.is_some() {
            (results(&row, &found, &changes, scans.next.is_none()))
        }
        section #scans data-part { (scan_list(&scans.items)) }
    };
    let title = readable(&row.domain);
    let mut page = Page::new(&title, Section::Domains);
    if !row.status.is_ended() {
        let scan = row.last_scan_id;
        page = page.following(
            format!("/api/v4/scans/{scan}/events?after={}", row.position),
            1000,
        );
    }
    Ok(page.render(Some(&visitor), &content))
}

/// When the results were erased, if they were and no later scan found any.
async fn erased_at(
    state: &ApiState,
    visitor: &Visitor,
    row: &DomainRow,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(scan) = row
        .last_completed_id
        .filter(|_| row.meta_json == RawJson::empty_object())
    else {
        return Ok(None);
    };
    let filter = EventFilter {
        tenant: Some(visitor.tenant()),
        stream: Some((STREAM_TYPES, scan.to_string())),
        limit: SCAN_EVENTS,
        ..EventFilter::default()
    };
    let events = state.log.events(&filter).await?;
    let erasure = events
        .iter()
        .rfind(|event| event.event_type == EventType::ScanErased.as_str());
    Ok(erasure.map(|event| event.recorded_at))
}

/// What is known of the domain, and what changed. The links lead only to parts that the page has.
fn results(row: &DomainRow, found: &Findings, changes: &[FieldChange], is_whole: bool) -> Markup {
    let network = html! { (network::show(found)) (files::show(found)) };
    let has_network = !network.0.is_empty();
    html! {
        section #found data-part {
            div.columns {
                (contacts(row, found))
                (site(row, found))
            }
            (technologies(found))
        }
        nav.sections aria-label="On this page" {
            a href="#sitemaps" { "Sitemaps" }
            @if has_network { a href="#network" { (network::parts(found)) } }
            a href="#history" { "What changed" } a href="#scans" { "Scans" } a href="#whole" { "JSON" }
        }
        section #sitemaps data-part { (sitemaps(row, found)) }
        @if has_network { section #network data-part { (network) } }
        section #history data-part { (what_changed(changes, is_whole)) }
        section #whole data-part {
            details { summary { "All findings as JSON" }
                pre tabindex="0" { code { (serde_json::to_string_pretty(&row.meta_json.to_value()).unwrap_or_default()) } } }
        }
    }
}

/// A name as people write it.
pub(super) fn readable(domain: &str) -> String {
    DomainName::parse(domain).map_or_else(|_| domain.to_owned(), |name| name.readable())
}

fn head(row: &DomainRow, found: &Findings, visitor: &Visitor) -> Markup {
    // Pictures stay when a scan was not requested to read them.
    let is_picture = |name: &str| PictureKind::ALL.iter().any(|kind| kind.as_str() == name);
    let stale = row.stale_fields.iter().map(String::as_str);
    let stale: Vec<String> = stale.filter(|name| !is_picture(name)).map(field_words).collect();
    html! {
        section #card data-part {
            (site_picture::of(&row.domain, PictureKind::Logo, found.logo.as_ref()))
            h1 { (site_picture::with_icon(&row.domain, found.icon.as_ref())) " " (badge(row.status.as_str())) }
            @if let Some(title) = &row.title { p { strong { (title) } } }
            @if let Some(description) = &row.description { p { (description) } }
            @if let Some(state) = &found.site_state { (site_state(state)) }
            @if let Some(error) = &row.last_error {
                div.panel.bad {
                    p { strong { "The last scan failed: " } (error) }
                    @if row.last_successful_scan.is_some() { p { "These results are from the scan of " (time(row.last_successful_scan)) "." } }
                    p { a href={ "/scans/" (row.last_scan_id) } { "Show the failed scan" } }
                }
            }
            @if !stale.is_empty() {
                p.small.muted { "Not found by the last scan, kept from an earlier one: " (stale.join(", ")) "." }
            }
            p.small.muted { "First scan " (time(row.first_scan)) " · last scan " (time(row.last_scan))
                @if let Some(visit) = found.performance.visit {
                    " · " (number(to_i64(visit.requests))) " requests, " (number(to_i64(visit.bytes))) " bytes, "
                    (milliseconds(visit.milliseconds))
                } }
        }
        @if visitor.may(Scope::Write) { div.actions { (again(&row.domain, "Scan again")) } }
    }
}

/// A note if this is not an ordinary site, with the evidence.
fn site_state(found: &SiteState) -> Markup {
    html! {
        div.panel {
            p { strong { (found.state.label()) "." } " "
                @if !found.state.is_owner_content() { "This page does not come from the owner of the domain, so sitelog ignores any organization and contacts on it." } }
            p.small.muted { "Recognised by " code { (found.evidence) } " on " (outward(&found.page)) }
        }
    }
}

fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn site(row: &DomainRow, found: &Findings) -> Markup {
    let fact = |name: &str, value: Option<&String>| {
        html! { @if let Some(value) = value { dt { (name) } dd { (value) } } }
    };
    let address = |name: &str, value: Option<&String>| {
        html! { @if let Some(value) = value { dt { (name) } dd { (outward(value)) } } }
    };
    html! {
        section {
            h2 { "Site" }
            dl.facts {
                (fact("Site name", found.site_name.as_ref()))
                @if let Some(organization) = &found.organization {
                    (fact("Organization", organization.name.as_ref()))
                    (fact("Legal name", organization.legal_name.as_ref()))
                    (fact("Address", organization.address.as_ref()))
                    @for identifier in &organization.identifiers { dt { "Identifier" } dd { (identifier) } }
                }
                (fact("Language", row.language.as_ref()))
                (address("Home page", row.final_url.as_ref()))
                (address("Canonical", row.canonical_url.as_ref()))
                (address("Logo", row.logo_url.as_ref()))
                (address("Icon", row.favicon_url.as_ref()))
                (address("Image", row.image_url.as_ref()))
                @if row.is_wordpress {
                    dt { "WordPress" } dd { (row.wordpress_version.as_deref().unwrap_or("yes, version unknown")) }
                }
                @if row.has_elementor {
                    dt { "Elementor" } dd { (row.elementor_version.as_deref().unwrap_or("yes, version unknown")) }
                }
                @for feed in &found.feeds { dt { "Feed" } dd { (outward(feed)) } }
                @for (name, value) in domain_fields::plain_fields(found) {
                    @let text = shown(&value);
                    @if !text.is_empty() { dt { (heading(name)) } dd { (text) } }
                }
            }
        }
    }
}

/// The name of a field as a heading.
fn heading(name: &str) -> String {
    let words = field_words(name);
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn contacts(row: &DomainRow, found: &Findings) -> Markup {
    let is_none = row.email_addresses.is_empty() && row.phone_numbers.is_empty() && found.socials.is_empty();
    html! {
        section {
            h2 { "Contacts" }
            @if is_none { p.empty { "No email addresses, phone numbers or profiles found." } }
            @if !row.email_addresses.is_empty() {
                h3 { "Email" }
                ul.plain { @for value in &row.email_addresses {
                    li { a href={ "mailto:" (value) } { (value) } (copy(value))
                        @for email in found.emails.iter().filter(|email| email.value == *value).take(1) { (found_at(&email.source, &email.page)) (network::mail(email)) } }
                } }
            }
            @if !row.phone_numbers.is_empty() {
                h3 { "Phone" }
                ul.plain { @for value in &row.phone_numbers {
                    li { a href={ "tel:" (value) } { (value) } (copy(value))
                        @for phone in found.phones.iter().filter(|phone| phone.value == *value).take(1) {
                            @if phone.raw != *value { span.muted { " written as " (phone.raw) } }
                            (found_at(&phone.source, &phone.page))
                        } }
                } }
            }
            @if !found.socials.is_empty() {
                h3 { "Profiles" }
                ul.plain { @for social in &found.socials {
                    li { strong { (network_label(&social.network)) } " " (outward(&social.url)) (copy(&social.url))
                        div.small.muted { "found " (place(&social.source)) } }
                } }
            }
        }
    }
}

/// A button that copies a value. It is shown only where scripts run.
fn copy(value: &str) -> Markup {
    html! { " " button.copy type="button" data-copy=(value) aria-label={ "Copy " (value) } { "Copy" } }
}

/// A social network as it writes its name.
fn network_label(network: &str) -> String {
    match network {
        "twitter" => "X (Twitter)".to_owned(),
        "linkedin" => "LinkedIn".to_owned(),
        "youtube" => "YouTube".to_owned(),
        "tiktok" => "TikTok".to_owned(),
        "github" => "GitHub".to_owned(),
        "xing" => "XING".to_owned(),
        "vk" => "VK".to_owned(),
        "soundcloud" => "SoundCloud".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().into_iter().flat_map(char::to_uppercase);
            first.chain(letters).collect()
        }
    }
}

/// Where a contact was found, in words, with the page.
fn found_at(source: &str, page: &str) -> Markup {
    html! { div.small.muted { "found " (place(source)) " on " (outward(page)) } }
}

fn place(source: &str) -> String {
    match source {
        "mailto" | "tel" | "whatsapp" | "link" => "in a link".to_owned(),
        "cloudflare" => "in a link obfuscated by Cloudflare".to_owned(),
        "attribute" => "in an attribute".to_owned(),
        "script" => "assembled by a script".to_owned(),
        "json_ld" => "in the structured data".to_owned(),
        "meta" => "in the page head".to_owned(),
        "text" => "in the text".to_owned(),
        "reversed" => "reversed in the text".to_owned(),
        "obfuscated" => "obfuscated in the text".to_owned(),
        "frame" => "in the header, footer or navigation".to_owned(),
        other => format!("by {other}"),
    }
}

/// Technologies by category, with versions; what each was recognised by is below.
fn technologies(found: &Findings) -> Markup {
    let mut categories: BTreeMap<&str, Vec<&Technology>> = BTreeMap::new();
    for one in &found.technologies {
        let category = one.categories.first().map_or("Other", String::as_str);
        categories.entry(category).or_default().push(one);
    }
    html! {
        h2 { "Technologies" }
        @if found.technologies.is_empty() { p.empty { "None recognised." } }
        @else {
            dl.facts {
                @for (category, all) in &categories {
                    dt { (category) }
                    dd { ul.chips { @for one in all { li { (one.name) @if let Some(version) = &one.version { " " strong { (version) } } } } } }
                }
            }
            details { summary { "Evidence" } (evidence(&found.technologies)) }
        }
    }
}

fn evidence(technologies: &[Technology]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Technologies" {
            table {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Version" }
                    th.number.wide scope="col" { "Confidence" } th scope="col" { "Recognised by" } } }
                tbody { @for one in technologies {
                    tr {
                        th scope="row" { (one.name) }
                        td { (one.version.as_deref().unwrap_or("–")) }
                        td.number.wide { (one.confidence) "%" }
                        td.text.mono { (one.evidence) }
                    }
                } }
            }
        }
    }
}

fn sitemaps(row: &DomainRow, found: &Findings) -> Markup {
    html! {
        h2 { "Sitemaps" }
        @if found.sitemaps.is_empty() { p.empty { "None found." } }
        @else {
            p { (counted(row.sitemap_urls, "URL")) " in " (counted(row.total_sitemaps, "file")) ": "
                a href={ "/api/v4/domains/" (row.domain) "/urls?format=csv" } { "CSV" } }
            (tree(&found.sitemaps))
        }
        (sitemap_audit::show(&row.domain, found))
        @if let Some(robots) = &found.robots {
            p.small.muted { "robots.txt: " (outward(&robots.url)) ", HTTP " (robots.status)
                @if let Some(delay) = robots.crawl_delay { ", crawl delay " (delay) " s" } }
        }
        @if !found.problems.is_empty() {
            details { summary { (counted(i64::try_from(found.problems.len()).unwrap_or(0), "problem")) " during the scan" }
                ul { @for problem in &found.problems { li { code { (problem.code) } " " (problem.detail) } } } }
        }
    }
}

/// The history, newest first, one entry per scan that changed something. The findings of the first scan are not a change.
fn what_changed(changes: &[FieldChange], is_whole: bool) -> Markup {
    // The history is that of the latest scans; of a domain with more of them, the oldest is not the first.
    let first = if is_whole {
        "First scan"
    } else {
        "Values from the oldest of the latest 100 scans"
    };
    let groups: Vec<&[FieldChange]> = changes.chunk_by(|a, b| a.position == b.position).collect();
    html! {
        h2 #changes { "What changed" }
        @if groups.len() < 2 {
            p.muted { @if is_whole { "Nothing has changed since the first scan." } @else { "Nothing changed in the latest 100 scans." } }
        }
        @if !groups.is_empty() {
            ol.story {
                @for (place, group) in groups.iter().enumerate().rev() {
                    li {
                        div { strong { @if place == 0 { (first) } @else { (counted(i64::try_from(group.len()).unwrap_or(0), "field")) " changed" } } }
                        div.small.muted { (time(Some(group[0].at))) " · " a href={ "/scans/" (group[0].scan_id) } { "Scan details" } " · position " (group[0].position) }
                        @if place == 0 { details { summary { (counted(i64::try_from(group.len()).unwrap_or(0), "field")) } (fields(group)) } }
                        @else { (fields(group)) }
                    }
                }
            }
        }
    }
}

fn fields(group: &[FieldChange]) -> Markup {
    html! {
        dl.facts {
            @for change in group {
                dt { (field_words(&change.field)) }
                dd {
                    @if !shown(&change.old).is_empty() { del { (shown(&change.old)) } " " }
                    @if shown(&change.new).is_empty() { span.muted { "nothing" } } @else { ins { (shown(&change.new)) } }
                }
            }
        }
    }
}

/// A value of a field as text; empty if there is none.
pub(super) fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::Bool(true) => "yes".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(categories) => {
            let filled = categories.iter().map(|(name, value)| (name, shown(value)));
            let filled = filled.filter(|(_, text)| !text.is_empty());
            filled
                .map(|(name, text)| format!("{name}: {text}"))
                .collect::<Vec<_>>()
                .join("; ")
        }
    };
    match text.char_indices().nth(MAX_VALUE) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

fn scan_list(scans: &[JobRow]) -> Markup {
    html! {
        h2 { "Scans" }
        div.scroll tabindex="0" role="region" aria-label="Scans" {
            table {
                thead { tr { th scope="col" { "Requested" } th scope="col" { "Status" } th scope="col" { "Error" } th.wide scope="col" { "Finished" } } }
                tbody { @for scan in scans {
                    tr {
                        th scope="row" { a href={ "/scans/" (scan.scan_id) } { (time(Some(scan.created_at))) } }
                        td { (badge(scan.status.as_str())) }
                        td.text { @if let Some(reason) = scan.reason { (parts::reason(reason)) div.small.muted { (scan.error.as_deref().unwrap_or_default()) } } }
                        td.wide { (time(scan.completed_at)) }
                    }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_the_history_are_told_in_words() {
        for (value, text) in [
            (json!(null), ""),
            (json!(true), "yes"),
            (json!(false), ""),
            (json!(["a@b.test", "c@d.test"]), "a@b.test, c@d.test"),
            (json!({"cms": ["WordPress"], "widgets": []}), "cms: WordPress"),
            (json!(7), "7"),
        ] {
            assert_eq!(shown(&value), text);
        }
        assert!(shown(&json!("ä".repeat(400))).chars().count() < 310);
    }
}
