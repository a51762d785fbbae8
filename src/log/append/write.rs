//! A group as one statement: one call of `append_events`, or of `append_with_bodies`.

use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgConnection, PgPool, Postgres, Row};
use uuid::Uuid;

use super::{AppendUnit, Appended, StreamAppend};
use crate::log::LogError;
use crate::pools::in_time;
use crate::values::TenantId;

/// Outcomes in addition to those of `append_events`.
const SALT_CHANGED: &str = "salt_changed";
const NOT_TRIED: &str = "not_tried";

/// One row of `append_events`.
pub(in crate::log) struct Outcome {
    outcome: String,
    last_position: Option<i64>,
    result: Option<Value>,
}

impl Outcome {
    fn is_not_tried(&self) -> bool {
        self.outcome == NOT_TRIED
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

/// Held shared by appends with bodies (`append_with_bodies`), and alone by an erasure: so an erasure sees each body that
/// there is, and no body comes after it under the salt that it forgot.
pub(in crate::log) const BODIES_LOCK: i64 = 7_305_116_405;

/// Writes a group whole; an outcome for each unit, in order.
pub(super) async fn write_group(pool: &PgPool, units: &[AppendUnit]) -> Result<Vec<Outcome>, sqlx::Error> {
    in_time(pool, async |connection| write(connection, units).await).await
}

async fn write(connection: &mut PgConnection, units: &[AppendUnit]) -> Result<Vec<Outcome>, sqlx::Error> {
    let mut outcomes = append(connection, units.iter()).await?;
    // A unit with an outdated salt prevents the whole group; the others are written without it.
    while outcomes.iter().any(Outcome::is_not_tried) {
        let all = units.iter().zip(&outcomes);
        let left = all.filter(|(_, outcome)| outcome.is_not_tried());
        let left: Vec<&AppendUnit> = left.map(|(unit, _)| unit).collect();
        let written = append(connection, left.into_iter()).await?;
        let places = outcomes.iter_mut().filter(|outcome| outcome.is_not_tried());
        for (place, outcome) in places.zip(written) {
            *place = outcome;
        }
    }
    Ok(outcomes)
}

/// One statement is a transaction, and its response comes after the commit.
async fn append<'a>(
    connection: &mut PgConnection,
    units: impl Iterator<Item = &'a AppendUnit> + Clone,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let bodies = BodyColumns::of(units.clone());
    if bodies.unit.is_empty() {
        return append_events(connection, units).await;
    }
    let query = sqlx::query(
        "select outcome, last_position, result from append_with_bodies(\
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)",
    )
    .bind(bodies.unit)
    .bind(bodies.digest)
    .bind(bodies.tenant)
    .bind(bodies.subject)
    .bind(bodies.salt)
    .bind(bodies.bytes);
    outcomes(connection, Columns::of(units).bound_to(query)).await
}

/// Appends units whose bodies are in place; outcomes in the same order.
pub(in crate::log) async fn append_events<'a>(
    connection: &mut PgConnection,
    units: impl Iterator<Item = &'a AppendUnit>,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let query = sqlx::query(
        "select outcome, last_position, result from append_events(\
           $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    );
    outcomes(connection, Columns::of(units).bound_to(query)).await
}

async fn outcomes(
    connection: &mut PgConnection,
    query: Query<'_, Postgres, PgArguments>,
) -> Result<Vec<Outcome>, sqlx::Error> {
    let rows = query.fetch_all(connection).await?;
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

/// The bodies of a group, as `append_with_bodies` takes them.
#[derive(Default)]
struct BodyColumns<'a> {
    unit: Vec<i32>,
    digest: Vec<&'a [u8]>,
    tenant: Vec<Uuid>,
    subject: Vec<&'a str>,
    salt: Vec<&'a [u8]>,
    bytes: Vec<&'a [u8]>,
}

impl<'a> BodyColumns<'a> {
    fn of(units: impl Iterator<Item = &'a AppendUnit>) -> Self {
        let mut columns = Self::default();
        for (unit, number) in units.zip(1..) {
            for body in &unit.bodies {
                columns.unit.push(number);
                columns.digest.push(&body.digest);
                columns.tenant.push(body.tenant.0);
                columns.subject.push(&body.subject);
                columns.salt.push(&body.salt);
                columns.bytes.push(&body.bytes);
            }
        }
        columns
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

    /// A query with the arguments of `append_events` behind those that it has.
    fn bound_to(self, query: Query<'a, Postgres, PgArguments>) -> Query<'a, Postgres, PgArguments> {
        query
            .bind(self.units)
            .bind(self.stream_unit)
            .bind(self.stream_type)
            .bind(self.stream_id)
            .bind(self.stream_expected)
            .bind(self.event_stream)
            .bind(self.event_id)
            .bind(self.event_type)
            .bind(self.event_version)
            .bind(self.event_payload)
            .bind(self.event_metadata)
            .bind(self.event_tenant)
            .bind(self.key_unit)
            .bind(self.key_tenant)
            .bind(self.key_route)
            .bind(self.key_key)
            .bind(self.key_body_hash)
            .bind(self.key_result)
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
