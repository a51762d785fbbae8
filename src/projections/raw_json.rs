//! JSON that is only passed on. It is kept as text, because a tree would take many times the memory.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A JSON value as text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl RawJson {
    /// The empty object.
    pub fn empty_object() -> Self {
        Self::of(&Value::Object(serde_json::Map::new()))
    }

    /// Plain data as JSON.
    pub fn of(data: &impl Serialize) -> Self {
        Self(to_raw_value(data).expect("plain data"))
    }

    /// Takes a text that is JSON.
    pub fn parse(content: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(content).map(Self)
    }

    /// Bytes of text.
    #[expect(clippy::len_without_is_empty, reason = "a JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.0.get().len()
    }

    /// As a type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// As a tree.
    pub fn to_value(&self) -> Value {
        self.read().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_through_unchanged_and_can_still_be_read() {
        let raw = RawJson::parse(br#"{"b": [1, 2.50], "a": null}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&raw).unwrap(),
            r#"{"b": [1, 2.50], "a": null}"#
        );
        assert_eq!(
            serde_json::from_str::<RawJson>(r#"{"b": [1, 2.50], "a": null}"#).unwrap(),
            raw
        );
        assert_eq!(raw.to_value()["b"][0], 1);
        assert!(RawJson::parse(b"{broken").is_err());
    }
}
