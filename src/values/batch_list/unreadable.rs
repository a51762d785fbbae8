//! Why a whole list cannot be read.

use super::{MAX_COLUMN_NAME, MAX_COLUMN_NAMES, shorten};

/// Why a list cannot be read; the message is for the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableList {
    /// Bytes that are not text in the encoding of the list.
    #[error("line {line} is not valid {encoding}; save the file as UTF-8")]
    NotText {
        /// From 1.
        line: u32,
        /// The declared or detected encoding.
        encoding: &'static str,
    },
    /// An unknown declared encoding.
    #[error("the encoding '{0}' is unknown; save the file as UTF-8")]
    UnknownEncoding(String),
    /// A file of another kind.
    #[error(
        "the file is {0}; save the list as CSV, as plain text with one domain per line, or as an Excel file (.xlsx)"
    )]
    AnotherKind(&'static str),
    /// A workbook that cannot be opened, or not within the limits.
    #[error("cannot read the Excel file: {0}; save the sheet as CSV")]
    Workbook(String),
    /// A quote that is not closed, or closed in the middle of a cell.
    #[error(
        "the quote that opens on line {line}, before '{cell}', {fault}; add the missing quote, or double each quote inside a quoted cell"
    )]
    Quote {
        /// Of the opening quote, from 1.
        line: u32,
        /// The text after the opening quote.
        cell: String,
        /// The problem.
        fault: String,
    },
    /// Names of columns that are too long.
    #[error(
        "the name of column {number} ('{name}') is too long: {limit}; shorten it, or add a line with short names above"
    )]
    ColumnName {
        /// From 1.
        number: usize,
        /// Its beginning.
        name: String,
        /// The limit.
        limit: String,
    },
    /// A column that the sender chose and the list has not.
    #[error("the list has no column '{wanted}'; its columns are {columns}")]
    UnknownColumn {
        /// As requested.
        wanted: String,
        /// The columns that the list has.
        columns: String,
    },
}

impl UnreadableList {
    /// Which of them it is, by name.
    #[cfg(test)]
    pub(super) fn kind(&self) -> String {
        let text = format!("{self:?}");
        let end = text.find(|c: char| !c.is_alphanumeric());
        text[..end.unwrap_or(text.len())].to_owned()
    }

    /// Where it is, from 1.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::NotText { line, .. } | Self::Quote { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// The name of one column is too long.
    pub(super) fn column_name(number: usize, name: &str) -> Self {
        Self::ColumnName {
            number,
            name: shorten(name),
            limit: format!(
                "it has {} bytes, but at most {MAX_COLUMN_NAME} are allowed",
                name.len()
            ),
        }
    }

    /// The names of all columns together are too long.
    pub(super) fn column_names(number: usize, name: &str) -> Self {
        Self::ColumnName {
            number,
            name: shorten(name),
            limit: format!("the names of all columns together have more than {MAX_COLUMN_NAMES} bytes"),
        }
    }

    /// A column that is not there, and some of those that are.
    pub(super) fn unknown_column<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let shown: Vec<String> = names
            .take(20)
            .map(|name| format!("'{}'", shorten(name)))
            .collect();
        Self::UnknownColumn {
            wanted: shorten(wanted),
            columns: if shown.is_empty() {
                "none".to_owned()
            } else {
                shown.join(", ")
            },
        }
    }
}
