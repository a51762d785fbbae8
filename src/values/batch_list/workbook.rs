//! Excel workbooks (.xlsx, ECMA-376): one sheet as CSV, one line per row, so line numbers are the sheet's row numbers.
//!
//! A workbook is a ZIP archive: a small file may unpack to any size, and the parser does not limit that. So the whole
//! archive is first unpacked once with a byte limit; only then the parser reads the sheet, cell by cell.

use std::borrow::Cow;
use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx};
use zip::ZipArchive;

use super::column::{domains_in, is_email};
use super::encoding::ListText;
use super::unreadable::UnreadableList;

/// Bytes of a workbook at most when it is unpacked.
const MAX_UNPACKED: u64 = 128 * 1024 * 1024;
/// Bytes of a sheet as text at most, likewise.
const MAX_TEXT: usize = 64 * 1024 * 1024;
/// Files in a workbook at most.
const MAX_FILES: usize = 2000;
/// Cells of a sheet that are examined to see whether it is the list.
const SAMPLE: usize = 5000;

/// Whether a file is a ZIP archive, as workbooks are.
pub(super) fn is_zip(content: &[u8]) -> bool {
    content.starts_with(b"PK\x03\x04")
}

/// The text of the sheet that holds the list: the first with a domain in it, or else the first that is not empty.
pub(super) fn read(content: &[u8]) -> Result<ListText<'static>, UnreadableList> {
    let archive = ZipArchive::new(Cursor::new(content)).map_err(broken)?;
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(UnreadableList::AnotherKind(kind_of(&archive)));
    }
    require_bounded(archive, MAX_UNPACKED)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(broken)?;
    let sheets = book.sheets_metadata().iter();
    let names: Vec<String> = sheets
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut read: Option<(String, Sheet)> = None;
    for name in &names {
        let sheet = Sheet::of(&mut book, name)?;
        let is_better = read
            .as_ref()
            .is_none_or(|(_, best)| best.text.is_empty() || (sheet.is_list && !best.is_list));
        if is_better {
            read = Some((name.clone(), sheet));
        }
        if read.as_ref().is_some_and(|(_, sheet)| sheet.is_list) {
            break;
        }
    }
    let (name, sheet) = read.unwrap_or_default();
    let note = format!("The list was read from the sheet '{name}'; the other sheets were not.");
    Ok(ListText {
        text: Cow::Owned(sheet.text),
        notes: (names.len() > 1).then_some(note).into_iter().collect(),
    })
}

#[derive(Default)]
struct Sheet {
    text: String,
    is_list: bool,
}

impl Sheet {
    fn of(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Self, UnreadableList> {
        let mut cells = book.worksheet_cells_reader(name).map_err(broken)?;
        let mut sheet = Self::default();
        let (mut row, mut column, mut seen) = (0, 0, 0);
        while let Some(cell) = cells.next_cell().map_err(broken)? {
            let text = text_of(cell.get_value());
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let (at_row, at_column) = cell.get_position();
            let gap = at_row.saturating_sub(row) as usize + at_column as usize;
            if sheet.text.len() + gap + text.len() > MAX_TEXT {
                return Err(too_large());
            }
            for _ in row..at_row {
                sheet.text.push('\n');
                column = 0;
            }
            for _ in column..at_column {
                sheet.text.push(',');
            }
            (row, column) = (row.max(at_row), column.max(at_column));
            seen += 1;
            sheet.is_list =
                sheet.is_list || (seen <= SAMPLE && (!domains_in(text).is_empty() || is_email(text)));
            sheet.push(text);
        }
        Ok(sheet)
    }

    /// Writes one cell. Its line ends become blanks, so that a row stays a line.
    fn push(&mut self, text: &str) {
        let is_plain = !text.contains(['"', ',', ';', '\t', '|', '\n', '\r']);
        if is_plain {
            self.text.push_str(text);
            return;
        }
        self.text.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.text.push_str("\"\""),
                '\n' | '\r' => self.text.push(' '),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }
}

/// A cell approximately as people see it.
fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
    }
}

/// Unpacks all files once, regardless of the sizes that they declare.
fn require_bounded(mut archive: ZipArchive<Cursor<&[u8]>>, limit: u64) -> Result<(), UnreadableList> {
    if archive.len() > MAX_FILES {
        return Err(too_large());
    }
    let mut left = limit;
    for number in 0..archive.len() {
        let file = archive.by_index(number).map_err(broken)?;
        let length = std::io::copy(&mut file.take(left + 1), &mut std::io::sink()).map_err(broken)?;
        left = left.checked_sub(length).ok_or_else(too_large)?;
    }
    Ok(())
}

/// What else the archive is.
fn kind_of(archive: &ZipArchive<Cursor<&[u8]>>) -> &'static str {
    let has = |start: &str| archive.file_names().any(|name| name.starts_with(start));
    match () {
        () if has("xl/workbook.bin") => "a binary Excel workbook (.xlsb)",
        () if has("word/") => "a Word document (.docx)",
        () if has("ppt/") => "a PowerPoint presentation (.pptx)",
        () if has("Index/") || has("Index.zip") => "a Numbers or Pages document",
        () if has("mimetype") && has("content.xml") => {
            "an OpenDocument file, such as a spreadsheet of LibreOffice (.ods)"
        }
        () => "a ZIP archive",
    }
}

fn too_large() -> UnreadableList {
    UnreadableList::Workbook(format!(
        "it has more than {} MB when unpacked",
        MAX_UNPACKED / 1024 / 1024
    ))
}

fn broken(error: impl std::fmt::Display) -> UnreadableList {
    let text = error.to_string().to_lowercase();
    let words = if text.contains("password") || text.contains("encrypt") {
        "it is protected by a password"
    } else {
        "it is damaged"
    };
    UnreadableList::Workbook(words.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            archive
                .start_file(*name, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(content).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    #[test]
    fn other_archives_are_named_as_what_they_are() {
        for (file, kind) in [
            ("word/document.xml", "Word"),
            ("xl/workbook.bin", ".xlsb"),
            ("Index/Document.iwa", "Numbers"),
            ("readme.txt", "ZIP archive"),
        ] {
            let error = read(&archive(&[(file, b"x")])).unwrap_err();
            assert!(
                error.kind() == "AnotherKind" && error.to_string().contains(kind),
                "{error}"
            );
        }
        let ods = archive(&[
            ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
            ("content.xml", b"<x/>"),
        ]);
        assert!(read(&ods).unwrap_err().to_string().contains(".ods"));
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused_whatever_it_declares() {
        let content = archive(&[("a.xml", &[b' '; 600]), ("b.xml", &[b' '; 500])]);
        let open = |content| ZipArchive::new(Cursor::new(content)).unwrap();
        assert_eq!(require_bounded(open(&content[..]), 1100), Ok(()));
        let error = require_bounded(open(&content[..]), 1099).unwrap_err();
        assert_eq!(error, too_large());
        assert_eq!(error.kind(), "Workbook");
    }
}
