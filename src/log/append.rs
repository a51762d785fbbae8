//! Appending: all units that wait are committed as one group, each with its own outcome.
//!
//! One task per process drains the queue into one call of `append_events`. While a group commits, the next one
//! gathers, so a busy process writes hundreds of events per fsync and an idle one waits for nobody.

use serde_json::Value;
use sqlx::{PgPool, Row};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::body::Body;
use super::event::{NewEvent, strip_nul};
use super::{EventLog, LogError};
use crate::values::TenantId;

/// Units that may wait before `append` itself waits.
pub(super) const MAX_WAITING: usize = 4096;
/// Units and events of one group; bounds how long a group holds the head of the log.
const MAX_UNITS: usize = 500;
const MAX_EVENTS: usize = 4000;

/// What is appended as a whole or not at all.
#[derive(Clone, Debug)]
pub struct AppendUnit {
    /// Whose it is.
    pub tenant: TenantId,
    /// The streams it grows; usually one.
    pub streams: Vec<StreamAppend>,
    /// Bodies its events refer to.
    pub bodies: Vec<Body>,
    /// Makes a repeat return this append's result.
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

/// A client's promise that a request with the same key is the same request.
#[derive(Clone, Debug, PartialEq)]
pub struct IdempotencyKey {
    /// Keys of different routes are different keys.
    pub route: String,
    /// As sent by the client.
    pub key: String,
    /// SHA-256 of the request.
    pub body_hash: [u8; 32],
    /// What to return to a repeat.
    pub result: Value,
}

/// What became of a unit.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// Its last event stands at this position; `None` if it had no events.
    Committed(Option<i64>),
    /// The key was used before: what was returned then, and the position then.
    Repeated {
        /// Result of the first use.
        result: Value,
        /// Position of the first use.
        position: i64,
    },
}

/// A unit and who waits for it.
pub(super) struct Waiting {
    unit: AppendUnit,
    done: oneshot::Sender<Result<Appended, LogError>>,
}

impl EventLog {
    /// Appends a unit; returns when it is durable.
    pub async fn append(&self, mut unit: AppendUnit) -> Result<Appended, LogError> {
        for event in unit.streams.iter_mut().flat_map(|stream| &mut stream.events) {
            if strip_nul(&mut event.payload) {
                tracing::warn!(
                    event.r#type = event.event_type,
                    "U+0000 was taken out of an event's texts"
                );
            }
        }
        let (done, outcome) = oneshot::channel();
        self.appends
            .send(Waiting { unit, done })
            .await
            .map_err(|_| LogError::Closed)?;
        outcome.await.map_err(|_| LogError::Closed)?
    }

    /// Appends many independent units; outcomes in the same order.
    pub async fn append_all(&self, units: Vec<AppendUnit>) -> Vec<Result<Appended, LogError>> {
        futures::future::join_all(units.into_iter().map(|unit| self.append(unit))).await
    }
}

/// Runs until the last sender is gone.
pub(super) async fn commit_groups(
    pool: PgPool,
    mut waiting: mpsc::Receiver<Waiting>,
    head: watch::Sender<i64>,
) {
    let mut carried = None;
    loop {
        let first = match carried.take() {
            Some(unit) => unit,
            None => match waiting.recv().await {
                Some(unit) => unit,
                None => return,
            },
        };
        let group = gather(first, &mut waiting, &mut carried);
        commit_group(&pool, group, &head).await;
    }
}

/// Takes what waits already, up to the limits of one group.
fn gather(
    first: Waiting,
    waiting: &mut mpsc::Receiver<Waiting>,
    carried: &mut Option<Waiting>,
) -> Vec<Waiting> {
    let mut events = first.unit.event_count();
    let mut group = vec![first];
    while group.len() < MAX_UNITS && events < MAX_EVENTS {
        let Ok(next) = waiting.try_recv() else { break };
        events += next.unit.event_count();
        if events > MAX_EVENTS {
            *carried = Some(next);
            break;
        }
        group.push(next);
    }
    group
}

