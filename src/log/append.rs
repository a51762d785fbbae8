//! Appending: all units that wait are committed as one group, each with its own outcome.
//!
//! One task per process drains the queue into one call of `append_events`. While a group commits, the next one
//! gathers, so a busy process writes hundreds of events per fsync and an idle one waits for nobody.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;
use sqlx::{PgConnection, PgPool, Row};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::body::{Body, MAX_CONTENT};
use super::event::{NewEvent, strip_nul};
use super::{EventLog, LogError};
use crate::values::TenantId;

/// Units that may wait before `append` itself waits.
pub(super) const MAX_WAITING: usize = 4096;
/// An outcome besides those of `append_events`.
const SALT_CHANGED: &str = "salt_changed";
/// Units and events of one group; bounds how long a group holds the head of the log.
const MAX_UNITS: usize = 500;
const MAX_EVENTS: usize = 4000;
/// Bytes of compressed bodies in one group, but for the last unit that is let in: one statement writes them all.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

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

/// A unit that waits for its group, and the subjects of its bodies.
struct HandedIn {
    subjects: HashSet<(TenantId, String)>,
    outcome: oneshot::Receiver<Result<Appended, LogError>>,
}

impl EventLog {
    /// Appends a unit; returns when it is durable.
    pub async fn append(&self, unit: AppendUnit) -> Result<Appended, LogError> {
        self.outcome_of(self.hand_in(unit).await?).await
    }

