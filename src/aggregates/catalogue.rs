//! All event types and the structure of their data, generated from the types: for the documentation, and so that a
//! structure does not change without a new version.

use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::{BatchEvent, MonitorEvent, ScanEvent, TenantEvent, WebhookEvent};
use crate::values::event_type::StreamType;
use crate::values::{EventType, VersionedEvent};

/// An event type as it is written now.
#[derive(Clone, Debug, PartialEq)]
pub struct EventShape {
    /// The streams that have it.
    pub stream_type: StreamType,
    /// The type.
    pub event_type: EventType,
    /// The version in which it is written now.
    pub version: u32,
    /// Its description.
    pub description: String,
    /// JSON Schema of its data, the enum's tag left out, every reference resolved.
    pub schema: Value,
}

/// Every event type, stream type by stream type, in the order of the enums.
pub fn event_shapes() -> Vec<EventShape> {
    let mut shapes = shapes_of::<ScanEvent>(StreamType::Scan);
    shapes.extend(shapes_of::<BatchEvent>(StreamType::Batch));
    shapes.extend(shapes_of::<WebhookEvent>(StreamType::Webhook));
    shapes.extend(shapes_of::<MonitorEvent>(StreamType::Monitor));
    shapes.extend(shapes_of::<TenantEvent>(StreamType::Tenant));
    shapes
}

fn shapes_of<E: VersionedEvent + ToSchema>(stream_type: StreamType) -> Vec<EventShape> {
    let mut components = Vec::new();
    E::schemas(&mut components);
    let mut schema = to_value(&E::schema());
    resolve(&mut schema, &components);
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    variants
        .into_iter()
        .filter_map(|variant| shape_of(stream_type, &variant))
        .collect()
}

fn shape_of(stream_type: StreamType, variant: &Value) -> Option<EventShape> {
    let (name, schema) = variant["properties"].as_object()?.iter().next()?;
    let event_type = EventType::of_stream(stream_type, name)?;
    Some(EventShape {
        stream_type,
        version: event_type.version(),
        event_type,
        description: variant["description"].as_str().unwrap_or_default().to_owned(),
        schema: schema.clone(),
    })
}

/// Resolves a reference; a description beside the reference takes precedence.
fn resolve(value: &mut Value, components: &[(String, RefOr<Schema>)]) {
    if let Value::Object(fields) = value
        && let Some(Value::String(path)) = fields.remove("$ref")
    {
        let name = path.rsplit('/').next().unwrap_or_default();
        let named = components.iter().find(|(known, _)| known == name);
        let mut whole = named.map_or_else(Map::new, |(_, schema)| match to_value(schema) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        });
        whole.append(fields);
        *value = Value::Object(whole);
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| resolve(field, components)),
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, components)),
        _ => {}
    }
}

fn to_value(schema: &RefOr<Schema>) -> Value {
    serde_json::to_value(schema).expect("a schema is plain data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_type_has_a_shape_and_each_field_is_described() {
        let shapes = event_shapes();
        let known: Vec<EventType> = shapes.iter().map(|shape| shape.event_type).collect();
        assert_eq!(known, EventType::ALL);
        for shape in &shapes {
            assert!(!shape.description.is_empty(), "{}", shape.event_type);
            assert!(!shape.schema.to_string().contains("$ref"), "{}", shape.schema);
            for (name, field) in shape.schema["properties"].as_object().into_iter().flatten() {
                let choices = field["oneOf"].as_array().into_iter().flatten();
                let mut said = choices.chain([field]).map(|part| &part["description"]);
                assert!(
                    said.any(Value::is_string),
                    "{}.{name} is not described: {field}",
                    shape.event_type
                );
            }
        }
    }
}
