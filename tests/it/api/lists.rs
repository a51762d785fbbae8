//! Lists: their order, their pages, their filters.

use serde_json::Value;
use sitelog::values::Findings;

use crate::support::app::TestApp;

/// One field of each row of all pages, read two at a time.
async fn all(app: &TestApp, path: &str, field: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = String::new();
    let joint = if path.contains('?') { '&' } else { '?' };
    loop {
        let page = app.get(&format!("{path}{joint}limit=2{next}")).await.json();
        let rows = page["items"].as_array().unwrap();
        assert!(rows.len() <= 2);
        found.extend(rows.iter().map(|row| text(&row[field])));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return found,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn scans_come_in_the_order_of_their_requests_page_by_page() {
    let app = TestApp::start().await;
    for domain in ["c.com", "a.com", "b.com", "a.com"] {
        app.create_scan(domain).await;
    }
    app.get("/api/v4/scans?at_least=4").await;
    assert_eq!(
        all(&app, "/api/v4/scans", "domain").await,
        ["c.com", "a.com", "b.com", "a.com"]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?domain=A.com", "domain").await,
        ["a.com", "a.com"]
    );
}

#[tokio::test]
async fn scans_are_found_by_status_and_show_no_results() {
    let app = TestApp::start().await;
    let ids = [app.create_scan("a.com").await, app.create_scan("b.com").await];
    app.complete(&ids[1], &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/scans/{}", ids[1]), "completed")
        .await;
    assert_eq!(
        all(&app, "/api/v4/scans?status=completed", "scan_id").await,
        [ids[1].as_str()]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?status=completed", "result").await,
        ["null"]
    );
    assert_eq!(
        all(&app, "/api/v4/scans?status=pending", "scan_id").await,
        [ids[0].as_str()]
    );
}

#[tokio::test]
async fn the_scans_of_a_batch_come_in_the_order_of_its_list() {
    let app = TestApp::start().await;
    let domains = ["c.com", "a.com", "d.com", "b.com", "e.com"];
    let id = app.create_batch(&domains).await;
    app.create_scan("other.com").await;
    assert_eq!(
        all(&app, &format!("/api/v4/batches/{id}/scans"), "domain").await,
        domains
    );
    assert_eq!(
        all(&app, &format!("/api/v4/scans?batch={id}"), "line").await,
        ["1", "2", "3", "4", "5"]
    );
}

#[tokio::test]
async fn batches_come_newest_first() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for domain in ["a.com", "b.com", "c.com"] {
        ids.insert(0, app.create_batch(&[domain]).await);
    }
    assert_eq!(all(&app, "/api/v4/batches", "batch_id").await, ids);
}

#[tokio::test]
async fn domains_come_by_name_once_each_and_can_be_searched() {
    let app = TestApp::start().await;
    for domain in ["c.com", "a.com", "b.org", "a.com"] {
        app.create_scan(domain).await;
    }
    app.get("/api/v4/domains?at_least=4").await;
    assert_eq!(
        all(&app, "/api/v4/domains", "domain").await,
        ["a.com", "b.org", "c.com"]
    );
    assert_eq!(
        all(&app, "/api/v4/domains?contains=.COM", "domain").await,
        ["a.com", "c.com"]
    );
    assert_eq!(all(&app, "/api/v4/domains?contains=%25", "domain").await, [""; 0]);
}
