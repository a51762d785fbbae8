//! `docs/events.md`, made from the types and the stored events under `tests/fixtures/events`, and the rule that the
//! structure of an event does not change without a new version.
//!
//! Each version of each event type ever written has a file, which stays permanently: `<Type>.v<N>.json` with `event`, as
//! `sitelog events --json` prints it, and `schema`, the structure of its data. `UPDATE_DOCS=1` makes the file of a new
//! version from the type; replace its event with a real one when there is one.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sitelog::aggregates::catalogue::{EventShape, event_shapes};
use sitelog::aggregates::{BatchEvent, MonitorEvent, ScanEvent, TenantEvent, WebhookEvent};
use sitelog::values::event_type::StreamType;
use sitelog::values::versioned::decode;
use sitelog::values::{EventType, TenantId};

const PREFACE: &str = "\
# Events

All event types, as they are stored in the log. Events are facts in the past tense; they are never changed or
deleted. This page is generated from the types; a test fails when it is out of date.

## What every event has

| field | |
|---|---|
| `position` | The log position: dense, in commit order, starting at 1 |
| `event_id` | The UUID of the event |
| `stream` | `type` (`domain_scan`, `batch_scan`, `webhook`, `monitor` or `tenant`), `id` (of the scan, batch, webhook, monitor or tenant) and `sequence` (place in the stream, starting at 1) |
| `type`, `version` | The event type, and the version of the schema of `data` with which it was stored |
| `recorded_at` | When the event was recorded, UTC, in microseconds, by the database's clock. If that clock is set back by more than a minute, times go back; the order of events is that of the positions |
| `tenant_id` | The tenant of the event |
| `actor` | Who caused the event: `key:<visible part>`, `user:<subject of a token>` or `oidc:<subject of a user>` (HTTP), `anonymous` (HTTP without access control, or `/api/v1` opened for a tenant), `cli`, `system` (the first key), `worker:<host>:<process id>`, `policy:<name>`, `legacy:import` |
| `data` | The fields below |
| `metadata` | `tenant_id`, `actor`, `roles` (the scopes that the actor had, or `system` for actions of the service itself; events from before access control have none); for requests `request_id`; for consequences of an event `causation_id`, the ID of that event; for imported events `occurred_at`, when it happened |

A **body** is stored beside the event, compressed, in the table `event_body`. The event contains its reference: `digest`
(SHA-256 of a salt and the content; one salt per tenant and domain or batch), `bytes` and `items`. `sitelog forget`
deletes bodies from that table; the event does not change.

An attempt is recorded in one append: the files in the order in which they were read, what changed in the domain, and
then the result. So `RobotsRead`, `SitemapParsed`, `PageRead`, `PictureRead` and `DomainChanged` are directly before `ScanAttemptFailed`,
`ScanCompleted` or `ScanFailed` and have the same time.

## Versions

When the schema of a type changes, it gets a new version. Stored events keep their version: the API and `sitelog events`
show them as they were written. Commands, read models and policies see the current schema: upcasters convert earlier
versions when events are read. An event with an unknown version was written by a later release: the older release
stops there and reports `upgrade needed`; nothing is lost, and `sitelog log verify` names the event.
";

/// The whole page.
pub(super) fn page() -> String {
    let mut page = PREFACE.to_owned();
    let mut stream = None;
    for shape in event_shapes() {
        if stream != Some(shape.stream_type) {
            stream = Some(shape.stream_type);
            let title = match shape.stream_type {
                StreamType::Scan => "a scan",
                StreamType::Batch => "a batch",
                StreamType::Monitor => "a monitor",
                StreamType::Webhook => "a webhook",
                StreamType::Tenant => "a tenant",
            };
            let name = shape.stream_type.as_str();
            write!(page, "\n## Events of {title}\n\nStream type `{name}`.\n").unwrap();
        }
        push(&mut page, &shape);
    }
    page
}

fn push(page: &mut String, shape: &EventShape) {
    let (name, version) = (shape.event_type.as_str(), shape.version);
    write!(
        page,
        "\n### {name}\n\nVersion {version}. {}\n\n",
        one_line(&shape.description)
    )
    .unwrap();
    let mut rows = Vec::new();
    push_fields(&mut rows, "", &shape.schema);
    if rows.is_empty() {
        page.push_str("No fields.\n");
    } else {
        writeln!(page, "| field | type | |\n|---|---|---|\n{}", rows.join("\n")).unwrap();
    }
    let example = stored_text(name, version);
    write!(page, "\n```json\n{example}\n```\n").unwrap();
}

fn push_fields(rows: &mut Vec<String>, prefix: &str, schema: &Value) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{prefix}{name}");
        let said = [&field["description"], &present(field)["description"]];
        let said = said.into_iter().find_map(Value::as_str);
        let description = one_line(said.unwrap_or_default());
        rows.push(format!("| `{path}` | {} | {description} |", type_of(field)));
        push_fields(rows, &format!("{path}."), present(field));
        push_fields(rows, &format!("{path}[]."), &present(field)["items"]);
    }
}