async fn commit_group(pool: &PgPool, group: Vec<Waiting>, head: &watch::Sender<i64>) {
    metrics::histogram!("sitelog_append_group_units").record(u32::try_from(group.len()).unwrap_or(u32::MAX));
    let (units, waiters): (Vec<_>, Vec<_>) = group.into_iter().map(|w| (w.unit, w.done)).unzip();
    match write_group(pool, &units).await {
        Ok(outcomes) => {
            let last = outcomes.iter().filter_map(Outcome::last_position).max();
            for (waiter, outcome) in waiters.into_iter().zip(outcomes) {
                // A waiter that has gone away loses nothing: its unit is durable all the same.
                let _ = waiter.send(outcome.into_result());
            }
            if let Some(last) = last {
                head.send_modify(|position| *position = (*position).max(last));
            }
        }
        // One statement failed for all: e.g. one unit too bad for the database must not fail its neighbours.
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

/// One row of `append_events`.
struct Outcome {
    outcome: String,
    last_position: Option<i64>,
    result: Option<Value>,
}

impl Outcome {
    fn last_position(&self) -> Option<i64> {
        (self.outcome == "committed")
            .then_some(self.last_position)
            .flatten()
    }

    fn into_result(self) -> Result<Appended, LogError> {
        match (self.outcome.as_str(), self.result) {
            ("committed", _) => Ok(Appended::Committed(self.last_position)),
            ("repeated", Some(result)) => Ok(Appended::Repeated {
                result,
                position: self.last_position.unwrap_or_default(),
            }),
            ("key_reused", _) => Err(LogError::KeyReused),
            _ => Err(LogError::Conflict),
        }
    }
}

async fn write_group(pool: &PgPool, units: &[AppendUnit]) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    insert_bodies(&mut tx, units).await?;
    let columns = Columns::of(units);
    let rows = sqlx::query(
        "select outcome, last_position, result from append_events(\
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(to_int(units.len()))
    .bind(columns.stream_unit)
    .bind(columns.stream_type)
    .bind(columns.stream_id)
    .bind(columns.stream_expected)
    .bind(columns.event_stream)
    .bind(columns.event_id)
    .bind(columns.event_type)
    .bind(columns.event_version)
    .bind(columns.event_payload)
    .bind(columns.event_metadata)
    .bind(columns.event_tenant)
    .bind(columns.key_unit)
    .bind(columns.key_tenant)
    .bind(columns.key_route)
    .bind(columns.key_key)
    .bind(columns.key_body_hash)
    .bind(columns.key_result)
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    rows.iter()
        .map(|row| {
            Ok(Outcome {
                outcome: row.try_get("outcome")?,
                last_position: row.try_get("last_position")?,
                result: row.try_get("result")?,
            })
        })
        .collect()
}

/// Sorted by digest, so that two groups with the same bodies never wait for each other crosswise.
async fn insert_bodies(tx: &mut sqlx::PgTransaction<'_>, units: &[AppendUnit]) -> Result<(), sqlx::Error> {
    let mut bodies: Vec<&Body> = units.iter().flat_map(|unit| &unit.bodies).collect();
    if bodies.is_empty() {
        return Ok(());
    }
    bodies.sort_by(|a, b| a.digest.cmp(&b.digest));
    bodies.dedup_by(|a, b| a.digest == b.digest);
    let salted = |b: &&Body| (b.tenant, b.subject.clone());
    let mut salts = bodies.clone();
    salts.sort_by_key(salted);
    salts.dedup_by_key(|b| salted(b));
    sqlx::query(
        "insert into body_salt (tenant_id, subject, salt) \
         select * from unnest($1::uuid[], $2::text[], $3::bytea[]) on conflict do nothing",
    )
    .bind(salts.iter().map(|b| b.tenant.0).collect::<Vec<_>>())
    .bind(salts.iter().map(|b| b.subject.as_str()).collect::<Vec<_>>())
    .bind(salts.iter().map(|b| b.salt.as_slice()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    sqlx::query(
        "insert into event_body (digest, tenant_id, subject, salt, bytes) \
         select * from unnest($1::bytea[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) \
         on conflict (digest) do nothing",
    )
    .bind(bodies.iter().map(|b| b.digest.as_slice()).collect::<Vec<_>>())
    .bind(bodies.iter().map(|b| b.tenant.0).collect::<Vec<_>>())
    .bind(bodies.iter().map(|b| b.subject.as_str()).collect::<Vec<_>>())
    .bind(bodies.iter().map(|b| b.salt.as_slice()).collect::<Vec<_>>())
    .bind(bodies.iter().map(|b| b.bytes.as_slice()).collect::<Vec<_>>())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

impl AppendUnit {
    fn event_count(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }
}

/// A group turned on its side, as `append_events` takes it.
#[derive(Default)]
struct Columns<'a> {
    stream_unit: Vec<i32>,
    stream_type: Vec<&'a str>,
    stream_id: Vec<&'a str>,
    stream_expected: Vec<i64>,
    event_stream: Vec<i32>,
    event_id: Vec<Uuid>,
    event_type: Vec<&'a str>,
    event_version: Vec<&'a str>,
    event_payload: Vec<&'a Value>,
    event_metadata: Vec<&'a Value>,
    event_tenant: Vec<Uuid>,
    key_unit: Vec<i32>,
    key_tenant: Vec<Uuid>,
    key_route: Vec<&'a str>,
    key_key: Vec<&'a str>,
    key_body_hash: Vec<&'a [u8]>,
    key_result: Vec<&'a Value>,
}

impl<'a> Columns<'a> {
    fn of(units: &'a [AppendUnit]) -> Self {
        let mut columns = Self::default();
        for (index, unit) in units.iter().enumerate() {
            let number = to_int(index + 1);
            for stream in &unit.streams {
                columns.push_stream(number, unit.tenant, stream);
            }
            if let Some(key) = &unit.key {
                columns.key_unit.push(number);
                columns.key_tenant.push(unit.tenant.0);
                columns.key_route.push(&key.route);
                columns.key_key.push(&key.key);
                columns.key_body_hash.push(&key.body_hash);
                columns.key_result.push(&key.result);
            }
        }
        columns
    }

    fn push_stream(&mut self, unit: i32, tenant: TenantId, stream: &'a StreamAppend) {
        self.stream_unit.push(unit);
        self.stream_type.push(stream.aggregate_type);
        self.stream_id.push(&stream.aggregate_id);
        self.stream_expected.push(stream.expected);
        let number = to_int(self.stream_unit.len());
        for event in &stream.events {
            self.event_stream.push(number);
            self.event_id.push(event.event_id);
            self.event_type.push(&event.event_type);
            self.event_version.push(&event.event_version);
            self.event_payload.push(&event.payload);
            self.event_metadata.push(&event.metadata);
            self.event_tenant.push(tenant.0);
        }
    }
}

/// Groups are far smaller than 2³¹.
fn to_int(count: usize) -> i32 {
    i32::try_from(count).expect("a group has at most a few thousand members")
}
