//! The tenant's monitors: which there are, when each runs next, and what its runs found changed.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use uuid::Uuid;

use super::changes::one as change;
use super::entry::Visitor;
use super::form::Form;
use super::parts::{action, badge_of, choice, link, number, pager, public_url, request_key, seen_from, time};
use super::refused::Entered;
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::aggregates::ScanStatus;
use crate::api::ApiState;
use crate::api::batch_input::{BatchInput, apart};
use crate::api::export::List;
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::api::quota::turn_at_lists;
use crate::api::request::{AtLeast, CommandRequest, Paging, PathOf, QueryOf};
use crate::api::v4::create_monitor::create as create_monitor;
use crate::api::v4::list_changes::ChangeQuery;
use crate::api::v4::list_monitors::{find_monitor, wait};
use crate::api::v4::monitor_subscribers::subscribe;
use crate::api::v4::monitor_views::{WantedMonitor, require_filter};
use crate::commands::maintain_monitor::{MonitorWork, change_monitor, maintain_monitor};
use crate::commands::run_monitor::Run;
use crate::monitors::feeds::{self, FeedToken};
use crate::monitors::subscribers::{self, SubscriberRow};
use crate::monitors::{MonitorRow, RunRow, rows};
use crate::projections::query::Listed;
use crate::values::batch_list;
use crate::values::change_words::field_words;
use crate::values::domain_change::field_names;
use crate::values::monitor::{DomainSelection, MonitorChange, WatchedDomains};
use crate::values::{BatchOptions, MonitorId};

/// Monitors or runs on one page.
const ROWS: i64 = 50;
/// Changes on the page of a monitor.
const CHANGES: i64 = 5;
/// Rhythms that the form offers; others can be typed.
const RHYTHMS: [&str; 6] = [
    "hourly",
    "daily",
    "daily at 6",
    "weekly on monday",
    "monthly",
    "30 6 * * 1-5",
];

pub(super) async fn list(
    State(state): State<ApiState>,
    visitor: Visitor,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Markup, Problem> {
    let found = rows::list(state.monitors.pool(), visitor.tenant(), paging.after()?, ROWS + 1).await?;
    let listed = Listed::of(found, ROWS, |row| row.position.to_string());
    let content = html! {
        h1 { "Monitors" }
        p { "A monitor scans its domains on a schedule. The changes that it finds are listed under " a href="/changes" { "Changes" } "." }
        section #monitors data-part {
            (table(&listed.items))
            (pager(listed.next.as_ref(), "/monitors", paging.cursor.is_none()))
        }
        @if visitor.may(Scope::Write) { (new_form(visitor.refused.form("/monitors"))) }
    };
    Ok(Page::new("Monitors", Section::Monitors)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<MonitorId>,
    QueryOf(paging): QueryOf<Paging>,
    QueryOf(at_least): QueryOf<AtLeast>,
) -> Result<Markup, Problem> {
    wait(&state, at_least).await?;
    let (pool, tenant) = (state.monitors.pool(), visitor.tenant());
    let row = find_monitor(&state, tenant, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("monitor"))?;
    let found = rows::runs(pool, tenant, id, paging.after()?, ROWS + 1).await?;
    let listed = Listed::of(found, ROWS, |row| row.position.to_string());
    let query = ChangeQuery {
        monitor: Some(id.to_string()),
        ..ChangeQuery::default()
    };
    let first = Paging {
        limit: Some(CHANGES),
        cursor: None,
    };
    let changes = query.page(&state.for_long_reads(), tenant, &first).await?;
    let subscribers = subscribers::list(pool, tenant, id).await?;
    let path = format!("/monitors/{id}");
    let all = link("/changes", &[("monitor", &id.to_string())]);
    let content = html! {
        h1 { (row.settings.name) }
        section #monitor data-part { (head(&row)) }
        @if visitor.may(Scope::Write) { (actions(&row, &path, &visitor)) }
        h2 { "Email notifications" }
        section #subscribers data-part { (email(&subscribers, &path, state.sends_mails, &visitor)) }
        h2 { "Runs" }
        section #runs data-part {
            @if listed.items.is_empty() { p.empty { "No runs yet." } }
            @else {
                (runs(&listed.items))
                (pager(listed.next.as_ref(), &path, paging.cursor.is_none()))
            }
        }
        h2 { "Latest changes" }
        section #changes data-part {
            @if changes.items.is_empty() { p.empty { "No changes yet. They appear when a later scan differs from an earlier one." } }
            @else {
                @for item in &changes.items { (change(item)) }
                p { a.button href=(all) { "Show all changes" } }
            }
        }
    };
    Ok(Page::new("Monitor", Section::Monitors)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let _turn = turn_at_lists(&state, visitor.tenant()).await?;
    let form = Form::of(&request).await?;
    let content = match form.shared("file") {
        file if file.is_empty() => form.shared("list"),
        file => file,
    };
    let list = if content.is_empty() {
        None
    } else {
        let read = move || {
            let text = batch_list::ListText::of(&content, None)?;
            let list = text.read(batch_list::Form::Unknown, None)?;
            BatchInput::of(list, BatchOptions::new(None, None))
        };
        Some(apart(read).await?)
    };
    let mut change = settings(&form)?;
    let filter = selection(&form);
    if filter != DomainSelection::default() && list.is_some() {
        let detail = "The form has both a list and a filter. Clear one of them.";
        return Err(Problem::of(ProblemCode::InvalidField, detail));
    }
    if list.is_none() {
        if filter == DomainSelection::default() {
            let detail = "The monitor has no domains. Choose a file, paste a list, or fill in the filter.";
            return Err(Problem::of(ProblemCode::InvalidField, detail));
        }
        require_filter(&filter)?;
        change.domains = Some(WatchedDomains::Filter(filter));
    }
    change.scan = form.wanted_scan()?;
    change.max_concurrent = form.number("max_concurrent")?;
    let wanted = WantedMonitor { change, list };
    let context = form.context(&request, "POST /monitors");
    let (created, _, _) = create_monitor(&state, wanted, &context).await?;
    Ok(seen_from("/monitors", created.id, created.position))
}

