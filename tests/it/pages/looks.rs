//! Each page at the width of a phone and of a desktop, light and dark: nothing is wider than the screen, axe-core finds
//! nothing that keeps people out, nothing fails and nothing comes from elsewhere.

use serde_json::{Value, json};

use super::at;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// axe-core 4.14.1 (axe.LICENSE): tests of accessibility that a program can make.
const AXE: &str = include_str!("axe.min.js");

/// What axe finds wrong and calls serious or critical, with where.
const SERIOUS: &str = "const done = arguments[arguments.length - 1];
    axe.run(document).then(found => done(found.violations
        .filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => one.id + ': ' + one.nodes.map(node => node.target + ' ' + node.failureSummary).join(' | '))))";

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_usable_on_phone_and_desktop_light_and_dark() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let sites = Sites::start(SitesOptions {
        sites: 3,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let server = Server::start(&sites, &[]);
    for path in paths(&server).await {
        for (width, scheme) in [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")] {
            let page = format!("{path} at {width} px, {scheme}");
            browser.look_like(width, scheme).await;
            browser.open(&at(server.address(), &path)).await;
            let wide = browser
                .run("return document.documentElement.scrollWidth - innerWidth")
                .await;
            assert!(wide.as_i64().unwrap() <= 0, "{page}: {wide} px too wide");
            browser.run(AXE).await;
            let wrong = browser.client.execute_async(SERIOUS, Vec::new()).await.unwrap();
            assert_eq!(wrong, json!([]), "{page}");
            assert_eq!(browser.errors().await, [""; 0], "{page}");
        }
    }
    let foreign: Vec<String> = browser
        .requests()
        .await
        .into_iter()
        .filter(|url| !url.starts_with(&at(server.address(), "/")))
        // What the browser's own first tab looks for in the browser itself.
        .filter(|url| !url.starts_with("chrome-untrusted:") && !url.starts_with("chrome:"))
        .collect();
    assert_eq!(foreign, [""; 0], "pages ask nobody else");
    browser.close().await;
}

/// The addresses of all kinds of pages, empty and filled.
async fn paths(server: &Server) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let domains = [
        "site00000.sites.test",
        "site00001.sites.test",
        "err404.sites.test",
    ]
    .map(str::to_owned);
    let batch = server.request_batch(&domains).await;
    let path = format!("/api/v4/batches/{batch}");
    server
        .wait_for(&path, crate::crash::LIMIT, |batch| batch["progress"] == 1.0)
        .await;
    let failed = server.all(&format!("{path}/scans?status=failed")).await;
    let (scan, batch) = (text(&failed[0]["scan_id"]), format!("/batches/{batch}"));
    let monitor = json!({ "name": "Shops", "domains": domains, "rhythm": "weekly on monday", "fields": ["phone_numbers", "status"] });
    let monitor = text(&server.post("/api/v4/monitors", &monitor).await["monitor_id"]);
    let run = server
        .post(&format!("/api/v4/monitors/{monitor}/run"), &json!({}))
        .await;
    server
        .get(&format!(
            "/api/v4/monitors/{monitor}?at_least={}",
            run["position"]
        ))
        .await;
    vec![
        "/".to_owned(),
        "/batches".to_owned(),
        batch.clone(),
        format!("{batch}?status=cancelled"),
        format!("/scans/{scan}"),
        "/domains".to_owned(),
        "/technologies".to_owned(),
        "/domains?contains=nothing&column=title&column=technologies".to_owned(),
        "/domains/site00000.sites.test".to_owned(),
        "/domains/err404.sites.test".to_owned(),
        "/changes".to_owned(),
        "/webhooks".to_owned(),
        "/monitors".to_owned(),
        format!("/monitors/{monitor}"),
        "/log".to_owned(),
        "/tasks".to_owned(),
        "/tasks?show=delayed".to_owned(),
        "/projections".to_owned(),
        "/keys".to_owned(),
        "/docs".to_owned(),
        "/docs/problems".to_owned(),
        "/docs/problems/invalid_domain".to_owned(),
    ]
}
