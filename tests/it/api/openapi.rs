//! The API document, and the routes for operators.

use serde_json::{Value, json};

use crate::support::app::TestApp;

async fn document(app: &TestApp) -> Value {
    let answer = app.get("/openapi.json").await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    answer.json()
}

#[tokio::test]
async fn every_route_is_described_with_its_problems() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                let words = response["description"].as_str().unwrap_or_default();
                assert!(!words.is_empty(), "{method} {path} {status} is not described");
                let content = response["content"].as_object().into_iter().flatten();
                let schemas: Vec<_> = content.map(|(_, media)| &media["schema"]).collect();
                let is_typed = !schemas.is_empty() && schemas.iter().all(|schema| schema.is_object());
                assert!(
                    is_typed || ["204", "304"].contains(&status.as_str()),
                    "{method} {path} {status} has no type"
                );
            }
            if path.starts_with("/api/v4") {
                assert!(operation["responses"].get("503").is_some(), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn each_documented_get_answers() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        // The stream of changes does not end; `watch` reads it.
        if methods.get("get").is_none() || path == "/api/v4/changes/events" {
            continue;
        }
        let path = path
            .replace("{id}", super::UNKNOWN)
            .replace("{position}", super::UNKNOWN)
            .replace("{domain}", "a.com")
            .replace("{type}", "domain_scan")
            .replace("{name}", "jobs");
        let expected = if path.contains(super::UNKNOWN) || path.contains("a.com") {
            404
        } else {
            200
        };
        assert_eq!(app.get(&path).await.status, expected, "{path}");
    }
}

#[tokio::test]
async fn the_service_says_that_it_lives_is_ready_and_what_it_measured() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/livez").await.both(), (200, json!({ "status": "ok" })));
    app.create_scan("a.com").await;
    assert_eq!(
        app.get("/readyz").await.both(),
        (200, json!({ "status": "ok", "position": 1 }))
    );
    let metrics = app.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    for name in [
        "sitelog_projection_lag_events",
        "sitelog_tasks",
        "sitelog_log_position",
    ] {
        assert!(metrics.text().contains(name), "{name}");
    }
}

#[tokio::test]
async fn every_operation_has_examples_that_are_what_its_schemas_say() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let check = |what: &str, media: &str, content: &Value| {
        let example = &content["example"];
        assert!(!example.is_null(), "{what} has no example");
        if !media.ends_with("json") {
            assert!(example.is_string(), "{what}");
            return;
        }
        let mut schema = content["schema"].clone();
        schema["components"] = document["components"].clone();
        let faults: Vec<String> = jsonschema::draft202012::new(&schema)
            .unwrap()
            .iter_errors(example)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{what}: {faults:?}");
        let stray = stray_fields(&document, &content["schema"], example);
        assert!(stray.is_empty(), "{what}: {stray:?}");
    };
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let bodies = operation["requestBody"]["content"].as_object();
            for (media, content) in bodies.into_iter().flatten() {
                check(&format!("{method} {path}, {media}"), media, content);
            }
            for (status, response) in operation["responses"].as_object().unwrap() {
                let what = format!("{method} {path}, {status}");
                for (media, content) in response["content"].as_object().into_iter().flatten() {
                    if status.starts_with('2') {
                        check(&what, media, content);
                    } else if path.starts_with("/api/v4") {
                        let codes = response["x-problem-codes"].as_array().unwrap();
                        assert!(!codes.is_empty(), "{what} names no code");
                    }
                }
            }
        }
    }
}

/// Fields of an example that its schema, if it is a plain object's, does not have.
fn stray_fields(document: &Value, schema: &Value, example: &Value) -> Vec<String> {
    let schema = schema["$ref"]
        .as_str()
        .and_then(|name| document.pointer(name.trim_start_matches('#')))
        .unwrap_or(schema);
    let Some(known) = schema["properties"].as_object() else {
        return Vec::new();
    };
    let fields = example.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| !known.contains_key(*name))
        .map(|(name, _)| name.clone())
        .collect()
}
