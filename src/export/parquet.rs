//! Parquet: typed columns in row groups, sent as they are written. At most one row group is in memory.

use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;
use futures::{Stream, TryStreamExt, stream};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;

use super::cell::element;
use super::columns::{ColumnType, Exported};
use super::encoder::Encoder;

/// Limits of a row group: rows, and bytes of its values. The first limit that is reached ends it.
const GROUP_ROWS: usize = 20_000;
const GROUP_BYTES: usize = 8 * 1024 * 1024;
/// What a value counts in addition to its bytes: its place and its levels.
const VALUE_BYTES: usize = 16;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// A value is not of its column's type.
    #[error("the value of the column {column} is not {expected}")]
    Type {
        /// In the header.
        column: String,
        /// The expected type.
        expected: &'static str,
    },
    /// The format does not support it.
    #[error("cannot write the Parquet file")]
    Write(#[from] ParquetError),
    /// A row cannot be written as JSON, which does not happen.
    #[error("cannot write a row")]
    Row(#[from] serde_json::Error),
    /// The thread that writes has ended.
    #[error("cannot write the Parquet file")]
    Thread(#[from] tokio::task::JoinError),
}

/// A file from pages of rows, in pieces to send one after the other.
pub fn pieces<T, E>(
    encoder: Encoder<T>,
    pages: impl Stream<Item = Result<Vec<T>, E>> + Send,
) -> impl Stream<Item = Result<Bytes, E>> + Send
where
    T: Exported,
    E: From<TableError> + Send,
{
    let start = (Box::pin(pages), Some(Start::New(encoder)));
    stream::try_unfold(start, async |(mut pages, mut table)| {
        while let Some(begun) = table.take() {
            let page = pages.try_next().await?;
            let is_last = page.is_none();
            let (bytes, written) = on_thread(move || begun.write(page)).await??;
            table = (!is_last).then_some(Start::Begun(written));
            if !bytes.is_empty() {
                return Ok(Some((Bytes::from(bytes), (pages, table))));
            }
        }
        Ok(None)
    })
}

async fn on_thread<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, TableError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by its callers; pages of exports must not take the place of sites in the pool for parsing"
    )]
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// A table before and after its first page: a failed start is reported like a failed write.
enum Start<T> {
    New(Encoder<T>),
    Begun(Box<Table<T>>),
}

impl<T: Exported> Start<T> {
    /// Adds a page, or ends the file.
    fn write(self, page: Option<Vec<T>>) -> Result<(Vec<u8>, Box<Table<T>>), TableError> {
        let mut table = match self {
            Self::New(encoder) => Box::new(Table::new(encoder)?),
            Self::Begun(table) => table,
        };
        let bytes = match page {
            Some(rows) => table.add(&rows)?,
            None => table.finish()?,
        };
        Ok((bytes, table))
    }
}

