//! Tenants do not see each other: a resource of another tenant does not exist (404, never 403).

use serde_json::json;
use sitelog::values::Findings;

use super::OTHER;
use crate::support::app::TestApp;

#[tokio::test]
async fn nothing_of_another_tenant_can_be_seen_or_touched() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    let batch = app.create_batch(&["b.com"]).await;
    app.complete(&scan, &Findings::default()).await;
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    let head = app.head().await;
    for path in [
        format!("/api/v4/scans/{scan}"),
        format!("/api/v4/batches/{batch}"),
        format!("/api/v4/batches/{batch}/scans"),
        "/api/v4/domains/a.com".to_owned(),
        "/api/v4/domains/a.com/urls".to_owned(),
        format!("/api/v4/streams/domain_scan/{scan}"),
        format!("/api/v4/streams/batch_scan/{batch}"),
    ] {
        assert_eq!(app.get(&path).await.status, 200, "{path}");
        app.call("GET", &path)
            .tenant(OTHER)
            .send()
            .await
            .problem(404, "not_found");
    }
    for thing in [format!("scans/{scan}"), format!("batches/{batch}")] {
        for command in ["cancel", "retry"] {
            let call = app.call("POST", &format!("/api/v4/{thing}/{command}"));
            call.tenant(OTHER).send().await.problem(404, "not_found");
        }
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn lists_hold_only_ones_own() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    let batch = app.create_batch(&["b.com"]).await;
    app.get_until("/api/v4/domains", |answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|all| all.len() == 2)
    })
    .await;
    for path in [
        "scans".to_owned(),
        "batches".to_owned(),
        "domains".to_owned(),
        "events".to_owned(),
        format!("scans?batch={batch}"),
        format!("domains?batch={batch}"),
        format!("events?stream={scan}"),
    ] {
        let path = format!("/api/v4/{path}");
        assert_ne!(app.get(&path).await.json()["items"], json!([]), "{path}");
        let others = app.call("GET", &path).tenant(OTHER).send().await;
        assert_eq!(
            others.both(),
            (200, json!({ "items": [], "next": null })),
            "{path}"
        );
    }
}

#[tokio::test]
async fn two_tenants_know_one_domain_each_in_their_own_way() {
    let app = TestApp::start().await;
    let ours = app.create_scan("a.com").await;
    let theirs = app
        .call("POST", "/api/v4/scans")
        .tenant(OTHER)
        .json(&json!({ "domain": "a.com" }));
    assert_eq!(theirs.send().await.status, 202);
    let title = Some("Ours".to_owned());
    app.complete(
        &ours,
        &Findings {
            title,
            ..Findings::default()
        },
    )
    .await;
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    let theirs = app
        .call("GET", "/api/v4/domains/a.com")
        .tenant(OTHER)
        .send()
        .await
        .json();
    assert_eq!(
        (&theirs["title"], &theirs["status"]),
        (&json!(null), &json!("pending"))
    );
}

#[tokio::test]
async fn a_tenant_that_is_no_uuid_is_refused_everywhere() {
    let app = TestApp::start().await;
    for (method, path) in [
        ("GET", "/api/v4/scans"),
        ("GET", "/api/v4/batches"),
        ("GET", "/api/v4/domains"),
        ("GET", "/api/v4/domains/a.com"),
        ("GET", "/api/v4/events"),
        ("POST", "/api/v4/scans"),
        ("POST", "/api/v4/batches"),
        ("POST", "/api/v4/scans/x/cancel"),
    ] {
        for tenant in ["acme", "", "550e8400-e29b-41d4-a716"] {
            let call = app
                .call(method, path)
                .json(&json!({ "domain": "a.com", "domains": ["a.com"] }));
            let answer = call.tenant(tenant).send().await;
            if path.ends_with("x/cancel") {
                assert!(matches!(answer.status, 400 | 404), "{}", answer.text());
            } else {
                answer.problem(400, "invalid_tenant");
            }
        }
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn without_a_header_it_is_the_default_tenants() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    let call = app.call("GET", &format!("/api/v4/scans/{id}"));
    assert_eq!(
        call.tenant("550e8400-e29b-41d4-a716-446655440000")
            .send()
            .await
            .status,
        200
    );
}
