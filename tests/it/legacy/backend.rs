//! Forwarding to the old backend: routes, services and unknown ids go to a test server.

use axum::Router;
use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use sitelog::access::Scope::Write;
use sitelog::api::settings::{BackendSettings, LegacySettings};
use tokio::net::TcpListener;

use super::{NOBODY, accepted, text};
use crate::access::key;
use crate::support::app::TestApp;

/// A server that returns the request that it got; it knows all ids.
async fn stand_in() -> String {
    async fn echo(
        method: Method,
        OriginalUri(uri): OriginalUri,
        headers: HeaderMap,
        body: Bytes,
    ) -> impl IntoResponse {
        let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let seen = json!({
            "old": true,
            "asked": format!("{method} {uri}"),
            "authorization": header("authorization"),
            "via": header("via"),
            "kind": header("content-type"),
            "body": serde_json::from_slice::<Value>(&body).unwrap_or_default(),
        });
        ([("x-old", "yes")], axum::Json(seen))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
    format!("http://{address}")
}

fn handing(url: &str, answers: &[&str], token: Option<&str>) -> LegacySettings {
    LegacySettings {
        backend: Some(BackendSettings {
            url: url.to_owned(),
            token: token.map(str::to_owned),
            answers: answers.iter().map(|word| (*word).to_owned()).collect(),
        }),
        ..LegacySettings::default()
    }
}

async fn app_handing(answers: &[&str]) -> TestApp {
    let url = stand_in().await;
    TestApp::builder()
        .with_legacy(handing(&url, answers, None))
        .start()
        .await
}

#[tokio::test]
async fn a_single_route_goes_back_and_its_neighbours_stay() {
    let app = app_handing(&["POST /api/v1/batch"]).await;
    let body = json!({ "domains": ["a.com"], "tenant_id": "x" });
    let answer = app.post_json("/api/v1/batch?y=1", &body).await;
    assert_eq!((answer.status, answer.header("x-old")), (200, Some("yes")));
    let seen = answer.json();
    assert_eq!(
        (&seen["asked"], &seen["body"], &seen["via"]),
        (&json!("POST /api/v1/batch?y=1"), &body, &json!("1.1 sitelog"))
    );
    assert_eq!(seen["kind"], "application/json");
    assert_eq!(app.head().await, 0);
    let ours = app
        .post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
        .await;
    assert!(ours.json()["job_id"].is_string());
    // Other versions of the same are other routes.
    accepted(
        &app,
        200,
        "/api/v2/page_scraper/batch",
        &json!({ "domains": ["a.com"] }),
    )
    .await;
}

#[tokio::test]
async fn a_service_goes_back_in_all_versions() {
    let app = app_handing(&["scans", "domains"]).await;
    for path in [
        "/api/v1/scrapersky",
        "/api/v1/sitemap/scan",
        "/api/v2/page_scraper/scan",
        "/api/v3/modernized_page_scraper/scan",
        "/api/v3/api/v3/batch_page_scraper/scan",
        "/api/v3/sitemap/scan",
        "/api/v3/domains/direct-submit",
    ] {
        let answer = app.post_json(path, &json!({ "base_url": "a.com" })).await;
        assert_eq!(answer.json()["asked"], format!("POST {path}"));
    }
    let answer = app.get("/api/v3/domains?page=2").await;
    assert_eq!(answer.json()["asked"], "GET /api/v3/domains?page=2");
    assert_eq!(app.head().await, 0);
    accepted(
        &app,
        200,
        "/api/v1/batch",
        &json!({ "domains": ["a.com"], "tenant_id": NOBODY }),
    )
    .await;
}

#[tokio::test]
async fn a_job_that_only_the_old_backend_knows_is_asked_for_there() {
    let app = app_handing(&[]).await;
    for path in [
        format!("/api/v1/status/scan_{NOBODY}"),
        format!("/api/v1/batch/status/batch_{NOBODY}"),
        format!("/api/v2/page_scraper/status/{NOBODY}"),
        format!("/api/v3/batch_page_scraper/status/{NOBODY}"),
        format!("/api/v3/sitemap/batch/status/{NOBODY}"),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.json()["asked"], format!("GET {path}"));
    }
    let job = app
        .post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
        .await
        .json();
    let ours = app
        .get(&text(job.as_object().unwrap(), "status_url"))
        .await
        .json();
    assert_eq!(ours["job_id"], job["job_id"]);
}

#[tokio::test]
async fn who_is_not_let_in_here_does_not_get_there() {
    let url = stand_in().await;
    let app = TestApp::builder()
        .guarded()
        .with_legacy(handing(&url, &["scans", "statuses"], Some("old-token")))
        .start()
        .await;
    for (method, path) in [
        ("POST", "/api/v3/sitemap/scan"),
        ("GET", "/api/v3/sitemap/status/x"),
        ("POST", "/api/v1/scrapersky"),
    ] {
        assert_eq!(app.call(method, path).send().await.status, 401, "{path}");
        let ours = key(&app, &[Write]).await;
        let answer = app.call(method, path).bearer(ours.reveal()).send().await;
        assert_eq!(
            answer.json()["authorization"],
            "Bearer old-token",
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_backend_that_is_away_is_502() {
    let app = TestApp::builder()
        .with_legacy(handing("http://127.0.0.1:1", &["scans"], None))
        .start()
        .await;
    let answer = app
        .post_json("/api/v3/sitemap/scan", &json!({ "base_url": "a.com" }))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["message"]),
        (502, &json!("The old backend does not answer"))
    );
    let answer = app
        .post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
        .await;
    assert_eq!(
        answer.both(),
        (502, json!({ "detail": "The old backend does not answer" }))
    );
}
