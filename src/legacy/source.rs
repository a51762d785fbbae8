//! The predecessor's database: one read-only transaction with a consistent snapshot. It also works behind a
//! transaction pooler, because it uses no prepared statements across transactions.

use std::collections::HashSet;

use futures::TryStreamExt;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{Connection, Executor, PgConnection, Row};

use super::row::OldRow;

/// Why it cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The URL is invalid, or the server does not respond.
    #[error("cannot reach the predecessor's database")]
    Unreachable(#[source] sqlx::Error),
    /// A query failed.
    #[error("cannot read the predecessor's database")]
    Unreadable(#[from] sqlx::Error),
    /// It has none of the tables.
    #[error(
        "found none of the tables domains, jobs and batch_jobs; is this the URL of the predecessor's database, and is its schema in the search_path?"
    )]
    NoTables,
}

/// The predecessor's database as it was when it was opened.
#[derive(Debug)]
pub struct OldDatabase {
    connection: PgConnection,
}

impl OldDatabase {
    /// Begins the transaction; times are in UTC. `NoTables` if none of the three main tables is there.
    pub async fn open(url: &str) -> Result<Self, SourceError> {
        let options: PgConnectOptions = url.parse().map_err(SourceError::Unreachable)?;
        let options = options
            .statement_cache_capacity(0)
            .application_name("sitelog legacy");
        let mut connection = PgConnection::connect_with(&options)
            .await
            .map_err(SourceError::Unreachable)?;
        // It may be idle while we append, so the limit for idle transactions does not apply to it.
        connection
            .execute(
                "begin isolation level repeatable read read only; set local timezone = 'UTC'; \
                 set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0",
            )
            .await?;
        let mut old = Self { connection };
        for table in ["domains", "jobs", "batch_jobs"] {
            if old.has(table).await? {
                return Ok(old);
            }
        }
        Err(SourceError::NoTables)
    }

    /// Whether a table exists.
    pub async fn has(&mut self, table: &str) -> Result<bool, SourceError> {
        Ok(sqlx::query_scalar("select to_regclass($1) is not null")
            .bind(table)
            .fetch_one(&mut self.connection)
            .await?)
    }

    /// `order by` those of some columns that a table has: its generations differ.
    pub async fn order(&mut self, table: &str, wanted: &[&str]) -> Result<String, SourceError> {
        let names: Vec<String> = sqlx::query_scalar(
            "select attname::text from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped",
        )
        .bind(table)
        .fetch_all(&mut self.connection)
        .await?;
        let there: HashSet<&str> = names.iter().map(String::as_str).collect();
        let columns: Vec<String> = wanted
            .iter()
            .filter(|column| there.contains(**column))
            .map(|column| format!("t.{column} nulls first"))
            .collect();
        Ok(if columns.is_empty() {
            String::new()
        } else {
            format!("order by {}", columns.join(", "))
        })
    }

    /// Begins to read a table, all columns, whatever they are, in the order of `order`. One at a time.
    pub async fn begin(&mut self, table: &str, order: &str) -> Result<(), SourceError> {
        let sql = format!(
            "declare old_rows no scroll cursor for select id::text, to_jsonb(t)::text from {table} t {order}"
        );
        self.connection.execute(sql.as_str()).await?;
        Ok(())
    }

    /// The next rows of the table that was begun; none at its end.
    pub(super) async fn next(&mut self, most: usize) -> Result<Vec<OldRow>, SourceError> {
        let rows = sqlx::raw_sql(&format!("fetch {most} from old_rows"))
            .fetch_all(&mut self.connection)
            .await?;
        if rows.is_empty() {
            self.connection.execute("close old_rows").await?;
        }
        rows.iter().map(old_row).collect()
    }

    /// Rows of a table whose column holds one of some ids.
    pub(super) async fn rows_with(
        &mut self,
        table: &str,
        column: &str,
        ids: &[String],
        order: &str,
    ) -> Result<Vec<OldRow>, SourceError> {
        // As a text first, so that a column of another type serves as well; the array is one of the column's own type,
        // so that an index on it does, too.
        let kind: String = sqlx::query_scalar(
            "select format_type(atttypid, null) from pg_attribute where attrelid = to_regclass($1) and attname = $2",
        )
        .bind(table)
        .bind(column)
        .fetch_one(&mut self.connection)
        .await?;
        let sql = format!(
            "select id::text, to_jsonb(t)::text from {table} t where {column} = any($1::text[]::{kind}[]) {order}"
        );
        let rows = sqlx::query(&sql)
            .bind(ids)
            .fetch_all(&mut self.connection)
            .await?;
        rows.iter().map(old_row).collect()
    }

    /// Number of rows of a table for each value of a column.
    pub async fn counts(&mut self, table: &str, column: &str) -> Result<Vec<(String, i64)>, SourceError> {
        let sql = format!("select coalesce({column}::text, ''), count(*) from {table} group by 1");
        Ok(sqlx::query_as(&sql).fetch_all(&mut self.connection).await?)
    }

    /// All values of some columns of a table, as texts.
    pub async fn columns<const N: usize>(
        &mut self,
        table: &str,
        columns: [&str; N],
    ) -> Result<Vec<[Option<String>; N]>, SourceError> {
        // A column that this generation did not have is null.
        let as_text = columns.map(|column| format!("to_jsonb(t) ->> '{column}'"));
        let sql = format!("select {} from {table} t", as_text.join(", "));
        let mut rows = sqlx::query(&sql).fetch(&mut self.connection);
        let mut found = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let mut values = [const { None }; N];
            for (column, value) in values.iter_mut().enumerate() {
                *value = row.try_get(column)?;
            }
            found.push(values);
        }
        Ok(found)
    }

    /// How many rows a table has.
    pub async fn count(&mut self, table: &str) -> Result<i64, SourceError> {
        Ok(sqlx::query_scalar(&format!("select count(*) from {table}"))
            .fetch_one(&mut self.connection)
            .await?)
    }
}

fn old_row(row: &PgRow) -> Result<OldRow, SourceError> {
    let id: Option<String> = row.try_get(0)?;
    let text: String = row.try_get(1)?;
    Ok(OldRow::read(id.unwrap_or_default(), &text))
}
