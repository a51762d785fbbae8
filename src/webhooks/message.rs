//! The message for an event of the log. It is the same for each attempt, so that a receiver can detect duplicates.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::aggregates::{BatchEvent, MonitorEvent, ScanEvent};
use crate::commands::compare_scan::values_of;
use crate::log::body::load_bodies;
use crate::log::{EventLog, LogError, LogEvent};
use crate::values::domain_change::{FieldDifference, STATUS};
use crate::values::webhook::{WebhookSettings, WebhookTopic};

/// A message to send.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// Of the event: the same for each attempt and each endpoint.
    pub(super) id: String,
    /// What it is about.
    pub(super) topic: WebhookTopic,
    /// The event's place in the log.
    pub(super) position: i64,
    /// As Standard Webhooks has it.
    pub(super) content: Value,
    /// Why it cannot be sent, if the event cannot be read.
    pub(super) fault: Option<String>,
}

impl Message {
    /// The replacement for an event that cannot be read: its attempt fails with the reason.
    pub(super) fn unreadable(event: &LogEvent, error: &LogError) -> Option<Self> {
        Some(Self {
            id: id_of(event),
            topic: WebhookTopic::of_event(&event.event_type)?,
            position: event.position,
            content: Value::Null,
            fault: Some(error.to_string()),
        })
    }
}

fn id_of(event: &LogEvent) -> String {
    format!("msg_{}", event.event_id.simple())
}

/// Whether an endpoint wants an event.
pub(super) fn is_wanted(settings: &WebhookSettings, event: &LogEvent) -> Result<bool, LogError> {
    let Some(topic) = WebhookTopic::of_event(&event.event_type) else {
        return Ok(false);
    };
    // Imported events are not sent.
    if event.is_imported() {
        return Ok(false);
    }
    if event.aggregate_type != "domain_scan" {
        return Ok(settings.wants(topic, None, &[]));
    }
    let scan: ScanEvent = event.decode()?;
    let fields: &[String] = match &scan {
        ScanEvent::DomainChanged { fields, .. } => fields,
        _ => &[],
    };
    Ok(settings.wants(topic, Some(scan.domain()), fields))
}

/// The message of an event; `None` if no endpoint gets events of its type.
pub(super) async fn of_event(log: &EventLog, event: &LogEvent) -> Result<Option<Message>, LogError> {
    let Some(topic) = WebhookTopic::of_event(&event.event_type) else {
        return Ok(None);
    };
    let mut data = match event.aggregate_type.as_str() {
        "domain_scan" => of_scan(log, event).await?,
        "batch_scan" => of_batch(event)?,
        "monitor" => of_monitor(event)?,
        _ => json!({ "webhook_id": event.aggregate_id }),
    };
    data["position"] = event.position.into();
    let at = event
        .circumstances()
        .1
        .to_rfc3339_opts(SecondsFormat::Micros, true);
    Ok(Some(Message {
        id: id_of(event),
        topic,
        position: event.position,
        content: json!({ "type": topic.as_str(), "timestamp": at, "data": data }),
        fault: None,
    }))
}

fn of_batch(event: &LogEvent) -> Result<Value, LogError> {
    Ok(match event.decode()? {
        BatchEvent::BatchCompleted { round } => json!({ "batch_id": event.aggregate_id, "round": round }),
        _ => json!({ "batch_id": event.aggregate_id }),
    })
}

fn of_monitor(event: &LogEvent) -> Result<Value, LogError> {
    let id = &event.aggregate_id;
    Ok(match event.decode()? {
        MonitorEvent::MonitorRan {
            slot,
            batch_id,
            total,
            missed,
        } => json!({
            "monitor_id": id, "batch_id": batch_id, "due_at": slot, "total": total, "missed": missed,
        }),
        MonitorEvent::MonitorSkipped { slot, reason, missed } => json!({
            "monitor_id": id, "due_at": slot, "reason": reason.as_str(), "missed": missed,
        }),
        _ => json!({ "monitor_id": id }),
    })
}

async fn of_scan(log: &EventLog, event: &LogEvent) -> Result<Value, LogError> {
    let scan: ScanEvent = event.decode()?;
    let mut data = json!({
        "scan_id": event.aggregate_id, "domain": scan.domain(), "batch_id": scan.batch_id(),
    });
    match scan {
        ScanEvent::ScanCompleted { totals, .. } => data["totals"] = json!(totals),
        ScanEvent::ScanFailed { reason, error, .. } => {
            data["reason"] = json!(reason);
            data["error"] = error.into();
        }
        ScanEvent::DomainChanged {
            previous_scan_id,
            status,
            values,
            urls,
            ..
        } => {
            let bodies = load_bodies(log.pool(), values.iter()).await?;
            let kept = values
                .as_ref()
                .map(|values| values_of(&bodies, values))
                .transpose()?;
            let mut fields: Vec<FieldDifference> = Vec::new();
            fields.extend(status.map(|status| FieldDifference {
                field: STATUS.to_owned(),
                before: status.before.as_str().into(),
                after: status.after.as_str().into(),
            }));
            // Erased meanwhile: its content is not sent any more.
            data["erased"] = kept.as_ref().is_some_and(Option::is_none).into();
            fields.extend(kept.flatten().unwrap_or_default());
            data["previous_scan_id"] = json!(previous_scan_id);
            data["fields"] = json!(fields);
            data["reason"] = json!(status.and_then(|status| status.reason));
            data["urls"] = json!(urls.map(|urls| json!({ "added": urls.added, "removed": urls.removed })));
        }
        _ => {}
    }
    Ok(data)
}
