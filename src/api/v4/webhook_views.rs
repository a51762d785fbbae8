//! The requests and views of webhooks in v4.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::example::{self, Example};
use crate::api::problem::{Problem, ProblemCode};
use crate::values::WebhookId;
use crate::values::webhook::{InvalidWebhook, WebhookFormat, WebhookSettings, WebhookTopic};
use crate::webhooks::{DeliveryRow, WebhookRow};

/// The settings of a webhook: its URL and the events that it gets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// Where events are sent (POST): an absolute URL with `https` or `http`.
    #[schema(example = "https://example.com/hook")]
    url: String,
    /// The types of events: `batch.completed`, `scan.completed`, `scan.failed`, `domain.changed`, `monitor.ran`,
    /// `monitor.skipped`.
    #[schema(example = json!(["domain.changed"]), min_items = 1)]
    events: Vec<String>,
    /// Only events of these domains, at most 1000; all if omitted. Does not affect events of batches and monitors.
    #[serde(default)]
    domains: Vec<String>,
    /// Only changes of one of these fields; all if omitted. Does not affect other events.
    #[serde(default)]
    #[schema(example = json!(["phone_numbers"]))]
    fields: Vec<String>,
    /// What the webhook is for.
    #[serde(default)]
    #[schema(example = "CRM")]
    description: Option<String>,
    /// The format of messages: `standard` (JSON, Standard Webhooks; the default), or human-readable for `slack`,
    /// `teams` or `discord`.
    #[schema(example = "standard")]
    format: Option<String>,
    /// Whether an event waits until the one before it was delivered; true if omitted.
    ordered: Option<bool>,
}

impl NewWebhook {
    /// The settings in their stored form.
    pub(super) fn settings(self) -> Result<WebhookSettings, Problem> {
        let refused = |error: InvalidWebhook| Problem::of(ProblemCode::InvalidField, format!("{error}."));
        let events: Result<Vec<WebhookTopic>, _> = self.events.iter().map(|word| word.parse()).collect();
        let settings = WebhookSettings {
            url: self.url,
            events: events.map_err(|_| refused(InvalidWebhook::Events))?,
            domains: self.domains,
            fields: self.fields,
            description: self.description,
            format: match self.format {
                None => WebhookFormat::Standard,
                Some(word) => word.parse().map_err(|_| refused(InvalidWebhook::Format(word)))?,
            },
            ordered: self.ordered.unwrap_or(true),
        };
        settings.checked().map_err(refused)
    }
}

/// A webhook that gets events.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookView {
    /// Its ID.
    pub webhook_id: Uuid,
    /// Where events are sent.
    pub url: String,
    /// What the webhook is for.
    pub description: Option<String>,
    /// The format of messages: `standard`, `slack`, `teams` or `discord`.
    #[schema(example = "standard")]
    pub format: String,
    /// Whether an event waits until the previous one was delivered.
    pub ordered: bool,
    /// The types of events.
    pub events: Vec<String>,
    /// Only events of these domains; all if empty.
    pub domains: Vec<String>,
    /// Only changes of one of these fields; all if empty.
    pub fields: Vec<String>,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    pub status: String,
    /// Why it is disabled: `requested`, `gone` (it returned 410) or `failing` (for 24 hours).
    pub disabled_reason: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Log position up to which all its events were delivered.
    pub position: i64,
    /// During a replay: the log position of the last event to send again.
    pub replay_to: Option<i64>,
    /// Number of failed attempts to send the next event.
    pub failures: i32,
    /// Number of events that failed and wait for a retry while later ones are sent; 0 if `ordered` is true.
    pub retrying: i64,
    /// When the first of these attempts failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the next attempt is due, after a failed one.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for WebhookView {
    fn example() -> Self {
        Self {
            webhook_id: example::WEBHOOK,
            url: "https://example.com/hook".to_owned(),
            description: Some("CRM".to_owned()),
            format: "standard".to_owned(),
            ordered: true,
            events: vec!["domain.changed".to_owned()],
            domains: Vec::new(),
            fields: vec!["phone_numbers".to_owned()],
            status: "active".to_owned(),
            disabled_reason: None,
            created_at: example::began(),
            position: 241,
            replay_to: None,
            failures: 0,
            retrying: 0,
            failing_since: None,
            next_attempt_at: None,
            links: links(WebhookId(example::WEBHOOK)),
        }
    }
}

impl From<WebhookRow> for WebhookView {
    fn from(row: WebhookRow) -> Self {
        Self {
            links: links(WebhookId(row.webhook_id)),
            webhook_id: row.webhook_id,
            url: row.url,
            description: row.description,
            format: row.format,
            ordered: row.ordered,
            events: row.events,
            domains: row.domains,
            fields: row.fields,
            status: row.status,
            disabled_reason: row.disabled_reason,
            created_at: row.created_at,
            position: row.position,
            replay_to: row.replay_to,
            failures: row.failures,
            retrying: row.retrying,
            failing_since: row.failing_since,
            next_attempt_at: row.next_attempt_at,
        }
    }
}

/// A webhook with a new secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookSecretView {
    /// The webhook.
    pub webhook_id: Uuid,
    /// The secret with which messages are signed (Standard Webhooks). It is shown once; null if the request is a repeat.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for WebhookSecretView {
    fn example() -> Self {
        Self {
            webhook_id: example::WEBHOOK,
            secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
            position: 300,
            links: links(WebhookId(example::WEBHOOK)),
        }
    }
}

/// An accepted command on a webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedWebhookCommand {
    /// The webhook.
    pub webhook_id: Uuid,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedWebhookCommand {
    fn example() -> Self {
        Self {
            webhook_id: example::WEBHOOK,
            position: 301,
            links: links(WebhookId(example::WEBHOOK)),
        }
    }
}

/// An attempt to deliver an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryView {
    /// Number of the attempt over all deliveries.
    pub delivery_id: i64,
    /// The log position of the event.
    pub position: i64,
    /// The header `webhook-id`: the same for each attempt at the event.
    pub message_id: String,
    /// The type of the event.
    #[schema(example = "domain.changed")]
    pub event: String,
    /// Number of the attempt to deliver this event, starting at 1.
    pub attempt: i32,
    /// When the attempt was made.
    pub sent_at: DateTime<Utc>,
    /// HTTP status of the response; null if there was none.
    pub status: Option<i32>,
    /// The first 2 KB of the response.
    pub answer: Option<String>,
    /// Why there was no response.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
}

impl Example for DeliveryView {
    fn example() -> Self {
        Self {
            delivery_id: 7,
            position: 241,
            message_id: "msg_01a209751c117d0b9a3e5f2f8e1c7a55".to_owned(),
            event: "domain.changed".to_owned(),
            attempt: 1,
            sent_at: example::ended(),
            status: Some(200),
            answer: Some("ok".to_owned()),
            error: None,
            duration_ms: 42,
        }
    }
}

impl From<DeliveryRow> for DeliveryView {
    fn from(row: DeliveryRow) -> Self {
        Self {
            delivery_id: row.delivery_id,
            position: row.position,
            message_id: row.message_id,
            event: row.event,
            attempt: row.attempt,
            sent_at: row.sent_at,
            status: row.status,
            answer: row.answer,
            error: row.error,
            duration_ms: row.duration_ms,
        }
    }
}

/// Related URLs of a webhook.
pub(super) fn links(id: WebhookId) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("self", format!("/api/v4/webhooks/{id}")),
        ("deliveries", format!("/api/v4/webhooks/{id}/deliveries")),
        ("events", format!("/api/v4/streams/webhook/{id}")),
    ])
}
