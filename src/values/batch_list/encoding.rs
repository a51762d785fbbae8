//! From bytes to text: workbooks, byte order marks, declared encodings, and detection if there is neither.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::unreadable::UnreadableList;
use super::workbook;

/// The text of a list, with notes on its encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListText<'a> {
    /// Lines; a workbook's sheet is CSV with one line per row.
    pub text: Cow<'a, str>,
    pub(super) notes: Vec<String>,
}

impl<'a> ListText<'a> {
    /// Reads a file or body. A byte order mark goes before the declared encoding; without either, what is not UTF-8 is
    /// read in the encoding that it looks like, and a note says so.
    pub fn of(content: &'a [u8], declared: Option<&str>) -> Result<Self, UnreadableList> {
        if workbook::is_zip(content) {
            return workbook::read(content);
        }
        if let Some(kind) = another_kind(content) {
            return Err(UnreadableList::AnotherKind(kind));
        }
        if let Some((encoding, mark)) = Encoding::for_bom(content) {
            return Self::decoded(&content[mark..], encoding, false);
        }
        if let Some(label) = declared {
            let known = Encoding::for_label(label.as_bytes());
            let encoding = known.ok_or_else(|| UnreadableList::UnknownEncoding(super::shorten(label)))?;
            return Self::decoded(content, encoding, false);
        }
        if let Some(encoding) = utf16_without_mark(content) {
            return Self::decoded(content, encoding, true);
        }
        match std::str::from_utf8(content) {
            Ok(text) => Ok(Self::plain(text)),
            Err(_) if is_broken_utf8(content) => Err(not_text(content, UTF_8)),
            Err(_) => Self::decoded(content, likely_encoding(content), true),
        }
    }

    fn plain(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            notes: Vec::new(),
        }
    }

    fn decoded(
        content: &'a [u8],
        encoding: &'static Encoding,
        is_guessed: bool,
    ) -> Result<Self, UnreadableList> {
        let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(content) else {
            return Err(not_text(content, encoding));
        };
        let note = format!("The list was read as {}, the detected encoding.", encoding.name());
        Ok(Self {
            text,
            notes: is_guessed.then_some(note).into_iter().collect(),
        })
    }
}

/// Whether a text that is not UTF-8 is a broken file rather than in another encoding, which would give other names.
/// Letters of other encodings are hardly ever valid UTF-8.
fn is_broken_utf8(content: &[u8]) -> bool {
    let (mut letters, mut faults) = (0, 0);
    for chunk in content.utf8_chunks() {
        letters += chunk.valid().chars().filter(|sign| !sign.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    letters >= faults
}

fn not_text(content: &[u8], encoding: &'static Encoding) -> UnreadableList {
    let (text, _) = encoding.decode_without_bom_handling(content);
    let fault = text.find('\u{fffd}').unwrap_or(text.len());
    UnreadableList::NotText {
        line: line_breaks(&text[..fault]).saturating_add(1),
        encoding: encoding.name(),
    }
}

/// Bytes from the first on that is not ASCII, by which an encoding is guessed.
const SAMPLE: usize = 256 * 1024;

fn likely_encoding(content: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let telling = content.iter().position(|byte| !byte.is_ascii()).unwrap_or(0);
    let sample = &content[telling..content.len().min(telling + SAMPLE)];
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// UTF-16 without its mark: in a list most letters are ASCII, so every second byte is zero.
fn utf16_without_mark(content: &[u8]) -> Option<&'static Encoding> {
    let pairs = content[..content.len().min(1024)].chunks_exact(2);
    let count = pairs.len();
    let (mut high_first, mut low_first) = (0, 0);
    for pair in pairs {
        match pair {
            [0, low] if *low != 0 => high_first += 1,
            [high, 0] if *high != 0 => low_first += 1,
            _ => {}
        }
    }
    match () {
        () if count == 0 || content.len() % 2 == 1 => None,
        () if high_first == 0 && low_first * 2 > count => Some(UTF_16LE),
        () if low_first == 0 && high_first * 2 > count => Some(UTF_16BE),
        () => None,
    }
}

/// Ends of lines: LF, CR LF, or the CR alone of old Macintosh files.
pub(super) fn line_breaks(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let breaks = memchr::memchr2_iter(b'\n', b'\r', bytes)
        .filter(|at| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'))
        .count();
    u32::try_from(breaks).unwrap_or(u32::MAX)
}

/// The lines of a text, by any of those ends.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let bytes = text.as_bytes();
        let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
            rest = None;
            return (!text.is_empty()).then_some(text);
        };
        let length = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&text[end + length..]);
        Some(&text[..end])
    })
}

/// Kinds of files that are not lists, by their first bytes.
const OTHER_KINDS: &[(&[u8], &str)] = &[
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an Excel workbook in the old format (.xls), or one with a password",
    ),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a rich text document (.rtf)"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
];

fn another_kind(content: &[u8]) -> Option<&'static str> {
    let known = OTHER_KINDS.iter().find(|(start, _)| content.starts_with(start));
    if let Some((_, kind)) = known {
        return Some(kind);
    }
    let content = content
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(content)
        .trim_ascii_start();
    let start = content[..content.len().min(16)].to_ascii_lowercase();
    match () {
        () if start.starts_with(b"<!doctype html") || start.starts_with(b"<html") => Some("an HTML page"),
        () if start.starts_with(b"<?xml") => Some("an XML document"),
        () => None,
    }
}
