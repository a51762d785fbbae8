//! Lists of domains as people send them: lines that are domains, lines that are not, lines that repeat.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::carried::CarriedCells;
use super::domain_name::DomainName;

/// Domains of one batch at most.
pub const MAX_DOMAINS: usize = 100_000;
/// Columns of a list at most.
pub const MAX_COLUMNS: usize = 1000;

/// A list, sorted into what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchList {
    /// Domains in the order of their first line, with that line.
    pub accepted: Vec<(u32, DomainName)>,
    /// Lines that named a domain again.
    pub duplicates: usize,
    /// Lines that are no domain.
    pub rejected: Vec<RejectedLine>,
    /// Names of the columns that stand beside the domains, that of the domain among them; empty if there is nothing
    /// else.
    pub columns: Vec<String>,
    /// What stands in those columns: at the place of its domain in `accepted`. Shorter where nothing follows.
    pub cells: Vec<Option<CarriedCells>>,
    seen: HashSet<DomainName>,
    known_columns: HashSet<String>,
    is_too_long: bool,
}

/// A line that is no domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedLine {
    /// From 1, as in the file.
    pub line: u32,
    /// As sent.
    pub input: String,
    /// Stable code: `invalid_domain`.
    pub reason: String,
    /// The same in words.
    pub error: String,
}

/// Why a whole list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableList {
    /// Bytes that are not UTF-8.
    #[error("line {line} is not UTF-8 text; save the file as UTF-8")]
    NotUtf8 {
        /// From 1.
        line: u64,
    },
    /// Broken CSV.
    #[error("line {line} is broken CSV: {detail}")]
    Csv {
        /// From 1.
        line: u64,
        /// What the parser said.
        detail: String,
    },
}

impl BatchList {
    /// Adds one line; a blank one is no line. Tells whether it is accepted: a domain, and the first line of it.
    pub fn push(&mut self, line: u32, input: &str) -> bool {
        if input.trim().is_empty() {
            return false;
        }
        match DomainName::parse(input) {
            Ok(domain) if !self.seen.insert(domain.clone()) => self.duplicates += 1,
            Ok(_) if self.accepted.len() == MAX_DOMAINS => self.is_too_long = true,
            Ok(domain) => {
                self.accepted.push((line, domain));
                return true;
            }
            Err(error) => self.reject(line, input, error.to_string()),
        }
        false
    }

    /// Keeps what stands beside the domain that was accepted last.
    fn carry(&mut self, cells: CarriedCells) {
        self.cells
            .resize_with(self.accepted.len().saturating_sub(1), || None);
        self.cells.push(Some(cells));
    }

    /// Adds a line that is no domain for a reason of its own.
    pub fn reject(&mut self, line: u32, input: &str, error: String) {
        if self.rejected.len() == MAX_DOMAINS {
            self.is_too_long = true;
            return;
        }
        let input: String = input.chars().filter(|c| *c != '\0').take(300).collect();
        self.rejected.push(RejectedLine {
            line,
            input,
            reason: "invalid_domain".to_owned(),
            error,
        });
    }

    /// Whether there are more domains, or more lines that are none, than a batch takes; the rest was not read.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// Whether there are more columns than a list may have.
    pub fn is_too_wide(&self) -> bool {
        self.columns.len() > MAX_COLUMNS
    }

    /// Lines that were not blank.
    pub fn lines(&self) -> usize {
        self.accepted.len() + self.duplicates + self.rejected.len()
    }

    /// One domain per line.
    pub fn from_text(content: &[u8]) -> Result<Self, UnreadableList> {
        let mut list = Self::default();
        for (line, text) in (1..).zip(utf8(content)?.lines()) {
            list.push(line, text);
            if list.is_too_long {
                break;
            }
        }
        Ok(list)
    }

