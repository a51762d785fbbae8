//! Imports the predecessor's rows, with their own times. Each row is a stream that is written in one append, or exists
//! already. So a second import changes nothing, and an interrupted one continues.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::CommandContext;
use super::bus::{self, CommandBus};
use crate::aggregates::batch::ImportedBatch;
use crate::aggregates::scan::ImportedScan;
use crate::aggregates::{BatchCommand, BatchScan, DomainScan, ScanCommand};
use crate::log::body::{Body, Salt};
use crate::log::{AppendUnit, Appended, LogError, StreamAppend};
use crate::values::BodyRef;
use crate::values::EventType;

/// When a row's work was requested, started and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportTimes {
    /// When it was requested.
    pub requested: DateTime<Utc>,
    /// Begun.
    pub started: DateTime<Utc>,
    /// Ended.
    pub ended: DateTime<Utc>,
}

/// A row to append.
#[derive(Debug)]
pub struct ImportUnit(AppendUnit);

/// The bodies of a row, collected while it is read.
#[derive(Debug)]
pub struct ImportBodies {
    salt: Salt,
    bodies: Vec<Body>,
}

impl ImportBodies {
    /// Bodies about a subject: a domain, or a batch's id.
    pub async fn about(bus: &CommandBus, context: &CommandContext, subject: &str) -> Result<Self, LogError> {
        Ok(Self {
            salt: bus.log().salt(context.tenant, subject).await?,
            bodies: Vec::new(),
        })
    }

    /// Seals a content with this number of items.
    pub fn seal(&mut self, content: &[u8], items: u64) -> BodyRef {
        self.push(self.salt.seal(content, items))
    }

    /// The same for a JSON object that SQL can read.
    pub fn seal_object(&mut self, json: &str) -> BodyRef {
        self.push(self.salt.seal_object(json))
    }

    fn push(&mut self, (reference, body): (BodyRef, Body)) -> BodyRef {
        self.bodies.push(body);
        reference
    }
}

/// A scan's row.
pub async fn scan_unit(
    id: Uuid,
    scan: ImportedScan,
    times: ImportTimes,
    bodies: ImportBodies,
    context: &CommandContext,
) -> ImportUnit {
    let command = ScanCommand::Import(Box::new(scan));
    let (mut stream, _) = bus::decide(bus::fresh::<DomainScan>(), id, command, context)
        .await
        .expect("a new scan refuses no import");
    date(&mut stream, times);
    unit(stream, bodies, context)
}

/// A batch's row.
pub async fn batch_unit(
    id: Uuid,
    batch: ImportedBatch,
    times: ImportTimes,
    bodies: ImportBodies,
    context: &CommandContext,
) -> ImportUnit {
    let command = BatchCommand::Import(Box::new(batch));
    let (mut stream, _) = bus::decide(bus::fresh::<BatchScan>(), id, command, context)
        .await
        .expect("a new batch refuses no import");
    date(&mut stream, times);
    unit(stream, bodies, context)
}

fn unit(stream: StreamAppend, bodies: ImportBodies, context: &CommandContext) -> ImportUnit {
    ImportUnit(AppendUnit {
        tenant: context.tenant,
        streams: vec![stream],
        bodies: bodies.bodies,
        key: None,
    })
}

/// The events that are between the request and the end.
const BEFORE_THE_END: [&str; 3] = [
    EventType::ScanImported.as_str(),
    EventType::BatchExpanded.as_str(),
    EventType::BatchImported.as_str(),
];

/// Says of each event when it happened: the request, what is before the end, and the end.
fn date(stream: &mut StreamAppend, times: ImportTimes) {
    for (place, event) in stream.events.iter_mut().enumerate() {
        let at = match place {
            0 => times.requested,
            _ if BEFORE_THE_END.contains(&event.event_type.as_str()) => times.started,
            _ => times.ended,
        };
        let text = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        event.metadata["occurred_at"] = Value::String(text);
    }
}

/// Appends rows; returns for each whether it is new. Existing ones do not change.
pub async fn append_imported(bus: &CommandBus, units: Vec<ImportUnit>) -> Result<Vec<bool>, LogError> {
    let units = units.into_iter().map(|unit| unit.0).collect();
    let outcomes = bus.log().append_all(units).await;
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Ok(Appended::Committed(_)) => Ok(true),
            Ok(Appended::Repeated { .. }) | Err(LogError::Conflict) => Ok(false),
            Err(error) => Err(error),
        })
        .collect()
}
