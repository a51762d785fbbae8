//! The text that PostgreSQL makes of a `jsonb` value (PostgreSQL, "JSON Types"): with spaces, and with the members of an
//! object by the length of their names. With it, JSON columns are hashed without sending them to PostgreSQL.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The text; an error also if PostgreSQL would write a number in another way.
pub(super) fn jsonb_text(json: &str) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(json.len() + json.len() / 8);
    serde_json::from_str::<Node<'_>>(json)?.write(&mut text)?;
    Ok(text)
}

enum Node<'a> {
    /// `null`, `true`, `false` or a number, as text.
    Plain(String),
    Text(Text<'a>),
    Array(Vec<Self>),
    Object(Vec<(Text<'a>, Self)>),
}

/// A string, which is only copied if it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Node<'_> {
    fn write(self, text: &mut Vec<u8>) -> serde_json::Result<()> {
        match self {
            Self::Plain(plain) => text.extend_from_slice(plain.as_bytes()),
            // PostgreSQL and serde_json escape the same characters in the same way.
            Self::Text(string) => serde_json::to_writer(text, &string.0)?,
            Self::Array(items) => {
                text.push(b'[');
                for (number, item) in items.into_iter().enumerate() {
                    separate(number, text);
                    item.write(text)?;
                }
                text.push(b']');
            }
            Self::Object(mut members) => {
                members.sort_by(|(one, _), (other, _)| {
                    let length = one.0.len().cmp(&other.0.len());
                    length.then_with(|| one.0.cmp(&other.0))
                });
                text.push(b'{');
                for (number, (name, value)) in members.into_iter().enumerate() {
                    separate(number, text);
                    serde_json::to_writer(&mut *text, &name.0)?;
                    text.extend_from_slice(b": ");
                    value.write(text)?;
                }
                text.push(b'}');
            }
        }
        Ok(())
    }
}

fn separate(number: usize, text: &mut Vec<u8>) {
    if number > 0 {
        text.extend_from_slice(b", ");
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Node<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;
        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Node<'de>, E> {
                Ok(Node::Plain("null".to_owned()))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
                Ok(Node::Plain(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
                Ok(Node::Plain(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
                Ok(Node::Plain(value.to_string()))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Node<'de>, E> {
                // Without a fraction and with many digits, the text of the number may have been another one.
                let text = value.to_string();
                let is_plain = (1e-5..1e15).contains(&value.abs()) && text.contains('.');
                is_plain
                    .then_some(Node::Plain(text))
                    .ok_or_else(|| E::custom("a number that PostgreSQL may write in another way"))
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Text(Cow::Borrowed(value))))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
                Ok(Node::Text(Text(Cow::Owned(value.to_owned()))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Node::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Node::Object(members))
            }
        }
        deserializer.deserialize_any(NodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_postgresql_writes_them() {
        for (json, wanted) in [
            ("null", "null"),
            (
                r#"{"bb":1,"a":[true,null,{}],"c":[]}"#,
                r#"{"a": [true, null, {}], "c": [], "bb": 1}"#,
            ),
            (r#""é\u00e9\/\n\u0007\\""#, r#""éé/\n\u0007\\""#),
            (
                r#"{"é":1,"zz":2,"b":-3,"a":0.25}"#,
                r#"{"a": 0.25, "b": -3, "zz": 2, "é": 1}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(jsonb_text(json).unwrap()).unwrap(), wanted);
        }
        for json in ["1e300", "1E-9", "2.0", "12345678901234567890.5", "{", "[1,]"] {
            assert!(jsonb_text(json).is_err(), "{json}");
        }
    }
}
