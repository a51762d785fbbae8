//! Reads a JSON body as pydantic 2 does in its lax mode, and returns the same error messages.

mod json_error;

use std::collections::HashMap;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::LegacyError;
use crate::api::request::CommandRequest;
use crate::values::TenantId;

/// Maximum number of listed errors.
const MAX_ERRORS: usize = 100;

/// The fields of a body. A field that cannot be read counts as empty until `check` refuses it, so that all errors are
/// reported at once.
#[derive(Debug)]
pub(in crate::api::legacy) struct Body {
    fields: Map<String, Value>,
    errors: Vec<Value>,
}

impl Body {
    /// The object that a request's body is.
    pub(in crate::api::legacy) fn read(request: &CommandRequest) -> Result<Self, LegacyError> {
        Self::parse(&request.media_type(), request.body())
    }

    fn parse(media_type: &str, bytes: &[u8]) -> Result<Self, LegacyError> {
        match value_of(media_type, bytes)? {
            Value::Object(fields) => Ok(Self {
                fields,
                errors: Vec::new(),
            }),
            Value::Null => Err(LegacyError::invalid(
                vec![error("missing", &json!(["body"]), "Field required", &Value::Null)],
                Value::Null,
            )),
            other => {
                let message = "Input should be a valid dictionary or object to extract fields from";
                let errors = vec![error("model_attributes_type", &json!(["body"]), message, &other)];
                Err(LegacyError::invalid(errors, other))
            }
        }
    }

    /// A text that must be there.
    pub(in crate::api::legacy) fn text(&mut self, name: &str) -> String {
        let Some(value) = self.required(name) else {
            return String::new();
        };
        self.as_text(&json!(["body", name]), &value).unwrap_or_default()
    }

    /// A list of texts that must be there.
    pub(in crate::api::legacy) fn texts(&mut self, name: &str) -> Vec<String> {
        let Some(value) = self.required(name) else {
            return Vec::new();
        };
        let Value::Array(items) = value else {
            let message = "Input should be a valid list";
            self.refuse("list_type", &json!(["body", name]), message, &value);
            return Vec::new();
        };
        let place = |index| json!(["body", name, index]);
        let texts = items.iter().enumerate();
        texts
            .filter_map(|(index, item)| self.as_text(&place(index), item))
            .collect()
    }

    /// A tenant that must be there.
    pub(in crate::api::legacy) fn tenant(&mut self, name: &str) -> Option<TenantId> {
        self.required(name)?;
        self.optional_tenant(name)
    }

    /// A tenant, if present.
    pub(in crate::api::legacy) fn optional_tenant(&mut self, name: &str) -> Option<TenantId> {
        let value = self.fields.get(name)?.clone();
        let place = json!(["body", name]);
        let text = self.as_text(&place, &value)?;
        match Uuid::try_parse(&text) {
            Ok(id) => Some(TenantId(id)),
            Err(cause) => {
                let message = format!("Input should be a valid UUID, {cause}");
                let mut refusal = error("uuid_parsing", &place, &message, &value);
                refusal["ctx"] = json!({ "error": cause.to_string() });
                self.note(refusal);
                None
            }
        }
    }

    /// An integer, if present; a string, a boolean or a whole float is accepted.
    pub(in crate::api::legacy) fn optional_integer(&mut self, name: &str) -> Option<i64> {
        let value = self.fields.get(name)?.clone();
        match lax_integer(&value) {
            Ok(number) => Some(number),
            Err((kind, message)) => {
                self.refuse(kind, &json!(["body", name]), message, &value);
                None
            }
        }
    }

    /// The same; null counts as absent.
    pub(in crate::api::legacy) fn nullable_integer(&mut self, name: &str) -> Option<i64> {
        self.fields.get(name).filter(|value| !value.is_null())?;
        self.optional_integer(name)
    }

    /// A tenant, if present; null and the empty string count as absent.
    pub(in crate::api::legacy) fn nullable_tenant(&mut self, name: &str) -> Option<TenantId> {
        self.fields
            .get(name)
            .filter(|value| !value.is_null() && *value != "")?;
        self.optional_tenant(name)
    }

    /// A non-empty string, if present.
    pub(in crate::api::legacy) fn truthy_text(&mut self, name: &str) -> Option<String> {
        let value = self.fields.get(name)?.clone();
        let is_false = match &value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Number(number) => number.as_f64() == Some(0.0),
            Value::Array(items) => items.is_empty(),
            Value::Object(fields) => fields.is_empty(),
            Value::Bool(true) => false,
        };
        if is_false {
            return None;
        }
        self.as_text(&json!(["body", name]), &value)
    }

    /// A boolean, if present; 0, 1 and the usual words are accepted.
    pub(in crate::api::legacy) fn optional_boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.fields.get(name)?.clone();
        let truth = match &value {
            Value::Bool(truth) => Some(*truth),
            Value::Number(number) => match number.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                _ => None,
            },
            Value::String(text) => lax_boolean(text),
            _ => None,
        };
        if truth.is_none() {
            self.refuse("bool_parsing", &json!(["body", name]), NOT_A_BOOLEAN, &value);
        }
        truth
    }

    /// Refuses a list that is empty or too long.
    pub(in crate::api::legacy) fn check_length(&mut self, name: &str, length: usize, most: usize) {
        let value = self.fields.get(name).cloned().unwrap_or_default();
        if length == 0 {
            let message = "List should have at least 1 item after validation, not 0";
            self.refuse("too_short", &json!(["body", name]), message, &value);
        } else if length > most {
            let message = format!("List should have at most {most} items after validation, not {length}");
            self.refuse("too_long", &json!(["body", name]), &message, &value);
        }
    }

    /// Refuses a value for the given reason.
    pub(in crate::api::legacy) fn refuse_value(&mut self, name: &str, reason: &str) {
        let value = self.fields.get(name).cloned().unwrap_or_default();
        let message = format!("Value error, {reason}");
        self.refuse("value_error", &json!(["body", name]), &message, &value);
    }

    /// Whether there is no error.
    pub(in crate::api::legacy) fn has_no_errors(&self) -> bool {
        self.errors.is_empty()
    }

    /// Refuses the body if anything was wrong with it.
    pub(in crate::api::legacy) fn check(&mut self) -> Result<(), LegacyError> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let errors = std::mem::take(&mut self.errors);
        let body = Value::Object(std::mem::take(&mut self.fields));
        Err(LegacyError::invalid(errors, body))
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.fields.get(name).cloned();
        if value.is_none() {
            let body = Value::Object(self.fields.clone());
            self.refuse("missing", &json!(["body", name]), "Field required", &body);
        }
        value
    }

    fn as_text(&mut self, place: &Value, value: &Value) -> Option<String> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        self.refuse("string_type", place, "Input should be a valid string", value);
        None
    }

    fn refuse(&mut self, kind: &str, place: &Value, message: &str, input: &Value) {
        self.note(error(kind, place, message, input));
    }

    fn note(&mut self, error: Value) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }
}

