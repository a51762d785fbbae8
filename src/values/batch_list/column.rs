//! Which column of a table holds the domains, and which of its rows is the header.

use super::cells::Row;
use super::email_hosts::host_of_address;
use super::header::{self, Named, Says};
use super::unreadable::UnreadableList;
use super::{ChosenBy, unnamed};
use crate::values::domain_name::{DomainName, InvalidDomain};

/// Rows among which the header is looked for: there may be a title above it.
const HEADER_WITHIN: usize = 20;

/// How to read a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The number of the header's row, from 0.
    pub(super) header: Option<usize>,
    /// The number of the column, from 0.
    pub(super) column: usize,
    /// How each row is read.
    pub(super) reads: Reads,
    /// How the column was chosen.
    pub(super) chosen_by: ChosenBy,
    /// Other columns in which a domain is expected, where each cell counts: a cell that is not a domain is reported.
    pub(super) expected: Vec<usize>,
}

/// The cells that are read of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// The domains in the column.
    Column,
    /// The domains in the column, and those in other cells: nothing says that they mean something else.
    EveryCell,
    /// The hosts of the addresses in the column.
    Addresses,
}

impl Plan {
    /// The plan for a table that begins with these rows.
    pub(super) fn of(sample: &[Row<'_>], wanted: Option<&str>) -> Result<Self, UnreadableList> {
        let mut header = named_header(sample);
        if let Some(wanted) = wanted {
            let by_name = row_with(sample, wanted);
            let header = by_name.map(|(row, _)| row).or(header).or_else(|| {
                let column = column_number(wanted, sample)?;
                unnamed_header(sample, column)
            });
            let column = by_name
                .map(|(_, column)| column)
                .or_else(|| column_number(wanted, sample));
            let column = column.ok_or_else(|| unknown(sample, header, wanted))?;
            let reads = match Column::of(data(sample, header), column) {
                found if found.holds_addresses() => Reads::Addresses,
                _ => Reads::Column,
            };
            return Ok(Self {
                header,
                column,
                reads,
                chosen_by: ChosenBy::Request,
                expected: Vec::new(),
            });
        }
        if let Some(row) = header
            && let Some(column) = by_header(&sample[row], data(sample, header))
        {
            let found = Column::of(data(sample, header), column);
            let (reads, chosen_by) = if found.holds_addresses() {
                (Reads::Addresses, ChosenBy::EmailAddresses)
            } else {
                (Reads::Column, ChosenBy::Header)
            };
            return Ok(Self {
                header,
                column,
                reads,
                chosen_by,
                expected: Vec::new(),
            });
        }
        header = header.or_else(|| header_with_networks(sample));
        let of_networks = header.map_or_else(Vec::new, |row| of_networks(&sample[row]));
        let (column, holds_addresses) = by_content(data(sample, header), &of_networks);
        header = header.or_else(|| unnamed_header(sample, column));
        let (reads, chosen_by) = match header {
            _ if holds_addresses => (Reads::Addresses, ChosenBy::EmailAddresses),
            Some(_) => (Reads::Column, ChosenBy::Content),
            None => (Reads::EveryCell, ChosenBy::Content),
        };
        let expected = if reads == Reads::EveryCell {
            columns_of_domains(sample)
        } else {
            Vec::new()
        };
        Ok(Self {
            header,
            column,
            reads,
            chosen_by,
            expected,
        })
    }
}

/// The rows below the header.
fn data<'s, 'a>(sample: &'s [Row<'a>], header: Option<usize>) -> &'s [Row<'a>] {
    &sample[header.map_or(0, |row| row + 1)..]
}

/// The row that names a column of websites: above the first domain, and with the most names of several that could be it.
fn named_header(sample: &[Row<'_>]) -> Option<usize> {
    let above = sample.iter().take(HEADER_WITHIN).take_while(|row| {
        !row.cells
            .iter()
            .any(|cell| !header::is_known(cell) && holds_data(cell))
    });
    let rank = |row: &Row<'_>| {
        let names = row.cells.iter().filter_map(|cell| header::named(cell));
        let is_exact = names.map(|named| named.is_exact).max()?;
        let filled = row.cells.iter().filter(|cell| !cell.is_empty()).count();
        // A single cell is a line of the list, unless it is nothing but a name.
        let is_name = filled > 1 || (is_exact && !row.cells.iter().any(|cell| is_domain(cell)));
        is_name.then_some((is_exact, filled))
    };
    let ranked = above
        .enumerate()
        .filter_map(|(number, row)| Some((rank(row)?, number)));
    ranked
        .max_by(|(a, first), (b, second)| a.cmp(b).then(second.cmp(first)))
        .map(|(_, number)| number)
}

