//! A group as one transaction: its bodies, and one call of `append_events`.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use sqlx::{PgConnection, PgPool, Row};
use uuid::Uuid;

use super::{AppendUnit, Appended, StreamAppend};
use crate::log::LogError;
use crate::log::body::Body;
use crate::values::TenantId;

/// An outcome besides those of `append_events`.
const SALT_CHANGED: &str = "salt_changed";

/// One row of `append_events`.
pub(in crate::log) struct Outcome {
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

    pub(super) fn last_position(&self) -> Option<i64> {
        (self.outcome == "committed")
            .then_some(self.last_position)
            .flatten()
    }

    pub(in crate::log) fn into_result(self) -> Result<Appended, LogError> {
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
pub(in crate::log) const BODIES_LOCK: i64 = 7_305_116_405;

/// Writes a group whole; an outcome for each unit, in order.
pub(super) async fn write_group(pool: &PgPool, units: &[AppendUnit]) -> Result<Vec<Outcome>, sqlx::Error> {
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
pub(in crate::log) async fn append_events<'a>(
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
