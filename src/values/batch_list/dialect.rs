//! The dialect of a table: the delimiter of its cells, and the line on which its rows begin.

use super::cells::{Row, Rows};
use super::column::{is_domain, is_email};
use super::header;

/// Bytes of a list that its dialect is judged by.
const SAMPLE: usize = 64 * 1024;
/// Rows likewise.
const SAMPLE_ROWS: usize = 100;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    delimiter: u8,
    start: usize,
}

impl Dialect {
    /// That of a text: as its line `sep=;` says, which spreadsheets write and read, or as most rows look.
    pub(super) fn of(text: &str) -> Self {
        if let Some(declared) = declared(text) {
            return declared;
        }
        let mut end = text.len().min(SAMPLE);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let sample = &text[..end];
        // The baseline is uncut lines: no list has this delimiter.
        let mut best = (Likeness::of(sample, NO_DELIMITER), NO_DELIMITER);
        for delimiter in DELIMITERS {
            let likeness = Likeness::of(sample, delimiter);
            if likeness > best.0 {
                best = (likeness, delimiter);
            }
        }
        Self {
            delimiter: best.1,
            start: 0,
        }
    }

    /// Cuts the text by it.
    pub(super) fn rows<'a>(&self, text: &'a str) -> Rows<'a> {
        Rows::of(text, self.start, self.delimiter)
    }
}

/// A byte that no text in UTF-8 has: lines are one cell each.
const NO_DELIMITER: u8 = 0xff;
/// What may be between cells; of several that fit alike the first is taken.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How much a text looks like a table if it is cut by a delimiter; what is compared first comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    /// Cells that are a domain, an address or a name of a column.
    telling: usize,
    /// Rows of the most frequent width above one, if that is most of them.
    even: usize,
}

impl Likeness {
    fn of(sample: &str, delimiter: u8) -> Self {
        let rows: Result<Vec<Row<'_>>, _> = Rows::of(sample, 0, delimiter).take(SAMPLE_ROWS).collect();
        // A quote that is open breaks the list, or continues behind the sample; the text around it still counts.
        let rows =
            rows.unwrap_or_else(|_| Row::without_quotes(sample, delimiter).take(SAMPLE_ROWS).collect());
        let mut telling = 0;
        let mut widths: Vec<usize> = Vec::new();
        for row in rows.iter().filter(|row| !row.is_blank()) {
            telling += row.cells.iter().filter(|cell| is_telling(cell)).count();
            widths.push(row.cells.len());
        }
        let rows = widths.len();
        widths.retain(|width| *width > 1);
        widths.sort_unstable();
        let even = widths.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
        Self {
            telling,
            even: if even * 2 > rows { even } else { 0 },
        }
    }
}

fn is_telling(cell: &str) -> bool {
    is_domain(cell)
        || is_email(cell)
        || (header::is_exact(cell) && !cell.bytes().any(|byte| DELIMITERS.contains(&byte)))
}

fn declared(text: &str) -> Option<Dialect> {
    let end = text.find(['\n', '\r'])?;
    let line = text[..end].trim_matches('"');
    let delimiter = line
        .get(..4)
        .filter(|start| start.eq_ignore_ascii_case("sep="))
        .map(|_| &line[4..])?;
    let [delimiter] = delimiter.as_bytes() else {
        return None;
    };
    let is_usable =
        delimiter.is_ascii() && !delimiter.is_ascii_alphanumeric() && !b"\"\r\n.".contains(delimiter);
    let length = if text[end..].starts_with("\r\n") { 2 } else { 1 };
    is_usable.then_some(Dialect {
        delimiter: *delimiter,
        start: end + length,
    })
}
