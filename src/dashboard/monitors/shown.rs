//! What the pages of monitors show: the list, the settings of one, its subscribers and its runs.

use maud::{Markup, html};
use uuid::Uuid;

use super::forms::fields;
use crate::access::Scope;
use crate::dashboard::entry::Visitor;
use crate::dashboard::parts::{action, badge_of, number, time};
use crate::monitors::subscribers::SubscriberRow;
use crate::monitors::{MonitorRow, RunRow};
use crate::values::monitor::DomainSelection;

pub(super) fn table(rows: &[MonitorRow]) -> Markup {
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

pub(super) fn head(row: &MonitorRow) -> Markup {
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

pub(super) fn actions(row: &MonitorRow, path: &str, visitor: &Visitor) -> Markup {
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
pub(super) fn email(rows: &[SubscriberRow], path: &str, is_configured: bool, visitor: &Visitor) -> Markup {
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
                label { "Email address (gets an email after each run that finds changes)"
                    input #address name="address" type="email" size="32" required placeholder="anna@example.com" value=(entered.value("address", "")) aria-invalid=[entered.invalid("address")];
                    (entered.error("address")) }
                button type="submit" { "Add" }
            }
        } @else if may_write { p.small.muted { "Email is not configured on this server (" code { "SITELOG_MAIL__SMTP_URL" } ")." } }
    }
}

pub(super) fn runs(rows: &[RunRow]) -> Markup {
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
