//! Imports the streams of a tenant from another log. Their events get new positions. The metadata keeps the old
//! positions and the tree head of the source log. A second import changes nothing, and an interrupted one continues.

use std::collections::HashMap;

use serde_json::Value;

use super::LogError;
use super::bus::CommandBus;
use crate::aggregates::STREAM_TYPES;
use crate::log::body::Body;
use crate::log::tenant_file::{MovedEvent, TenantFile, TenantHeader};
use crate::log::{AppendUnit, StreamAppend};

/// Number of units that are appended concurrently.
const AT_ONCE: usize = 64;

/// The result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantImport {
    /// Events that were appended.
    pub added: usize,
    /// Events that exist already, from an earlier import.
    pub known: usize,
}

/// Why an import stops.
#[derive(Debug, thiserror::Error)]
pub enum TenantImportError {
    /// The log has a stream of the same id that began otherwise.
    #[error(
        "this log has another {aggregate_type} {aggregate_id}: its event {sequence} differs from the file's; the stream was not changed"
    )]
    OtherStream {
        /// Kind of stream.
        aggregate_type: String,
        /// Its id.
        aggregate_id: String,
        /// The first event that differs.
        sequence: i64,
    },
    /// The log has data about the same domain under another salt.
    #[error(
        "this log already has findings or lists about '{0}' for the tenant, so those of the file cannot be added; import a \
         tenant before it is used here"
    )]
    OtherSalt(String),
    /// A kind of stream that this release does not have.
    #[error("the file has streams of the type '{0}', which this release does not know: upgrade first")]
    UnknownStream(String),
    /// The log cannot be read or written.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Appends the events of a file in their order.
pub async fn import_tenant(bus: &CommandBus, file: TenantFile) -> Result<TenantImport, TenantImportError> {
    let TenantFile {
        header,
        events,
        mut bodies,
    } = file;
    let mut done = TenantImport::default();
    let mut known: HashMap<(String, String), usize> = HashMap::new();
    let mut units = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(first) = events.next() {
        let stream = (first.aggregate_type.clone(), first.aggregate_id.clone());
        let mut run = vec![first];
        while let Some(next) =
            events.next_if(|next| (&next.aggregate_type, &next.aggregate_id) == (&stream.0, &stream.1))
        {
            run.push(next);
        }
        let known = if let Some(known) = known.get(&stream) {
            *known
        } else {
            let count = matching(bus, &stream, &run).await?;
            known.insert(stream.clone(), count);
            count
        };
        let before = run.len();
        run.retain(|event| usize::try_from(event.sequence).is_ok_and(|sequence| sequence > known));
        done.known += before - run.len();
        done.added += run.len();
        if run.is_empty() {
            continue;
        }
        // A group of appends takes one unit of a stream.
        let is_waiting = |unit: &AppendUnit| {
            unit.streams
                .iter()
                .any(|waiting| waiting.aggregate_id == stream.1)
        };
        if units.len() >= AT_ONCE || units.iter().any(is_waiting) {
            append(bus, std::mem::take(&mut units)).await?;
        }
        units.push(unit(&header, stream, run, &mut bodies)?);
    }
    append(bus, units).await?;
    Ok(done)
}

/// How many events of a stream are in the log already. Those that the file has too must be the same.
async fn matching(
    bus: &CommandBus,
    (aggregate_type, aggregate_id): &(String, String),
    run: &[MovedEvent],
) -> Result<usize, TenantImportError> {
    let ids = bus.log().event_ids(aggregate_type, aggregate_id).await?;
    for event in run {
        let place = usize::try_from(event.sequence - 1).unwrap_or(usize::MAX);
        if ids.get(place).is_some_and(|id| *id != event.event.event_id) {
            return Err(TenantImportError::OtherStream {
                aggregate_type: aggregate_type.clone(),
                aggregate_id: aggregate_id.clone(),
                sequence: event.sequence,
            });
        }
    }
    Ok(ids.len())
}

fn unit(
    header: &TenantHeader,
    (aggregate_type, aggregate_id): (String, String),
    run: Vec<MovedEvent>,
    bodies: &mut HashMap<String, Body>,
) -> Result<AppendUnit, TenantImportError> {
    let known_type = STREAM_TYPES.iter().find(|known| **known == aggregate_type);
    let aggregate_type: &'static str = known_type.ok_or(TenantImportError::UnknownStream(aggregate_type))?;
    let expected = run.first().map_or(0, |event| event.sequence - 1);
    let referred = run.iter().flat_map(|event| &event.bodies);
    let bodies: Vec<Body> = referred.filter_map(|digest| bodies.remove(digest)).collect();
    let events = run.into_iter().map(|moved| {
        let mut event = moved.event;
        let mut note = |name: &str, value: String| {
            if let Value::Object(metadata) = &mut event.metadata {
                // Metadata of an earlier move, and the original time, are kept.
                metadata.entry(name).or_insert(Value::String(value));
            }
        };
        note("occurred_at", moved.recorded_at);
        note("moved_from", header.origin.clone());
        note("moved_position", moved.position.to_string());
        note("moved_size", header.size.to_string());
        note("moved_root", header.root.clone());
        event
    });
    Ok(AppendUnit {
        tenant: header.tenant,
        streams: vec![StreamAppend {
            aggregate_type,
            aggregate_id,
            expected,
            events: events.collect(),
        }],
        bodies,
        key: None,
    })
}

async fn append(bus: &CommandBus, units: Vec<AppendUnit>) -> Result<(), TenantImportError> {
    let subjects: Vec<String> = units
        .iter()
        .map(|unit| {
            unit.bodies
                .first()
                .map(|body| body.subject().to_owned())
                .unwrap_or_default()
        })
        .collect();
    let outcomes = bus.log().append_all(units).await;
    // First of all: without these events, later ones of the same streams are refused as conflicts.
    let is_other_salt = |outcome: &Result<_, LogError>| matches!(outcome, Err(LogError::SaltChanged));
    if let Some(place) = outcomes.iter().position(is_other_salt) {
        return Err(TenantImportError::OtherSalt(subjects[place].clone()));
    }
    for outcome in outcomes {
        outcome?;
    }
    Ok(())
}
