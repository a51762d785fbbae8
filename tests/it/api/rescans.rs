//! A domain is scanned again: files that the site reports as unchanged are not read again, for the same tenant, until
//! the domain is erased.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::sites::SitesOptions;

const DOMAIN: &str = "site00002.sites.test";
const OTHER_TENANT: &str = "7d3e1f50-3f63-4a3f-9a5c-0d1b8a3c2f11";

async fn app() -> TestApp {
    let sites = SitesOptions {
        tagged: true,
        ..SitesOptions::default()
    };
    TestApp::builder().scanning(sites).start().await
}

/// Scans the domain to the end; the view of the scan.
async fn scanned(app: &TestApp, tenant: Option<&str>) -> Value {
    let body = json!({ "domain": DOMAIN });
    let call = |method: &str, path: &str| {
        let call = app.call(method, path);
        match tenant {
            Some(tenant) => call.header("x-tenant-id", tenant),
            None => call,
        }
    };
    let accepted = call("POST", "/api/v4/scans").json(&body).send().await.json();
    let path = format!("/api/v4/scans/{}", accepted["scan_id"].as_str().unwrap());
    crate::support::app::wait_for("the scan", async || {
        let answer = call("GET", &path).send().await;
        let done = answer.status == 200 && answer.json()["status"] == "completed";
        done.then(|| answer.json())
    })
    .await
}

fn not_modified(scan: &Value) -> &Value {
    &scan["result"]["performance"]["not_modified"]
}

#[tokio::test]
async fn an_unchanged_site_is_confirmed_and_what_is_known_of_it_stays() {
    let app = app().await;
    let first = scanned(&app, None).await;
    let second = scanned(&app, None).await;
    assert_eq!(not_modified(&first), 0);
    let files = second["result"]["pages_read"].as_array().unwrap().len()
        + second["result"]["sitemaps"].as_array().unwrap().len()
        + 1;
    assert_eq!(not_modified(&second), files);
    assert!(files > 5, "{second:#}");
    for key in ["title", "emails", "phones", "technologies", "contact_info"] {
        assert_eq!(first["result"][key], second["result"][key], "{key}");
    }
    let domain = app.get(&format!("/api/v4/domains/{DOMAIN}")).await.json();
    assert_eq!(
        (&domain["sitemap_urls"], &domain["total_sitemaps"]),
        (&json!(100), &json!(2))
    );
    let urls = app
        .get(&format!("/api/v4/domains/{DOMAIN}/urls?limit=1000"))
        .await
        .json();
    assert_eq!(urls["items"].as_array().unwrap().len(), 100);
    let id = second["scan_id"].as_str().unwrap();
    let events = app
        .get(&format!("/api/v4/streams/domain_scan/{id}?limit=100"))
        .await
        .json();
    let read = events["items"].as_array().unwrap().iter().filter(|event| {
        matches!(
            event["type"].as_str(),
            Some("RobotsRead" | "SitemapParsed" | "PageRead")
        )
    });
    let reused: Vec<(&Value, &Value)> = read
        .map(|event| (&event["data"]["status"], &event["data"]["not_modified"]))
        .collect();
    assert_eq!(reused, vec![(&json!(304), &json!(true)); files]);
}

#[tokio::test]
async fn another_tenant_reads_the_site_itself() {
    let app = app().await;
    scanned(&app, None).await;
    assert_eq!(not_modified(&scanned(&app, Some(OTHER_TENANT)).await), 0);
}

#[tokio::test]
async fn what_was_forgotten_is_not_used_again() {
    let app = app().await;
    scanned(&app, None).await;
    let forgotten = app
        .call("DELETE", &format!("/api/v4/domains/{DOMAIN}"))
        .send()
        .await;
    assert_eq!(forgotten.status, 202, "{}", forgotten.text());
    let after = scanned(&app, None).await;
    assert_eq!(not_modified(&after), 0);
    assert!(after["result"]["title"].is_string());
    assert_ne!(not_modified(&scanned(&app, None).await), 0);
}
