//! Appending: all waiting units are committed as one group, each with its own outcome.
//!
//! One task per process takes units from two queues and calls `append_events` once per group. While a group commits,
//! the next one is collected. So a busy process writes hundreds of events per fsync, and an idle one does not wait.
//!
//! A client waits for a single append, but not for each part of a batch. So the next group takes all single appends,
//! but only a few units of batches. A batch delays a request only for as long as a small group takes.

mod write;

use std::collections::HashSet;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot, watch};

pub(super) use write::{BODIES_LOCK, append_events};
use write::{Outcome, write_group};

use super::body::{Body, MAX_CONTENT};
use super::event::{NewEvent, strip_nul};
use super::{EventLog, LogError};
use crate::traces::{self, OpenSpan, ParentSpan};
use crate::values::TenantId;

/// Units that may wait in each queue before `append` itself waits.
const MAX_WAITING: usize = 4096;
/// Units of one group that were appended one by one.
const MAX_SINGLE_UNITS: usize = 500;
/// Units of one group that come from `append_all`.
const MAX_BULK_UNITS: usize = 16;
/// Events of one group; bounds how long a group holds the head of the log.
const MAX_EVENTS: usize = 4000;
/// Bytes of compressed bodies in one group, except for the last unit: one statement writes them all.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The unit of an append: all or nothing.
#[derive(Clone, Debug)]
pub struct AppendUnit {
    /// The tenant.
    pub tenant: TenantId,
    /// The streams to append to; usually one.
    pub streams: Vec<StreamAppend>,
    /// Bodies its events refer to.
    pub bodies: Vec<Body>,
    /// The key with which repetitions get this append's result.
    pub key: Option<IdempotencyKey>,
}

/// New events of one stream.
#[derive(Clone, Debug)]
pub struct StreamAppend {
    /// Kind of stream.
    pub aggregate_type: &'static str,
    /// Id of the stream.
    pub aggregate_id: String,
    /// Sequence of the last event the decision was made on; 0 for a new stream.
    pub expected: i64,
    /// In order.
    pub events: Vec<NewEvent>,
}

/// An idempotency key: a request with the same key is a repetition.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyKey {
    /// Keys of different routes are different keys.
    pub route: String,
    /// As sent by the client.
    pub key: String,
    /// SHA-256 of the request.
    pub body_hash: [u8; 32],
    /// The result for repeated requests.
    pub result: Value,
}

/// The outcome of a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// Its last event is at this position; `None` if it had no events.
    Committed(Option<i64>),
    /// The key was used before: what was returned then, and the position then.
    Repeated {
        /// Result of the first use.
        result: Value,
        /// Position of the first use.
        position: i64,
    },
}

/// A unit and the caller that waits for it.
struct Waiting {
    unit: AppendUnit,
    done: oneshot::Sender<Result<Appended, LogError>>,
}

/// Where units are handed in.
#[derive(Clone)]
pub(super) struct Queues {
    single: mpsc::Sender<Waiting>,
    bulk: mpsc::Sender<Waiting>,
}

/// The submitted units, from which groups are made.
pub(super) struct Waiters {
    single: mpsc::Receiver<Waiting>,
    bulk: mpsc::Receiver<Waiting>,
}

pub(super) fn queues() -> (Queues, Waiters) {
    let (single, single_waiters) = mpsc::channel(MAX_WAITING);
    let (bulk, bulk_waiters) = mpsc::channel(MAX_WAITING);
    let waiters = Waiters {
        single: single_waiters,
        bulk: bulk_waiters,
    };
    (Queues { single, bulk }, waiters)
}

/// A submitted unit: the subjects of its bodies, and where its outcome arrives.
struct Submitted {
    subjects: HashSet<(TenantId, String)>,
    outcome: oneshot::Receiver<Result<Appended, LogError>>,
}

impl EventLog {
    /// Appends a unit; returns when it is durable.
    pub async fn append(&self, unit: AppendUnit) -> Result<Appended, LogError> {
        let traced = traced(&unit);
        let outcome = self.outcome_of(submit(&self.appends.single, unit).await?).await;
        end_traces(traced, &outcome);
        outcome
    }

