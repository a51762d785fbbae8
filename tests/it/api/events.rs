//! The audit trail: actor, time, cause and content.

use serde_json::{Value, json};
use sitelog::values::Findings;

use crate::support::app::TestApp;

fn types(page: &Value) -> Vec<&str> {
    let events = page["items"].as_array().unwrap().iter();
    events.map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_event_says_who_did_what_where_and_when() {
    let app = TestApp::start().await;
    let call = app.call("POST", "/api/v4/scans").header("x-request-id", "r-1");
    let id = call
        .json(&json!({ "domain": "a.com", "max_pages": 7 }))
        .send()
        .await
        .json()["scan_id"]
        .clone();
    let mut event = app.get("/api/v4/events").await.json()["items"][0].take();
    assert!(event["event_id"].take().is_string());
    assert!(event["recorded_at"].take().as_str().unwrap().ends_with('Z'));
    let tenant = "550e8400-e29b-41d4-a716-446655440000";
    let expected = json!({
        "position": 1, "event_id": null, "stream": { "type": "domain_scan", "id": id, "sequence": 1 },
        "type": "ScanRequested", "version": 2, "recorded_at": null, "tenant_id": tenant, "actor": "anonymous",
        "data": {
            "domain": "a.com", "batch_id": null, "line": null, "max_concurrent": null,
            "options": {
                "max_pages": 7, "max_attempts": 3, "deadline_seconds": 240, "files": [], "sitemap_sample": 0,
            },
        },
        "metadata": { "tenant_id": tenant, "actor": "anonymous", "roles": "operator", "request_id": "r-1" },
    });
    assert_eq!(event, expected);
}

#[tokio::test]
async fn a_stream_tells_the_whole_life_of_a_scan_in_order() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    app.create_scan("b.com").await;
    app.post(&format!("/api/v4/scans/{id}/cancel")).await;
    app.post(&format!("/api/v4/scans/{id}/retry")).await;
    app.complete(&id, &Findings::default()).await;
    let stream = app.get(&format!("/api/v4/streams/domain_scan/{id}")).await.json();
    let life = [
        "ScanRequested",
        "ScanCancelled",
        "ScanRetried",
        "ScanStarted",
        "ScanCompleted",
    ];
    assert_eq!(types(&stream), life);
    let sequences: Vec<_> = stream["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["stream"]["sequence"].as_i64())
        .collect();
    assert_eq!(sequences, [Some(1), Some(2), Some(3), Some(4), Some(5)]);
    assert_eq!(
        app.get(&format!("/api/v4/events?stream={id}")).await.json(),
        stream
    );
}

#[tokio::test]
async fn events_are_paged_by_position_and_none_is_missed_or_seen_twice() {
    let app = TestApp::start().await;
    for number in 0..5 {
        app.create_scan(&format!("d{number}.com")).await;
    }
    let mut seen = Vec::new();
    let mut path = "/api/v4/events?limit=2".to_owned();
    loop {
        let page = app.get(&path).await.json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["position"].as_i64().unwrap()),
        );
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v4/events?limit=2&cursor={next}");
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let after = app.get("/api/v4/events?after=3").await.json();
    assert_eq!(after["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(after["items"][0]["position"], 4);
}

#[tokio::test]
async fn a_batch_has_a_stream_of_its_own_from_request_to_end() {
    let app = TestApp::start().await;
    let id = app.create_batch(&["a.com"]).await;
    let scan = app.scans_of_batch(&id, 1).await[0]["scan_id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.complete(&scan, &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/batches/{id}"), "completed")
        .await;
    let stream = app.get(&format!("/api/v4/streams/batch_scan/{id}")).await.json();
    assert_eq!(
        types(&stream),
        ["BatchRequested", "BatchExpanded", "BatchCompleted"]
    );
    assert_eq!(stream["items"][2]["actor"], "policy:complete_batches");
}

#[tokio::test]
async fn what_a_worker_read_stands_in_the_scans_stream() {
    let app = TestApp::scanning().await;
    let id = app.create_scan("site00000.sites.test").await;
    app.get_in_status(&format!("/api/v4/scans/{id}"), "completed")
        .await;
    let stream = app.get(&format!("/api/v4/streams/domain_scan/{id}")).await.json();
    let types = types(&stream);
    assert_eq!(types[..2], ["ScanRequested", "ScanStarted"]);
    assert_eq!(types.last(), Some(&"ScanCompleted"));
    for read in ["RobotsRead", "SitemapParsed", "PageRead"] {
        assert!(types.contains(&read), "{types:?}");
    }
}
