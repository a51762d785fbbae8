//! Hashes of rows, with which tables are compared with the log. PostgreSQL hashes the columns of both in the form of
//! their types. JSON columns are hashed as text: that of a table by PostgreSQL, that of the log in the process, which
//! takes a fraction of the time that PostgreSQL needs to parse them.

use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::copy::{Fields, Kind, column_kinds};
use super::jsonb_text::jsonb_text;
use super::rows::row_error;
use super::{Projection, ProjectionError};
use crate::turns::Steps;

/// Number of rows that are hashed at once.
const ROWS_PER_HASH: usize = 500;

/// How the rows of a table are hashed.
pub(super) struct RowHash {
    table: String,
    plain: Vec<String>,
    json: Vec<String>,
}

impl RowHash {
    /// That of a projection's table in a schema.
    pub(super) async fn of<P: Projection>(
        connection: &mut PgConnection,
        schema: &str,
    ) -> Result<Self, sqlx::Error> {
        let kinds = column_kinds(connection, schema, P::NAME).await?;
        let (mut plain, mut json) = (Vec::new(), Vec::new());
        for (column, kind) in kinds {
            if kind == Kind::Json { &mut json } else { &mut plain }.push(column);
        }
        Ok(Self {
            table: format!("{schema}.{}", P::NAME),
            plain,
            json,
        })
    }

    /// The two parts of the hash of a row `t`, as columns of a query; `join` joins them.
    pub(super) fn columns(&self) -> String {
        let texts: Vec<String> = self.json.iter().map(|name| format!("t.{name}::text")).collect();
        format!(
            "{}, sha256(convert_to(concat_ws(E'\\n', {}), 'UTF8'))",
            self.hash_of_plain(),
            if texts.is_empty() {
                "''".to_owned()
            } else {
                texts.join(", ")
            }
        )
    }

    fn hash_of_plain(&self) -> String {
        let columns: Vec<String> = self.plain.iter().map(|name| format!("t.{name}")).collect();
        format!("hashtextextended(row({})::text, 0)", columns.join(", "))
    }

    /// Hashes of rows that are not in the table, as they would be if they were. None of a row whose JSON PostgreSQL may
    /// write in another way.
    pub(super) async fn of_rows<P: Projection>(
        &self,
        connection: &mut PgConnection,
        rows: &[&P::Row],
    ) -> Result<Vec<Option<i64>>, ProjectionError> {
        let sql = format!(
            "select {} from json_populate_recordset(null::{}, $1::json) with ordinality t order by t.ordinality",
            self.hash_of_plain(),
            self.table
        );
        let mut hashes = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(ROWS_PER_HASH) {
            let (plain, json) = self.split::<P>(chunk).await?;
            let of_chunk: Vec<i64> = sqlx::query_scalar(&sql)
                .bind(plain)
                .fetch_all(&mut *connection)
                .await?;
            hashes.extend(
                of_chunk
                    .into_iter()
                    .zip(json)
                    .map(|(plain, json)| Some(join(plain, &json?))),
            );
        }
        Ok(hashes)
    }

    /// The plain columns of rows as a JSON array, and the hash of the JSON columns of each.
    async fn split<P: Projection>(
        &self,
        rows: &[&P::Row],
    ) -> Result<(String, Vec<Option<Vec<u8>>>), ProjectionError> {
        let mut steps = Steps::default();
        let (mut plain, mut hashes) = (String::from("["), Vec::with_capacity(rows.len()));
        for row in rows {
            let row = serde_json::to_string(row).map_err(row_error::<P>)?;
            let fields: Fields<'_> = serde_json::from_str(&row).map_err(row_error::<P>)?;
            plain.push_str(if plain.len() > 1 { ",{" } else { "{" });
            for (name, value) in &fields.0 {
                if !self.json.iter().any(|column| column == name) {
                    let comma = if plain.ends_with('{') { "" } else { "," };
                    plain.extend([comma, "\"", name, "\":", value.get()]);
                }
            }
            plain.push('}');
            hashes.push(self.hash_of_json(&fields));
            steps.did(row.len()).await;
        }
        plain.push(']');
        Ok((plain, hashes))
    }

    fn hash_of_json(&self, row: &Fields<'_>) -> Option<Vec<u8>> {
        let mut texts = Vec::with_capacity(self.json.len());
        for column in &self.json {
            let value = row.0.iter().find(|(name, _)| name == column)?.1.get();
            if value != "null" {
                texts.push(jsonb_text(value).ok()?);
            }
        }
        Some(Sha256::digest(texts.join(&b'\n')).to_vec())
    }
}

/// The hash of a row from its two parts.
pub(super) fn join(plain: i64, json: &[u8]) -> i64 {
    let json = json.first_chunk().map_or(0, |first| i64::from_be_bytes(*first));
    plain ^ json
}
