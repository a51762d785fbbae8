//! Errors of v1: never problem+json, never 500, and nothing is half done.

use serde_json::{Value, json};

use crate::support::app::TestApp;

#[tokio::test]
async fn what_is_no_domain_is_refused_with_what_was_sent() {
    let app = TestApp::start().await;
    for input in [
        "",
        "not a domain",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "a.com:80",
        " http://user@a.com ",
    ] {
        let answer = app
            .post_json("/api/v1/scrapersky", &json!({ "base_url": input }))
            .await;
        let detail = format!("Invalid domain format: {input}");
        assert_eq!(answer.both(), (400, json!({ "detail": detail })));
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn a_body_that_does_not_fit_is_told_field_by_field() {
    let app = TestApp::start().await;
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    let cases: [(&str, &str, Value); 8] = [
        ("scrapersky", "", json!([["missing", ["body"]]])),
        ("scrapersky", "{}", json!([["missing", ["body", "base_url"]]])),
        ("scrapersky", "{", json!([["json_invalid", ["body", 1]]])),
        (
            "scrapersky",
            r#"{"base_url":5,"max_pages":null}"#,
            json!([
                ["string_type", ["body", "base_url"]],
                ["int_type", ["body", "max_pages"]]
            ]),
        ),
        (
            "scrapersky",
            r#"{"base_url":"a.com","tenant_id":"acme"}"#,
            json!([["uuid_parsing", ["body", "tenant_id"]]]),
        ),
        (
            "batch",
            "{}",
            json!([
                ["missing", ["body", "domains"]],
                ["missing", ["body", "tenant_id"]]
            ]),
        ),
        (
            "batch",
            &format!(r#"{{"domains":"a.com","tenant_id":"{uuid}"}}"#),
            json!([["list_type", ["body", "domains"]]]),
        ),
        (
            "batch",
            &format!(r#"{{"domains":["a.com",5],"tenant_id":"{uuid}"}}"#),
            json!([["string_type", ["body", "domains", 1]]]),
        ),
    ];
    for (route, body, expected) in cases {
        let answer = app
            .post_text(&format!("/api/v1/{route}"), "application/json", body.to_owned())
            .await;
        let content = answer.json();
        assert_eq!(
            (answer.status, &content["error"]),
            (422, &json!("Validation Error")),
            "{body}"
        );
        let faults: Vec<Value> = content["detail"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| json!([e["type"], e["loc"]]))
            .collect();
        assert_eq!(json!(faults), expected, "{body}");
        assert!(content.get("body").is_some());
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn a_body_without_a_type_is_json_as_ever() {
    let app = TestApp::start().await;
    let call = app
        .call("POST", "/api/v1/scrapersky")
        .untyped(r#"{"base_url":"a.com"}"#);
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let app = TestApp::start().await;
    let unknown = "00000000000040008000000000000009";
    for id in [&format!("scan_{unknown}"), "scan_zz", "zz", "%ff", "%00", "scan_"] {
        let answer = app.get(&format!("/api/v1/status/{id}")).await;
        assert_eq!(answer.both(), (404, json!({ "detail": "Job not found" })), "{id}");
    }
    for id in [&format!("batch_{unknown}"), "batch_zz", "%ff"] {
        let answer = app.get(&format!("/api/v1/batch/status/{id}")).await;
        assert_eq!(
            answer.both(),
            (404, json!({ "detail": "Batch not found" })),
            "{id}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_no_job_and_a_job_no_batch() {
    let app = TestApp::start().await;
    let job = app
        .post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
        .await
        .json();
    let hex = job["job_id"]
        .as_str()
        .unwrap()
        .trim_start_matches("scan_")
        .to_owned();
    assert_eq!(
        app.get(&format!("/api/v1/batch/status/batch_{hex}")).await.status,
        404
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_old_words() {
    let app = TestApp::start().await;
    for path in ["/api/v1/nothing", "/api/v1", "/api/v1/status"] {
        assert_eq!(
            app.get(path).await.both(),
            (404, json!({ "detail": "Not Found" })),
            "{path}"
        );
    }
    let answer = app.get("/api/v1/scrapersky").await;
    assert_eq!(answer.both(), (405, json!({ "detail": "Method Not Allowed" })));
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_slash_too_many_leads_to_the_path_without() {
    let app = TestApp::start().await;
    let answer = app.post("/api/v1/batch/?x=1").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("/api/v1/batch?x=1"))
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let app = TestApp::start().await;
    let answer = app
        .post_text("/api/v1/batch", "application/json", vec![b' '; (32 << 20) + 1])
        .await;
    assert_eq!(answer.status, 413);
    assert!(
        answer.json()["detail"].as_str().unwrap().contains("32 MB"),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn answers_point_to_what_follows_without_disturbing_who_does_not_look() {
    let app = TestApp::start().await;
    let answer = app
        .post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
        .await;
    assert_eq!(
        answer.header("link"),
        Some(r#"</api/v4/scans>; rel="successor-version""#)
    );
    assert_eq!(answer.header("deprecation"), Some("@1740787200"));
    let answer = app.get("/api/v1/batch/status/x").await;
    assert_eq!(
        answer.header("link"),
        Some(r#"</api/v4/batches>; rel="successor-version""#)
    );
}

#[tokio::test]
async fn monitors_of_old_still_find_the_service_healthy() {
    let app = TestApp::start().await;
    assert_eq!(
        app.get("/health").await.both(),
        (200, json!({ "status": "healthy" }))
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_for_now() {
    let app = TestApp::start().await;
    app.cut_database();
    for (path, body) in [
        ("/api/v1/scrapersky", json!({ "base_url": "a.com" })),
        (
            "/api/v1/batch",
            json!({ "domains": ["a.com"], "tenant_id": "550e8400-e29b-41d4-a716-446655440000" }),
        ),
    ] {
        let answer = app.post_json(path, &body).await;
        assert_eq!(
            (answer.status, answer.header("retry-after")),
            (503, Some("1")),
            "{}",
            answer.text()
        );
        assert!(
            answer.json()["detail"]
                .as_str()
                .is_some_and(|text| !text.contains("pool"))
        );
    }
    let answer = app
        .get("/api/v1/status/scan_00000000000040008000000000000009")
        .await;
    assert_eq!((answer.status, answer.json()["detail"].is_string()), (503, true));
}