/// The type of a field that is not null.
fn present(field: &Value) -> &Value {
    let mut choices = field["oneOf"].as_array().into_iter().flatten();
    choices.rfind(|choice| choice["type"] != "null").unwrap_or(field)
}

fn type_of(field: &Value) -> String {
    let kinds = match &field["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let nullable = kinds.iter().any(|kind| kind == "null")
        || field["oneOf"]
            .as_array()
            .is_some_and(|choices| choices.iter().any(|choice| choice["type"] == "null"));
    let field = present(field);
    let kind = kinds
        .iter()
        .chain([&field["type"]])
        .find(|kind| kind.is_string() && *kind != "null");
    let kind = kind.and_then(Value::as_str).unwrap_or("any");
    let words: Vec<String> = field["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|word| Some(format!("`{}`", word.as_str()?)))
        .collect();
    let name = match (kind, field["format"].as_str()) {
        _ if !words.is_empty() => words.join(", "),
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", Some("uuid")) => "UUID".to_owned(),
        ("array", _) => format!("list of {}", type_of(&field["items"])),
        (kind, _) => kind.to_owned(),
    };
    if nullable {
        format!("{name}, or null")
    } else {
        name
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

/// The event of a version as the file has it, its fields in the order of `sitelog events --json`.
fn stored_text(name: &str, version: u32) -> String {
    #[derive(Deserialize)]
    struct Stored {
        event: Box<RawValue>,
    }
    let text = stored(name, version);
    let stored: Stored = serde_json::from_str(&text).unwrap();
    stored.event.get().replace("\n  ", "\n")
}

/// The file of a version, with `event` and `schema`.
fn stored(name: &str, version: u32) -> String {
    let path = folder().join(format!("{name}.v{version}.json"));
    fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!(
            "{} is missing: run UPDATE_DOCS=1 cargo test --test it docs::",
            path.display()
        )
    })
}

fn stored_json(name: &str, version: u32) -> Value {
    serde_json::from_str(&stored(name, version)).unwrap()
}

/// Makes the files of the types that have none for their current version.
pub(super) fn store_new_versions() {
    for shape in event_shapes() {
        let name = shape.event_type.as_str();
        let path = folder().join(format!("{name}.v{}.json", shape.version));
        if path.exists() {
            continue;
        }
        let schema = bare(shape.schema.clone());
        let event = json!({
            "position": 1, "event_id": "01980f3e-0000-7000-8000-000000000001", "type": name, "version": shape.version,
            "stream": { "type": shape.stream_type.as_str(), "id": "44213440-a5e0-423c-84f2-c713fba75afc", "sequence": 1 },
            "recorded_at": "2026-01-31T12:00:00.000000Z", "tenant_id": TenantId::DEFAULT.to_string(), "actor": "cli",
            "data": example_of(&shape.schema), "metadata": {},
        });
        let text = serde_json::to_string_pretty(&json!({ "event": event, "schema": schema })).unwrap();
        fs::write(&path, text + "\n").unwrap();
    }
}

/// A value that a schema allows: the example of a field if it has one.
fn example_of(schema: &Value) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    let schema = present(schema);
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let kind = kinds
        .iter()
        .find_map(|kind| kind.as_str().filter(|kind| *kind != "null"));
    match (kind, schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => json!("2026-01-31T12:00:00Z"),
        (Some("string"), Some("uuid")) => json!("44213440-a5e0-423c-84f2-c713fba75afc"),
        (Some("string"), _) => json!("text"),
        (Some("integer"), _) => json!(1),
        (Some("number"), _) => json!(0.5),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([example_of(&schema["items"])]),
        (Some("object"), _) => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields
                .map(|(name, field)| (name.clone(), example_of(field)))
                .collect()
        }
        _ => Value::Null,
    }
}

/// The structure alone: descriptions and examples may be improved.
fn bare(mut schema: Value) -> Value {
    match &mut schema {
        Value::Object(fields) => {
            // A field of that name is an object; a description is a text.
            if fields.get("description").is_some_and(Value::is_string) {
                fields.remove("description");
            }
            fields.remove("example");
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, field)| (name, bare(field)))
                .collect();
        }
        Value::Array(items) => *items = std::mem::take(items).into_iter().map(bare).collect(),
        _ => {}
    }
    schema
}

