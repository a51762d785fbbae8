//! Events as text for people.

use serde_json::Value;

use super::message;
use crate::log::{EventLog, LogError, LogEvent};
use crate::values::FailureReason;
use crate::values::change_words::{code_words, field_words, value_words};
use crate::values::webhook::WebhookTopic;

/// Characters of a value.
const VALUE: usize = 200;
/// Fields that are shown; the others are counted.
const FIELDS: usize = 20;

/// An event in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// In one line.
    pub title: String,
    /// In further lines.
    pub lines: Vec<String>,
}

impl Text {
    /// What there is to say of an event of the log; `None` if it is of no topic.
    pub async fn of_event(log: &EventLog, event: &LogEvent) -> Result<Option<Self>, LogError> {
        let message = message::of_event(log, event).await?;
        Ok(message.map(|message| Self::of(message.topic, &message.content["data"])))
    }

    /// What there is to say of the data of a message.
    pub(super) fn of(topic: WebhookTopic, data: &Value) -> Self {
        let text = |name: &str| value_words(&data[name], VALUE);
        let (title, lines) = match topic {
            WebhookTopic::BatchCompleted => ("Batch ended".to_owned(), vec![text("batch_id")]),
            WebhookTopic::ScanCompleted => (format!("{} was scanned", text("domain")), Vec::new()),
            WebhookTopic::ScanFailed => (
                format!("The scan of {} failed", text("domain")),
                vec![reason(&data["reason"])],
            ),
            WebhookTopic::DomainChanged => (format!("{} changed", text("domain")), changes(data)),
            WebhookTopic::MonitorRan => (
                format!("A run of a monitor began: {} domains", text("total")),
                vec![text("monitor_id")],
            ),
            WebhookTopic::MonitorSkipped => (
                format!("A run of a monitor was skipped: {}", code_words(&text("reason"))),
                vec![text("monitor_id")],
            ),
            WebhookTopic::WebhookTest => ("A test event from sitelog".to_owned(), Vec::new()),
        };
        Self { title, lines }
    }
}

fn reason(code: &Value) -> String {
    let code = code.as_str().unwrap_or_default();
    code.parse::<FailureReason>()
        .map_or_else(|_| code.to_owned(), |reason| reason.label().to_owned())
}

fn changes(data: &Value) -> Vec<String> {
    let fields = data["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines: Vec<String> = fields
        .iter()
        .take(FIELDS)
        .map(|field| {
            let name = field_words(field["field"].as_str().unwrap_or_default());
            let [before, after] = ["before", "after"].map(|side| value_words(&field[side], VALUE));
            format!("{name}: {before} → {after}")
        })
        .collect();
    if fields.len() > FIELDS {
        lines.push(format!("and {} more fields", fields.len() - FIELDS));
    }
    if !data["reason"].is_null() {
        lines.push(format!("reason: {}", reason(&data["reason"])));
    }
    if let Some(urls) = data["urls"].as_object() {
        lines.push(format!(
            "sitemaps: {} URLs added, {} removed",
            urls["added"], urls["removed"]
        ));
    }
    if data["erased"] == true {
        lines.push("The values were erased.".to_owned());
    }
    lines
}
