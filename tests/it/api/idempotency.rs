//! `Idempotency-Key`: a repetition gets the first response and changes nothing.

use std::collections::HashSet;

use futures::future::join_all;
use serde_json::json;
use sitelog::values::{FailureReason, Findings};

use super::OTHER;
use crate::support::app::TestApp;
use crate::support::call::{Answer, Call};

fn scan(app: &TestApp, key: &str, domain: &str) -> Call {
    app.call("POST", "/api/v4/scans")
        .key(key)
        .json(&json!({ "domain": domain }))
}

#[tokio::test]
async fn the_same_request_with_the_same_key_gets_the_same_answer() {
    let app = TestApp::start().await;
    let first = scan(&app, "k", "a.com").send().await;
    let again = scan(&app, "k", "a.com").send().await;
    assert_eq!(
        (again.both(), again.header("location")),
        (first.both(), first.header("location"))
    );
    assert_eq!(app.head().await, 1);
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let app = TestApp::start().await;
    scan(&app, "k", "a.com").send().await;
    scan(&app, "k", "b.com")
        .send()
        .await
        .problem(422, "idempotency_key_reused");
    assert_eq!(app.head().await, 1);
}

#[tokio::test]
async fn keys_of_other_tenants_and_other_routes_are_other_keys() {
    let app = TestApp::start().await;
    scan(&app, "k", "a.com").send().await;
    let other = scan(&app, "k", "b.com").tenant(OTHER).send().await;
    let batch = app
        .call("POST", "/api/v4/batches")
        .key("k")
        .json(&json!({ "domains": ["c.com"] }));
    assert_eq!((other.status, batch.send().await.status), (202, 202));
}

#[tokio::test]
async fn requests_without_a_key_are_all_done() {
    let app = TestApp::start().await;
    assert_ne!(app.create_scan("a.com").await, app.create_scan("a.com").await);
}

#[tokio::test]
async fn a_repeated_batch_is_one_batch_with_the_same_report() {
    let app = TestApp::start().await;
    let body = json!({ "domains": ["a.com", "A.com", "no good"] });
    let send = || app.call("POST", "/api/v4/batches").key("k").json(&body).send();
    let first = send().await;
    assert_eq!(send().await.both(), first.both());
    let batches = app
        .get_until("/api/v4/batches", |answer| !answer.json()["items"][0].is_null())
        .await;
    assert_eq!(batches.json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_repeated_command_gets_the_first_answer_though_things_have_moved_on() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    let cancel = || {
        app.call("POST", &format!("/api/v4/scans/{id}/cancel"))
            .key("k")
            .send()
    };
    let first = cancel().await;
    assert_eq!(first.status, 202);
    assert_eq!(app.post(&format!("/api/v4/scans/{id}/retry")).await.status, 202);
    assert_eq!(cancel().await.both(), first.both());
    let path = format!("/api/v4/scans/{id}?at_least={}", app.head().await);
    assert_eq!(app.get(&path).await.json()["status"], "pending");
}

#[tokio::test]
async fn a_key_that_is_empty_too_long_or_not_ascii_is_refused() {
    let app = TestApp::start().await;
    let long = "k".repeat(256);
    for key in ["", "   ", &long, "schlüssel"] {
        scan(&app, key, "a.com")
            .send()
            .await
            .problem(400, "invalid_idempotency_key");
    }
    assert_eq!(scan(&app, &long[1..], "a.com").send().await.status, 202);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let app = TestApp::start().await;
    scan(&app, "k", "no good")
        .send()
        .await
        .problem(422, "invalid_domain");
    assert_eq!(scan(&app, "k", "a.com").send().await.status, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_with_one_key_are_one_scan() {
    let app = TestApp::start().await;
    let answers = join_all((0..20).map(|_| scan(&app, "k", "a.com").send())).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    let distinct: HashSet<String> = answers.iter().map(Answer::text).collect();
    assert_eq!((distinct.len(), app.head().await), (1, 1), "{distinct:?}");
    assert_eq!(scan(&app, "k", "a.com").send().await.text(), answers[0].text());
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_although_things_have_moved_on() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    app.fail(&id, FailureReason::Timeout, false).await;
    let retry = || {
        app.call("POST", &format!("/api/v4/scans/{id}/retry"))
            .key("again")
            .send()
    };
    let first = retry().await;
    assert_eq!(first.status, 202);
    app.complete(&id, &Findings::default()).await;
    assert_eq!(
        retry().await.text(),
        first.text(),
        "the scan has completed and could no longer be retried"
    );
}
