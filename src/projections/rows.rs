//! Reads and writes rows of a read model's tables as sets: one statement per page, for any projection.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Change, Projection, ProjectionError};
use crate::turns::Steps;

/// The rows of some keys.
pub async fn load<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    keys: &[P::Key],
) -> Result<BTreeMap<P::Key, P::Row>, ProjectionError> {
    // Each key is looked up by itself (`offset 0`): whatever the statistics say, a join would be a scan of the table.
    let sql = format!(
        "select to_jsonb(t)::text \
           from jsonb_populate_recordset(null::{schema}.{table}, $1::jsonb) k \
          cross join lateral (select * from {schema}.{table} t where {same} offset 0) t",
        table = P::NAME,
        same = same_key::<P>(),
    );
    let rows: Vec<String> = sqlx::query_scalar(&sql)
        .bind(to_json::<P, _>(keys).await?)
        .fetch_all(connection)
        .await?;
    let rows = all_from_json::<P>(&rows).await?;
    Ok(rows.into_iter().map(|row| (P::key_of(&row), row)).collect())
}

/// Applies the changes to the tables, including derived ones.
pub(super) async fn write<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    changes: &[Change<P>],
) -> Result<(), ProjectionError> {
    let after: Vec<&P::Row> = changes
        .iter()
        .filter_map(|change| change.after.as_ref())
        .collect();
    store::<P>(&mut *connection, schema, &after).await?;
    let gone = changes.iter().filter(|change| change.after.is_none());
    let gone: Vec<P::Key> = gone.map(|change| change.key.clone()).collect();
    delete::<P>(&mut *connection, schema, &gone).await?;
    if changes.is_empty() {
        return Ok(());
    }
    P::write_details(connection, schema, changes).await
}

/// Writes rows over what was there.
async fn store<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    rows: &[&P::Row],
) -> Result<(), ProjectionError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let named = serde_json::to_value(first).map_err(row_error::<P>)?;
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
        .bind(to_json::<P, _>(rows).await?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Deletes rows.
pub(super) async fn delete<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    keys: &[P::Key],
) -> Result<(), ProjectionError> {
    if keys.is_empty() {
        return Ok(());
    }
    // Each key by itself, as in `load`. No other process writes these rows, so their `ctid` does not change in between.
    let sql = format!(
        "delete from {schema}.{table} where ctid = any(array( \
           select t.ctid from jsonb_populate_recordset(null::{schema}.{table}, $1::jsonb) k \
            cross join lateral (select t.ctid from {schema}.{table} t where {same} offset 0) t))",
        table = P::NAME,
        same = same_key::<P>(),
    );
    sqlx::query(&sql)
        .bind(to_json::<P, _>(keys).await?)
        .execute(connection)
        .await?;
    Ok(())
}

/// That a row `t` of the table has the key `k`.
fn same_key<P: Projection>() -> String {
    let same: Vec<String> = P::KEY_COLUMNS.iter().map(|c| format!("t.{c} = k.{c}")).collect();
    same.join(" and ")
}

/// Rows as a query returned them.
pub async fn all_from_json<P: Projection>(rows: &[String]) -> Result<Vec<P::Row>, ProjectionError> {
    let mut steps = Steps::default();
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        read.push(from_json::<P>(row)?);
        steps.did(row.len()).await;
    }
    Ok(read)
}

/// A row as a query returned it.
pub fn from_json<P: Projection>(row: &str) -> Result<P::Row, ProjectionError> {
    serde_json::from_str(row).map_err(row_error::<P>)
}

/// Rows or keys as a query takes them: an array.
pub(super) async fn to_json<P: Projection, T: serde::Serialize>(
    things: &[T],
) -> Result<String, ProjectionError> {
    let mut steps = Steps::default();
    let mut json = String::from("[");
    for thing in things {
        if json.len() > 1 {
            json.push(',');
        }
        let thing = serde_json::to_string(thing).map_err(row_error::<P>)?;
        json.push_str(&thing);
        steps.did(thing.len()).await;
    }
    json.push(']');
    Ok(json)
}

pub(super) fn row_error<P: Projection>(source: serde_json::Error) -> ProjectionError {
    ProjectionError::Row {
        table: P::NAME,
        source,
    }
}
