//! Rows in PostgreSQL's binary format (PostgreSQL, "COPY", "Binary Format"), in which they are copied and hashed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::ProjectionError;
use super::jsonb_text::{Text, jsonb_text};

/// Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin.
const EPOCH: i64 = 946_684_800_000_000;
/// The type of the items of `text[]`.
const TEXT_OID: u32 = 25;

/// The columns of a table, in their order.
pub(super) struct RowFormat {
    table: &'static str,
    columns: Vec<Column>,
}

struct Column {
    name: String,
    oid: u32,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Bytes,
    Float,
    Int,
    BigInt,
    Json,
    Text,
    TextArray,
    Time,
    Uuid,
}

impl Kind {
    fn of(type_name: &str) -> Option<Self> {
        Some(match type_name {
            "boolean" => Self::Bool,
            "bytea" => Self::Bytes,
            "double precision" => Self::Float,
            "integer" => Self::Int,
            "bigint" => Self::BigInt,
            "jsonb" => Self::Json,
            "text" => Self::Text,
            "text[]" => Self::TextArray,
            "timestamp with time zone" => Self::Time,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }
}

/// A row in binary format.
#[derive(Default)]
pub(super) struct BinaryRow {
    /// The number of fields, and each field behind its length.
    pub(super) bytes: Vec<u8>,
    /// Where each field begins, with its length.
    fields: Vec<usize>,
    /// Whether PostgreSQL returns each field as it is here. Some numbers in JSON it writes in another way.
    is_exact: bool,
}

impl RowFormat {
    /// That of a table.
    pub(super) async fn of_table(
        connection: &mut PgConnection,
        schema: &str,
        table: &'static str,
    ) -> Result<Self, ProjectionError> {
        let found: Vec<(String, String, i64)> = sqlx::query_as(
            "select attname::text, atttypid::regtype::text, atttypid::int8 from pg_attribute \
              where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum",
        )
        .bind(format!("{schema}.{table}"))
        .fetch_all(connection)
        .await?;
        let columns = found.into_iter().map(|(name, type_name, oid)| {
            let kind = Kind::of(&type_name).zip(u32::try_from(oid).ok());
            let (kind, oid) = kind.ok_or_else(|| wrong(format!("{name} has the type {type_name}")))?;
            Ok(Column { name, oid, kind })
        });
        let columns = columns.collect::<serde_json::Result<_>>();
        Ok(Self {
            table,
            columns: columns.map_err(|source| ProjectionError::Row { table, source })?,
        })
    }

    /// The names of the columns, for a statement.
    pub(super) fn columns(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// The hash of a row `t` of the table, for a query; [`read_hash`] reads it.
    pub(super) fn hash_in_table(&self) -> String {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| format!("t.{}", column.name))
            .collect();
        format!("substr(sha256(record_send(row({}))), 1, 8)", columns.join(", "))
    }

    /// The hash that a row will have in the table: of what PostgreSQL's `record_send` makes of it. `None` if that is not
    /// certain.
    pub(super) fn hash(&self, row: &BinaryRow) -> Option<i64> {
        if !row.is_exact {
            return None;
        }
        let mut hash = Sha256::new_with_prefix(count(self.columns.len()).to_be_bytes());
        let ends = row.fields.iter().skip(1).copied().chain([row.bytes.len()]);
        for ((column, start), end) in self.columns.iter().zip(&row.fields).zip(ends) {
            hash.update(column.oid.to_be_bytes());
            hash.update(&row.bytes[*start..end]);
        }
        Some(read_hash(&hash.finalize()))
    }

    /// Makes a row of a value whose fields are columns; a column without a field is null.
    pub(super) fn encode<R: Serialize>(&self, row: &R, into: &mut BinaryRow) -> Result<(), ProjectionError> {
        self.try_encode(row, into).map_err(|source| ProjectionError::Row {
            table: self.table,
            source,
        })
    }

    fn try_encode<R: Serialize>(&self, row: &R, into: &mut BinaryRow) -> serde_json::Result<()> {
        let json = serde_json::to_string(row)?;
        let fields = serde_json::from_str::<Fields<'_>>(&json)?.0;
        into.bytes.clear();
        into.fields.clear();
        into.is_exact = true;
        into.bytes.extend(
            i16::try_from(self.columns.len())
                .unwrap_or(i16::MAX)
                .to_be_bytes(),
        );
        let mut used = 0;
        for (index, column) in self.columns.iter().enumerate() {
            // Mostly both have the same order.
            let same = fields.get(index).filter(|(name, _)| *name == column.name);
            let field = same.or_else(|| fields.iter().find(|(name, _)| *name == column.name));
            used += usize::from(field.is_some());
            into.push(field.map_or("null", |(_, value)| value.get()), column.kind)?;
        }
        if used == fields.len() {
            Ok(())
        } else {
            Err(wrong("a field has no column".to_owned()))
        }
    }
}

/// A hash of a row from its first bytes.
pub(super) fn read_hash(bytes: &[u8]) -> i64 {
    bytes.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

impl BinaryRow {
    fn push(&mut self, json: &str, kind: Kind) -> serde_json::Result<()> {
        let start = self.bytes.len();
        self.fields.push(start);
        self.bytes.extend((-1_i32).to_be_bytes());
        if json == "null" {
            return Ok(());
        }
        let out = &mut self.bytes;
        match kind {
            Kind::Bool => out.push(u8::from(serde_json::from_str::<bool>(json)?)),
            Kind::Float => out.extend(serde_json::from_str::<f64>(json)?.to_be_bytes()),
            Kind::Int => out.extend(serde_json::from_str::<i32>(json)?.to_be_bytes()),
            Kind::BigInt => out.extend(serde_json::from_str::<i64>(json)?.to_be_bytes()),
            Kind::Text => out.extend(serde_json::from_str::<Text<'_>>(json)?.0.bytes()),
            Kind::Uuid => out.extend(serde_json::from_str::<Uuid>(json)?.as_bytes()),
            Kind::Time => {
                let time: DateTime<Utc> = serde_json::from_str(json)?;
                // As PostgreSQL rounds: to the nearest microsecond.
                let rounded =
                    time.timestamp_micros() + i64::from(time.timestamp_subsec_nanos() % 1000 >= 500);
                out.extend((rounded - EPOCH).to_be_bytes());
            }
            Kind::Bytes => {
                let text: Text<'_> = serde_json::from_str(json)?;
                let digits = text
                    .0
                    .strip_prefix("\\x")
                    .ok_or_else(|| wrong("bytes without \\x".to_owned()))?;
                out.extend(hex::decode(digits).map_err(Error::custom)?);
            }
            Kind::Json => {
                // The version of the format.
                out.push(1);
                if let Ok(text) = jsonb_text(json) {
                    out.extend(text);
                } else {
                    self.is_exact = false;
                    out.extend(json.bytes());
                }
            }
            Kind::TextArray => push_texts(out, &serde_json::from_str::<Vec<Option<Text<'_>>>>(json)?),
        }
        let length = count(self.bytes.len() - start - 4);
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }
}

/// PostgreSQL's `array_send`: the number of dimensions, whether there are nulls, the type of the items, the length and
/// first index of each dimension, and the items behind their lengths.
fn push_texts(out: &mut Vec<u8>, texts: &[Option<Text<'_>>]) {
    out.extend(i32::from(!texts.is_empty()).to_be_bytes());
    out.extend(i32::from(texts.iter().any(Option::is_none)).to_be_bytes());
    out.extend(TEXT_OID.to_be_bytes());
    if !texts.is_empty() {
        out.extend(count(texts.len()).to_be_bytes());
        out.extend(1_i32.to_be_bytes());
    }
    for text in texts {
        match text {
            Some(text) => {
                out.extend(count(text.0.len()).to_be_bytes());
                out.extend(text.0.bytes());
            }
            None => out.extend((-1_i32).to_be_bytes()),
        }
    }
}

/// A number of columns, bytes or items; PostgreSQL refuses what is longer.
fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn wrong(what: String) -> serde_json::Error {
    Error::custom(what)
}

/// The fields of a JSON object in their order, their values as text.
struct Fields<'a>(Vec<(&'a str, &'a RawValue)>);

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

    fn encoded(json: &str, kind: Kind) -> Vec<u8> {
        let mut row = BinaryRow::default();
        row.push(json, kind).unwrap();
        row.bytes
    }

    fn field(content: &[u8]) -> Vec<u8> {
        [&count(content.len()).to_be_bytes(), content].concat()
    }

    #[test]
    fn values_are_written_as_postgresql_sends_them() {
        for (json, kind, content) in [
            ("true", Kind::Bool, vec![1]),
            ("1.5", Kind::Float, 1.5_f64.to_be_bytes().to_vec()),
            ("-7", Kind::Int, (-7_i32).to_be_bytes().to_vec()),
            ("7", Kind::BigInt, 7_i64.to_be_bytes().to_vec()),
            (r#""a\tb\\c""#, Kind::Text, b"a\tb\\c".to_vec()),
            (r#""\\x00ff""#, Kind::Bytes, vec![0, 255]),
            (
                r#"{"bb":1,"a":"x"}"#,
                Kind::Json,
                b"\x01{\"a\": \"x\", \"bb\": 1}".to_vec(),
            ),
            (
                r#""2000-01-01T00:00:00.000001Z""#,
                Kind::Time,
                1_i64.to_be_bytes().to_vec(),
            ),
            (
                r#""1999-12-31T23:59:59.9999996Z""#,
                Kind::Time,
                0_i64.to_be_bytes().to_vec(),
            ),
            (
                "[]",
                Kind::TextArray,
                [[0; 8].as_slice(), &[0, 0, 0, 25]].concat(),
            ),
        ] {
            assert_eq!(encoded(json, kind), field(&content), "{json}");
            assert_eq!(encoded("null", kind), [255; 4]);
        }
        let one = [0, 0, 0, 1];
        let texts = [
            &one[..],
            &one,
            &[0, 0, 0, 25, 0, 0, 0, 2],
            &one,
            &one,
            b"a",
            &[255; 4],
        ]
        .concat();
        assert_eq!(encoded(r#"["a",null]"#, Kind::TextArray), field(&texts));
    }

    #[test]
    fn a_field_without_a_column_is_refused() {
        let format = RowFormat {
            table: "t",
            columns: vec![Column {
                name: "a".to_owned(),
                oid: 23,
                kind: Kind::Int,
            }],
        };
        let mut row = BinaryRow::default();
        format.encode(&serde_json::json!({ "a": 1 }), &mut row).unwrap();
        assert_eq!(row.bytes, [0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
        assert!(
            format
                .encode(&serde_json::json!({ "a": 1, "b": 2 }), &mut row)
                .is_err()
        );
        assert!(format.encode(&serde_json::json!({ "a": "x" }), &mut row).is_err());
    }
}
