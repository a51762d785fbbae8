//! Every event type there is and the shape of its data, out of the types themselves: for the documentation, and so
//! that a shape does not change without a new version.

use cqrs_es::Aggregate;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::{
    BatchEvent, BatchScan, DomainScan, Monitor, MonitorEvent, ScanEvent, Tenant, TenantEvent, Webhook,
    WebhookEvent,
};
use crate::values::VersionedEvent;
use crate::values::versioned::current_version;

/// An event type as it is written now.
#[derive(Clone, Debug, PartialEq)]
pub struct EventShape {
    /// The type of the streams it stands on.
    pub stream_type: &'static str,
    /// Its name.
    pub event_type: String,
    /// The version in which it is written now.
    pub version: u32,
    /// What it says.
    pub description: String,
    /// JSON Schema of its data, the enum's tag left out, every reference resolved.
    pub schema: Value,
}

/// Every event type, stream type by stream type, in the order of the enums.
pub fn event_shapes() -> Vec<EventShape> {
    let mut shapes = shapes_of::<ScanEvent>(DomainScan::TYPE);
    shapes.extend(shapes_of::<BatchEvent>(BatchScan::TYPE));
    shapes.extend(shapes_of::<WebhookEvent>(Webhook::TYPE));
    shapes.extend(shapes_of::<MonitorEvent>(Monitor::TYPE));
    shapes.extend(shapes_of::<TenantEvent>(Tenant::TYPE));
    shapes
}

fn shapes_of<E: VersionedEvent + ToSchema>(stream_type: &'static str) -> Vec<EventShape> {
    let mut components = Vec::new();
    E::schemas(&mut components);
    let mut schema = to_value(&E::schema());
    resolve(&mut schema, &components);
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    variants
        .into_iter()
        .filter_map(|variant| shape_of::<E>(stream_type, &variant))
        .collect()
}

fn shape_of<E: VersionedEvent>(stream_type: &'static str, variant: &Value) -> Option<EventShape> {
    let (event_type, schema) = variant["properties"].as_object()?.iter().next()?;
    Some(EventShape {
        stream_type,
        version: current_version::<E>(event_type)?,
        event_type: event_type.clone(),
        description: variant["description"].as_str().unwrap_or_default().to_owned(),
        schema: schema.clone(),
    })
}

/// Puts what a reference names in its place; what is said of the reference itself wins.
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
        let known: Vec<&str> = shapes.iter().map(|shape| shape.event_type.as_str()).collect();
        let versions = ScanEvent::VERSIONS
            .iter()
            .chain(BatchEvent::VERSIONS)
            .chain(WebhookEvent::VERSIONS)
            .chain(MonitorEvent::VERSIONS)
            .chain(TenantEvent::VERSIONS);
        assert_eq!(known, versions.map(|(name, _)| *name).collect::<Vec<_>>());
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