/// The differences between two shapes, path by path.
fn differences(path: &str, then: &Value, now: &Value) -> Vec<String> {
    if then == now {
        return Vec::new();
    }
    let (Value::Object(before), Value::Object(after)) = (then, now) else {
        return vec![format!("{path}: was {then}, is {now}")];
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .flat_map(|name| {
            let path = format!("{path}.{name}");
            match (before.get(name), after.get(name)) {
                (Some(_), None) => vec![format!("{path}: removed")],
                (None, Some(now)) => vec![format!("{path}: added as {now}")],
                (then, now) => differences(&path, then.unwrap_or(&Value::Null), now.unwrap_or(&Value::Null)),
            }
        })
        .collect()
}

/// What is wrong with a shape, compared with the one that was stored for its version.
fn changed(shape: &EventShape, kept: &Value) -> Option<String> {
    let now = bare(shape.schema.clone());
    let differences = differences("data", kept, &now);
    let (name, version) = (shape.event_type.as_str(), shape.version);
    (!differences.is_empty()).then(|| {
        format!(
            "The structure of {name} changed, and it is still version {version}, which existing logs contain:\n  \
             {}\n\
             Raise its version in src/values/event_type.rs to {next}, add an Upcaster from {version} that makes the new fields from \
             the old ones, and run\n  \
             UPDATE_DOCS=1 cargo test --test it docs::\n\
             (If no release ever wrote version {version}, delete tests/fixtures/events/{name}.v{version}.json instead.)",
            differences.join("\n  "),
            next = version + 1
        )
    })
}

#[test]
fn no_event_changes_its_structure_without_a_new_version() {
    for shape in event_shapes() {
        let kept = stored_json(shape.event_type.as_str(), shape.version);
        if let Some(complaint) = changed(&shape, &kept["schema"]) {
            panic!("{complaint}");
        }
    }
}

/// Changes a schema.
type Change = fn(&mut Value);

#[test]
fn every_way_a_shape_can_change_is_noticed() {
    let shape = event_shapes()
        .into_iter()
        .find(|shape| shape.event_type == EventType::ScanFailed)
        .unwrap();
    let kept = bare(shape.schema.clone());
    assert_eq!(changed(&shape, &kept), None);
    let changes: [(&str, Change); 6] = [
        ("data.properties.error: removed", |now| {
            now["properties"].as_object_mut().unwrap().remove("error");
        }),
        ("data.properties.line: added", |now| {
            now["properties"]["line"] = json!({ "type": "integer" });
        }),
        (
            "data.properties.attempt.type: was \"integer\", is \"string\"",
            |now| {
                now["properties"]["attempt"]["type"] = json!("string");
            },
        ),
        ("data.properties.attempt.format", |now| {
            now["properties"]["attempt"]["format"] = json!("int64");
        }),
        ("data.required", |now| now["required"] = json!(["domain"])),
        ("data.properties.reason", |now| {
            now["properties"]["reason"] = json!({ "type": "string" });
        }),
    ];
    for (said, change) in changes {
        let mut now = shape.clone();
        change(&mut now.schema);
        let complaint = changed(&now, &kept).unwrap_or_default();
        assert!(
            complaint.contains(said) && complaint.contains("Raise its version"),
            "{said}: {complaint}"
        );
    }
    let mut said_better = shape;
    said_better.schema["properties"]["error"]["description"] = json!("In other words.");
    assert_eq!(changed(&said_better, &kept), None);
}

#[test]
fn every_version_ever_written_is_still_read() {
    for shape in event_shapes() {
        for version in 1..=shape.version {
            let event = &stored_json(shape.event_type.as_str(), version)["event"];
            assert_eq!(
                (&event["type"], &event["version"]),
                (&json!(shape.event_type.as_str()), &json!(version))
            );
            assert_eq!(event["stream"]["type"], shape.stream_type.as_str());
            let (name, of) = (shape.event_type.as_str(), version.to_string());
            let payload = json!({ name: event["data"] });
            let (read, kind) = match shape.stream_type {
                StreamType::Scan => {
                    let read: ScanEvent = decode(name, &of, &payload).unwrap();
                    (json!(read), read.kind())
                }
                StreamType::Batch => {
                    let read: BatchEvent = decode(name, &of, &payload).unwrap();
                    (json!(read), read.kind())
                }
                StreamType::Webhook => {
                    let read: WebhookEvent = decode(name, &of, &payload).unwrap();
                    (json!(read), read.kind())
                }
                StreamType::Monitor => {
                    let read: MonitorEvent = decode(name, &of, &payload).unwrap();
                    (json!(read), read.kind())
                }
                StreamType::Tenant => {
                    let read: TenantEvent = decode(name, &of, &payload).unwrap();
                    (json!(read), read.kind())
                }
            };
            assert_eq!(kind, shape.event_type);
            if version == shape.version {
                assert_eq!(read, payload, "{kind} is not written as it was read");
            }
        }
    }
}

#[test]
fn no_stored_event_is_of_a_type_that_nobody_knows() {
    let shapes = event_shapes();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (kind, rest) = name.split_once(".v").unwrap();
        let version: u32 = rest.split('.').next().unwrap().parse().unwrap();
        let known = shapes.iter().find(|shape| shape.event_type.as_str() == kind);
        assert!(known.is_some_and(|shape| version <= shape.version), "{name}");
    }
}
