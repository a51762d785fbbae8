//! The tenant's webhooks: which there are, how far each is, and what came of each attempt.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::entry::Visitor;
use super::form::Form;
use super::parts::{action, badge_of, link, number, pager, request_key, time};
use super::shell::{Page, Section};
use crate::access::Scope;
use crate::aggregates::webhook::DisableReason;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{CommandRequest, Paging, PathOf, QueryOf, since};
use crate::api::v4::list_webhooks::find_webhook;
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::projections::query::Listed;
use crate::values::WebhookId;
use crate::values::webhook::{InvalidWebhook, WebhookFormat, WebhookSettings, WebhookTopic};
use crate::webhooks::{DeliveryRow, Secret, WebhookRow, endpoint, rows};

/// Attempts on one page.
const ROWS: i64 = 50;

pub(super) async fn list(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    let found = rows::list(state.webhooks.pool(), visitor.tenant()).await?;
    let content = html! {
        h1 { "Webhooks" }
        p { "Events are sent to the URL of each webhook: at least once, by default in the order of the log, signed as "
            a href="https://www.standardwebhooks.com" rel="noopener noreferrer" { "Standard Webhooks" } " says." }
        (table(&found))
        @if visitor.may(Scope::Write) { (new_form()) }
    };
    Ok(Page::new("Webhooks", Section::Webhooks)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<WebhookId>,
    QueryOf(paging): QueryOf<Paging>,
) -> Result<Markup, Problem> {
    let pool = state.webhooks.pool();
    let row = find_webhook(&state, visitor.tenant(), id).await?;
    let row = row.ok_or_else(|| Problem::not_found("webhook"))?;
    let found = rows::deliveries(pool, visitor.tenant(), id, paging.after()?, ROWS + 1).await?;
    let listed = Listed::of(found, ROWS, |row| row.delivery_id.to_string());
    let path = format!("/webhooks/{id}");
    let content = html! {
        h1 { (row.description.as_deref().unwrap_or("Webhook")) }
        section #webhook data-part { (head(&row)) }
        @if visitor.may(Scope::Write) { (actions(&row, &path)) }
        h2 { "Deliveries" }
        section #deliveries data-part {
            @if listed.items.is_empty() { p.empty { "Nothing was sent in the last 30 days." } }
            @else {
                (attempts(&listed.items, &path, visitor.may(Scope::Write)))
                (pager(listed.next.as_ref(), &link(&path, &[]), paging.cursor.is_none()))
            }
        }
    };
    Ok(Page::new("Webhook", Section::Webhooks)
        .polling_in_place()
        .render(Some(&visitor), &content))
}

