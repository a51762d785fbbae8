//! Exports: rows of the API's lists as CSV, NDJSON, workbooks (XLSX) and Parquet.
//!
//! A row is the API's object as JSON, so a column has the API's name and value. The caller decides where rows come
//! from and who may read them.

pub mod cell;
pub mod columns;
pub mod encoder;
pub mod pages;
pub mod parquet;
pub mod workbook;

use std::fmt;
use std::str::FromStr;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 in UTF-8, with a header and CRLF.
    Csv,
    /// One JSON object per line, as the API shows it.
    Ndjson,
    /// Office Open XML, one sheet.
    Xlsx,
    /// Apache Parquet: typed columns in row groups.
    Parquet,
}

impl Format {
    /// All formats; the first one is the default.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Ndjson, Self::Xlsx, Self::Parquet];

    /// As in `?format=` and `--format`, and the ending of a file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// Its media types without parameters. NDJSON has two names, neither of them registered.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &["text/csv"],
            Self::Ndjson => &["application/x-ndjson", "application/ndjson"],
            Self::Xlsx => &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"],
            Self::Parquet => &["application/vnd.apache.parquet"],
        }
    }

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            other => other.media_types()[0],
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|format| format.as_str() == text);
        named.ok_or_else(|| format!("'{text}' is not a format; use csv, ndjson, xlsx or parquet"))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
