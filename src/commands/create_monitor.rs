//! Creates a monitor.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::CommandContext;
use super::bus::{Attachments, CommandBus, CommandError};
use super::request_batch::{BatchItem, lines_of};
use crate::aggregates::monitor::{Monitor, MonitorCommand, MonitorError};
use crate::log::LogError;
use crate::log::body::Body;
use crate::values::monitor::{MonitorSettings, WatchedDomains};
use crate::values::{BodyRef, MonitorId};

/// A created monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedMonitor {
    /// Its id: that of the first use of the idempotency key, if it was used before.
    pub id: MonitorId,
    /// The log position from which it is visible.
    pub position: i64,
    /// The first response, if this is a repetition.
    pub first_summary: Option<Value>,
}

/// A monitor's list, packed: it goes into the log with the event that refers to it.
#[derive(Clone, Debug)]
pub struct SealedList {
    /// The reference for the event.
    pub list: BodyRef,
    pub(super) body: Body,
}

/// Seals the list of a monitor.
pub async fn seal_list(
    bus: &CommandBus,
    id: MonitorId,
    items: &[BatchItem],
    context: &CommandContext,
) -> Result<SealedList, LogError> {
    let salt = bus.log().salt(context.tenant, &id.to_string()).await?;
    let (list, body) = salt.seal(&lines_of(items), items.len() as u64);
    Ok(SealedList { list, body })
}

impl SealedList {
    /// The list as the domains of a monitor.
    pub fn domains(&self) -> WatchedDomains {
        WatchedDomains::List(self.list.clone())
    }
}

/// Creates a monitor under a new id; `list` is what its settings refer to, `summary` what a repeat with the same
/// idempotency key gets back, `now` what time it is by the database's clock.
pub async fn create_monitor(
    bus: &CommandBus,
    id: MonitorId,
    settings: MonitorSettings,
    list: Option<SealedList>,
    (summary, now): (Value, DateTime<Utc>),
    context: &CommandContext,
) -> Result<CreatedMonitor, CommandError<MonitorError>> {
    let attachments = Attachments {
        bodies: list.map(|list| list.body).into_iter().collect(),
        result: json!({ "monitor_id": id, "summary": summary }),
    };
    let command = MonitorCommand::Create { settings, now };
    let done = bus.create::<Monitor>(id.0, command, attachments, context).await?;
    let first = done
        .repeated
        .as_ref()
        .and_then(|result| result["monitor_id"].as_str()?.parse::<Uuid>().ok());
    Ok(CreatedMonitor {
        id: first.map_or(id, MonitorId),
        position: done.position,
        first_summary: done.repeated.map(|mut result| result["summary"].take()),
    })
}
