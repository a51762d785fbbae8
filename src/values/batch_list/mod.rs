//! Lists of domains as people send them: which entries are domains, which are not, and which are duplicates.
//!
//! A list is read in four steps, with a file for each: bytes become text (`encoding`, `workbook`), text becomes rows
//! of cells (`dialect`, `cells`), the rows show which column contains the domains (`header`, `column`), and the cells
//! of that column become domains (`rows`; `objects` for JSON). API, pages and command line all use `Source` or
//! `ListText`.

mod cells;
mod column;
mod dialect;
mod email_hosts;
mod encoding;
mod header;
mod objects;
mod rows;
#[cfg(test)]
mod tests;
mod unreadable;
#[cfg(test)]
mod variants;
mod workbook;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use encoding::ListText;
pub use objects::read_array;
pub use unreadable::UnreadableList;

use super::carried::CarriedCells;
use super::domain_name::{DomainName, InvalidDomain};
use super::mail_providers::is_mail_provider;

/// Maximum number of domains in a batch.
pub const MAX_DOMAINS: usize = 100_000;
/// Maximum number of columns of a list.
pub const MAX_COLUMNS: usize = 1000;
/// Maximum bytes of a column's name.
pub const MAX_COLUMN_NAME: usize = 1000;
/// Maximum bytes of the names of all columns together.
pub const MAX_COLUMN_NAMES: usize = 100_000;
/// The reason for addresses that say nothing about a site.
const FREE_MAIL_HOST: &str = "free_mail_host";
/// Bytes of cells that are copied, because their row names several domains.
const MAX_REPEATED_CELLS: usize = 32 * 1024 * 1024;

/// A list, split into domains, duplicates and invalid entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchList {
    /// Domains in the order of their first line, with that line.
    pub accepted: Vec<(u32, DomainName)>,
    /// Number of duplicates.
    pub duplicates: usize,
    /// Entries that should be domains but are not.
    pub rejected: Vec<RejectedLine>,
    /// The column that the domains were read from; none in a list that has only one and no header.
    pub column: Option<ChosenColumn>,
    /// Notes for the sender on how the list was read, as sentences.
    pub notes: Vec<String>,
    /// Names of the columns that are alongside the domains, that of the domain among them; empty if there is nothing
    /// else.
    pub columns: Vec<String>,
    /// What is in those columns: at the place of its domain in `accepted`. Shorter where nothing follows.
    pub cells: Vec<Option<CarriedCells>>,
    seen: HashSet<DomainName>,
    known_columns: HashSet<String>,
    names_length: usize,
    repeated_cells: usize,
    is_too_long: bool,
    is_too_wide: bool,
}

/// A cell or line that is not a valid domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedLine {
    /// The line in the file, starting at 1.
    pub line: u32,
    /// The input as it was sent.
    pub input: String,
    /// Stable code: `invalid_domain`, or `free_mail_host` for an address of a provider such as gmail.com.
    pub reason: String,
    /// The error message.
    pub error: String,
}

/// The column of a list from which the domains were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChosenColumn {
    /// The number of the column, starting at 1; null for fields of JSON objects.
    pub number: Option<u32>,
    /// The name in the header; without a header, `column_` and the number.
    pub name: String,
    /// How the column was chosen.
    pub chosen_by: ChosenBy,
}

/// How the column of a list was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChosenBy {
    /// By its name in the header.
    Header,
    /// By its content: most of its cells are domains. Without a header, domains in other columns count as well.
    Content,
    /// It contains email addresses, and no column contains domains.
    EmailAddresses,
    /// By the request.
    Request,
}

/// The formats of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// CSV or plain lines, of which the latter are the simplest of the former.
    Table,
    /// A JSON text or object per line.
    Ndjson,
    /// Not declared: detected as a JSON document, NDJSON or a table.
    #[default]
    Unknown,
}

/// A list as it comes in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// All of it: text in any common encoding, or a workbook.
    pub content: &'a [u8],
    /// Its format.
    pub form: Form,
    /// Its encoding, if that is declared.
    pub charset: Option<&'a str>,
    /// The name or number of the column to take, if the sender chose one.
    pub column: Option<&'a str>,
}

impl Source<'_> {
    /// Reads the list.
    pub fn read(self) -> Result<BatchList, UnreadableList> {
        ListText::of(self.content, self.charset)?.read(self.form, self.column)
    }
}

impl ListText<'_> {
    /// Reads the list that this is the text of.
    pub fn read(&self, form: Form, column: Option<&str>) -> Result<BatchList, UnreadableList> {
        let column = column.map(str::trim).filter(|column| !column.is_empty());
        let mut list = BatchList {
            notes: self.notes.clone(),
            ..BatchList::default()
        };
        let is_unknown = form == Form::Unknown;
        if is_unknown && objects::read_document(&mut list, &self.text, column)? {
            return Ok(list);
        }
        if form == Form::Ndjson || (is_unknown && objects::looks_like_lines(&self.text)) {
            objects::read_lines(&mut list, &self.text, column)?;
        } else {
            rows::read(&mut list, &self.text, column)?;
        }
        Ok(list)
    }
}

