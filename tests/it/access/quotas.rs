//! The quotas of tenants.

use std::num::NonZeroU32;

use serde_json::json;
use sitelog::access::TenantSettings;
use sitelog::values::TenantId;

use super::OTHER;
use crate::support::app::TestApp;
use crate::support::call::Answer;
use crate::support::sites::{Sites, SitesOptions};

async fn set(app: &TestApp, settings: TenantSettings) {
    let tenants = app.app.api_state().access.tenants().clone();
    tenants.set(TenantId::DEFAULT, &settings).await.unwrap();
}

fn number(answer: &Answer, header: &str, name: &str) -> u64 {
    let value = answer.header(header).unwrap();
    let found = value
        .split(';')
        .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    found.unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_has_spent_its_share_waits_and_others_do_not() {
    let app = TestApp::start().await;
    let requests_per_minute = NonZeroU32::new(3);
    set(
        &app,
        TenantSettings {
            requests_per_minute,
            ..TenantSettings::default()
        },
    )
    .await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let answer = app.get("/api/v4/scans").await;
        assert_eq!(
            (answer.status, number(&answer, "ratelimit-policy", "q")),
            (200, 3)
        );
        assert_eq!(number(&answer, "ratelimit-policy", "w"), 60);
        left.push(number(&answer, "ratelimit", "r"));
    }
    assert_eq!(left, [2, 1, 0]);
    let answer = app
        .post_json("/api/v4/scans", &json!({ "domain": "a.com" }))
        .await;
    answer.problem(429, "too_many_requests");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(number(&answer, "ratelimit", "r"), 0);
    assert!((1..=60).contains(&number(&answer, "ratelimit", "t")));
    let other = app.call("GET", "/api/v4/scans").tenant(OTHER).send().await;
    assert_eq!(other.status, 200);
    assert_eq!(app.head().await, 0);
    // v1 is no way around it.
    assert_eq!(
        app.post_json("/api/v1/scrapersky", &json!({ "base_url": "a.com" }))
            .await
            .status,
        429
    );
}

#[tokio::test]
async fn a_batch_may_be_as_long_as_the_tenants_quota() {
    let app = TestApp::start().await;
    let max_batch_domains = Some(2);
    set(
        &app,
        TenantSettings {
            max_batch_domains,
            ..TenantSettings::default()
        },
    )
    .await;
    let send = async |path: &str, domains: &[&str]| {
        let mut body = json!({ "domains": domains });
        if path.starts_with("/api/v1") {
            body["tenant_id"] = json!(TenantId::DEFAULT);
        }
        app.post_json(path, &body).await
    };
    let refused = send("/api/v4/batches", &["a.com", "b.com", "c.com"]).await;
    assert_eq!(refused.problem(422, "too_many_domains")["quota"], 2);
    assert_eq!(
        send("/api/v4/batches", &["a.com", "b.com", "A.com"]).await.status,
        202
    );
    assert_eq!(
        send("/api/v1/batch", &["a.com", "b.com", "c.com"]).await.status,
        400
    );
}

#[tokio::test]
async fn who_keeps_as_many_urls_as_it_may_asks_for_no_further_scans() {
    let sites = SitesOptions {
        sites: 2,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    };
    let app = TestApp::builder().scanning(sites).start().await;
    let site = |number| json!({ "domain": Sites::site(number).host() });
    let with_quota = async |max_stored_urls| {
        let settings = TenantSettings {
            max_stored_urls,
            ..TenantSettings::default()
        };
        set(&app, settings).await;
    };
    with_quota(Some(2)).await;
    let scan = app.post_json("/api/v4/scans", &site(0)).await;
    assert_eq!(scan.status, 202, "nothing is kept yet: {}", scan.text());
    let scan = format!("/api/v4/scans/{}", scan.json()["scan_id"].as_str().unwrap());
    app.get_in_status(&scan, "completed").await;
    let urls = format!("/api/v4/domains/{}/urls", Sites::site(0).host());
    let kept = |answer: &Answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|urls| urls.len() >= 3)
    };
    app.get_until(&urls, kept).await;
    let head = app.head().await;
    let refused = app.post_json("/api/v4/scans", &site(1)).await;
    let problem = refused.problem(403, "url_quota_reached");
    assert!(
        problem["stored"].as_u64().unwrap() >= 3 && problem["quota"] == 2,
        "{problem}"
    );
    let mut batch = json!({ "domains": [Sites::site(1).host()] });
    app.post_json("/api/v4/batches", &batch)
        .await
        .problem(403, "url_quota_reached");
    // The predecessor's paths are no way around it.
    batch["tenant_id"] = json!(TenantId::DEFAULT);
    assert_eq!(app.post_json("/api/v1/batch", &batch).await.status, 403);
    let old = json!({ "base_url": Sites::site(1).host() });
    assert_eq!(app.post_json("/api/v1/scrapersky", &old).await.status, 403);
    assert_eq!(app.head().await, head);
    let other = app.call("POST", "/api/v4/scans").json(&site(1)).tenant(OTHER);
    assert_eq!(other.send().await.status, 202);
    with_quota(Some(1000)).await;
    assert_eq!(app.post_json("/api/v4/scans", &site(1)).await.status, 202);
}

#[tokio::test]
async fn a_quota_that_was_raised_holds_at_once_in_this_process() {
    let app = TestApp::start().await;
    for requests_per_minute in [1, 5] {
        let requests_per_minute = NonZeroU32::new(requests_per_minute);
        set(
            &app,
            TenantSettings {
                requests_per_minute,
                ..TenantSettings::default()
            },
        )
        .await;
        assert_eq!(app.get("/api/v4/scans").await.status, 200);
    }
}