/// Changes, pauses, resumes, runs or deletes a monitor.
pub(super) async fn maintain(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf((id, work)): PathOf<(MonitorId, String)>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let (bus, context) = (&state.bus, &request.context);
    let now = state.monitors.now().await?;
    let work = match work.as_str() {
        "pause" => MonitorWork::Pause,
        "resume" => MonitorWork::Resume,
        "delete" => MonitorWork::Delete,
        "feed" => {
            let token = FeedToken::generate();
            return if feeds::open(state.monitors.pool(), context.tenant, id, &token).await? {
                Ok(feed_page(
                    &visitor,
                    id,
                    &public_url(&request.headers, &token.path()),
                ))
            } else {
                Err(Problem::not_found("monitor"))
            };
        }
        "subscribe" => {
            let form = Form::of(&request).await?;
            subscribe(&state, context.tenant, id, form.text("address")).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "unsubscribe" => {
            let form = Form::of(&request).await?;
            let subscriber = form.text("subscriber").parse();
            let subscriber = subscriber.map_err(|_| Problem::not_found("subscriber"))?;
            subscribers::remove(state.monitors.pool(), context.tenant, id, subscriber).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "close-feed" => {
            feeds::close(state.monitors.pool(), context.tenant, id).await?;
            return Ok(Redirect::to(&format!("/monitors/{id}")).into_response());
        }
        "change" => {
            let form = Form::of(&request).await?;
            let position = change_monitor(bus, id, settings(&form)?, None, now, context).await?;
            return Ok(seen_from("/monitors", id, position));
        }
        "run" => {
            return match state.monitors.run_now(id, context).await? {
                Run::Began { position, .. } => Ok(seen_from("/monitors", id, position)),
                Run::Skipped(_) | Run::Nothing => Err(Problem::not_found("monitor")),
            };
        }
        _ => return Err(Problem::not_found("path")),
    };
    let position = maintain_monitor(bus, id, work, now, context).await?;
    Ok(match work {
        MonitorWork::Delete => Redirect::to("/monitors").into_response(),
        MonitorWork::Pause | MonitorWork::Resume => seen_from("/monitors", id, position),
    })
}

/// Shows the URL of a feed, this once.
fn feed_page(visitor: &Visitor, id: MonitorId, url: &str) -> Response {
    let content = html! {
        h1 { "Feed" }
        div.panel.good role="status" {
            p { strong { "The URL of the feed. It is shown only once; give it to your feed reader." } }
            p { a href=(url) { (url) } }
        }
        p { a href={ "/monitors/" (id) } { "Show the monitor" } }
    };
    let page = Page::new("Feed", Section::Monitors).render(Some(visitor), &content);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}

/// Name, schedule, time zone and fields, as both forms have them.
fn settings(form: &Form) -> Result<MonitorChange, Problem> {
    let refused = |field: &str, error: &dyn std::error::Error| {
        Problem::of(ProblemCode::InvalidField, sentence(error)).with("field", field)
    };
    let fields = form.text("fields").split([',', '\n', ' ', '\r']);
    let fields = fields.filter(|word| !word.is_empty()).map(str::to_owned);
    Ok(MonitorChange {
        name: Some(form.text("name").to_owned()),
        rhythm: Some(
            form.text("rhythm")
                .parse()
                .map_err(|error| refused("rhythm", &error))?,
        ),
        time_zone: Some(
            form.text("time_zone")
                .parse()
                .map_err(|error| refused("time_zone", &error))?,
        ),
        fields: Some(fields.collect()),
        ..MonitorChange::default()
    })
}

fn selection(form: &Form) -> DomainSelection {
    let given = |name: &str| Some(form.text(name).to_owned()).filter(|text| !text.is_empty());
    DomainSelection {
        contains: given("contains"),
        technology: given("technology"),
        language: given("language"),
        status: given("status"),
        ..DomainSelection::default()
    }
}

fn table(rows: &[MonitorRow]) -> Markup {
    html! {
        @if rows.is_empty() { p.empty { "No monitors yet." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Monitors" {
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Status" } th scope="col" { "Next run" }
                        th.wide scope="col" { "Schedule" } th.wide scope="col" { "Domains" } th.wide scope="col" { "Last run" } } }
                    tbody { @for row in rows {
                        tr {
                            th scope="row" { a href={ "/monitors/" (row.monitor_id) } { (row.settings.name) } }
                            td { (status(row)) }
                            td { (time(row.next_run)) }
                            td.wide { (row.settings.rhythm) }
                            td.wide { (domains(row)) }
                            td.wide { (last_run(row)) }
                        }
                    } }
                }
            }
        }
    }
}

