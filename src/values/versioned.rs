//! Reads events of earlier versions as current ones.
//!
//! An event in the log never changes. If the structure of a type changes, it gets a new version, and one upcaster
//! converts the fields of the previous version. All code that reads events (aggregates, read models, policies) uses
//! [`decode`] and sees only the current structure.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A type of events of which earlier versions may be in the log.
pub trait VersionedEvent: DeserializeOwned {
    /// The steps from one version to the next; one for each version but the last.
    const UPCASTERS: &'static [Upcaster] = &[];

    /// The version in which a type of these events is written now, starting at 1; `None` for a type that is not one of
    /// them.
    fn version_of(event_type: &str) -> Option<u32>;
}

/// A conversion from one version of an event type to the next.
pub struct Upcaster {
    /// The event type.
    pub event_type: &'static str,
    /// The source version; the result has the next one.
    pub from: u32,
    /// Computes the fields of the next version from those of this one.
    pub upcast: fn(Map<String, Value>) -> Map<String, Value>,
}

/// Why a stored event could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// This release does not know the type, or not this version of it: a later release wrote it.
    #[error("this release does not know it")]
    UnknownVersion,
    /// It is not what its type and version promise.
    #[error("it does not match its type and version")]
    Unreadable(#[from] serde_json::Error),
}

/// A stored event (an object with its type's name and its fields), converted to the current structure.
pub fn decode<E: VersionedEvent>(event_type: &str, version: &str, payload: &Value) -> Result<E, DecodeError> {
    let (stored, current) = versions::<E>(event_type, version)?;
    if stored == current {
        return Ok(E::deserialize(payload)?);
    }
    let mut fields = payload
        .get(event_type)
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    for from in stored..current {
        let step = E::UPCASTERS
            .iter()
            .find(|step| step.event_type == event_type && step.from == from);
        fields = (step.ok_or(DecodeError::UnknownVersion)?.upcast)(fields);
    }
    let mut event = Map::new();
    event.insert(event_type.to_owned(), Value::Object(fields));
    Ok(E::deserialize(Value::Object(event))?)
}

/// The same for a payload that is still text.
pub fn decode_text<E: VersionedEvent>(
    event_type: &str,
    version: &str,
    payload: &str,
) -> Result<E, DecodeError> {
    let (stored, current) = versions::<E>(event_type, version)?;
    if stored == current {
        return Ok(serde_json::from_str(payload)?);
    }
    decode(event_type, version, &serde_json::from_str(payload)?)
}

/// The version stored and the present one, if this release knows both.
fn versions<E: VersionedEvent>(event_type: &str, version: &str) -> Result<(u32, u32), DecodeError> {
    let stored: u32 = version.parse().map_err(|_| DecodeError::UnknownVersion)?;
    let current = E::version_of(event_type).ok_or(DecodeError::UnknownVersion)?;
    if stored == 0 || stored > current {
        return Err(DecodeError::UnknownVersion);
    }
    Ok((stored, current))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// Version 1 had a name in one text, version 2 in two, version 3 knows the language.
    #[derive(Debug, PartialEq, Deserialize)]
    enum Renamed {
        Named {
            first: String,
            last: String,
            language: Option<String>,
        },
    }

    impl VersionedEvent for Renamed {
        const UPCASTERS: &'static [Upcaster] = &[
            Upcaster {
                event_type: "Named",
                from: 1,
                upcast: split_name,
            },
            Upcaster {
                event_type: "Named",
                from: 2,
                upcast: without_language,
            },
        ];

        fn version_of(event_type: &str) -> Option<u32> {
            (event_type == "Named").then_some(3)
        }
    }

    fn split_name(mut fields: Map<String, Value>) -> Map<String, Value> {
        let name = fields.remove("name").unwrap_or_default();
        let (first, last) = name
            .as_str()
            .and_then(|name| name.split_once(' '))
            .unwrap_or_default();
        fields.insert("first".into(), first.into());
        fields.insert("last".into(), last.into());
        fields
    }

    fn without_language(mut fields: Map<String, Value>) -> Map<String, Value> {
        fields.insert("language".into(), Value::Null);
        fields
    }

    fn ada(language: Option<&str>) -> Renamed {
        let language = language.map(str::to_owned);
        Renamed::Named {
            first: "Ada".into(),
            last: "Lovelace".into(),
            language,
        }
    }

    #[test]
    fn each_version_is_read_as_the_present_one() {
        let stored = [
            ("1", json!({ "Named": { "name": "Ada Lovelace" } }), None),
            (
                "2",
                json!({ "Named": { "first": "Ada", "last": "Lovelace" } }),
                None,
            ),
            (
                "3",
                json!({ "Named": { "first": "Ada", "last": "Lovelace", "language": "en" } }),
                Some("en"),
            ),
        ];
        for (version, payload, language) in stored {
            assert_eq!(
                decode::<Renamed>("Named", version, &payload).unwrap(),
                ada(language),
                "version {version}"
            );
            let text = payload.to_string();
            assert_eq!(
                decode_text::<Renamed>("Named", version, &text).unwrap(),
                ada(language),
                "version {version}"
            );
        }
    }

    #[test]
    fn what_a_later_release_wrote_is_told_apart_from_what_is_broken() {
        let payload = json!({ "Named": { "first": "Ada" } });
        for (kind, version) in [
            ("Named", "4"),
            ("Named", "0"),
            ("Named", "next"),
            ("Unnamed", "1"),
        ] {
            let error = decode::<Renamed>(kind, version, &payload).unwrap_err();
            assert!(
                matches!(error, DecodeError::UnknownVersion),
                "{kind} {version}: {error}"
            );
        }
        let error = decode::<Renamed>("Named", "3", &payload).unwrap_err();
        assert!(matches!(error, DecodeError::Unreadable(_)), "{error}");
    }
}