/// Creates a webhook and shows its secret, this once.
pub(super) async fn create(
    State(state): State<ApiState>,
    visitor: Visitor,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let words = |name: &str| -> Vec<String> {
        let text = form.text(name);
        text.split([',', '\n', ' ', '\r'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let topics = WebhookTopic::CHOICES.iter().copied();
    let refused = |error: InvalidWebhook| Problem::of(ProblemCode::InvalidField, format!("{error}."));
    let settings = WebhookSettings {
        url: form.text("url").to_owned(),
        events: topics
            .filter(|topic| !form.text(topic.as_str()).is_empty())
            .collect(),
        domains: words("domains"),
        fields: words("fields"),
        description: Some(form.text("description").to_owned()).filter(|text| !text.is_empty()),
        format: match form.text("format") {
            "" => WebhookFormat::Standard,
            word => word
                .parse()
                .map_err(|_| refused(InvalidWebhook::Format(word.to_owned())))?,
        },
        ordered: form.text("unordered").is_empty(),
    };
    let settings = settings.checked().map_err(refused)?;
    let context = form.context(&request, "POST /webhooks");
    let (created, secret) = endpoint::create(&state.bus, state.webhooks.pool(), settings, &context).await?;
    Ok(secret_page(&visitor, created.id, secret.as_ref()))
}

/// Gives a webhook another secret and shows it, this once.
pub(super) async fn rotate(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<WebhookId>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let (_, secret) = endpoint::rotate(&state.bus, state.webhooks.pool(), id, &request.context).await?;
    Ok(secret_page(&visitor, id, Some(&secret)))
}

/// Enables, disables, tests or deletes a webhook, or sends it events again.
pub(super) async fn maintain(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf((id, work)): PathOf<(WebhookId, String)>,
    request: CommandRequest,
) -> Result<Response, Problem> {
    visitor.require(Scope::Write)?;
    let form = Form::of(&request).await?;
    let command = match work.as_str() {
        "enable" => Maintenance::Enable,
        "disable" => Maintenance::Disable {
            reason: DisableReason::Requested,
            position: None,
            error: None,
        },
        "test" => Maintenance::Test,
        "delete" => Maintenance::Delete,
        "resend" => Maintenance::Resend {
            position: form.number("position")?.unwrap_or_default(),
        },
        "replay" => {
            let to = state.log.head().await?;
            let after = since(Some(form.text("since")), &state).await?.min(to);
            Maintenance::Replay { after, to }
        }
        _ => return Err(Problem::not_found("path")),
    };
    let is_deleted = command == Maintenance::Delete;
    maintain_webhook(&state.bus, id, command, &request.context).await?;
    let page = if is_deleted {
        "/webhooks".to_owned()
    } else {
        format!("/webhooks/{id}")
    };
    Ok(Redirect::to(&page).into_response())
}

fn secret_page(visitor: &Visitor, id: WebhookId, secret: Option<&Secret>) -> Response {
    let content = html! {
        h1 { "Webhook" }
        div.panel.good role="status" {
            @if let Some(secret) = secret {
                p { strong { "The secret of the webhook. It is shown only once; give it to the receiver." } }
                pre tabindex="0" { code { (secret.reveal()) } }
            } @else { p { "The webhook exists already. Its secret was shown when it was created." } }
        }
        p { a href={ "/webhooks/" (id) } { "Show the webhook" } }
    };
    let page = Page::new("Webhook", Section::Webhooks).render(Some(visitor), &content);
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}

fn table(rows: &[WebhookRow]) -> Markup {
    html! {
        section #webhooks data-part {
            @if rows.is_empty() { p.empty { "No webhooks yet." } }
            @else {
                div.scroll tabindex="0" role="region" aria-label="Webhooks" {
                    table {
                        thead { tr { th scope="col" { "URL" } th scope="col" { "Status" } th scope="col" { "Events" }
                            th.wide scope="col" { "Description" } th.number.wide scope="col" { "Delivered up to" } } }
                        tbody { @for row in rows {
                            tr {
                                th scope="row" { a href={ "/webhooks/" (row.webhook_id) } { (row.url) } }
                                td { (status(row)) }
                                td { (row.events.join(", ")) }
                                td.wide { (row.description.as_deref().unwrap_or("–")) }
                                td.number.wide { (row.position) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

fn status(row: &WebhookRow) -> Markup {
    html! {
        @match row.disabled_reason.as_deref() {
            Some(reason) if row.status == "disabled" => { (badge_of("failed", "disabled")) " " (reason) }
            _ if row.failures > 0 || row.retrying > 0 => { (badge_of("running", "failing")) }
            _ => { (badge_of("completed", "active")) }
        }
    }
}

fn head(row: &WebhookRow) -> Markup {
    let all = |values: &[String]| {
        if values.is_empty() {
            "all".to_owned()
        } else {
            values.join(", ")
        }
    };
    html! {
        dl.facts {
            dt { "URL" } dd { (row.url) }
            dt { "Status" } dd { (status(row)) }
            dt { "Events" } dd { (row.events.join(", ")) }
            dt { "Messages" } dd { (row.format) @if !row.ordered { ", in any order" } }
            dt { "Domains" } dd { (all(&row.domains)) }
            dt { "Fields" } dd { (all(&row.fields)) }
            dt { "Created" } dd { (time(Some(row.created_at))) }
            dt { "Delivered up to" } dd { "position " (row.position) }
            @if row.failures > 0 {
                dt { "Failing since" } dd { (time(row.failing_since)) }
            }
            @if row.next_attempt_at.is_some() { dt { "Next attempt" } dd { (time(row.next_attempt_at)) } }
            @if row.retrying > 0 { dt { "Waiting for another attempt" } dd { (number(row.retrying)) " events" } }
        }
    }
}

fn actions(row: &WebhookRow, path: &str) -> Markup {
    let is_active = row.status == "active";
    html! {
        div.actions {
            @if is_active { (action(&format!("{path}/test"), "Send a test", "")) (action(&format!("{path}/disable"), "Disable", "")) }
            @else { (action(&format!("{path}/enable"), "Enable", "primary")) }
            details { summary { "Rotate the secret" } (action(&format!("{path}/rotate"), "Make a new secret", "")) }
            details { summary { "Delete" } (action(&format!("{path}/delete"), "Delete permanently", "danger")) }
        }
        @if is_active {
            form.filter method="post" action={ (path) "/replay" } {
                label { "Send again all events since (log position or time)" input name="since" required placeholder="2026-01-31T00:00:00Z"; }
                button type="submit" { "Send again" }
            }
        }
    }
}

fn attempts(rows: &[DeliveryRow], path: &str, may_write: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Deliveries" {
            table {
                thead { tr { th scope="col" { "Sent" } th scope="col" { "Event" } th scope="col" { "Answer" }
                    th.number.wide scope="col" { "Attempt" } th.number.wide scope="col" { "Duration" }
                    th scope="col" { span.visually-hidden { "Actions" } } } }
                tbody { @for row in rows {
                    tr {
                        th scope="row" { (time(Some(row.sent_at))) }
                        td { (row.event) " " span.muted { "position " (row.position) } }
                        td.text {
                            @if let Some(status) = row.status { "HTTP " (status) }
                            @if let Some(error) = &row.error { (error) }
                            @if let Some(answer) = row.answer.as_ref().filter(|text| !text.is_empty()) {
                                details { summary { "The answer" } pre tabindex="0" { code { (answer) } } }
                            }
                        }
                        td.number.wide { (row.attempt) }
                        td.number.wide { (row.duration_ms) " ms" }
                        td { @if may_write {
                            form method="post" action={ (path) "/resend" } {
                                input type="hidden" name="position" value=(row.position);
                                button type="submit" { "Send again" }
                            }
                        } }
                    }
                } }
            }
        }
    }
}

fn new_form() -> Markup {
    html! {
        form.panel method="post" action="/webhooks" {
            h2 { "New webhook" }
            (request_key())
            div.fields {
                p { label for="url" { "URL" } input #url name="url" type="url" required placeholder="https://example.com/hook"; }
                p { label for="description" { "Description" } input #description name="description" maxlength="200"; }
            }
            fieldset.fields {
                legend { "Events" }
                @for topic in WebhookTopic::CHOICES {
                    label.check { input type="checkbox" name=(topic.as_str()) value="yes" checked[*topic == WebhookTopic::DomainChanged]; (topic.as_str()) }
                }
            }
            div.fields {
                p { label for="format" { "Messages for" }
                    select #format name="format" {
                        option value="standard" { "programs (Standard Webhooks)" }
                        option value="slack" { "Slack" } option value="teams" { "Microsoft Teams" } option value="discord" { "Discord" }
                    } }
                p { label.check { input type="checkbox" name="unordered" value="yes"; "An event that fails does not hold up later ones" } }
            }
            div.fields {
                p { label for="domains" { "Only these domains" } input #domains name="domains" placeholder="all"; }
                p { label for="fields" { "Only changes of these fields" } input #fields name="fields" placeholder="all"; }
            }
            button.primary type="submit" { "Create webhook" }
        }
    }
}
