//! Earlier states of read models: one row, or all tables in a separate schema.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::build::fill;
use super::fold::{Fold, FoldOptions};
use super::generation::{execute, tables_of};
use super::pass::Passes;
use super::quarantine::Quarantine;
use super::subject::row_by_log;
use super::{Projection, ProjectionError, ReadModels};
use crate::log::EventLog;
use crate::values::TenantId;

/// A point in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// After the event with this position.
    Position(i64),
    /// After all that was recorded by then.
    Time(DateTime<Utc>),
}

impl std::str::FromStr for Point {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse::<i64>() {
            return if position >= 0 {
                Ok(Self::Position(position))
            } else {
                Err(wrong(text))
            };
        }
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| wrong(text))?;
        Ok(Self::Time(time.with_timezone(&Utc)))
    }
}

fn wrong(text: &str) -> String {
    format!(
        "{text:?} is neither a log position (a number) nor a time like 2026-01-31T12:00:00Z (RFC 3339; in a URL, write \
         the + of an offset as %2B)"
    )
}

/// How far a time may lie ahead of the database's clock and still mean now: clocks differ.
const CLOCKS_DIFFER: &str = "5 minutes";

/// The position that a point stands for. A point beyond the log's end is an error: what was known then may still
/// change.
pub async fn position(pool: &PgPool, point: Point) -> Result<i64, ProjectionError> {
    let (end, is_future): (i64, bool) = sqlx::query_as(
        "select position, coalesce($1 > clock_timestamp() + $2::interval, false) from log_head",
    )
    .bind(match point {
        Point::Position(_) => None,
        Point::Time(time) => Some(time),
    })
    .bind(CLOCKS_DIFFER)
    .fetch_one(pool)
    .await?;
    Ok(match point {
        Point::Position(position) if position > end => {
            return Err(ProjectionError::BeyondTheEnd(format!(
                "position {position} is after the end of the log, {end}"
            )));
        }
        Point::Position(position) => position,
        Point::Time(time) if is_future => {
            return Err(ProjectionError::BeyondTheEnd(format!("{time} is in the future")));
        }
        Point::Time(time) => last_by(pool, time).await?,
    })
}

/// The last position that was recorded by a time; 0 if there is none. Recorded times go back only where the clock was
/// corrected: of the ranges between these places, the last one that begins early enough is searched by bisection.
async fn last_by(pool: &PgPool, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let stretch: Option<(i64, i64)> = sqlx::query_as(
        "with start as (select 1 as first union select position from clock_correction), \
              stretch as (select first, lead(first) over (order by first) - 1 as last from start) \
         select s.first, coalesce(s.last, h.position) from stretch s cross join log_head h \
           join events e on e.position = s.first where e.recorded_at <= $1 order by s.first desc limit 1",
    )
    .bind(time)
    .fetch_optional(pool)
    .await?;
    let Some((mut low, mut high)) = stretch else {
        return Ok(0);
    };
    while low < high {
        let middle = low + (high - low + 1) / 2;
        let at: Option<DateTime<Utc>> =
            sqlx::query_scalar("select recorded_at from events where position = $1")
                .bind(middle)
                .fetch_optional(pool)
                .await?;
        if at.is_some_and(|at| at <= time) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}

/// One row of a tenant as it was at a position.
pub async fn row<P: Projection>(
    models: &ReadModels,
    tenant: TenantId,
    key: &P::Key,
    position: i64,
) -> Result<Option<P::Row>, ProjectionError> {
    let _turn = models.turn(tenant).await?;
    let mut connection = models.pool.acquire().await?;
    row_by_log::<P>(&mut connection, key, position).await
}

/// Builds a projection's tables as they were at a position. Returns its rows.
pub async fn build<P: Projection>(
    log: &EventLog,
    position: i64,
    schema: &str,
    options: FoldOptions,
) -> Result<u64, ProjectionError> {
    let mut tx = log.pool().begin().await?;
    execute(
        &mut tx,
        &format!("create schema if not exists {schema}; {}", P::tables(schema)),
    )
    .await?;
    tx.commit().await?;
    let fold = Fold::<P>::new(log, &Passes::default(), position, Quarantine::default(), options);
    let filled = fill::<P>(log, schema, fold, None).await?;
    let mut connection = log.pool().acquire().await?;
    execute(&mut connection, &P::indexes(schema)).await?;
    let tables = tables_of(&mut connection, schema).await?;
    for (name, query) in P::views_for_people(schema) {
        // Here a table keeps its name.
        if tables.iter().any(|table| table == name) {
            continue;
        }
        execute(
            &mut connection,
            &format!("create view {schema}.{name} as {query}"),
        )
        .await?;
    }
    Ok(filled.rows)
}

/// The schema for read models as of a position.
pub fn schema_name(position: i64) -> String {
    format!("as_of_{position}")
}

/// Removes such a schema, if it exists.
pub async fn drop_schema(pool: &PgPool, schema: &str) -> Result<(), ProjectionError> {
    execute(
        &mut *pool.acquire().await?,
        &format!("drop schema if exists {schema} cascade"),
    )
    .await?;
    Ok(())
}
