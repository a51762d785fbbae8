//! A JSON value as one cell of a table.

use serde_json::Value;

use crate::values::spreadsheet::inert_cell;

/// Stands between the elements of a list.
const BETWEEN: &str = "; ";

/// The content of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Null, and an empty list.
    Empty,
    /// Anything with letters; lists and objects too.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// True or false.
    Bool(bool),
}

impl From<&Value> for Cell {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Empty,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::Text(text.clone()),
            Value::Array(elements) if elements.is_empty() => Self::Empty,
            Value::Array(elements) => {
                let elements: Vec<String> = elements.iter().map(element).collect();
                Self::Text(elements.join(BETWEEN))
            }
            Value::Object(_) => Self::Text(value.to_string()),
        }
    }
}

impl Cell {
    /// The field of a CSV file, escaped so that a spreadsheet does not run it as a formula.
    pub fn to_field(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Bool(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => inert_text(text),
        }
    }
}

/// Each number in a list of phone numbers is harmless, but the whole list would be taken for a formula.
fn inert_text(text: &str) -> String {
    let is_list_of_inert = text
        .split(BETWEEN)
        .all(|element| inert_cell(element).len() == element.len());
    if is_list_of_inert {
        return text.to_owned();
    }
    // Some spreadsheets split cells at semicolons, so the text after one must not be a formula either.
    let elements: Vec<_> = text.split(BETWEEN).map(inert_cell).collect();
    elements.join(BETWEEN)
}

/// An object with a name is shown as the name and its version; an email address as itself and whether it can receive
/// email; a check as its code and its count; a change as its field and the values before and after.
pub(super) fn element(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(field) = value["field"].as_str() {
        return format!(
            "{field}: {} → {}",
            words(&value["before"]),
            words(&value["after"])
        );
    }
    match (value["name"].as_str(), value["version"].as_str()) {
        (Some(name), Some(version)) => format!("{name} {version}"),
        (Some(name), None) => name.to_owned(),
        (None, _) if value["value"].is_string() => address(value),
        (None, _) if value["check"].is_string() && value["count"].is_u64() => {
            format!(
                "{}: {}",
                value["check"].as_str().unwrap_or_default(),
                value["count"]
            )
        }
        _ => value.to_string(),
    }
}

/// A value within an element.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "–".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn address(value: &Value) -> String {
    let address = value["value"].as_str().unwrap_or_default();
    match value["check"]["deliverable"].as_str() {
        Some(deliverable) => format!("{address}: {deliverable}"),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(value: &Value) -> String {
        Cell::from(value).to_field()
    }

    #[test]
    fn values_become_fields() {
        for (value, wanted) in [
            (json!(null), ""),
            (json!([]), ""),
            (json!(true), "true"),
            (json!(-2.5), "-2.5"),
            (json!("a, b"), "a, b"),
            (json!(["a", "b"]), "a; b"),
            (
                json!([{ "name": "Vue", "version": "3.1" }, { "name": "nginx", "version": null }]),
                "Vue 3.1; nginx",
            ),
            (
                json!([{ "value": "a@b.test", "check": { "deliverable": "no" } }, { "value": "c@d.test" }]),
                "a@b.test: no; c@d.test",
            ),
            (
                json!([{ "check": "duplicate", "count": 3, "examples": [] }, { "check": "too_large", "count": 1 }]),
                "duplicate: 3; too_large: 1",
            ),
            (json!({ "b": 1 }), r#"{"b":1}"#),
            (
                json!([{ "field": "title", "before": null, "after": "=A" }, { "field": "feeds", "before": ["a", "b"], "after": [] }]),
                "title: – → =A; feeds: a, b → –",
            ),
        ] {
            assert_eq!(field(&value), wanted);
        }
    }

    #[test]
    fn telephone_numbers_stay_what_they_are_alone_and_in_lists() {
        assert_eq!(field(&json!("+4989123456")), "+4989123456");
        assert_eq!(
            field(&json!(["+4989123456", "+12125550001"])),
            "+4989123456; +12125550001"
        );
    }

    #[test]
    fn what_would_be_a_formula_is_made_a_text_alone_and_in_lists() {
        assert_eq!(field(&json!("=1+1")), "'=1+1");
        assert_eq!(field(&json!("＝1")), "'＝1");
        assert_eq!(field(&json!(["a", "=cmd"])), "a; '=cmd");
        assert_eq!(field(&json!(["+491", "=cmd"])), "+491; '=cmd");
        assert_eq!(field(&json!("-1+1; x")), "'-1+1; x");
    }
}
