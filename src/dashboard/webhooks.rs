//! The tenant's webhooks: their positions in the log, and the result of each attempt.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::entry::Visitor;
use super::form::Form;
use super::monitors::forms::reported_fields;
use super::parts::{action, badge_of, choice, counted, link, pager, request_key, time};
use super::refused::Entered;
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
use crate::values::change_words::code_words;
use crate::values::webhook::{InvalidWebhook, WebhookFormat, WebhookSettings, WebhookTopic};
use crate::webhooks::{Condition, DeliveryRow, Secret, WebhookRow, endpoint, rows};

/// Attempts on one page.
const ROWS: i64 = 50;

pub(super) async fn list(State(state): State<ApiState>, visitor: Visitor) -> Result<Markup, Problem> {
    let found = rows::list(state.webhooks.pool(), visitor.tenant()).await?;
    let content = html! {
        h1 { "Webhooks" }
        p { "Events are sent to the URL of each webhook: at least once, by default in the order of the log, signed according to "
            a href="https://www.standardwebhooks.com" rel="noopener noreferrer" { "Standard Webhooks" } "." }
        (table(&found))
        @if visitor.may(Scope::Write) { (new_form(visitor.refused.form("/webhooks"))) }
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
        @if visitor.may(Scope::Write) { (actions(&row, &path, &visitor)) }
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

/// Creates a webhook and shows its secret once.
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

/// Gives a webhook a new secret and shows it once.
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
            let after = since(Some(form.text("since")), &state)
                .await
                .map_err(|problem| problem.with("field", "since"))?
                .min(to);
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
                            th.wide scope="col" { "Description" } th.number.wide scope="col" { "Last delivered position" } } }
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
        @match row.condition() {
            Condition::Disabled => { (badge_of("cancelled", "disabled")) @if let Some(reason) = &row.disabled_reason { " (" (why_disabled(reason)) ")" } }
            Condition::Failing => { (badge_of("failed", "failing")) }
            Condition::Active => { (badge_of("completed", "active")) }
        }
    }
}

/// Why a webhook is disabled, in words.
fn why_disabled(reason: &str) -> String {
    let is = |one: DisableReason| reason == one.as_str();
    if is(DisableReason::Requested) {
        return "manually".to_owned();
    }
    if is(DisableReason::Gone) {
        return "the receiver returned 410 Gone".to_owned();
    }
    if is(DisableReason::Failing) {
        return "deliveries failed for 24 hours".to_owned();
    }
    code_words(reason)
}

fn head(row: &WebhookRow) -> Markup {
    let is_disabled = row.condition() == Condition::Disabled;
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
            dt { "Format" } dd { (row.format) @if !row.ordered { ", possibly out of order" } }
            dt { "Domains" } dd { (all(&row.domains)) }
            dt { "Reported fields" } dd { (all(&row.fields)) }
            dt { "Created" } dd { (time(Some(row.created_at))) }
            dt { "Last delivered position" } dd { (row.position) }
            @if row.failures > 0 && !is_disabled {
                dt { "Failing since" } dd { (time(row.failing_since)) }
            }
            @if row.next_attempt_at.is_some() { dt { "Next attempt" } dd { (time(row.next_attempt_at)) } }
            @if row.retrying > 0 { dt { "Waiting for a retry" } dd { (counted(row.retrying, "event")) } }
        }
    }
}

