//! Reads a JSON body the way pydantic 2 did in its lax mode, and says what is wrong with it in the same words.

mod json_error;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::LegacyError;
use crate::api::request::CommandRequest;
use crate::values::TenantId;

/// Errors that are listed at most; who made more learns from the first.
const MAX_ERRORS: usize = 100;

/// The fields of a body. What cannot be read is taken as empty until `check` refuses it, so that all errors are told
/// at once.
#[derive(Debug)]
pub(super) struct Body {
    fields: Map<String, Value>,
    errors: Vec<Value>,
}

impl Body {
    /// The object that a request's body is.
    pub(super) fn read(request: &CommandRequest) -> Result<Self, LegacyError> {
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
    pub(super) fn text(&mut self, name: &str) -> String {
        let Some(value) = self.required(name) else {
            return String::new();
        };
        self.as_text(&json!(["body", name]), &value).unwrap_or_default()
    }

    /// A list of texts that must be there.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
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
    pub(super) fn tenant(&mut self, name: &str) -> Option<TenantId> {
        self.required(name)?;
        self.optional_tenant(name)
    }

    /// A tenant, if it is there.
    pub(super) fn optional_tenant(&mut self, name: &str) -> Option<TenantId> {
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

    /// An integer, if it is there; a text, a truth value or a whole float will do.
    pub(super) fn optional_integer(&mut self, name: &str) -> Option<i64> {
        let value = self.fields.get(name)?.clone();
        match lax_integer(&value) {
            Ok(number) => Some(number),
            Err((kind, message)) => {
                self.refuse(kind, &json!(["body", name]), message, &value);
                None
            }
        }
    }

    /// The same; null is as good as nothing.
    pub(super) fn nullable_integer(&mut self, name: &str) -> Option<i64> {
        self.fields.get(name).filter(|value| !value.is_null())?;
        self.optional_integer(name)
    }

    /// Refuses the body if anything was wrong with it.
    pub(super) fn check(&mut self) -> Result<(), LegacyError> {
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

/// The value a body stands for: what does not call itself JSON is a text.
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

fn error(kind: &str, place: &Value, message: &str, input: &Value) -> Value {
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

/// What does not fit 64 bits is brought to the nearest bound: no number here means anything so large.
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