fn status(row: &MonitorRow) -> Markup {
    html! {
        @if row.status == "active" { (badge_of("completed", "active")) } @else { (badge_of("cancelled", "paused")) }
    }
}

fn domains(row: &MonitorRow) -> Markup {
    html! {
        @match (&row.settings.list, &row.settings.filter) {
            (Some(list), _) => (number(i64::try_from(list.items).unwrap_or(i64::MAX))),
            (None, Some(filter)) => (words_of(filter)),
            (None, None) => "all",
        }
    }
}

/// A filter in words.
fn words_of(filter: &DomainSelection) -> String {
    let fields = serde_json::to_value(filter).unwrap_or_default();
    let given = fields
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::Null => return None,
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(format!("{}: {value}", name.replace('_', " ")))
        });
    let words: Vec<String> = given.collect();
    if words.is_empty() {
        "all known domains".to_owned()
    } else {
        words.join(", ")
    }
}

fn last_run(row: &MonitorRow) -> Markup {
    html! {
        (time(row.run.run_at))
        @if let Some(reason) = &row.run.run_reason { " skipped: " (skipped(reason)) }
    }
}

/// Why a run was skipped, in words.
fn skipped(reason: &str) -> String {
    reason.replace('_', " ")
}

fn head(row: &MonitorRow) -> Markup {
    let settings = &row.settings;
    let scan = &settings.options.scan;
    html! {
        dl.facts {
            dt { "Status" } dd { (status(row)) }
            dt { "Schedule" } dd { (settings.rhythm) " (" (settings.time_zone.name()) ")"
                @if !settings.rhythm.is_exact() { span.muted { "; sitelog chooses the minute" } } }
            dt { "Next run" } dd { (time(row.next_run)) }
            dt { "Last run" } dd { (last_run(row)) }
            dt { "Domains" } dd { (domains(row)) }
            dt { "Reported fields" } dd { @if settings.fields.is_empty() { "all" } @else { (settings.fields.join(", ")) } }
            dt { "Pages per domain" } dd { (scan.max_pages) }
            dt { "Created" } dd { (time(Some(row.created_at))) }
        }
    }
}