fn actions(row: &WebhookRow, path: &str, visitor: &Visitor) -> Markup {
    let is_active = row.status == "active";
    let replay = format!("{path}/replay");
    let entered = visitor.refused.form(&replay);
    html! {
        div.actions {
            @if is_active { (action(&format!("{path}/test"), "Send test event", "")) (action(&format!("{path}/disable"), "Disable", "")) }
            @else { (action(&format!("{path}/enable"), "Enable", "primary")) }
            details.menu { summary { "Rotate the secret" }
                p.small { "The old secret stays valid for 24 hours." }
                (action(&format!("{path}/rotate"), "Generate new secret", "")) }
            details.menu { summary { "Delete" } (action(&format!("{path}/delete"), "Delete permanently", "danger")) }
        }
        @if is_active {
            form.filter method="post" action=(replay) {
                label { "Replay all events since (log position or time)"
                    input #since name="since" size="24" required placeholder="2026-01-31T00:00:00Z" value=(entered.value("since", "")) aria-invalid=[entered.invalid("since")];
                    (entered.error("since")) }
                button type="submit" { "Replay" }
            }
        }
    }
}

fn attempts(rows: &[DeliveryRow], path: &str, may_write: bool) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Deliveries" {
            table {
                thead { tr { th scope="col" { "Sent" } th scope="col" { "Event" } th scope="col" { "Response" }
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
                                details { summary { "Response body" } pre tabindex="0" { code { (answer) } } }
                            }
                        }
                        td.number.wide { (row.attempt) }
                        td.number.wide { (row.duration_ms) " ms" }
                        td { @if may_write {
                            form method="post" action={ (path) "/resend" } {
                                input type="hidden" name="position" value=(row.position);
                                button type="submit" { "Resend" }
                            }
                        } }
                    }
                } }
            }
        }
    }
}

/// When an event is sent.
fn explained(topic: WebhookTopic) -> &'static str {
    match topic {
        WebhookTopic::BatchCompleted => "All scans of a batch have ended.",
        WebhookTopic::ScanCompleted => "A scan has results.",
        WebhookTopic::ScanFailed => "A scan failed.",
        WebhookTopic::DomainChanged => "A scan found something different from what was known of the domain.",
        WebhookTopic::MonitorRan => "A monitor started a run.",
        WebhookTopic::MonitorSkipped => "A monitor skipped a run.",
        WebhookTopic::WebhookTest => "You sent a test event.",
    }
}

fn new_form(entered: Entered<'_>) -> Markup {
    let value = |name: &str| entered.value(name, "");
    let format = entered.value("format", "standard");
    html! {
        form.panel method="post" action="/webhooks" {
            h2 { "New webhook" }
            (request_key())
            div.fields {
                p { label for="url" { "URL" }
                    input #url name="url" type="url" required placeholder="https://example.com/hook" value=(value("url")) aria-invalid=[entered.invalid("url")];
                    (entered.error("url")) }
                p { label for="description" { "Description" }
                    input #description name="description" maxlength="200" value=(value("description")) aria-invalid=[entered.invalid("description")];
                    (entered.error("description")) }
            }
            fieldset.fields {
                legend { "Events" }
                @for topic in WebhookTopic::CHOICES {
                    @let is_usual = *topic == WebhookTopic::DomainChanged;
                    label.check { input type="checkbox" name=(topic.as_str()) value="yes" checked[entered.is_ticked(topic.as_str(), is_usual)];
                        span { code { (topic.as_str()) } " " span.small.muted { (explained(*topic)) } } }
                }
            }
            div.fields {
                p { label for="format" { "Format" }
                    select #format name="format" {
                        @for (word, name) in [("standard", "Standard Webhooks (JSON)"), ("slack", "Slack"), ("teams", "Microsoft Teams"), ("discord", "Discord")] {
                            (choice(word, name, &format))
                        }
                    } }
                p { label for="domains" { "Only these domains" }
                    input #domains name="domains" placeholder="all" value=(value("domains")) aria-invalid=[entered.invalid("domains")];
                    (entered.error("domains")) }
                (reported_fields(entered, ""))
            }
            p { label.check { input type="checkbox" name="unordered" value="yes" checked[entered.is_ticked("unordered", false)];
                span { "Do not wait for failed events " span.small.muted { "(later events may arrive first)" } } } }
            button.primary type="submit" { "Create webhook" }
        }
    }
}
