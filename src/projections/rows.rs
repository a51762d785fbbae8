//! Rows in and out of a read model's table, as sets: one statement per page, whatever the projection.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Projection, ProjectionError};

/// The rows of some keys.
pub async fn load<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    keys: &[P::Key],
) -> Result<BTreeMap<P::Key, P::Row>, ProjectionError> {
    let sql = format!(
        "select to_jsonb(t)::text from {schema}.{table} t \
           join jsonb_populate_recordset(null::{schema}.{table}, $1::jsonb) k using ({columns})",
        table = P::NAME,
        columns = P::KEY_COLUMNS.join(", "),
    );
    let rows: Vec<String> = sqlx::query_scalar(&sql)
        .bind(to_json::<P, _>(keys)?)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let row = from_json::<P>(&row)?;
            Ok((P::key_of(&row), row))
        })
        .collect()
}

/// Writes rows over what was there.
pub async fn store<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    rows: &[&P::Row],
) -> Result<(), ProjectionError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let named = serde_json::to_value(first).map_err(|source| ProjectionError::Row {
        table: P::NAME,
        source,
    })?;
    let columns: Vec<&str> = named
        .as_object()
        .into_iter()
        .flat_map(|row| row.keys())
        .map(String::as_str)
        .collect();
    let updates: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    let sql = format!(
        "insert into {schema}.{table} ({columns}) \
         select {columns} from jsonb_populate_recordset(null::{schema}.{table}, $1::jsonb) \
         on conflict ({key}) do update set {updates}",
        table = P::NAME,
        columns = columns.join(", "),
        key = P::KEY_COLUMNS.join(", "),
        updates = updates.join(", "),
    );
    sqlx::query(&sql)
        .bind(to_json::<P, _>(rows)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// A row as a query returned it.
pub fn from_json<P: Projection>(row: &str) -> Result<P::Row, ProjectionError> {
    serde_json::from_str(row).map_err(|source| ProjectionError::Row {
        table: P::NAME,
        source,
    })
}

fn to_json<P: Projection, T: serde::Serialize>(things: &[T]) -> Result<String, ProjectionError> {
    serde_json::to_string(things).map_err(|source| ProjectionError::Row {
        table: P::NAME,
        source,
    })
}
