//! Adds what the handlers' types cannot express: bounds and formats of common parameters, and the media type of
//! problems.

use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use super::examples;
use crate::aggregates::BatchStatus;
use crate::api::v4::list_changes::ChangeSort;
use crate::export::Format;
use crate::projections::domains::query::DomainSort;
use crate::projections::jobs::query::JobSort;
use crate::projections::query::Sort;
use crate::values::{FailureReason, domain_change};

/// The document with these put in.
pub(super) fn precise(document: &OpenApi) -> Value {
    let mut value = serde_json::to_value(document).expect("the document is plain data");
    let schemas = value["components"]["schemas"].clone();
    let paths = value
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|paths| paths.values_mut());
    for (method, operation) in paths
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.iter_mut())
    {
        let words = choices(operation["operationId"].as_str().unwrap_or_default());
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            state_bounds(parameter);
            let name = parameter["name"].as_str().unwrap_or_default();
            if let Some((_, choice)) = words.iter().find(|(known, _)| *known == name) {
                add(&mut parameter["schema"], &json!({ "enum": choice }));
            }
        }
        offer_files(operation);
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        for (status, response) in responses.into_iter().flatten() {
            name_problem(response);
            describe(status, response);
        }
        examples::put_in(operation, method, &schemas);
    }
    for (schema, property, bounds) in [
        ("NewScan", "domain", json!({ "minLength": 1 })),
        (
            "NewBatch",
            "domains",
            json!({ "minItems": 1, "maxItems": 100_000 }),
        ),
        (
            "NewMonitor",
            "domains",
            json!({ "minItems": 1, "maxItems": 100_000 }),
        ),
        (
            "ChangedMonitor",
            "domains",
            json!({ "minItems": 1, "maxItems": 100_000 }),
        ),
    ] {
        let pointer = format!("/components/schemas/{schema}/properties/{property}");
        if let Some(found) = value.pointer_mut(&pointer) {
            add(found, &bounds);
        }
    }
    value
}

/// An operation with the parameter `format` can also return each file format. More rows than an Excel file can hold are
/// an error.
fn offer_files(operation: &mut Value) {
    let parameters = operation["parameters"].as_array();
    if !parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "format")) {
        return;
    }
    for format in Format::ALL {
        let media_type = format.media_types()[0];
        operation["responses"]["200"]["content"][media_type] = json!({ "schema": { "type": "string" } });
    }
    operation["responses"]["422"] = json!({
        "description": "More rows than an Excel file can hold",
        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
}

/// The values that parameters of an operation accept.
fn choices(operation: &str) -> Vec<(&'static str, Vec<String>)> {
    fn of<T: ToString>(words: &[T]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }
    match operation {
        "list_scans" | "list_batch_scans" => {
            vec![("reason", of(FailureReason::ALL)), ("sort", of(JobSort::ALL))]
        }
        "list_domains" => vec![("sort", of(DomainSort::ALL))],
        "list_changes" => vec![
            ("sort", of(ChangeSort::ALL)),
            ("field", of(&domain_change::field_names())),
        ],
        "list_batches" => vec![("status", of(&BatchStatus::ALL))],
        _ => Vec::new(),
    }
}

/// Bounds and forms by the parameter's name, which means the same wherever it is.
fn state_bounds(parameter: &mut Value) {
    let bounds = match parameter["name"].as_str().unwrap_or_default() {
        "X-Tenant-Id" | "batch" | "monitor" => json!({ "format": "uuid" }),
        "Idempotency-Key" => json!({ "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" }),
        "limit" => json!({ "minimum": 1, "maximum": 1000 }),
        "cursor" => json!({ "minLength": 1, "pattern": "^[A-Za-z0-9_-]+$" }),
        "at_least" | "after" => json!({ "minimum": 0 }),
        // A position or a time.
        "as_of" => {
            json!({ "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "format": "date-time" }] })
        }
        "domain" => json!({ "minLength": 1 }),
        "status" => json!({ "enum": ["pending", "running", "completed", "failed", "cancelled"] }),
        _ => return,
    };
    if let Some(schema) = parameter.get_mut("schema") {
        // An optional parameter is omitted; it cannot be null.
        if let Some(first) = schema
            .get("type")
            .and_then(Value::as_array)
            .and_then(|types| types.first())
            .cloned()
        {
            schema["type"] = first;
        }
        if bounds.get("oneOf").is_some() {
            *schema = json!({});
        }
        add(schema, &bounds);
    }
}

/// The description of a response whose handler gives only the status and the type; the standard requires one for each.
fn describe(status: &str, response: &mut Value) {
    let is_described = response["description"]
        .as_str()
        .is_some_and(|words| !words.is_empty());
    if is_described {
        return;
    }
    let of = response
        .pointer("/content/application~1json/schema/$ref")
        .and_then(Value::as_str);
    let is_page = of.is_some_and(|name| name.contains("/Page_"));
    response["description"] = match status {
        "200" if is_page => "A page of the list; `next` is the cursor of the next page",
        "200" => "The current state",
        "202" => "Accepted",
        "400" => "The request is invalid",
        "404" => "The resource does not exist, or it belongs to another tenant",
        "503" => "Service unavailable; resend the request after `Retry-After`",
        _ => "See the status code",
    }
    .into();
}

/// Problems are `application/problem+json`, wherever a handler lists them.
fn name_problem(response: &mut Value) {
    let Some(content) = response.get_mut("content").and_then(Value::as_object_mut) else {
        return;
    };
    let is_problem = |media: &Value| media["schema"]["$ref"] == "#/components/schemas/Problem";
    if content.get("application/json").is_some_and(is_problem)
        && let Some(problem) = content.remove("application/json")
    {
        content.insert("application/problem+json".to_owned(), problem);
    }
}

fn add(schema: &mut Value, bounds: &Value) {
    if let (Some(schema), Some(bounds)) = (schema.as_object_mut(), bounds.as_object()) {
        schema.extend(bounds.clone());
    }
}
