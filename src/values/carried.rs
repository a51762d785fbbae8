//! The other columns of a list: they are stored and returned with the results.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The cells of one line as JSON text: an array in the order of the list's columns, or an object of its own.
///
/// Text, because a tree of a long list takes many times the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedCells(Box<str>);

impl CarriedCells {
    /// Those of a record, without the empty ones at its end.
    pub fn of_cells<'a>(cells: impl Iterator<Item = &'a str>) -> Self {
        let mut cells: Vec<&str> = cells.collect();
        let filled = cells.iter().rposition(|cell| !cell.is_empty());
        cells.truncate(filled.map_or(0, |last| last + 1));
        Self::of(&cells)
    }

    /// The fields of an object, by their names.
    pub fn of_fields(fields: &Map<String, Value>) -> Self {
        Self::of(fields)
    }

    fn of(content: &impl Serialize) -> Self {
        let text = serde_json::to_string(content).expect("texts and JSON values into memory");
        Self(text.into())
    }

    /// As JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for CarriedCells {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// The same, read back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum StoredCells {
    /// In the order of the list's columns; what is missing at the end is empty.
    InOrder(Vec<Value>),
    /// By name.
    ByName(Map<String, Value>),
}

impl StoredCells {
    /// The value of the column with this number and name.
    pub fn take(&mut self, number: usize, name: &str) -> Value {
        let cell = match self {
            Self::InOrder(cells) => cells.get_mut(number),
            Self::ByName(fields) => fields.get_mut(name),
        };
        cell.map(Value::take).unwrap_or_default()
    }
}
