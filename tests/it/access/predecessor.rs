//! `/api/v1`: needs a key like all other paths, except for tenants that opened it.

use serde_json::json;
use sitelog::access::Scope::{Operator, Write};
use sitelog::access::TenantSettings;
use sitelog::values::TenantId;

use super::{OTHER, key, key_of, other};
use crate::support::app::TestApp;
use crate::support::call::Answer;

async fn guarded() -> TestApp {
    TestApp::builder().guarded().start().await
}

async fn open(app: &TestApp, tenant: TenantId) {
    let settings = TenantSettings {
        open_v1: true,
        ..TenantSettings::default()
    };
    app.app
        .api_state()
        .access
        .tenants()
        .set(tenant, &settings)
        .await
        .unwrap();
}

async fn send(app: &TestApp, tenant: &str, credential: Option<&str>) -> Answer {
    let mut call = app
        .call("POST", "/api/v1/scrapersky")
        .json(&json!({ "base_url": "a.com", "tenant_id": tenant }));
    if let Some(credential) = credential {
        call = call.bearer(credential);
    }
    call.send().await
}

#[tokio::test]
async fn without_a_key_v1_is_closed() {
    let app = guarded().await;
    for (method, path) in [
        ("POST", "/api/v1/scrapersky"),
        ("POST", "/api/v1/batch"),
        ("GET", "/api/v1/status/scan_f6413b85-8367-4628-bf89-3fad2a15f1a6"),
        (
            "GET",
            "/api/v1/batch/status/batch_f6413b85-8367-4628-bf89-3fad2a15f1a6",
        ),
    ] {
        let answer = app
            .call(method, path)
            .json(&json!({ "base_url": "a.com" }))
            .send()
            .await;
        assert_eq!(
            answer.both(),
            (401, json!({ "detail": "Not authenticated" })),
            "{path}"
        );
        assert!(answer.header("www-authenticate").is_some(), "{path}");
        let answer = app.call(method, path).bearer("scraper_sky_2024").send().await;
        assert_eq!(
            answer.both(),
            (401, json!({ "detail": "Invalid authentication credentials" })),
            "{path}"
        );
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn with_a_key_the_keys_tenant_counts_not_the_bodys() {
    let app = guarded().await;
    let ours = key(&app, &[Write]).await;
    let refused = send(&app, OTHER, Some(ours.reveal())).await;
    assert_eq!(
        refused.both(),
        (403, json!({ "detail": "You don't have access to this tenant" }))
    );
    assert_eq!(app.head().await, 0);
    let sent = send(&app, &TenantId::DEFAULT.to_string(), Some(ours.reveal())).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let status_url = sent.json()["status_url"].as_str().unwrap().to_owned();
    let theirs = key_of(&app, other(), &[Write]).await;
    for (key, status) in [(&ours, 200), (&theirs, 404)] {
        let answer = app.call("GET", &status_url).bearer(key.reveal()).send().await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
    let operator = key_of(&app, other(), &[Operator]).await;
    assert_eq!(
        app.call("GET", &status_url)
            .bearer(operator.reveal())
            .send()
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_tenant_may_open_v1_for_itself_and_for_nobody_else() {
    let app = guarded().await;
    let ours = key(&app, &[Write]).await;
    let closed = send(&app, &TenantId::DEFAULT.to_string(), Some(ours.reveal())).await;
    let closed = closed.json()["status_url"].as_str().unwrap().to_owned();
    open(&app, other()).await;
    let sent = send(&app, OTHER, None).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let status_url = sent.json()["status_url"].as_str().unwrap().to_owned();
    assert_eq!(app.get(&status_url).await.status, 200);
    // What is not open looks like what is not there.
    assert_eq!(
        app.get(&closed).await.both(),
        (404, json!({ "detail": "Job not found" }))
    );
    assert_eq!(send(&app, &TenantId::DEFAULT.to_string(), None).await.status, 401);
    assert_eq!(app.get("/api/v4/scans").await.status, 401);
}

#[tokio::test]
async fn who_shows_nothing_spends_the_share_of_the_tenant_that_is_open() {
    let app = guarded().await;
    let settings = TenantSettings {
        open_v1: true,
        requests_per_minute: std::num::NonZeroU32::new(3),
        ..TenantSettings::default()
    };
    let tenants = app.app.api_state().access.tenants().clone();
    tenants.set(other(), &settings).await.unwrap();
    let sent = send(&app, OTHER, None).await;
    assert_eq!(sent.status, 200, "{}", sent.text());
    let status_url = sent.json()["status_url"].as_str().unwrap().to_owned();
    for status in [200, 200, 429] {
        let answer = app.get(&status_url).await;
        assert_eq!(answer.status, status, "{}", answer.text());
    }
}

#[tokio::test]
async fn the_predecessors_development_token_opens_nothing() {
    let app = guarded().await;
    open(&app, TenantId::DEFAULT).await;
    let answer = send(&app, &TenantId::DEFAULT.to_string(), Some("scraper_sky_2024")).await;
    assert_eq!(answer.status, 401);
}