/// The written part of a file.
struct Table<T> {
    encoder: Encoder<T>,
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl<T: Exported> Table<T> {
    fn new(encoder: Encoder<T>) -> Result<Self, TableError> {
        let columns: Vec<Column> = encoder
            .typed_header()
            .map(|(name, kind)| Column::new(name, kind))
            .collect();
        let properties = WriterProperties::builder()
            .set_created_by(concat!("sitelog ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let file = SerializedFileWriter::new(Vec::new(), schema(&columns)?, Arc::new(properties))?;
        Ok(Self {
            encoder,
            file,
            columns,
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds rows; returns what is ready to be sent.
    fn add(&mut self, rows: &[T]) -> Result<Vec<u8>, TableError> {
        for row in rows {
            for (column, value) in self.columns.iter_mut().zip(self.encoder.values(row)?) {
                self.bytes += VALUE_BYTES + column.add(&value)?;
            }
            self.rows += 1;
            if self.rows == GROUP_ROWS || self.bytes >= GROUP_BYTES {
                self.end_group()?;
            }
        }
        self.take()
    }

    /// The rest of the file.
    fn finish(&mut self) -> Result<Vec<u8>, TableError> {
        if self.rows > 0 {
            self.end_group()?;
        }
        self.file.finish()?;
        self.take()
    }

    fn end_group(&mut self) -> Result<(), TableError> {
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>, TableError> {
        self.file.flush().map_err(ParquetError::from)?;
        // The writer counts the written bytes itself, so sent ones can be dropped.
        Ok(std::mem::take(self.file.inner_mut()))
    }
}

/// The values of a column in the present row group, with the levels that say which are missing (definition) and which
/// begin a list (repetition).
struct Column {
    name: String,
    kind: ColumnType,
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    floats: Vec<f64>,
    booleans: Vec<bool>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl Column {
    fn new(name: &str, kind: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            texts: Vec::new(),
            numbers: Vec::new(),
            floats: Vec::new(),
            booleans: Vec::new(),
            definition: Vec::new(),
            repetition: Vec::new(),
        }
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, logical) = match self.kind {
            ColumnType::Text | ColumnType::TextList => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            ColumnType::Integer => (Physical::INT64, None),
            ColumnType::Float => (Physical::DOUBLE, None),
            ColumnType::Boolean => (Physical::BOOLEAN, None),
            ColumnType::Time => (
                Physical::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
            ),
        };
        if self.kind != ColumnType::TextList {
            return Type::primitive_type_builder(&self.name, physical)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(logical)
                .build();
        }
        // The three levels that the format prescribes for lists.
        let element = Type::primitive_type_builder("element", physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical)
            .build()?;
        let list = Type::group_type_builder("list")
            .with_repetition(Repetition::REPEATED)
            .with_fields(vec![Arc::new(element)])
            .build()?;
        Type::group_type_builder(&self.name)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::List))
            .with_fields(vec![Arc::new(list)])
            .build()
    }

    /// Adds the value of a row; returns how many bytes it holds.
    fn add(&mut self, value: &Value) -> Result<usize, TableError> {
        if value.is_null() {
            self.definition.push(0);
            self.repetition.push(0);
            return Ok(0);
        }
        if let ColumnType::TextList = self.kind {
            return Ok(self.add_list(value));
        }
        let expected = |expected| {
            let column = self.name.clone();
            move || TableError::Type { column, expected }
        };
        let bytes = match self.kind {
            ColumnType::Text | ColumnType::TextList => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let bytes = text.len();
                self.texts.push(ByteArray::from(text.into_bytes()));
                bytes
            }
            ColumnType::Integer => {
                let number = value.as_i64().ok_or_else(expected("a whole number"))?;
                self.numbers.push(number);
                0
            }
            ColumnType::Float => {
                let number = value.as_f64().ok_or_else(expected("a number"))?;
                self.floats.push(number);
                0
            }
            ColumnType::Boolean => {
                let truth = value.as_bool().ok_or_else(expected("true or false"))?;
                self.booleans.push(truth);
                0
            }
            ColumnType::Time => {
                let time = value
                    .as_str()
                    .and_then(|text| DateTime::parse_from_rfc3339(text).ok());
                let time = time.ok_or_else(expected("a time"))?;
                self.numbers.push(time.timestamp_micros());
                0
            }
        };
        self.definition.push(1);
        self.repetition.push(0);
        Ok(bytes)
    }

    fn add_list(&mut self, value: &Value) -> usize {
        let elements = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        if elements.is_empty() {
            self.definition.push(1);
            self.repetition.push(0);
        }
        let mut bytes = 0;
        for (place, value) in elements.iter().enumerate() {
            let text = element(value);
            bytes += VALUE_BYTES + text.len();
            self.texts.push(ByteArray::from(text.into_bytes()));
            self.definition.push(2);
            self.repetition.push(i16::from(place > 0));
        }
        bytes
    }

    fn write(&mut self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        match self.kind {
            ColumnType::Text | ColumnType::TextList => self.write_as::<ByteArrayType>(group, &self.texts)?,
            ColumnType::Integer | ColumnType::Time => self.write_as::<Int64Type>(group, &self.numbers)?,
            ColumnType::Float => self.write_as::<DoubleType>(group, &self.floats)?,
            ColumnType::Boolean => self.write_as::<BoolType>(group, &self.booleans)?,
        }
        self.texts.clear();
        self.numbers.clear();
        self.floats.clear();
        self.booleans.clear();
        self.definition.clear();
        self.repetition.clear();
        Ok(())
    }

    fn write_as<D: DataType>(
        &self,
        group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
        values: &[D::T],
    ) -> Result<(), ParquetError> {
        let missing = || ParquetError::General("the schema has a column less".to_owned());
        let mut writer = group.next_column()?.ok_or_else(missing)?;
        let repetition = (self.kind == ColumnType::TextList).then_some(self.repetition.as_slice());
        writer
            .typed::<D>()
            .write_batch(values, Some(&self.definition), repetition)?;
        writer.close()
    }
}

fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let fields: Result<Vec<TypePtr>, ParquetError> = columns
        .iter()
        .map(|column| column.schema().map(Arc::new))
        .collect();
    let schema = Type::group_type_builder("sitelog").with_fields(fields?).build()?;
    Ok(Arc::new(schema))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::columns::{AUDIT, Column as Described, DOMAINS, ListRow};
    use parquet::file::metadata::RowGroupMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use serde_json::json;

    #[derive(serde::Serialize)]
    struct Row(Value);

    impl Exported for Row {
        const COLUMNS: &'static [Described] = &DOMAINS;
        const OTHER_FIELDS: &'static [&'static str] = &[];

        fn list_row(&self) -> ListRow<'_> {
            ListRow::Nowhere
        }
    }