/// A row of labels right above a column of domains, although none of them is known. Only titles, which have fewer cells,
/// may be above it.
fn unnamed_header(sample: &[Row<'_>], column: usize) -> Option<usize> {
    let is_data = |row: &Row<'_>| holds_data(row.cell(column));
    let first = sample.iter().take(HEADER_WITHIN).position(is_data)?;
    let number = sample[..first].iter().rposition(|row| !row.is_blank())?;
    let is_label = |cell: &str| {
        cell.chars().count() <= 60 && cell.contains(char::is_alphabetic) && !cell.contains(['.', '/', '@'])
    };
    let filled = |row: &Row<'_>| row.cells.iter().filter(|cell| !cell.is_empty()).count();
    let row = &sample[number];
    let are_labels = filled(row) > 1 && row.cells.iter().all(|cell| cell.is_empty() || is_label(cell));
    let are_titles = sample[..number].iter().all(|above| filled(above) < filled(row));
    (are_labels && are_titles && !row.cell(column).is_empty()).then_some(number)
}

/// The cell that is a name which the sender gave.
fn row_with(sample: &[Row<'_>], wanted: &str) -> Option<(usize, usize)> {
    let wanted = wanted.to_lowercase();
    let rows = sample.iter().take(HEADER_WITHIN).enumerate();
    rows.into_iter().find_map(|(number, row)| {
        let column = row.cells.iter().position(|cell| cell.to_lowercase() == wanted)?;
        Some((number, column))
    })
}

/// A column by its number from 1, alone or as in `column_3`.
fn column_number(wanted: &str, sample: &[Row<'_>]) -> Option<usize> {
    let number: usize = wanted.strip_prefix("column_").unwrap_or(wanted).parse().ok()?;
    let width = sample.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    number.checked_sub(1).filter(|column| *column < width)
}

fn unknown(sample: &[Row<'_>], header: Option<usize>, wanted: &str) -> UnreadableList {
    if let Some(row) = header {
        return UnreadableList::unknown_column(wanted, sample[row].cells.iter().map(|cell| &**cell));
    }
    let width = sample.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let names: Vec<String> = (1..=width.max(1)).map(unnamed).collect();
    UnreadableList::unknown_column(wanted, names.iter().map(String::as_str))
}

/// The best of the columns that the header names, as long as it holds what it says.
fn by_header(header: &Row<'_>, data: &[Row<'_>]) -> Option<usize> {
    let names = header.cells.iter().enumerate();
    let candidates: Vec<Candidate> = names
        .filter_map(|(column, cell)| {
            Some(Candidate::of(
                header::named(cell)?,
                Column::of(data, column),
                column,
            ))
        })
        .collect();
    best(candidates).map(|candidate| candidate.column)
}

/// A column or field whose name says that it holds websites.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    named: Named,
    found: Column,
    /// The column.
    pub(super) column: usize,
}

impl Candidate {
    pub(super) fn of(named: Named, found: Column, column: usize) -> Self {
        Self { named, found, column }
    }
}

/// The best of them: one with about as many domains as any, then by its name, then the first.
pub(super) fn best(mut candidates: Vec<Candidate>) -> Option<Candidate> {
    let most = candidates.iter().map(|candidate| candidate.found.parsed).max()?;
    // A name with other words as well counts only if there are domains below it.
    candidates.retain(|candidate| candidate.named.is_exact || candidate.found.parsed > 0);
    let rank = |candidate: &Candidate| -> (bool, bool, Says, usize) {
        let has_fewer = candidate.found.parsed * 2 < most;
        (
            has_fewer,
            !candidate.named.is_exact,
            candidate.named.says,
            candidate.column,
        )
    };
    candidates.into_iter().min_by_key(rank)
}

/// The columns that hold mostly domains; all of them where the table is hardly anything else.
fn columns_of_domains(rows: &[Row<'_>]) -> Vec<usize> {
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let columns: Vec<Column> = (0..width).map(|column| Column::of(rows, column)).collect();
    let (filled, domains) = columns.iter().fold((0, 0), |(filled, domains), column| {
        (filled + column.filled, domains + column.plausible)
    });
    let is_grid =
        domains * 3 >= filled * 2 && (rows.len() == 1 || columns.iter().all(|column| column.plausible > 0));
    let holds_domains = |column: &Column| column.plausible > 0 && column.plausible * 2 >= column.filled;
    (0..width)
        .filter(|number| is_grid || holds_domains(&columns[*number]))
        .collect()
}

/// The row above the first domain that has several cells, one of them the name of a column of profiles.
fn header_with_networks(sample: &[Row<'_>]) -> Option<usize> {
    let mut above = sample
        .iter()
        .take(HEADER_WITHIN)
        .take_while(|row| !row.cells.iter().any(|cell| holds_data(cell)));
    above.position(|row| row.cells.len() > 1 && !of_networks(row).is_empty())
}

/// The columns that a header names after social networks.
fn of_networks(header: &Row<'_>) -> Vec<usize> {
    let cells = header.cells.iter().enumerate();
    cells
        .filter(|(_, cell)| header::is_of_network(cell))
        .map(|(column, _)| column)
        .collect()
}

/// The column that holds the most domains, or else the most addresses, and whether it is addresses. Columns of profiles
/// hold none.
fn by_content(data: &[Row<'_>], of_networks: &[usize]) -> (usize, bool) {
    let width = data.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let content = |column| {
        if of_networks.contains(&column) {
            Column::default()
        } else {
            Column::of(data, column)
        }
    };
    let columns: Vec<Column> = (0..width).map(content).collect();
    most_telling(&columns).unwrap_or((0, false))
}

/// Of several columns the one with the most domains, or else the most addresses, and whether it is addresses.
pub(super) fn most_telling(columns: &[Column]) -> Option<(usize, bool)> {
    let most = |score: fn(&Column) -> usize| {
        let scored = columns
            .iter()
            .enumerate()
            .map(|(number, column)| (score(column), number));
        scored
            .filter(|(score, _)| *score > 0)
            .max_by(|(a, first), (b, second)| a.cmp(b).then(second.cmp(first)))
            .map(|(_, number)| number)
    };
    let (domains, addresses) = (most(Column::score), most(|column| column.addresses));
    match (domains, addresses) {
        (Some(domains), Some(addresses)) if columns[domains].parsed * 5 < columns[addresses].addresses => {
            Some((addresses, true))
        }
        (Some(domains), _) => Some((domains, false)),
        (None, addresses) => Some((addresses?, true)),
    }
}

/// The content of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Column {
    filled: usize,
    /// Cells that could be a domain.
    parsed: usize,
    /// Cells that are hardly anything else.
    plausible: usize,
    addresses: usize,
}

impl Column {
    fn of(rows: &[Row<'_>], column: usize) -> Self {
        let mut found = Self::default();
        for row in rows {
            found.add(row.cell(column));
        }
        found
    }

    /// Counts one cell.
    pub(super) fn add(&mut self, cell: &str) {
        self.filled += usize::from(!cell.is_empty());
        self.plausible += usize::from(!domains_in(cell).is_empty());
        self.parsed += usize::from(readings(cell).any(|(_, read)| read.is_ok()));
        self.addresses += usize::from(parts(cell).any(is_email));
    }

    fn score(&self) -> usize {
        self.parsed + self.plausible
    }

    /// Whether it is a column of addresses.
    pub(super) fn holds_addresses(self) -> bool {
        self.addresses * 2 > self.filled && self.addresses > self.parsed
    }
}

/// The content of a cell: a domain, several domains, or something else.
///
/// Commas, semicolons, bars and line ends may be between domains, and in URLs. A cell is cut at them only if a later
/// part is a domain, and at blanks only if all parts are.
pub(super) fn readings(cell: &str) -> impl Iterator<Item = (&str, Result<DomainName, InvalidDomain>)> {
    let is_list = parts(cell).skip(1).any(|part| words(part).all(is_domain));
    let whole = (!is_list).then_some(cell).into_iter();
    let parts = is_list.then(|| parts(cell)).into_iter().flatten();
    whole.chain(parts).flat_map(|part| {
        let are_all = words(part).nth(1).is_some()
            && words(part)
                .next()
                .is_some_and(|first| DomainName::parse(first).is_ok())
            && words(part).skip(1).all(is_domain);
        let whole = (!are_all).then_some(part).into_iter();
        let words = are_all.then(|| words(part)).into_iter().flatten();
        whole.chain(words).map(|text| (text, DomainName::parse(text)))
    })
}

/// What is between the separators of a cell.
pub(super) fn parts(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', '|', '\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn words(part: &str) -> impl Iterator<Item = &str> {
    part.split_whitespace()
}

/// The domains in a cell that are hardly anything else, such as the name of a file.
pub(super) fn domains_in(cell: &str) -> Vec<DomainName> {
    // Most cells have no dot, not even one of the others that names of hosts may have (UTS 46).
    if cell.is_ascii() && !cell.contains('.') {
        return Vec::new();
    }
    readings(cell)
        .filter_map(|(text, read)| read.ok().filter(|domain| is_likely(text, domain)))
        .collect()
}

/// Whether a text is the address of a mailbox.
pub(super) fn is_email(text: &str) -> bool {
    host_of_address(text).is_some()
}

/// Whether there is a domain or an address in a cell.
fn holds_data(cell: &str) -> bool {
    !domains_in(cell).is_empty() || parts(cell).any(is_email)
}

/// Whether a text is a domain and hardly anything else.
pub(super) fn is_domain(text: &str) -> bool {
    DomainName::parse(text).is_ok_and(|domain| is_likely(text, &domain))
}

/// Whether it is written as a URL, or ends as domains do.
fn is_likely(text: &str, domain: &DomainName) -> bool {
    let name = domain.as_str();
    let top_level = name.rsplit('.').next().unwrap_or_default();
    text.contains("://")
        || text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("www."))
        || FOR_TESTS.contains(&top_level)
        || psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// Top-level domains that are kept for tests (RFC 2606).
const FOR_TESTS: &[&str] = &["test", "example", "invalid"];
