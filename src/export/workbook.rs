//! A workbook with one sheet, built on disk row by row. It can be sent only after the last row is written.

use std::borrow::Cow;
use std::fs::File;
use std::io::Seek;

use futures::{Stream, TryStreamExt};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use tokio::sync::mpsc;

use super::cell::Cell;
use super::columns::Exported;
use super::encoder::Encoder;

/// Rows of a sheet below its header.
pub const MAX_ROWS: u32 = 1_048_575;
/// Characters (UTF-16 units) of a cell.
const MAX_TEXT: usize = 32_767;
/// Pages on their way to the sheet.
const WAITING: usize = 2;
/// Width of a column, in characters.
const WIDTH: f64 = 22.0;

/// Why there is no workbook.
#[derive(Debug, thiserror::Error)]
pub enum WorkbookError {
    /// More rows than a sheet has.
    #[error(
        "there are more than {MAX_ROWS} rows, the maximum of a sheet; filter the rows, or export CSV or NDJSON"
    )]
    TooManyRows,
    /// For example, no space on the disk.
    #[error("cannot write the workbook")]
    Write(#[from] XlsxError),
    /// The file for it.
    #[error("cannot use the workbook's file")]
    File(#[from] std::io::Error),
    /// The rows ended before the last.
    #[error("cannot read all rows")]
    Abandoned,
    /// A row cannot be written as JSON, which does not happen.
    #[error("cannot write a row")]
    Row(#[from] serde_json::Error),
}

/// Builds a workbook from pages of rows. The file has no name, and is deleted when it is closed.
pub async fn build<T, E>(
    encoder: &Encoder<T>,
    pages: impl Stream<Item = Result<Vec<T>, E>>,
) -> Result<File, E>
where
    T: Exported,
    E: From<WorkbookError>,
{
    let header: Vec<String> = encoder.header().map(str::to_owned).collect();
    let (sender, receiver) = mpsc::channel(WAITING);
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by its callers; it waits for pages, which would hold a place in the pool for parsing"
    )]
    let written = tokio::task::spawn_blocking(move || write(&header, receiver));
    let mut pages = std::pin::pin!(pages);
    while let Some(rows) = pages.try_next().await? {
        let cells: Result<Vec<_>, _> = rows.iter().map(|row| encoder.cells(row)).collect();
        // The receiver is gone; its result has the reason.
        if sender
            .send(Some(cells.map_err(WorkbookError::from)?))
            .await
            .is_err()
        {
            break;
        }
    }
    // If the receiver is gone as well, its result has the reason.
    let _ = sender.send(None).await;
    let written = written
        .await
        .map_err(|error| WorkbookError::File(std::io::Error::other(error)))?;
    Ok(written?)
}

/// Writes pages until the last, which is none.
fn write(
    header: &[String],
    mut pages: mpsc::Receiver<Option<Vec<Vec<Cell>>>>,
) -> Result<File, WorkbookError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    let bold = Format::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (column, name) in (0..).zip(header) {
        sheet.set_column_width(column, WIDTH)?;
        sheet.write_string_with_format(0, column, fitting(name), &bold)?;
    }
    let mut row = 0;
    while let Some(page) = pages.blocking_recv().ok_or(WorkbookError::Abandoned)? {
        for cells in page {
            if row == MAX_ROWS {
                return Err(WorkbookError::TooManyRows);
            }
            row += 1;
            for (column, cell) in (0..).zip(&cells) {
                put(sheet, row, column, cell)?;
            }
        }
    }
    let mut file = tempfile::tempfile()?;
    workbook.save_to_writer(&mut file)?;
    file.rewind()?;
    Ok(file)
}

/// Writes texts as strings: a cell is never a formula or a link.
fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => {}
        Cell::Bool(truth) => {
            sheet.write_boolean(row, column, *truth)?;
        }
        Cell::Number(number) => match number.as_f64().filter(|_| is_exact(number)) {
            Some(number) => {
                sheet.write_number(row, column, number)?;
            }
            None => {
                sheet.write_string(row, column, number.to_string())?;
            }
        },
        Cell::Text(text) if text.is_empty() => {}
        Cell::Text(text) => {
            sheet.write_string(row, column, fitting(text))?;
        }
    }
    Ok(())
}

/// Whether a sheet, which has 15 significant digits, keeps a number exactly.
fn is_exact(number: &serde_json::Number) -> bool {
    const DIGITS: u64 = 999_999_999_999_999;
    let whole = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
    whole.is_none_or(|whole| whole <= DIGITS)
}

/// A text for a cell: not too long, and without the two characters that XML does not allow.
fn fitting(text: &str) -> Cow<'_, str> {
    let is_forbidden = |c: char| matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.len() <= MAX_TEXT && !text.contains(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let mut units = 0;
    let fits = text.chars().filter(|c| !is_forbidden(*c)).take_while(|c| {
        units += c.len_utf16();
        units <= MAX_TEXT
    });
    Cow::Owned(fits.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_a_cell() {
        assert_eq!(fitting("a\u{ffff}b"), "ab");
        assert_eq!(fitting(&"ä".repeat(40_000)).chars().count(), MAX_TEXT);
        assert_eq!(fitting(&"𝄞".repeat(20_000)).chars().count(), MAX_TEXT / 2);
    }

    #[test]
    fn one_row_too_many_is_refused() {
        let (sender, receiver) = mpsc::channel(2);
        let page = vec![Vec::new(); MAX_ROWS as usize];
        sender.try_send(Some(page)).unwrap();
        sender.try_send(Some(vec![Vec::new()])).unwrap();
        assert!(matches!(write(&[], receiver), Err(WorkbookError::TooManyRows)));
    }

    #[test]
    fn rows_that_end_early_make_no_workbook() {
        let (sender, receiver) = mpsc::channel(2);
        sender.try_send(Some(vec![Vec::new()])).unwrap();
        drop(sender);
        assert!(matches!(write(&[], receiver), Err(WorkbookError::Abandoned)));
    }
}