/// The value of a body: without a JSON content type it is a string.
fn value_of(media_type: &str, bytes: &[u8]) -> Result<Value, LegacyError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let is_json = matches!(media_type, "" | "application/json") || is_json_suffixed(media_type);
    if !is_json {
        return Ok(String::from_utf8_lossy(bytes).into());
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|_| LegacyError::new(StatusCode::BAD_REQUEST, "There was an error parsing the body"))?;
    serde_json::from_str(text).map_err(|cause| {
        let (place, message) = json_error::in_python_words(text, &cause);
        let mut refusal = error(
            "json_invalid",
            &json!(["body", place]),
            "JSON decode error",
            &json!({}),
        );
        refusal["ctx"] = json!({ "error": message });
        LegacyError::invalid(vec![refusal], text.into())
    })
}

/// `application/….+json` (RFC 6839).
fn is_json_suffixed(media_type: &str) -> bool {
    media_type
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype.ends_with("+json"))
}

const NOT_A_BOOLEAN: &str = "Input should be a valid boolean, unable to interpret input";

/// The words that pydantic accepts for true and false.
fn lax_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// An integer of the query within bounds, if present.
pub(in crate::api::legacy) fn query_integer(
    query: &HashMap<String, String>,
    name: &str,
    least: i64,
    most: i64,
    problems: &mut Vec<Value>,
) -> Option<i64> {
    let given = query.get(name)?;
    let Some(number) = parse_integer(given) else {
        problems.push(query_error(NO_DIGITS.0, name, NO_DIGITS.1, given));
        return None;
    };
    if number < least {
        let message = format!("Input should be greater than or equal to {least}");
        problems.push(query_error("greater_than_equal", name, &message, given));
    } else if number > most {
        let message = format!("Input should be less than or equal to {most}");
        problems.push(query_error("less_than_equal", name, &message, given));
    }
    Some(number)
}

/// A boolean of the query, if present.
pub(in crate::api::legacy) fn query_boolean(
    query: &HashMap<String, String>,
    name: &str,
    problems: &mut Vec<Value>,
) -> Option<bool> {
    let given = query.get(name)?;
    let truth = lax_boolean(given);
    if truth.is_none() {
        problems.push(query_error("bool_parsing", name, NOT_A_BOOLEAN, given));
    }
    truth
}

/// The error of a query parameter.
pub(in crate::api::legacy) fn query_error(kind: &str, name: &str, message: &str, given: &str) -> Value {
    error(kind, &json!(["query", name]), message, &given.into())
}

/// What is wrong with what, in the words of the framework.
pub(in crate::api::legacy) fn error(kind: &str, place: &Value, message: &str, input: &Value) -> Value {
    json!({ "type": kind, "loc": place, "msg": message, "input": input })
}

type Refusal = (&'static str, &'static str);

const NOT_AN_INTEGER: Refusal = ("int_type", "Input should be a valid integer");
const FRACTION: Refusal = (
    "int_from_float",
    "Input should be a valid integer, got a number with a fractional part",
);
const NO_DIGITS: Refusal = (
    "int_parsing",
    "Input should be a valid integer, unable to parse string as an integer",
);

/// Numbers that do not fit into 64 bits are clamped: no such number is meaningful here.
fn lax_integer(value: &Value) -> Result<i64, Refusal> {
    match value {
        Value::Bool(truth) => Ok(i64::from(*truth)),
        Value::String(text) => parse_integer(text).ok_or(NO_DIGITS),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(number),
            (None, Some(float)) if float.fract() == 0.0 => Ok(nearest(float)),
            _ => Err(FRACTION),
        },
        _ => Err(NOT_AN_INTEGER),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "saturating is what is wanted")]
fn nearest(float: f64) -> i64 {
    float as i64
}

/// `" +1_000.0 "`: blanks around, a sign, single underscores between digits, a fraction of nothing.
fn parse_integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    let negative = whole.starts_with('-');
    let digits = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let groups: Vec<&str> = digits.split('_').collect();
    let well_formed = |group: &&str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    if !groups.iter().all(well_formed) {
        return None;
    }
    let bound = if negative { i64::MIN } else { i64::MAX };
    let sign = if negative { "-" } else { "" };
    Some(format!("{sign}{}", groups.concat()).parse().unwrap_or(bound))
}

#[cfg(test)]
mod tests;
