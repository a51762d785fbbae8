//! The continuous check: compares some rows, and the rows of some events, with the log. Starting from rows it finds
//! changed and added rows; starting from events it finds missing rows.

use std::collections::BTreeSet;

use rand::Rng;
use sqlx::PgConnection;

use super::quarantine::Quarantine;
use super::rows::row_error;
use super::verify::{Verification, compare};
use super::{Fact, Generation, Projection, ProjectionError};
use crate::log::EventLog;
use crate::log::read::read_page;

/// Scans of a row that is examined.
const MAX_SCANS: i64 = 2000;

/// Compares about `2 * size` rows.
pub(super) async fn sample<P: Projection>(
    log: &EventLog,
    size: i64,
) -> Result<Verification, ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let Some(live) = Generation::<P>::live(&mut connection).await? else {
        return Ok(Verification::default());
    };
    let quarantined = Quarantine::<P>::load(&mut connection, live.number).await?;
    let mut keys = keys_of_rows::<P>(&mut connection, &live, size).await?;
    keys.extend(keys_of_events::<P>(&mut connection, live.position, size).await?);
    keys.retain(|key| !quarantined.has_row(key));
    let mut found = Verification::default();
    for key in keys {
        // All events of a row are held at once, every few seconds: a large batch is left to `verify`.
        if P::subject(&key)
            .has_more_scans_than(&mut connection, MAX_SCANS)
            .await?
        {
            continue;
        }
        let findings = verify_row::<P>(&mut connection, &live, &key).await?;
        found.rows += 1;
        found.wrong += u64::from(!findings.is_empty());
        found.findings.extend(findings);
    }
    Ok(found)
}

/// One row against its events, at the checkpoint that its snapshot has.
async fn verify_row<P: Projection>(
    connection: &mut PgConnection,
    live: &Generation<P>,
    key: &P::Key,
) -> Result<Vec<super::verify::Finding>, ProjectionError> {
    let schema = live.schema();
    let at: Option<(i64, Option<String>)> = sqlx::query_as(&format!(
        "select p.position, (select to_jsonb(t)::text from {schema}.{table} t \
             join jsonb_populate_record(null::{schema}.{table}, $4::jsonb) k using ({columns})) \
           from projection p where p.name = $1 and p.shape = $2 and p.generation = $3",
        table = P::NAME,
        columns = P::KEY_COLUMNS.join(", "),
    ))
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(live.number)
    .bind(serde_json::to_string(key).map_err(row_error::<P>)?)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((at, row)) = at else {
        return Ok(Vec::new());
    };
    compare::<P>(connection, &schema, key, row.as_deref(), at).await
}

/// Rows from pages of the table chosen at random.
async fn keys_of_rows<P: Projection>(
    connection: &mut PgConnection,
    live: &Generation<P>,
    size: i64,
) -> Result<BTreeSet<P::Key>, ProjectionError> {
    let fields: Vec<String> = P::KEY_COLUMNS
        .iter()
        .map(|column| format!("'{column}', {column}"))
        .collect();
    let table = format!("{}.{}", live.schema(), P::NAME);
    // As many pages as hold about the rows wanted, however large the table is.
    let pages: f64 = sqlx::query_scalar(
        "select 100.0::float8 * least(1, $2 / greatest(pg_relation_size($1::regclass) / 8192, 1)::float8)",
    )
    .bind(&table)
    .bind(f64::from(i32::try_from(size).unwrap_or(i32::MAX)))
    .fetch_one(&mut *connection)
    .await?;
    let keys: Vec<String> = sqlx::query_scalar(&format!(
        "select jsonb_build_object({})::text from {table} tablesample system ({pages}) order by random() limit $1",
        fields.join(", ")
    ))
    .bind(size)
    .fetch_all(connection)
    .await?;
    keys.iter()
        .map(|key| serde_json::from_str(key).map_err(row_error::<P>))
        .collect()
}

/// Rows that events chosen at random are about.
async fn keys_of_events<P: Projection>(
    connection: &mut PgConnection,
    up_to: i64,
    size: i64,
) -> Result<BTreeSet<P::Key>, ProjectionError> {
    let mut keys = BTreeSet::new();
    for _ in 0..size {
        let after = if up_to > 0 {
            rand::rng().random_range(0..up_to)
        } else {
            break;
        };
        let page = read_page(&mut *connection, after, P::FOLLOWER.event_types(), 1).await?;
        let event = page.events.first().filter(|event| event.position <= up_to);
        let fact = event.map(|event| Fact::decode(event)).transpose()?.flatten();
        keys.extend(fact.as_ref().and_then(P::key));
    }
    Ok(keys)
}