    /// Appends many independent units in their order; outcomes in the same order.
    pub async fn append_all(&self, units: Vec<AppendUnit>) -> Vec<Result<Appended, LogError>> {
        let mut handed_in = Vec::with_capacity(units.len());
        for unit in units {
            handed_in.push(self.hand_in(unit).await);
        }
        let mut outcomes = Vec::with_capacity(handed_in.len());
        for unit in handed_in {
            outcomes.push(match unit {
                Ok(unit) => self.outcome_of(unit).await,
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    /// Puts a unit behind those that wait.
    async fn hand_in(&self, mut unit: AppendUnit) -> Result<HandedIn, LogError> {
        for event in unit.streams.iter_mut().flat_map(|stream| &mut stream.events) {
            if strip_nul(&mut event.payload) {
                tracing::warn!(
                    event.r#type = event.event_type,
                    "U+0000 was taken out of an event's texts"
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
        self.appends
            .send(Waiting { unit, done })
            .await
            .map_err(|_| LogError::Closed)?;
        Ok(HandedIn { subjects, outcome })
    }

    async fn outcome_of(&self, unit: HandedIn) -> Result<Appended, LogError> {
        let outcome = unit.outcome.await.map_err(|_| LogError::Closed)?;
        if matches!(outcome, Err(LogError::SaltChanged)) {
            for (tenant, subject) in unit.subjects {
                self.forget_salt(tenant, &subject);
            }
        }
        outcome
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
        let group = gather(first, &mut waiting, &mut carried).await;
        commit_group(&pool, group, &head).await;
    }
}

/// Takes what waits already, and what comes while others have their turn, up to the limits of one group.
///
/// Whoever has just been told of the last group's commit is about to append again. Without the turns, the first of
/// them would get a group of its own, and all others would wait for its commit.
async fn gather(
    first: Waiting,
    waiting: &mut mpsc::Receiver<Waiting>,
    carried: &mut Option<Waiting>,
) -> Vec<Waiting> {
    let mut events = first.unit.event_count();
    let mut bytes = first.unit.body_bytes();
    let mut group = vec![first];
    let mut known = 0;
    let is_full = |units: usize, events: usize, bytes: usize| {
        units >= MAX_UNITS || events >= MAX_EVENTS || bytes >= MAX_BODY_BYTES
    };
    loop {
        while !is_full(group.len(), events, bytes) {
            let Ok(next) = waiting.try_recv() else { break };
            events += next.unit.event_count();
            bytes += next.unit.body_bytes();
            if events > MAX_EVENTS {
                *carried = Some(next);
                return group;
            }
            group.push(next);
        }
        if is_full(group.len(), events, bytes) || group.len() == known {
            return group;
        }
        known = group.len();
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
pub(super) struct Outcome {
    outcome: String,
    last_position: Option<i64>,
    result: Option<Value>,
}

impl Outcome {
    fn salt_changed() -> Self {
        Self {
            outcome: SALT_CHANGED.to_owned(),
            last_position: None,
            result: None,
        }
    }

    fn last_position(&self) -> Option<i64> {
        (self.outcome == "committed")
            .then_some(self.last_position)
            .flatten()
    }

    pub(super) fn into_result(self) -> Result<Appended, LogError> {
        match (self.outcome.as_str(), self.result) {
            ("committed", _) => Ok(Appended::Committed(self.last_position)),
            ("repeated", Some(result)) => Ok(Appended::Repeated {
                result,
                position: self.last_position.unwrap_or_default(),
            }),
            ("key_reused", _) => Err(LogError::KeyReused),
            (SALT_CHANGED, _) => Err(LogError::SaltChanged),
            _ => Err(LogError::Conflict),
        }
    }
}

/// Held shared by appends with bodies, and alone by an erasure: so an erasure sees each body that there is, and no
/// body comes after it under the salt that it forgot.
pub(super) const BODIES_LOCK: i64 = 7_305_116_405;

async fn write_group(pool: &PgPool, units: &[AppendUnit]) -> Result<Vec<Outcome>, sqlx::Error> {
    if units.iter().all(|unit| unit.bodies.is_empty()) {
        // One statement is a transaction by itself, and its answer ends with the commit: one way instead of three.
        return append_events(&mut *pool.acquire().await?, units.iter()).await;
    }
    // With the transaction's beginning, it costs no way of its own.
    let begin = format!("begin; select pg_advisory_xact_lock_shared({BODIES_LOCK})");
    let mut tx = pool.begin_with(begin).await?;
    let stale = insert_bodies(&mut tx, units).await?;
    let fresh = units
        .iter()
        .zip(&stale)
        .filter(|(_, stale)| !**stale)
        .map(|(unit, _)| unit);
    let mut written = append_events(&mut tx, fresh).await?.into_iter();
    tx.commit().await?;
    let outcome_of = |stale: bool| {
        if stale {
            Some(Outcome::salt_changed())
        } else {
            written.next()
        }
    };
    Ok(stale.into_iter().filter_map(outcome_of).collect())
}

/// Appends units whose bodies are in place; outcomes in the same order.
pub(super) async fn append_events<'a>(
    connection: &mut PgConnection,
    units: impl Iterator<Item = &'a AppendUnit>,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let columns = Columns::of(units);
    if columns.units == 0 {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "select outcome, last_position, result from append_events(\
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    )
    .bind(columns.units)
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
    .fetch_all(connection)
    .await?;
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

/// Sorted by digest, so that two groups with the same bodies never wait for each other crosswise. Says of each unit
/// whether it must not be appended, its bodies being sealed with another salt than that of their subject.
async fn insert_bodies(
    connection: &mut PgConnection,
    units: &[AppendUnit],
) -> Result<Vec<bool>, sqlx::Error> {
    let mut salts: BTreeMap<(TenantId, &str), &[u8]> = BTreeMap::new();
    for body in units.iter().flat_map(|unit| &unit.bodies) {
        salts.entry((body.tenant, &body.subject)).or_insert(&body.salt);
    }
    let stored = store_salts(connection, &salts).await?;
    let is_stale = |body: &Body| stored.get(&(body.tenant, body.subject.clone())) != Some(&body.salt);
    let stale: Vec<bool> = units
        .iter()
        .map(|unit| unit.bodies.iter().any(is_stale))
        .collect();
    let fresh = units.iter().zip(&stale).filter(|(_, stale)| !**stale);
    let mut bodies: Vec<&Body> = fresh.flat_map(|(unit, _)| &unit.bodies).collect();
    bodies.sort_by(|a, b| a.digest.cmp(&b.digest));
    bodies.dedup_by(|a, b| a.digest == b.digest);
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
    .execute(connection)
    .await?;
    Ok(stale)
}

/// Stores the salts of subjects that have none, and returns those that are stored. One that another group stores at
/// this moment is not among them; who asks again gets it.
async fn store_salts(
    connection: &mut PgConnection,
    salts: &BTreeMap<(TenantId, &str), &[u8]>,
) -> Result<HashMap<(TenantId, String), Vec<u8>>, sqlx::Error> {
    let rows: Vec<(Uuid, String, Vec<u8>)> = sqlx::query_as(
        "with given as (\
           select * from unnest($1::uuid[], $2::text[], $3::bytea[]) as g(tenant_id, subject, salt) \
         ), added as (\
           insert into body_salt (tenant_id, subject, salt) select * from given order by 1, 2 \
           on conflict do nothing returning tenant_id, subject, salt\
         ) \
         select tenant_id, subject, salt from added \
         union all \
         select s.tenant_id, s.subject, s.salt from given \
          cross join lateral (select * from body_salt s where s.tenant_id = given.tenant_id \
                                 and s.subject = given.subject offset 0) s",
    )
    .bind(salts.keys().map(|(tenant, _)| tenant.0).collect::<Vec<_>>())
    .bind(salts.keys().map(|(_, subject)| *subject).collect::<Vec<_>>())
    .bind(salts.values().copied().collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(tenant, subject, salt)| ((TenantId(tenant), subject), salt))
        .collect())
}

impl AppendUnit {
    fn event_count(&self) -> usize {
        self.streams.iter().map(|stream| stream.events.len()).sum()
    }

    fn body_bytes(&self) -> usize {
        self.bodies.iter().map(|body| body.bytes.len()).sum()
    }
}

/// A group turned on its side, as `append_events` takes it.
#[derive(Default)]
struct Columns<'a> {
    units: i32,
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
    fn of(units: impl Iterator<Item = &'a AppendUnit>) -> Self {
        let mut columns = Self::default();
        for unit in units {
            columns.units += 1;
            let number = columns.units;
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