    /// CSV (RFC 4180; comma, semicolon or tab): the column headed `domain`, `url` or `website`, or, without such a
    /// header, the first. All columns are carried along; one without a name is called `column_` and its number.
    pub fn from_csv(content: &[u8]) -> Result<Self, UnreadableList> {
        let text = utf8(content)?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter_of(text))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut list = Self::default();
        let mut column = None;
        let mut record = csv::StringRecord::new();
        let mut lines = LineCounter {
            text,
            offset: 0,
            line: 1,
        };
        loop {
            let read = reader
                .read_record(&mut record)
                .map_err(|error| UnreadableList::Csv {
                    line: error.position().map_or(0, csv::Position::line),
                    detail: error.to_string(),
                });
            if !read? || list.is_too_long || list.is_too_wide() {
                list.forget_lone_column();
                return Ok(list);
            }
            let line = lines.line_of(record.position().map_or(0, csv::Position::byte));
            if column.is_none() {
                let header = header_column(&record);
                column = Some(header.unwrap_or(0));
                if header.is_some() {
                    list.name_columns(&record);
                    continue;
                }
            }
            let is_accepted = list.push(line, record.get(column.unwrap_or(0)).unwrap_or_default());
            if is_accepted && (list.columns.len() > 1 || record.len() > 1) {
                list.widen(record.len());
                list.carry(CarriedCells::of_cells(record.iter()));
            }
        }
    }

    /// The names that a header gives.
    fn name_columns(&mut self, header: &csv::StringRecord) {
        for cell in header.iter().take(MAX_COLUMNS + 1) {
            self.widen(self.columns.len() + 1);
            if let Some(last) = self.columns.last_mut().filter(|_| !cell.is_empty()) {
                cell.clone_into(last);
            }
        }
    }

    /// Names for columns that have none.
    fn widen(&mut self, width: usize) {
        for number in self.columns.len()..width.min(MAX_COLUMNS + 1) {
            self.columns.push(format!("column_{}", number + 1));
        }
    }

    /// A list of domains and nothing else carries nothing.
    fn forget_lone_column(&mut self) {
        if self.columns.len() <= 1 {
            self.columns.clear();
            self.cells.clear();
        }
    }

    /// Newline-delimited JSON: a text or an object with `domain`, `url` or `website` per line.
    pub fn from_ndjson(content: &[u8]) -> Result<Self, UnreadableList> {
        let mut list = Self::default();
        for (line, text) in (1..).zip(utf8(content)?.lines()) {
            if list.is_too_long || list.is_too_wide() {
                break;
            }
            if text.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<serde_json::Value>(text) {
                Ok(value) => list.push_json(line, &value),
                Err(error) => list.reject(line, text, format!("the line is not JSON: {error}")),
            }
        }
        Ok(list)
    }

    /// Adds what a JSON list holds at one place. The other fields of an object are carried along.
    pub fn push_json(&mut self, line: u32, value: &serde_json::Value) {
        let named = || HEADERS.iter().find_map(|name| value.get(name)?.as_str());
        match value.as_str().or_else(named) {
            Some(text) if text.trim().is_empty() => self.reject(line, text, "the domain is empty".to_owned()),
            Some(text) => {
                let is_accepted = self.push(line, text);
                if let Some(fields) = value.as_object().filter(|fields| is_accepted && fields.len() > 1) {
                    self.carry_fields(fields);
                }
            }
            None => self.reject(line, &value.to_string(), "a domain must be a text".to_owned()),
        }
    }

    fn carry_fields(&mut self, fields: &serde_json::Map<String, serde_json::Value>) {
        for name in fields.keys() {
            if !self.is_too_wide() && !self.known_columns.contains(name) {
                self.known_columns.insert(name.clone());
                self.columns.push(name.clone());
            }
        }
        self.carry(CarriedCells::of_fields(fields));
    }
}

/// Whether a list that comes without a media type is JSON objects or texts per line. What is not is CSV, of which plain
/// lines are the simplest.
pub fn looks_like_ndjson(content: &[u8]) -> bool {
    let first = content
        .split(|byte| *byte == b'\n')
        .find(|line| !line.trim_ascii().is_empty());
    first.is_some_and(|line| {
        let value = serde_json::from_slice::<serde_json::Value>(line);
        value.is_ok_and(|value| value.is_object() || value.is_string())
    })
}

/// Lines by byte offset. The parser's own count is one behind after CRLF, whose line feed it takes to be the beginning
/// of the next record.
struct LineCounter<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
}

