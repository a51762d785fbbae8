//! JSON lists: texts, or objects with a field that holds the domain.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::column::{Candidate, Column, best, most_telling};
use super::header;
use super::unreadable::UnreadableList;
use super::{BatchList, ChosenBy, ChosenColumn, MAX_COLUMNS, encoding};
use crate::values::carried::CarriedCells;

/// Items by which the field is chosen.
const SAMPLE: usize = 100;

/// Takes the items of a JSON list one by one, so that no list is held that is too long anyway.
#[derive(Debug, Default)]
struct Objects {
    list: BatchList,
    wanted: Option<String>,
    /// Items that wait for the field to be chosen.
    waiting: Vec<(u32, Value)>,
    field: Option<Field>,
}

/// The field that is read.
#[derive(Debug)]
struct Field {
    /// In the order in which they are tried; the first is the chosen one.
    names: Vec<String>,
    chosen_by: ChosenBy,
}

impl Objects {
    /// For a list whose sender may have named the field.
    fn of(wanted: Option<&str>) -> Self {
        Self {
            wanted: wanted.map(str::to_owned),
            ..Self::default()
        }
    }

    /// Adds what is at one place of the list.
    fn push(&mut self, line: u32, item: Value) -> Result<(), UnreadableList> {
        if self.field.is_some() {
            return self.read(line, &item);
        }
        self.waiting.push((line, item));
        if self.waiting.len() < SAMPLE {
            return Ok(());
        }
        self.settle()
    }

    /// The list, when all items were added.
    fn finish(mut self) -> Result<BatchList, UnreadableList> {
        self.settle()?;
        let known_fields = self.list.columns.len();
        if let Some(field) = self.field
            && (known_fields > 1 || field.chosen_by != ChosenBy::Header)
        {
            self.list.column = field.names.into_iter().next().map(|name| ChosenColumn {
                number: None,
                name,
                chosen_by: field.chosen_by,
            });
        }
        // Lines that are not JSON were reported before the items that waited.
        self.list.conclude();
        Ok(self.list)
    }

    fn is_hopeless(&self) -> bool {
        self.list.is_hopeless()
    }

    /// Chooses the field and reads what waited for that.
    fn settle(&mut self) -> Result<(), UnreadableList> {
        if self.field.is_none() {
            self.field = Some(self.choose()?);
        }
        for (line, item) in std::mem::take(&mut self.waiting) {
            self.read(line, &item)?;
        }
        Ok(())
    }

    fn choose(&self) -> Result<Field, UnreadableList> {
        let mut fields: Vec<(&str, Column)> = Vec::new();
        for object in self.waiting.iter().filter_map(|(_, item)| item.as_object()) {
            for (name, value) in object {
                let place = fields.iter().position(|(known, _)| known == name);
                if place.is_none() && fields.len() > MAX_COLUMNS {
                    continue;
                }
                let place = place.unwrap_or_else(|| {
                    fields.push((name, Column::default()));
                    fields.len() - 1
                });
                fields[place].1.add(value.as_str().unwrap_or_default().trim());
            }
        }
        if let Some(wanted) = &self.wanted {
            let known = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let names = fields.iter().map(|(name, _)| *name);
            let (name, _) = known.ok_or_else(|| UnreadableList::unknown_column(wanted, names))?;
            return Ok(Field {
                names: vec![(*name).to_owned()],
                chosen_by: ChosenBy::Request,
            });
        }
        let named = fields.iter().enumerate().filter_map(|(number, (name, column))| {
            Some(Candidate::of(header::named(name)?, *column, number))
        });
        let mut candidates: Vec<Candidate> = named.collect();
        let mut names = Vec::new();
        while let Some(found) = best(candidates.clone()) {
            names.push(fields[found.column].0.to_owned());
            candidates.retain(|candidate| candidate.column != found.column);
        }
        let columns: Vec<Column> = fields.iter().map(|(_, column)| *column).collect();
        if names.is_empty()
            && let Some((number, holds_addresses)) = most_telling(&columns)
        {
            return Ok(Field {
                names: vec![fields[number].0.to_owned()],
                chosen_by: if holds_addresses {
                    ChosenBy::EmailAddresses
                } else {
                    ChosenBy::Content
                },
            });
        }
        Ok(Field {
            names,
            chosen_by: ChosenBy::Header,
        })
    }

