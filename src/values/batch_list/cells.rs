//! From text to rows of cells: RFC 4180 with any delimiter and any line ending, and strict about quotes.
//!
//! Existing parsers accept a stray quote silently and read the following lines into one cell. Here a quote that opens
//! a cell must be closed directly before a delimiter or the end of a line; otherwise the list is refused with the line
//! number.

use std::borrow::Cow;

use super::encoding::{line_breaks, lines};
use super::unreadable::UnreadableList;
use super::{MAX_COLUMNS, shorten};

/// Bytes of a cell that are examined to judge what its column holds.
const LOOKED_AT: usize = 500;

/// Cuts a text into rows.
#[derive(Clone, Debug)]
pub(super) struct Rows<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    delimiter: u8,
}

/// One row. Empty cells at its end are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Row<'a> {
    /// Where it begins, from 1.
    pub(super) line: u32,
    /// Without quotes and the blanks around them; one more than `MAX_COLUMNS` at most.
    pub(super) cells: Vec<Cow<'a, str>>,
    /// Cells that go over several lines: their number, and the line they begin on.
    pub(super) tall: Vec<(usize, u32)>,
}

impl<'a> Row<'a> {
    /// The lines of a text as rows, ignoring quotes.
    pub(super) fn without_quotes(text: &'a str, delimiter: u8) -> impl Iterator<Item = Self> {
        (1..).zip(lines(text)).map(move |(line, text)| {
            let mut row = Self {
                line,
                ..Self::default()
            };
            let bytes = text.as_bytes();
            let mut start = 0;
            for end in memchr::memchr_iter(delimiter, bytes)
                .chain([bytes.len()])
                .take(MAX_COLUMNS)
            {
                row.cells
                    .push(Cow::Borrowed(text[start..end].trim().trim_matches('"')));
                start = end + 1;
            }
            row
        })
    }

    /// The same row with the beginnings of its cells, to be judged by.
    pub(super) fn shortened(mut self) -> Self {
        for cell in self.cells.iter_mut().filter(|cell| cell.len() > LOOKED_AT) {
            let end = cell.floor_char_boundary(LOOKED_AT);
            match cell {
                Cow::Borrowed(text) => *text = &text[..end],
                Cow::Owned(text) => text.truncate(end),
            }
        }
        self
    }

    /// Whether nothing is in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.is_empty()
    }

    /// A cell; empty where the row is shorter.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell)
    }
}

impl<'a> Rows<'a> {
    /// The rows of a text from a place in it on.
    pub(super) fn of(text: &'a str, at: usize, delimiter: u8) -> Self {
        Self {
            text,
            at,
            line: line_breaks(&text[..at]) + 1,
            delimiter,
        }
    }

    fn row(&mut self) -> Result<Row<'a>, UnreadableList> {
        let mut row = Row {
            line: self.line,
            ..Row::default()
        };
        let mut number = 0;
        loop {
            let line = self.line;
            let cell = self.cell()?;
            if self.line > line {
                row.tall.push((number, line));
            }
            if !cell.is_empty() && number <= MAX_COLUMNS {
                row.cells.resize(number, Cow::Borrowed(""));
                row.cells.push(cell);
            } else if !cell.is_empty() {
                // What is too wide is refused, so its further cells need no place.
                row.cells.resize(MAX_COLUMNS + 1, Cow::Borrowed(""));
            }
            number += 1;
            match self.text.as_bytes().get(self.at) {
                Some(byte) if *byte == self.delimiter => self.at += 1,
                Some(b'\r') if self.text.as_bytes().get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    break;
                }
                Some(_) => {
                    self.at += 1;
                    break;
                }
                None => break,
            }
        }
        self.line = self.line.saturating_add(1);
        Ok(row)
    }

    /// Reads up to the delimiter or the end of the line.
    fn cell(&mut self) -> Result<Cow<'a, str>, UnreadableList> {
        let bytes = self.text.as_bytes();
        let start = self.past_blanks(self.at);
        if bytes.get(start) == Some(&b'"') {
            return self.quoted(start + 1);
        }
        let end = memchr::memchr3(self.delimiter, b'\n', b'\r', &bytes[self.at..]);
        let end = end.map_or(bytes.len(), |length| self.at + length);
        let cell = self.text[self.at..end].trim();
        self.at = end;
        Ok(Cow::Borrowed(cell))
    }

    fn quoted(&mut self, start: usize) -> Result<Cow<'a, str>, UnreadableList> {
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut has_doubled = false;
        let close = loop {
            let Some(length) = memchr::memchr(b'"', &bytes[at..]) else {
                return Err(self.quote(start, "is never closed".to_owned()));
            };
            let quote = at + length;
            if bytes.get(quote + 1) != Some(&b'"') {
                break quote;
            }
            has_doubled = true;
            at = quote + 2;
        };
        let after = self.past_blanks(close + 1);
        let is_end = bytes
            .get(after)
            .is_none_or(|byte| *byte == self.delimiter || matches!(byte, b'\n' | b'\r'));
        if !is_end {
            let line = self.line + line_breaks(&self.text[start..close]);
            let rest = self.text[close..].lines().next().unwrap_or_default();
            let fault = format!(
                "is closed on line {line} in the middle of a cell, at '{}'",
                shorten(rest)
            );
            return Err(self.quote(start, fault));
        }
        let cell = &self.text[start..close];
        self.line = self.line.saturating_add(line_breaks(cell));
        self.at = after;
        let cell = cell.trim();
        Ok(if has_doubled {
            Cow::Owned(cell.replace("\"\"", "\""))
        } else {
            Cow::Borrowed(cell)
        })
    }

    fn quote(&self, start: usize, fault: String) -> UnreadableList {
        UnreadableList::Quote {
            line: self.line,
            cell: shorten(self.text[start..].lines().next().unwrap_or_default()),
            fault,
        }
    }

    fn past_blanks(&self, mut at: usize) -> usize {
        let is_blank = |byte: &u8| *byte == b' ' || (*byte == b'\t' && self.delimiter != b'\t');
        while self.text.as_bytes().get(at).is_some_and(is_blank) {
            at += 1;
        }
        at
    }
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, UnreadableList>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let row = self.row();
        if row.is_err() {
            self.at = self.text.len();
        }
        Some(row)
    }
}
