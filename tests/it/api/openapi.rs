//! The document, and the routes for who runs the service.

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
async fn the_document_changes_only_on_purpose() {
    let app = TestApp::start().await;
    let mut document = document(&app).await;
    document["info"]["version"] = "[version]".into();
    insta::assert_json_snapshot!(document);
}

#[tokio::test]
async fn every_route_is_described_with_its_problems() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            routes.push(format!("{} {path}", method.to_uppercase()));
            assert!(operation["summary"].is_string(), "{method} {path}");
            if path.starts_with("/api/v4") {
                assert!(operation["responses"].get("503").is_some(), "{method} {path}");
            }
        }
    }
    insta::assert_snapshot!(routes.join("\n"));
}

#[tokio::test]
async fn each_documented_get_answers() {
    let app = TestApp::start().await;
    let document = document(&app).await;
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods.get("get").is_none() {
            continue;
        }
        let path = path
            .replace("{id}", super::UNKNOWN)
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
