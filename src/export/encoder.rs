//! Encodes rows as cells and lines, with the other columns of a batch's list; renames those of them that have a name of ours.

use std::collections::HashSet;
use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Map, Value};

use super::cell::Cell;
use super::columns::{ColumnType, Exported, ListRow};
use crate::commands::list_of_batch::CarriedColumns;

/// The prefix of a list's column whose name is already used.
const PREFIX: &str = "input_";

/// Turns rows of one table into cells and lines.
#[derive(Debug)]
pub struct Encoder<T> {
    carried: Option<CarriedColumns>,
    /// The names of the carried columns in this table.
    names: Vec<String>,
    row: PhantomData<fn(&T)>,
}

/// A row with the cells of the list.
#[derive(Debug, Serialize)]
pub struct Joined<'a, T> {
    #[serde(flatten)]
    row: &'a T,
    #[serde(flatten)]
    carried: Map<String, Value>,
}

impl<T: Exported> Encoder<T> {
    /// For rows of a batch whose list has other columns, or for other rows.
    pub fn new(carried: Option<CarriedColumns>) -> Self {
        let given = carried.as_ref().map_or(&[][..], |carried| &carried.names);
        Self {
            names: names_here::<T>(given),
            carried,
            row: PhantomData,
        }
    }

    /// The header: the table's columns, then those of the list.
    pub fn header(&self) -> impl Iterator<Item = &str> {
        let own = T::COLUMNS.iter().map(|column| column.name);
        own.chain(self.names.iter().map(String::as_str))
    }

    /// The header with what each column holds. A list's cells are texts, whatever they look like.
    pub fn typed_header(&self) -> impl Iterator<Item = (&str, ColumnType)> {
        let own = T::COLUMNS.iter().map(|column| (column.name, column.kind));
        own.chain(self.names.iter().map(|name| (name.as_str(), ColumnType::Text)))
    }

    /// The cells of a row, in the order of the header.
    pub fn cells(&self, row: &T) -> serde_json::Result<Vec<Cell>> {
        let object = serde_json::to_value(row)?;
        let own = T::COLUMNS
            .iter()
            .map(|column| object.pointer(column.pointer).map_or(Cell::Empty, Cell::from));
        Ok(own.chain(self.carried_by(row).iter().map(Cell::from)).collect())
    }

    /// The same as values of the API.
    pub fn values(&self, row: &T) -> serde_json::Result<Vec<Value>> {
        let object = serde_json::to_value(row)?;
        let own = T::COLUMNS
            .iter()
            .map(|column| object.pointer(column.pointer).cloned().unwrap_or_default());
        Ok(own.chain(self.carried_by(row)).collect())
    }

    /// The API's object of a row.
    pub fn object<'a>(&self, row: &'a T) -> Joined<'a, T> {
        let carried = self.names.iter().cloned().zip(self.carried_by(row)).collect();
        Joined { row, carried }
    }

    /// The header as the first line of a CSV file.
    pub fn csv_header(&self) -> Vec<u8> {
        let mut writer = csv_writer();
        let header: Vec<String> = self
            .header()
            .map(|name| Cell::Text(name.to_owned()).to_field())
            .collect();
        writer.write_record(header).expect("writing into memory");
        writer.into_inner().expect("writing into memory")
    }

    /// Rows as lines of a CSV file.
    pub fn csv(&self, rows: &[T]) -> serde_json::Result<Vec<u8>> {
        let mut writer = csv_writer();
        for row in rows {
            let fields = self.cells(row)?;
            let fields = fields.iter().map(Cell::to_field);
            writer.write_record(fields).expect("writing into memory");
        }
        Ok(writer.into_inner().expect("writing into memory"))
    }

    /// Rows as lines of JSON.
    pub fn ndjson(&self, rows: &[T]) -> serde_json::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for row in rows {
            if self.names.is_empty() {
                serde_json::to_writer(&mut lines, row)?;
            } else {
                serde_json::to_writer(&mut lines, &self.object(row))?;
            }
            lines.push(b'\n');
        }
        Ok(lines)
    }

    fn carried_by(&self, row: &T) -> Vec<Value> {
        let Some(carried) = &self.carried else {
            return Vec::new();
        };
        match row.list_row() {
            ListRow::Line(line) => carried.of_line(line),
            ListRow::Domain(domain) => carried.of_domain(domain),
            ListRow::Nowhere => vec![Value::Null; self.names.len()],
        }
    }
}

fn csv_writer() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new())
}

/// The names of a list's columns beside ours: each is unique, regardless of case.
fn names_here<T: Exported>(given: &[String]) -> Vec<String> {
    let own = T::COLUMNS.iter().map(|column| column.name);
    let mut taken: HashSet<String> = own
        .chain(T::OTHER_FIELDS.iter().copied())
        .map(str::to_owned)
        .collect();
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        let mut free = name.clone();
        if taken.contains(&free.to_lowercase()) {
            free = format!("{PREFIX}{name}");
        }
        let (first, mut number) = (free.clone(), 1);
        while !taken.insert(free.to_lowercase()) {
            number += 1;
            free = format!("{first}_{number}");
        }
        names.push(free);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::columns::{Column, SCANS};
    use serde_json::json;

    #[derive(Serialize)]
    struct Row(Value);

    impl Exported for Row {
        const COLUMNS: &'static [Column] = &SCANS;
        const OTHER_FIELDS: &'static [&'static str] = &["links"];

        fn list_row(&self) -> ListRow<'_> {
            ListRow::Nowhere
        }
    }

    #[test]
    fn names_of_a_list_that_are_taken_get_a_prefix_and_each_stays_one() {
        let given = ["name", "Domain", "links", "name", "NAME", "input_domain"].map(str::to_owned);
        assert_eq!(
            names_here::<Row>(&given),
            [
                "name",
                "input_Domain",
                "input_links",
                "input_name",
                "input_NAME_2",
                "input_input_domain"
            ]
        );
    }

    #[test]
    fn hostile_cells_come_back_as_one_text_each() {
        let hostile = [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "@SUM(1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "  =1",
            "＝1",
            "a\r\nb",
            "a\"b\",c",
            "\u{feff}=1",
            "",
            ";=1",
            "'",
            "\0=1",
        ];
        let rows: Vec<Row> = hostile.iter().map(|text| Row(json!({ "error": text }))).collect();
        let encoder = Encoder::<Row>::new(None);
        let file = [encoder.csv_header(), encoder.csv(&rows).unwrap()].concat();
        let mut reader = csv::Reader::from_reader(file.as_slice());
        let place = reader
            .headers()
            .unwrap()
            .iter()
            .position(|name| name == "error")
            .unwrap();
        let read: Vec<String> = reader
            .records()
            .map(|row| row.unwrap()[place].to_owned())
            .collect();
        assert_eq!(read.len(), hostile.len());
        for (read, text) in read.iter().zip(hostile) {
            assert!(
                read == text || *read == format!("'{text}"),
                "{text:?} became {read:?}"
            );
            let first = read.trim_start().chars().next();
            assert!(!matches!(first, Some('=' | '+' | '-' | '@' | '＝')), "{read:?}");
            assert!(!read.starts_with(['\t', '\r', '\n']), "{read:?}");
        }
    }
}