fn actions(row: &MonitorRow, path: &str, visitor: &Visitor) -> Markup {
    let settings = &row.settings;
    let edit = format!("{path}/change");
    let entered = visitor.refused.form(&edit);
    html! {
        div.actions {
            (action(&format!("{path}/run"), "Run now", "primary"))
            @if row.status == "active" { (action(&format!("{path}/pause"), "Pause", "")) }
            @else { (action(&format!("{path}/resume"), "Resume", "")) }
            details.menu { summary { "Feed" }
                p.small { "An Atom feed of this monitor's changes. Anyone with the URL can read it." }
                (action(&format!("{path}/feed"), "Create a feed URL", ""))
                @if let Some(since) = row.feed_since {
                    p.small { "Feed URL created " (time(Some(since))) ". Creating a new one revokes it." }
                    (action(&format!("{path}/close-feed"), "Revoke the URL", "danger"))
                }
            }
            details.menu open[entered.is_refused()] { summary { "Edit" }
                form.panel method="post" action=(edit) {
                    (fields(entered, [&settings.name, settings.rhythm.as_str(), settings.time_zone.name(), &settings.fields.join(", ")]))
                    button type="submit" { "Save" }
                }
            }
            details.menu { summary { "Delete" } (action(&format!("{path}/delete"), "Delete permanently", "danger")) }
        }
    }
}

/// Who gets emails.
fn email(rows: &[SubscriberRow], path: &str, is_configured: bool, visitor: &Visitor) -> Markup {
    let may_write = visitor.may(Scope::Write);
    let subscribe = format!("{path}/subscribe");
    let entered = visitor.refused.form(&subscribe);
    html! {
        @if rows.is_empty() { p.empty { "No subscribers." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Subscribers" {
                table {
                    thead { tr { th scope="col" { "Address" } th scope="col" { "Last email" }
                        th scope="col" { span.visually-hidden { "Actions" } } } }
                    tbody { @for row in rows {
                        tr {
                            th scope="row" { (row.address) }
                            td.text { (time(row.sent_at)) @if let Some(error) = &row.error { " not sent: " (error) } }
                            td { @if may_write {
                                form method="post" action={ (path) "/unsubscribe" } {
                                    input type="hidden" name="subscriber" value=(row.subscriber_id);
                                    button type="submit" { "Remove" }
                                }
                            } }
                        }
                    } }
                }
            }
        }
        @if may_write && is_configured {
            form.filter method="post" action=(subscribe) {
                label { "Email address that gets an email for each run that finds changes"
                    input #address name="address" type="email" size="32" required placeholder="anna@example.com" value=(entered.value("address", "")) aria-invalid=[entered.invalid("address")];
                    (entered.error("address")) }
                button type="submit" { "Add" }
            }
        } @else if may_write { p.small.muted { "Email is not configured on this server (" code { "SITELOG_MAIL__SMTP_URL" } ")." } }
    }
}

fn runs(rows: &[RunRow]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Runs" {
            table {
                thead { tr { th scope="col" { "Started" } th scope="col" { "Result" } th.number scope="col" { "Domains" }
                    th.wide scope="col" { "Scheduled for" } th.number.wide scope="col" { "Missed runs" } } }
                tbody { @for row in rows {
                    tr {
                        th scope="row" { (time(Some(row.at))) }
                        td { (result(row.batch_id, row.reason.as_deref())) }
                        td.number { @if let Some(total) = row.total { (number(total.into())) } @else { "–" } }
                        td.wide { @if row.slot.is_some() { (time(row.slot)) } @else { "started manually" } }
                        td.number.wide { (row.missed) }
                    }
                } }
            }
        }
    }
}