    fn read(&mut self, line: u32, item: &Value) -> Result<(), UnreadableList> {
        let list = &mut self.list;
        if let Some(text) = item.as_str() {
            list.read_cell(line, text.trim());
            return Ok(());
        }
        let Some(fields) = item.as_object() else {
            let error = "a domain must be a string".to_owned();
            list.reject_as("invalid_domain", line, &item.to_string(), error);
            return Ok(());
        };
        let field = self.field.get_or_insert_with(|| Field {
            names: Vec::new(),
            chosen_by: ChosenBy::Header,
        });
        let filled = |name: &&String| {
            fields
                .get(*name)
                .and_then(Value::as_str)
                .is_some_and(|text| !text.trim().is_empty())
        };
        let name = field
            .names
            .iter()
            .find(filled)
            .or_else(|| field.names.iter().find(|name| fields.contains_key(*name)));
        // A field that the first items did not have.
        let late = || {
            let is_free = field.chosen_by == ChosenBy::Header;
            fields.keys().find(|name| is_free && header::is_exact(name))
        };
        let Some(name) = name.or_else(late) else {
            let error = match field.names.first() {
                Some(name) => format!("the object has no field '{}'", super::shorten(name)),
                None => {
                    "the object has no field 'domain', 'website' or 'url', and no other field with a domain"
                        .to_owned()
                }
            };
            list.reject_as("invalid_domain", line, &item.to_string(), error);
            return Ok(());
        };
        let before = list.accepted.len();
        match fields.get(name) {
            Some(Value::String(text)) if field.chosen_by == ChosenBy::EmailAddresses => {
                list.read_addresses(line, text.trim());
            }
            Some(Value::String(text)) => list.read_cell(line, text.trim()),
            other => {
                let error = format!("the field '{}' must be a string", super::shorten(name));
                let input = other.map(Value::to_string).unwrap_or_default();
                list.reject_as("invalid_domain", line, &input, error);
            }
        }
        if list.accepted.len() > before && fields.len() > 1 {
            list.carry_fields(fields, before)?;
        }
        Ok(())
    }
}

impl BatchList {
    /// Keeps the fields of an object alongside the domains that were accepted from it.
    fn carry_fields(&mut self, fields: &Map<String, Value>, before: usize) -> Result<(), UnreadableList> {
        for name in fields.keys() {
            if !self.is_too_wide && !self.known_columns.contains(name) {
                self.known_columns.insert(name.clone());
                self.name_column(name)?;
            }
        }
        self.carry(before, &CarriedCells::of_fields(fields));
        Ok(())
    }
}

/// Newline-delimited JSON: a text or an object per line.
pub(super) fn read_lines(
    list: &mut BatchList,
    text: &str,
    wanted: Option<&str>,
) -> Result<(), UnreadableList> {
    let mut objects = Objects::of(wanted);
    std::mem::swap(&mut objects.list, list);
    for (line, text) in (1..).zip(encoding::lines(text)) {
        if objects.is_hopeless() {
            break;
        }
        if text.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => objects.push(line, value)?,
            Err(error) => {
                let error = format!("the line is not JSON: {error}");
                objects.list.reject_as("invalid_domain", line, text, error);
            }
        }
    }
    *list = objects.finish()?;
    Ok(())
}

/// A JSON document with a list in it. False if the text is none.
pub(super) fn read_document(
    list: &mut BatchList,
    text: &str,
    wanted: Option<&str>,
) -> Result<bool, UnreadableList> {
    let text = text.trim_start();
    let array = if text.starts_with('[') {
        text
    } else if text.starts_with('{') {
        let Ok(document) = serde_json::from_str::<Document<'_>>(text) else {
            return Ok(false);
        };
        document.domains.get()
    } else {
        return Ok(false);
    };
    let Ok(read) = read_array(array, wanted) else {
        return Ok(false);
    };
    let notes = std::mem::take(&mut list.notes);
    *list = read?;
    list.notes.splice(0..0, notes);
    Ok(true)
}

#[derive(serde::Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    domains: &'a serde_json::value::RawValue,
}

/// The list that a JSON array is; lines are the places of its items.
pub fn read_array(
    text: &str,
    wanted: Option<&str>,
) -> Result<Result<BatchList, UnreadableList>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Items(Objects::of(wanted)).deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

struct Items(Objects);

impl<'de> DeserializeSeed<'de> for Items {
    type Value = Result<BatchList, UnreadableList>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items {
    type Value = Result<BatchList, UnreadableList>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of domains")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut line = 0;
        let mut pushed = Ok(());
        while pushed.is_ok() && !self.0.is_hopeless() {
            let Some(item) = items.next_element::<Value>()? else {
                return Ok(self.0.finish());
            };
            line += 1;
            pushed = self.0.push(line, item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(pushed.and_then(|()| self.0.finish()))
    }
}

/// Whether a text without a media type is JSON objects or texts per line. A quoted cell is a JSON text too, so several
/// lines have to be.
pub(super) fn looks_like_lines(text: &str) -> bool {
    let mut lines = encoding::lines(text).filter(|line| !line.trim().is_empty());
    let parse = |line: &str| serde_json::from_str::<Value>(line).ok();
    match lines.next().and_then(parse) {
        Some(Value::Object(_)) => true,
        Some(Value::String(_)) => lines
            .take(5)
            .all(|line| parse(line).is_some_and(|value| value.is_string() || value.is_object())),
        _ => false,
    }
}
