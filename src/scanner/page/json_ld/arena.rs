//! All objects of a page's JSON-LD in one list, each stored once: an object inside another is referred to by its index.
//!
//! This keeps memory proportional to the size of the blocks, however they are nested.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Objects kept of one page.
const MAX_OBJECTS: usize = 5_000;

/// Items kept of one list that is not a list of objects.
const MAX_ITEMS: usize = 100;

/// A value; booleans and null are not needed here.
#[derive(Debug)]
pub(super) enum Json {
    Nothing,
    /// A text, or a number as a text.
    Text(String),
    List(Vec<Json>),
    /// The index of an object.
    Object(usize),
}

/// An object and its position.
#[derive(Debug, Default)]
pub(super) struct Object {
    pub(super) fields: Vec<(String, Json)>,
    /// The enclosing object and the property that leads here; `None` at the top and in `@graph`.
    pub(super) parent: Option<(usize, String)>,
    pub(super) depth: usize,
}

/// The objects in document order, an outer one before those inside it.
#[derive(Debug, Default)]
pub(super) struct Arena(pub(super) Vec<Object>);

impl Arena {
    /// Adds the objects of the value that a deserializer reads.
    pub(super) fn add<'de, D: Deserializer<'de>>(&mut self, deserializer: D) -> Result<(), D::Error> {
        let (parent, depth) = (None, 0);
        let arena = self;
        MemberVisitor { arena, parent, depth }
            .deserialize(deserializer)
            .map(drop)
    }
}

/// The position of a value.
struct MemberVisitor<'a> {
    arena: &'a mut Arena,
    parent: Option<(usize, &'a str)>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for MemberVisitor<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberVisitor<'_> {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Nothing)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let MemberVisitor { arena, parent, depth } = self;
        let mut kept = Vec::new();
        while kept.len() < MAX_ITEMS || matches!(kept.last(), Some(Json::Object(_))) {
            let place = MemberVisitor {
                arena: &mut *arena,
                parent,
                depth,
            };
            match items.next_element_seed(place)? {
                Some(item) => kept.push(item),
                None => return Ok(Json::List(kept)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::List(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let MemberVisitor { arena, parent, depth } = self;
        if arena.0.len() >= MAX_OBJECTS {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Json::Nothing);
        }
        let at = arena.0.len();
        let parent = parent.map(|(parent, property)| (parent, property.to_owned()));
        let fields = Vec::new();
        arena.0.push(Object {
            fields,
            parent,
            depth,
        });
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            // Objects in a graph are independent of the object that contains it.
            let is_graph = name == "@graph";
            let value = map.next_value_seed(MemberVisitor {
                arena: &mut *arena,
                parent: (!is_graph).then_some((at, name.as_str())),
                depth: depth + 1,
            })?;
            fields.push((name, value));
        }
        arena.0[at].fields = fields;
        Ok(Json::Object(at))
    }
}