impl LineCounter<'_> {
    /// The line of the record that starts at a byte; offsets must not decrease.
    fn line_of(&mut self, byte: u64) -> u32 {
        let bytes = self.text.as_bytes();
        let mut start = usize::try_from(byte).unwrap_or(bytes.len()).min(bytes.len());
        while bytes.get(start).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            start += 1;
        }
        let breaks = memchr::memchr_iter(b'\n', &bytes[self.offset..start.max(self.offset)]).count();
        self.line = self
            .line
            .saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX));
        self.offset = start.max(self.offset);
        self.line
    }
}

/// Names of the column that holds the domain.
const HEADERS: [&str; 3] = ["domain", "url", "website"];

fn header_column(record: &csv::StringRecord) -> Option<usize> {
    HEADERS
        .iter()
        .find_map(|name| record.iter().position(|cell| cell.eq_ignore_ascii_case(name)))
}

/// The separator that the first line uses, as spreadsheets differ by country.
fn delimiter_of(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    [b',', b';', b'\t']
        .into_iter()
        .find(|separator| first.as_bytes().contains(separator))
        .unwrap_or(b',')
}

/// The text without its byte order mark.
fn utf8(content: &[u8]) -> Result<&str, UnreadableList> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    std::str::from_utf8(content).map_err(|error| {
        let before = &content[..error.valid_up_to()];
        let breaks = memchr::memchr_iter(b'\n', before).count();
        UnreadableList::NotUtf8 {
            line: u64::try_from(breaks).unwrap_or(u64::MAX) + 1,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &BatchList) -> Vec<(u32, &str)> {
        list.accepted
            .iter()
            .map(|(line, domain)| (*line, domain.as_str()))
            .collect()
    }

    #[test]
    fn a_csv_column_is_found_by_its_header() {
        let list = BatchList::from_csv(b"name,Website\nAnna,https://www.a.com/\nBob,b.com\n").unwrap();
        assert_eq!(names(&list), [(2, "a.com"), (3, "b.com")]);
    }

    #[test]
    fn without_a_header_the_first_column_and_the_first_line_count() {
        let list = BatchList::from_csv(b"a.com,x\nb.com,y\n").unwrap();
        assert_eq!(names(&list), [(1, "a.com"), (2, "b.com")]);
    }

    #[test]
    fn semicolons_tabs_byte_order_marks_quotes_and_crlf_are_understood() {
        let list = BatchList::from_csv(b"\xef\xbb\xbfname;domain\r\n\"A; B\";a.com\r\n").unwrap();
        assert_eq!(names(&list), [(2, "a.com")]);
        assert_eq!(
            names(&BatchList::from_csv(b"url\tx\nb.com\t1\n").unwrap()),
            [(2, "b.com")]
        );
    }

    #[test]
    fn blank_lines_and_crlf_do_not_shift_the_lines() {
        let list = BatchList::from_csv(b"domain\r\n\r\na.com\r\nbad one\r\nb.com\r\n").unwrap();
        assert_eq!(
            (names(&list), list.rejected[0].line),
            (vec![(3, "a.com"), (5, "b.com")], 4)
        );
    }

    #[test]
    fn a_line_number_is_that_of_the_file_even_after_a_quoted_line_break() {
        let list = BatchList::from_csv(b"name,domain\n\"two\nlines\",a.com\nx,bad domain\n").unwrap();
        assert_eq!(
            (list.rejected[0].line, list.rejected[0].input.as_str()),
            (4, "bad domain")
        );
    }

    #[test]
    fn a_domain_counts_once_however_it_is_written() {
        let list = BatchList::from_text("a.com\nWWW.A.COM\n\nhttps://a.com/x\nb.com\n".as_bytes()).unwrap();
        assert_eq!(
            (names(&list), list.duplicates),
            (vec![(1, "a.com"), (5, "b.com")], 2)
        );
    }

    #[test]
    fn each_bad_line_is_named_with_what_is_wrong() {
        let list = BatchList::from_text(b"a.com\n127.0.0.1\nlocalhost\n").unwrap();
        let lines: Vec<_> = list
            .rejected
            .iter()
            .map(|line| (line.line, line.input.as_str()))
            .collect();
        assert_eq!(lines, [(2, "127.0.0.1"), (3, "localhost")]);
        assert!(list.rejected[0].error.contains("IP address"));
        assert_eq!(list.lines(), 3);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_by_line() {
        assert_eq!(
            BatchList::from_text(b"a.com\nb\xff.com\n"),
            Err(UnreadableList::NotUtf8 { line: 2 })
        );
    }

    #[test]
    fn ndjson_takes_texts_and_objects_and_rejects_the_rest_line_by_line() {
        let list = BatchList::from_ndjson(b"\"a.com\"\n{\"url\":\"b.com\"}\n{\"x\":1}\n{broken\n").unwrap();
        assert_eq!(names(&list), [(1, "a.com"), (2, "b.com")]);
        assert_eq!(
            list.rejected.iter().map(|line| line.line).collect::<Vec<_>>(),
            [3, 4]
        );
    }

    fn cells(list: &BatchList) -> Vec<&str> {
        list.cells
            .iter()
            .map(|cells| cells.as_ref().map_or("", CarriedCells::as_json))
            .collect()
    }

    #[test]
    fn columns_beside_the_domains_are_carried_with_the_first_line_of_each() {
        let list = BatchList::from_csv(
            b"name,domain,,city\nAnna,a.com,x,\nBob,A.com,y,Bonn\nCy,bad domain,,\nDee,d.com,,K\"\"oln,more\n",
        )
        .unwrap();
        assert_eq!(list.columns, ["name", "domain", "column_3", "city", "column_5"]);
        assert_eq!(
            cells(&list),
            [
                r#"["Anna","a.com","x"]"#,
                r#"["Dee","d.com","","K\"\"oln","more"]"#
            ]
        );
    }

    #[test]
    fn without_a_header_columns_are_called_by_their_numbers() {
        let list = BatchList::from_csv(b"a.com\nb.com;Bob\n").unwrap();
        assert!(list.cells.is_empty() && list.columns.is_empty(), "{list:?}");
        let list = BatchList::from_csv(b"b.com;Bob\na.com\n").unwrap();
        assert_eq!(list.columns, ["column_1", "column_2"]);
        assert_eq!(cells(&list), [r#"["b.com","Bob"]"#, r#"["a.com"]"#]);
    }

    #[test]
    fn a_list_of_domains_alone_carries_nothing() {
        for list in [
            BatchList::from_csv(b"domain\na.com\nb.com\n").unwrap(),
            BatchList::from_csv(b"a.com\nb.com\n").unwrap(),
            BatchList::from_text(b"a.com\nb.com\n").unwrap(),
            BatchList::from_ndjson(b"\"a.com\"\n{\"domain\": \"b.com\"}\n").unwrap(),
        ] {
            assert_eq!(
                (list.accepted.len(), list.columns.len(), list.cells.len()),
                (2, 0, 0)
            );
        }
    }

    #[test]
    fn fields_of_objects_are_carried_as_they_are() {
        let list = BatchList::from_ndjson(
            b"\"a.com\"\n{\"url\":\"b.com\",\"age\":5}\n{\"url\":\"c.com\",\"tags\":[1]}\n",
        )
        .unwrap();
        let mut columns = list.columns.clone();
        columns.sort();
        assert_eq!(columns, ["age", "tags", "url"]);
        assert_eq!(list.cells.len(), 3);
        assert_eq!(list.cells[0], None);
        let fields: serde_json::Value = serde_json::from_str(cells(&list)[1]).unwrap();
        assert_eq!(fields, serde_json::json!({ "url": "b.com", "age": 5 }));
    }

    #[test]
    fn a_list_with_too_many_columns_says_so() {
        let wide = "x,".repeat(MAX_COLUMNS - 1);
        let fits = BatchList::from_csv(
            format!("domain,{wide}\n")
                .trim_end_matches([',', '\n'])
                .as_bytes(),
        );
        assert!(!fits.unwrap().is_too_wide());
        let list = BatchList::from_csv(format!("domain,{wide}x\na.com\n").as_bytes()).unwrap();
        assert!(list.is_too_wide());
        let keys: Vec<String> = (0..=MAX_COLUMNS)
            .map(|n| format!("{{\"domain\":\"d{n}.com\",\"k{n}\":1}}"))
            .collect();
        assert!(
            BatchList::from_ndjson(keys.join("\n").as_bytes())
                .unwrap()
                .is_too_wide()
        );
    }
}