    /// Appends many independent units in their order, a few at a time between the appends of others; outcomes in the
    /// same order.
    pub async fn append_all(&self, units: Vec<AppendUnit>) -> Vec<Result<Appended, LogError>> {
        let mut submitted = Vec::with_capacity(units.len());
        for unit in units {
            let traced = traced(&unit);
            submitted.push((submit(&self.appends.bulk, unit).await, traced));
        }
        let mut outcomes = Vec::with_capacity(submitted.len());
        for (unit, traced) in submitted {
            let outcome = match unit {
                Ok(unit) => self.outcome_of(unit).await,
                Err(error) => Err(error),
            };
            end_traces(traced, &outcome);
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn outcome_of(&self, unit: Submitted) -> Result<Appended, LogError> {
        let outcome = unit.outcome.await.map_err(|_| LogError::Closed)?;
        if matches!(outcome, Err(LogError::SaltChanged)) {
            for (tenant, subject) in unit.subjects {
                self.forget_salt(tenant, &subject);
            }
        }
        outcome
    }
}

/// The spans of a unit: one for each scan that it is about.
fn traced(unit: &AppendUnit) -> Vec<(OpenSpan, String)> {
    let began = SystemTime::now();
    let of_scan = |stream: &StreamAppend| {
        let scan = stream
            .aggregate_id
            .parse()
            .ok()
            .filter(|_| stream.aggregate_type == "domain_scan")?;
        let span = if stream.expected == 0 {
            traces::scan_requested(scan, began)
        } else {
            traces::child(ParentSpan::of_scan(scan), "append", began)
        };
        let types: Vec<&str> = stream
            .events
            .iter()
            .map(|event| event.event_type.as_str())
            .collect();
        Some((span?, types.join(" ")))
    };
    unit.streams.iter().filter_map(of_scan).collect()
}

fn end_traces(traced: Vec<(OpenSpan, String)>, outcome: &Result<Appended, LogError>) {
    for (span, types) in traced {
        let mut attributes = vec![KeyValue::new("sitelog.events", types)];
        let error = match outcome {
            Ok(appended) => {
                if let Appended::Committed(Some(position)) = appended {
                    attributes.push(KeyValue::new("sitelog.position", *position));
                }
                None
            }
            Err(error) => Some(error.to_string()),
        };
        span.end(attributes, error);
    }
}

/// Puts a unit into a queue.
async fn submit(queue: &mpsc::Sender<Waiting>, mut unit: AppendUnit) -> Result<Submitted, LogError> {
    for event in unit.streams.iter_mut().flat_map(|stream| &mut stream.events) {
        if strip_nul(&mut event.payload) {
            tracing::warn!(
                event.r#type = event.event_type,
                "U+0000 was removed from an event's texts"
            );
        }
    }
    if let Some(body) = unit.bodies.iter().find(|body| body.content_length > MAX_CONTENT) {
        return Err(LogError::BodyTooLarge {
            subject: body.subject.clone(),
            bytes: body.content_length,
        });
    }
    let subjects = unit
        .bodies
        .iter()
        .map(|body| (body.tenant, body.subject.clone()))
        .collect();
    let (done, outcome) = oneshot::channel();
    queue
        .send(Waiting { unit, done })
        .await
        .map_err(|_| LogError::Closed)?;
    Ok(Submitted { subjects, outcome })
}

/// Runs until the last sender is dropped.
pub(super) async fn commit_groups(pool: PgPool, mut waiters: Waiters, head: watch::Sender<i64>) {
    let mut carried = None;
    while let Some(group) = next_group(&mut waiters, &mut carried).await {
        commit_group(&pool, group.units, &head).await;
    }
}

/// Units that are committed together.
#[derive(Default)]
struct Group {
    units: Vec<Waiting>,
    bulk: usize,
    events: usize,
    bytes: usize,
}

impl Group {
    fn is_full(&self) -> bool {
        self.events >= MAX_EVENTS || self.bytes >= MAX_BODY_BYTES
    }

    /// Takes the next units of a group: single appends, then a few of the others.
    fn next_of(&mut self, waiters: &mut Waiters) -> Option<Waiting> {
        if self.units.len() - self.bulk < MAX_SINGLE_UNITS
            && let Ok(unit) = waiters.single.try_recv()
        {
            return Some(unit);
        }
        if self.bulk < MAX_BULK_UNITS
            && let Ok(unit) = waiters.bulk.try_recv()
        {
            self.bulk += 1;
            return Some(unit);
        }
        None
    }

    /// Returns a unit that is too large to go with the others.
    fn add(&mut self, waiting: Waiting) -> Option<Waiting> {
        let events = self.events + waiting.unit.event_count();
        if events > MAX_EVENTS && !self.units.is_empty() {
            return Some(waiting);
        }
        self.events = events;
        self.bytes += waiting.unit.body_bytes();
        self.units.push(waiting);
        None
    }
}

/// Waits for a unit, then takes what waits already, and what comes while others have their turn, up to the limits of
/// one group. `None` once there are no senders. What is too large for this group is carried over to the next one.
///
/// Callers whose last group has just been committed are about to append again. Without the turns, the first of
/// them would get a group of its own, and all others would wait for its commit.
async fn next_group(waiters: &mut Waiters, carried: &mut Option<Waiting>) -> Option<Group> {
    let mut group = Group::default();
    let first = if let Some(unit) = carried.take() {
        unit
    } else {
        tokio::select! {
            biased;
            Some(unit) = waiters.single.recv() => unit,
            Some(unit) = waiters.bulk.recv() => unit,
            else => return None,
        }
    };
    group.add(first);
    loop {
        let known = group.units.len();
        while !group.is_full()
            && let Some(unit) = group.next_of(waiters)
        {
            *carried = group.add(unit);
            if carried.is_some() {
                return Some(group);
            }
        }
        if group.is_full() || group.units.len() == known {
            return Some(group);
        }
        tokio::task::yield_now().await;
    }
}

async fn commit_group(pool: &PgPool, group: Vec<Waiting>, head: &watch::Sender<i64>) {
    metrics::histogram!("sitelog_append_group_units").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
    let (units, waiters): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.unit, w.done)).unzip();
    match write_group(pool, &units).await {
        Ok(outcomes) => {
            let last = outcomes.iter().filter_map(Outcome::last_position).max();
            for (waiter, outcome) in waiters.into_iter().zip(outcomes) {
                // If the waiter is gone, its unit is durable nevertheless.
                let _ = waiter.send(outcome.into_result());
            }
            if let Some(last) = last {
                head.send_modify(|position| *position = (*position).max(last));
            }
        }
        // One statement failed for all units: an invalid unit must not make the others fail.
        Err(error) if waiters.len() > 1 && is_about_data(&error) => {
            for (unit, waiter) in units.into_iter().zip(waiters) {
                Box::pin(commit_group(pool, vec![Waiting { unit, done: waiter }], head)).await;
            }
        }
        Err(error) if is_about_data(&error) => {
            tracing::error!(%error, "An append was rejected");
            for waiter in waiters.into_iter().take(1) {
                let _ = waiter.send(Err(LogError::Rejected(copy_of(&error))));
            }
        }
        Err(error) => {
            tracing::warn!(%error, units = waiters.len(), "An append of {} units failed", waiters.len());
            for waiter in waiters {
                let _ = waiter.send(Err(LogError::Unavailable(copy_of(&error))));
            }
        }
    }
}

/// Errors of the client cannot be cloned; each waiter gets the text.
fn copy_of(error: &sqlx::Error) -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::other(error.to_string()))
}

/// Classes 22 (data exception) and 23 (integrity): the fault of one member, not of the database.
fn is_about_data(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
}

impl AppendUnit {
    fn event_count(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }

    fn body_bytes(&self) -> usize {
        self.bodies.iter().map(|body| body.bytes.len()).sum()
    }
}