    async fn written(rows: Vec<Value>) -> (Vec<Bytes>, Result<(), TableError>) {
        let rows: Vec<Row> = rows.into_iter().map(Row).collect();
        let pages = stream::iter([Ok::<_, TableError>(rows)]);
        let mut pieces_of = Box::pin(pieces(Encoder::<Row>::new(None), pages));
        let mut all = Vec::new();
        loop {
            match pieces_of.try_next().await {
                Ok(Some(piece)) => all.push(piece),
                Ok(None) => return (all, Ok(())),
                Err(error) => return (all, Err(error)),
            }
        }
    }

    fn read(pieces: &[Bytes]) -> SerializedFileReader<Bytes> {
        SerializedFileReader::new(Bytes::from(pieces.concat())).unwrap()
    }

    fn fields(row: &parquet::record::Row, name: &str) -> Field {
        let mut columns = row.get_column_iter();
        columns.find(|(column, _)| *column == name).unwrap().1.clone()
    }

    #[tokio::test]
    async fn values_come_back_in_their_types_and_nothing_is_not_an_empty_list() {
        let full = json!({
            "domain": "a.com", "title": "=1\u{0}ü", "email_addresses": ["a@a.com", "b@a.com"], "phone_numbers": [],
            "is_wordpress": true, "sitemap_urls": 7, "first_scan": "2026-11-29T20:46:31.123456Z",
            "meta_json": { "technologies": [{ "name": "Vue", "version": "3.1" }], "certificate": { "valid_to": "2027-01-02T03:04:05+01:00" } },
        });
        let (pieces, ended) = written(vec![full, json!({ "domain": "b.com" })]).await;
        ended.unwrap();
        let file = read(&pieces);
        let rows: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let of = |name: &str| fields(&rows[0], name);
        assert_eq!(of("title"), Field::Str("=1\u{0}ü".into()));
        assert_eq!(of("is_wordpress"), Field::Bool(true));
        assert_eq!(of("sitemap_urls"), Field::Long(7));
        assert_eq!(of("first_scan"), Field::TimestampMicros(1_795_985_191_123_456));
        assert_eq!(of("tls_expires"), Field::TimestampMicros(1_798_855_445_000_000));
        assert_eq!(of("email_addresses").to_string(), "[\"a@a.com\", \"b@a.com\"]");
        assert_eq!(of("technologies").to_string(), "[\"Vue 3.1\"]");
        assert_eq!(of("phone_numbers").to_string(), "[]");
        for name in [
            "phone_numbers",
            "is_wordpress",
            "sitemap_urls",
            "first_scan",
            "title",
        ] {
            assert_eq!(fields(&rows[1], name), Field::Null, "{name}");
        }
    }

    #[tokio::test]
    async fn a_file_without_rows_has_its_columns() {
        let (pieces, ended) = written(Vec::new()).await;
        ended.unwrap();
        let file = read(&pieces);
        assert_eq!(file.metadata().file_metadata().num_rows(), 0);
        assert_eq!(
            file.metadata().file_metadata().schema().get_fields().len(),
            DOMAINS.len()
        );
    }

    #[tokio::test]
    async fn rows_are_sent_in_groups_before_the_last_is_read() {
        let text = "x".repeat(1000);
        let rows: Vec<Value> = (0..10_000)
            .map(|n| json!({ "domain": format!("{n}.com"), "title": text }))
            .collect();
        let pages = stream::iter(
            rows.chunks(500)
                .map(|rows| Ok::<_, TableError>(rows.iter().cloned().map(Row).collect::<Vec<_>>())),
        );
        let pieces: Vec<Bytes> = Box::pin(pieces(Encoder::<Row>::new(None), pages))
            .try_collect()
            .await
            .unwrap();
        let file = read(&pieces);
        let metadata = file.metadata();
        assert!(
            metadata.num_row_groups() >= 2 && pieces.len() > 2,
            "{}",
            metadata.num_row_groups()
        );
        let most = metadata
            .row_groups()
            .iter()
            .map(RowGroupMetaData::total_byte_size)
            .max();
        assert!(most.unwrap() < 2 * i64::try_from(GROUP_BYTES).unwrap());
        let last = file.get_row_iter(None).unwrap().last().unwrap().unwrap();
        assert_eq!(fields(&last, "domain"), Field::Str("9999.com".into()));
    }

    #[tokio::test]
    async fn a_value_of_another_type_ends_the_file() {
        let (_, ended) = written(vec![json!({ "first_scan": "yesterday" })]).await;
        assert_eq!(
            ended.unwrap_err().to_string(),
            "the value of the column first_scan is not a time"
        );
        assert!(AUDIT.iter().any(|column| column.kind == ColumnType::Integer));
    }
}
