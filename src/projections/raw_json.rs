//! JSON that is only passed on. It is kept as text, because a tree would take many times the memory.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson(String);

impl RawJson {
    /// The empty object.
    pub fn empty_object() -> Self {
        Self("{}".to_owned())
    }

    /// Plain data as JSON.
    pub fn of(data: &impl Serialize) -> Self {
        Self(serde_json::to_string(data).expect("plain data"))
    }

    /// Takes a text that is JSON.
    pub fn parse(content: &[u8]) -> serde_json::Result<Self> {
        let raw: &RawValue = serde_json::from_slice(content)?;
        Ok(Self(raw.get().to_owned()))
    }

    /// Bytes of text.
    #[expect(clippy::len_without_is_empty, reason = "a JSON text is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// As a type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }

    /// As a tree.
    pub fn to_value(&self) -> Value {
        self.read().unwrap_or_default()
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().to_owned()))
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