impl BatchList {
    /// Whether there are more domains, or more lines that are none, than a batch takes; the rest was not read.
    pub fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    /// Whether there are more columns than a list may have.
    pub fn is_too_wide(&self) -> bool {
        self.is_too_wide
    }

    /// Whether reading on cannot make the list acceptable.
    fn is_hopeless(&self) -> bool {
        self.is_too_long || self.is_too_wide
    }

    /// Adds a domain, unless it was named before.
    fn accept(&mut self, line: u32, domain: DomainName) {
        if self.seen.contains(&domain) {
            self.duplicates += 1;
        } else if self.accepted.len() == MAX_DOMAINS {
            self.is_too_long = true;
        } else {
            self.seen.insert(domain.clone());
            self.accepted.push((line, domain));
        }
    }

    /// Adds an input that is not a domain.
    fn reject(&mut self, line: u32, input: &str, error: &InvalidDomain) {
        self.reject_as("invalid_domain", line, input, error.to_string());
    }

    fn reject_as(&mut self, reason: &str, line: u32, input: &str, error: String) {
        if self.rejected.len() == MAX_DOMAINS {
            self.is_too_long = true;
            return;
        }
        let input: String = input.chars().filter(|c| *c != '\0').take(300).collect();
        self.rejected.push(RejectedLine {
            line,
            input,
            reason: reason.to_owned(),
            error,
        });
    }

    /// Reads the domains of a cell, and records invalid ones.
    fn read_cell(&mut self, line: u32, cell: &str) {
        for (text, read) in column::readings(cell) {
            match read {
                Ok(domain) => self.accept(line, domain),
                Err(error) => self.reject(line, text, &error),
            }
            if self.is_too_long {
                break;
            }
        }
    }

    /// Takes the hosts of the email addresses in a cell, and domains that are among them.
    fn read_addresses(&mut self, line: u32, cell: &str) {
        if cell.is_empty() {
            self.reject_as(
                "invalid_domain",
                line,
                "",
                "the email address is empty".to_owned(),
            );
        }
        for address in column::parts(cell) {
            match email_hosts::host_of_address(address) {
                Some(host) if is_mail_provider(host.as_str()) => {
                    let error = format!("'{host}' is a free email provider, not the owner's website");
                    self.reject_as(FREE_MAIL_HOST, line, address, error);
                }
                Some(host) => self.accept(line, host),
                None => self.read_cell(line, address),
            }
            if self.is_too_long {
                break;
            }
        }
    }

    /// The number of entries so far: domains, duplicates and invalid ones.
    fn reported(&self) -> usize {
        self.accepted.len() + self.duplicates + self.rejected.len()
    }

    /// Keeps what is alongside the domains that were accepted after the first `before` ones.
    fn carry(&mut self, before: usize, cells: &CarriedCells) {
        let Some(again) = self.accepted[before..].len().checked_sub(1) else {
            return;
        };
        self.cells.resize_with(before, || None);
        self.cells.push(Some(cells.clone()));
        for _ in 0..again {
            self.repeated_cells += cells.as_json().len();
            let has_room = self.repeated_cells <= MAX_REPEATED_CELLS;
            self.cells.push(has_room.then(|| cells.clone()));
        }
    }

    /// Names one column more.
    fn name_column(&mut self, name: &str) -> Result<(), UnreadableList> {
        if self.columns.len() == MAX_COLUMNS {
            self.is_too_wide = true;
            return Ok(());
        }
        let number = self.columns.len() + 1;
        self.names_length += name.len();
        if name.len() > MAX_COLUMN_NAME {
            return Err(UnreadableList::column_name(number, name));
        }
        if self.names_length > MAX_COLUMN_NAMES {
            return Err(UnreadableList::column_names(number, name));
        }
        self.columns.push(if name.is_empty() {
            unnamed(number)
        } else {
            name.to_owned()
        });
        Ok(())
    }

    /// Says what was left out, and puts in order what was found out late.
    fn conclude(&mut self) {
        self.rejected.sort_by_key(|rejected| rejected.line);
        let free = self
            .rejected
            .iter()
            .filter(|line| line.reason == FREE_MAIL_HOST)
            .count();
        if free > 0 {
            self.notes
                .push(format!("Email addresses at free providers were skipped: {free}."));
        }
        self.forget_lone_column();
    }

    /// A list of domains and nothing else carries nothing.
    fn forget_lone_column(&mut self) {
        if self.columns.len() <= 1 {
            self.columns.clear();
            self.cells.clear();
        }
    }
}

/// The name of a column without a name.
fn unnamed(number: usize) -> String {
    format!("column_{number}")
}

/// At most so much of a text, for messages.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
