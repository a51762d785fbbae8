//! Links to exports: they can be read without a key, give access only to that export, and end when they expire or are
//! revoked.

use serde_json::{Value, json};
use sitelog::access::Scope;
use sitelog::values::Findings;

use crate::access::{key, key_of};
use crate::support::app::TestApp;

async fn scanned(app: &TestApp, domain: &str, title: &str) {
    let scan = app.create_scan(domain).await;
    let findings = Findings {
        title: Some(title.to_owned()),
        ..Findings::default()
    };
    app.complete(&scan, &findings).await;
    app.get_until(&format!("/api/v4/domains/{domain}"), |answer| {
        answer.status == 200
    })
    .await;
}

async fn link(app: &TestApp, body: &Value) -> (String, String) {
    let answer = app.post_json("/api/v4/links", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("link_id"), text("link"))
}

#[tokio::test]
async fn a_link_is_its_export_until_it_expires_or_is_revoked() {
    let app = TestApp::start().await;
    scanned(&app, "a.com", "one").await;
    let wanted = json!({ "path": "/domains?contains=a&format=csv", "name": "Sheet", "days": 5 });
    let (id, place) = link(&app, &wanted).await;
    let answer = app.get(&place).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
    assert!(answer.text().contains("a.com"), "{}", answer.text());
    // As it is at that time.
    scanned(&app, "aa.com", "two").await;
    assert!(app.get(&place).await.text().contains("aa.com"));
    let listed = app.get("/api/v4/links").await.json();
    let item = &listed["items"][0];
    assert_eq!(
        (&item["name"], &item["path"], item["used_at"].is_null()),
        (&json!("Sheet"), &json!("/domains?contains=a&format=csv"), false)
    );
    let token = place
        .strip_prefix("/links/")
        .unwrap()
        .strip_suffix(".csv")
        .unwrap();
    assert!(!listed.to_string().contains(token), "it is shown once");
    for late in ["now() - interval '1 second'", "now() + interval '10 years'"] {
        sqlx::query(&format!("update export_link set expires_at = {late}"))
            .execute(app.log_pool())
            .await
            .unwrap();
        app.get(&place).await.problem(404, "not_found");
    }
    let (second, place) = link(&app, &json!({ "path": "/api/v4/domains?format=ndjson" })).await;
    assert_ne!(id, second);
    assert_eq!(app.get(&place).await.status, 200);
    let path = format!("/api/v4/links/{second}");
    assert_eq!(app.call("DELETE", &path).send().await.status, 204);
    app.get(&place).await.problem(404, "not_found");
    app.call("DELETE", &path).send().await.problem(404, "not_found");
    app.get("/links/0000.csv").await.problem(404, "not_found");
}

#[tokio::test]
async fn what_is_no_export_gets_no_link() {
    let app = TestApp::start().await;
    for (path, said) in [
        ("/domains", "must name the format"),
        ("/domains?format=json", "must name the format"),
        ("/domains?format=csv&colour=red", "colour"),
        ("/domains?format=csv&sort=colour", "sort"),
        ("/keys?format=csv", "format"),
        ("/nothing?format=csv", "there is no list at this path"),
        ("/batches/0?format=csv", "format"),
        ("https://evil.test/?format=csv", "must be a path"),
        ("domains?format=csv", "must be a path"),
    ] {
        let refused = app.post_json("/api/v4/links", &json!({ "path": path })).await;
        let problem = refused.problem(422, "invalid_field");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(said), "{path}: {detail}");
    }
    for (name, value) in [
        ("days", json!(0)),
        ("days", json!(366)),
        ("name", json!("x".repeat(101))),
    ] {
        let mut body = json!({ "path": "/domains?format=csv" });
        body[name] = value;
        app.post_json("/api/v4/links", &body)
            .await
            .problem(422, "invalid_field");
    }
}

#[tokio::test]
async fn a_repeated_request_makes_no_other_link() {
    let app = TestApp::start().await;
    let request = || {
        let body = json!({ "path": "/changes?format=csv" });
        app.call("POST", "/api/v4/links")
            .json(&body)
            .header("idempotency-key", "once")
    };
    let first = request().send().await.json();
    let second = request().send().await.json();
    assert!(first["link"].is_string() && second["link"].is_null());
    assert_eq!(first["link_id"], second["link_id"]);
    assert_eq!(
        app.get("/api/v4/links").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_pages_make_show_and_revoke_a_link() {
    let app = TestApp::start().await;
    scanned(&app, "a.com", "one").await;
    let page = app.get("/domains?contains=a").await.text();
    assert!(page.contains("Create a link for spreadsheets"), "{page}");
    let form = "path=%2Fapi%2Fv4%2Fdomains%3Fcontains%3Da%26format%3Dcsv&name=Sheet&days=7";
    let kind = "application/x-www-form-urlencoded";
    let made = app.post_text("/links", kind, form).await;
    assert_eq!(
        (made.status, made.header("cache-control")),
        (200, Some("no-store"))
    );
    let text = made.text();
    let start = text.find("/links/").unwrap();
    let place = text[start..].split(['<', '&', '"']).next().unwrap();
    assert!(app.get(place).await.text().contains("a.com"), "{text}");
    let listed = app.get("/api/v4/links").await.json();
    let id = listed["items"][0]["link_id"].as_str().unwrap();
    assert!(app.get("/links").await.text().contains("Sheet"));
    let revoked = app.post_text(&format!("/links/{id}/revoke"), kind, "").await;
    assert_eq!(revoked.status, 303, "{}", revoked.text());
    app.get(place).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_link_needs_no_key_and_shows_its_tenant_alone() {
    let app = TestApp::builder().guarded().start().await;
    app.get("/links/0000.csv").await.problem(404, "not_found");
    let (ours, theirs) = (
        key(&app, &[Scope::Write]).await.reveal().to_owned(),
        key_of(&app, super::OTHER.parse().unwrap(), &[Scope::Write])
            .await
            .reveal()
            .to_owned(),
    );
    for (key, domain) in [(&ours, "a.com"), (&theirs, "b.com")] {
        let scan = json!({ "domain": domain });
        let scan = app
            .call("POST", "/api/v4/scans")
            .json(&scan)
            .bearer(key)
            .send()
            .await
            .json();
        let path = format!("/api/v4/domains?at_least={}", scan["position"]);
        assert_eq!(app.call("GET", &path).bearer(key).send().await.status, 200);
    }
    let wanted = json!({ "path": "/scans?format=ndjson" });
    let made = app
        .call("POST", "/api/v4/links")
        .json(&wanted)
        .bearer(&ours)
        .send()
        .await
        .json();
    let text = app.get(made["link"].as_str().unwrap()).await.text();
    assert!(text.contains("a.com") && !text.contains("b.com"), "{text}");
}
