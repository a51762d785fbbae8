//! Writes rows into an empty table by `COPY … FROM STDIN` in PostgreSQL's text format, for rebuilds.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use sqlx::PgConnection;

use super::ProjectionError;

/// Bytes sent at once.
const CHUNK: usize = 256 * 1024;

/// Copies rows, whose fields are columns of the table.
pub(super) async fn copy_rows<'a, R: Serialize + 'a>(
    connection: &mut PgConnection,
    schema: &str,
    table: &'static str,
    rows: impl IntoIterator<Item = &'a R>,
) -> Result<u64, ProjectionError> {
    let kinds = column_kinds(&mut *connection, schema, table).await?;
    let mut rows = rows.into_iter().peekable();
    let Some(first) = rows.peek() else { return Ok(0) };
    let mut encoder = Encoder::for_row(table, *first, &kinds)?;
    let sql = format!(
        "copy {schema}.{table} ({}) from stdin",
        encoder.columns.join(", ")
    );
    let mut copy = connection.copy_in_raw(&sql).await?;
    let mut sent = Ok(());
    for row in rows {
        sent = encoder.push(table, row);
        if sent.is_err() {
            break;
        }
        if encoder.out.len() >= CHUNK {
            copy.send(encoder.out.as_slice()).await?;
            encoder.out.clear();
        }
    }
    if let Err(error) = sent {
        copy.abort(error.to_string()).await?;
        return Err(error);
    }
    copy.send(encoder.out.as_slice()).await?;
    Ok(copy.finish().await?)
}

/// How a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    TextArray,
    Other,
}

/// The columns of a table, in their order.
pub(super) async fn column_kinds(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
) -> Result<Vec<(String, Kind)>, sqlx::Error> {
    let columns: Vec<(String, String)> = sqlx::query_as(
        "select attname::text, atttypid::regtype::text from pg_attribute \
          where attrelid = $1::regclass and attnum > 0 and not attisdropped \
          order by attnum",
    )
    .bind(format!("{schema}.{table}"))
    .fetch_all(connection)
    .await?;
    let kind = |name: &str| match name {
        "jsonb" => Kind::Json,
        "text[]" => Kind::TextArray,
        _ => Kind::Other,
    };
    Ok(columns
        .into_iter()
        .map(|(column, name)| (column, kind(&name)))
        .collect())
}

/// Writes rows as lines of `COPY` text.
struct Encoder {
    columns: Vec<String>,
    kinds: Vec<Kind>,
    json: Vec<u8>,
    out: Vec<u8>,
}

impl Encoder {
    fn for_row<R: Serialize>(
        table: &'static str,
        row: &R,
        kinds: &[(String, Kind)],
    ) -> Result<Self, ProjectionError> {
        let json = serde_json::to_string(row).map_err(|source| ProjectionError::Row { table, source })?;
        let fields: Fields<'_> =
            serde_json::from_str(&json).map_err(|source| ProjectionError::Row { table, source })?;
        let columns: Vec<String> = fields.0.iter().map(|(name, _)| (*name).to_owned()).collect();
        let kind = |column: &String| kinds.iter().find(|(name, _)| name == column);
        let kinds = columns
            .iter()
            .map(|column| kind(column).map_or(Kind::Other, |(_, kind)| *kind));
        Ok(Self {
            kinds: kinds.collect(),
            columns,
            json: Vec::new(),
            out: Vec::with_capacity(CHUNK + CHUNK / 4),
        })
    }

    fn push<R: Serialize>(&mut self, table: &'static str, row: &R) -> Result<(), ProjectionError> {
        let error = |source| ProjectionError::Row { table, source };
        self.json.clear();
        serde_json::to_writer(&mut self.json, row).map_err(error)?;
        let fields: Fields<'_> = serde_json::from_slice(&self.json).map_err(error)?;
        for (index, ((_, value), kind)) in fields.0.iter().zip(&self.kinds).enumerate() {
            if index > 0 {
                self.out.push(b'\t');
            }
            encode(&mut self.out, value.get(), *kind).map_err(error)?;
        }
        self.out.push(b'\n');
        Ok(())
    }
}

fn encode(out: &mut Vec<u8>, json: &str, kind: Kind) -> Result<(), serde_json::Error> {
    match (kind, json.as_bytes().first()) {
        (_, Some(b'n')) => out.extend_from_slice(b"\\N"),
        (Kind::TextArray, _) => {
            let items: Vec<Option<String>> = serde_json::from_str(json)?;
            let quoted: Vec<String> = items
                .iter()
                .map(|item| match item {
                    Some(item) => format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")),
                    None => "NULL".to_owned(),
                })
                .collect();
            escape(out, &format!("{{{}}}", quoted.join(",")));
        }
        (Kind::Other, Some(b'"')) => escape(out, &serde_json::from_str::<String>(json)?),
        (Kind::Json | Kind::Other, _) => escape(out, json),
    }
    Ok(())
}

/// PostgreSQL, COPY, "Text Format": a backslash before what would end the field, the row or the text.
fn escape(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.push(other),
        }
    }
}

/// The fields of a JSON object in their order, their values as text.
pub(super) struct Fields<'a>(pub(super) Vec<(&'a str, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Vec<(&'de str, &'de RawValue)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(FieldsVisitor).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(json: &str, kind: Kind) -> String {
        let mut out = Vec::new();
        encode(&mut out, json, kind).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_are_written_as_copy_reads_them() {
        assert_eq!(encoded("null", Kind::Other), "\\N");
        assert_eq!(encoded("null", Kind::Json), "\\N");
        assert_eq!(encoded("1.5", Kind::Other), "1.5");
        assert_eq!(encoded("true", Kind::Other), "true");
        assert_eq!(encoded(r#""a\tb\\c\n""#, Kind::Other), r"a\tb\\c\n");
        assert_eq!(encoded(r#"{"a":"x\ty"}"#, Kind::Json), r#"{"a":"x\\ty"}"#);
        assert_eq!(encoded(r#""just a text""#, Kind::Json), r#""just a text""#);
        assert_eq!(
            encoded(r#"["a","b\"c","d\\e",""]"#, Kind::TextArray),
            r#"{"a","b\\"c","d\\\\e",""}"#
        );
        assert_eq!(encoded("[]", Kind::TextArray), "{}");
        assert_eq!(encoded(r#"[null,"NULL"]"#, Kind::TextArray), r#"{NULL,"NULL"}"#);
    }
}