fn result(batch: Option<Uuid>, reason: Option<&str>) -> Markup {
    html! {
        @match (batch, reason) {
            (Some(batch), _) => { a href={ "/batches/" (batch) } { "batch" } " · " a href={ "/changes?batch=" (batch) } { "changes" } }
            (None, reason) => { "skipped: " (skipped(reason.unwrap_or_default())) }
        }
    }
}

/// The fields of both forms; `known` are name, schedule, time zone and reported fields as they are.
fn fields(entered: Entered<'_>, known: [&str; 4]) -> Markup {
    let [name, rhythm, zone, reported] = known;
    html! {
        div.fields {
            p { label for="name" { "Name" }
                input #name name="name" required maxlength="200" value=(entered.value("name", name)) aria-invalid=[entered.invalid("name")];
                (entered.error("name")) }
            p { label for="rhythm" { "Schedule" }
                input #rhythm name="rhythm" required list="rhythms" value=(entered.value("rhythm", rhythm)) aria-describedby="rhythm-help" aria-invalid=[entered.invalid("rhythm")];
                (entered.error("rhythm"))
                span.small.muted #rhythm-help { "hourly, daily, weekly on monday or monthly, optionally with an hour (daily at 6), or a cron expression (30 6 * * 1-5)" } }
            p { label for="time_zone" { "Time zone" }
                input #time_zone name="time_zone" required value=(entered.value("time_zone", zone)) placeholder="Europe/Berlin" aria-invalid=[entered.invalid("time_zone")];
                (entered.error("time_zone")) }
            (reported_fields(entered, reported))
        }
        datalist #rhythms { @for rhythm in RHYTHMS { option value=(rhythm) {} } }
    }
}

/// Which changes are reported, by the names of their fields.
pub(super) fn reported_fields(entered: Entered<'_>, known: &str) -> Markup {
    html! {
        p { label for="fields" { "Reported fields" }
            input #fields name="fields" list="field-names" value=(entered.value("fields", known)) placeholder="all" aria-describedby="fields-help" aria-invalid=[entered.invalid("fields")];
            (entered.error("fields"))
            span.small.muted #fields-help { "Report only changes to these fields, separated by commas: title, phone_numbers" }
            datalist #field-names { @for name in field_names() { option value=(name) { (field_words(name)) } } }
        }
    }
}

fn new_form(entered: Entered<'_>) -> Markup {
    let value = |name: &str| entered.value(name, "");
    html! {
        form.panel method="post" action="/monitors" enctype="multipart/form-data" {
            h2 { "New monitor" }
            (request_key())
            (fields(entered, ["", "weekly on monday", "UTC", ""]))
            div.columns {
                div {
                    div.drop { p { label for="file" { strong { "Drop a file here" } ", or choose one" } }
                        input #file type="file" name="file" accept=".csv,.txt,.tsv,.ndjson,.jsonl,.xlsx,text/csv,text/plain"; }
                }
                div {
                    label for="list" { "or paste a list, one domain per line" }
                    textarea #list name="list" rows="4" spellcheck="false" placeholder="example.com" { "\n" (value("list")) }
                }
            }
            fieldset.fields {
                legend { "Or all known domains that match this filter, evaluated at each run" }
                p { label for="contains" { "Name or title contains" } input #contains name="contains" value=(value("contains")); }
                p { label for="technology" { "Technology" } input #technology name="technology" placeholder="Shopify" value=(value("technology")); }
                p { label for="language" { "Language" } input #language name="language" placeholder="de" value=(value("language")); }
                p { label for="status" { "Last scan" }
                    select #status name="status" {
                        (choice("", "all", &value("status")))
                        @for status in ScanStatus::ALL { (choice(status.as_str(), status.as_str(), &value("status"))) }
                    } }
            }
            div.fields {
                p { label for="max_pages" { "Pages per domain" } input #max_pages name="max_pages" type="number" min="1" max="100" placeholder="4" value=(value("max_pages"));
                    (entered.error("max_pages")) }
                p { label for="max_concurrent" { "Concurrent scans" } input #max_concurrent name="max_concurrent" type="number" min="1" max="1000" placeholder="50" value=(value("max_concurrent"));
                    (entered.error("max_concurrent")) }
            }
            button.primary type="submit" { "Create monitor" }
        }
    }
}
