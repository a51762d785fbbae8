//! Each page at the width of a phone and of a desktop, light and dark: nothing is wider than the screen, axe-core
//! finds no serious problem, nothing fails, and nothing is loaded from other hosts.

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
    let paths = paths(&server).await;
    pictures_filters_and_selections_work(&browser, &server).await;
    for path in paths {
        for (width, scheme) in [(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")] {
            let page = format!("{path} at {width} px, {scheme}");
            browser.look_like(width, scheme).await;
            browser.open(&at(server.address(), &path)).await;
            let wide = browser
                .run("return document.documentElement.scrollWidth - innerWidth")
                .await;
            assert!(wide.as_i64().unwrap() <= 0, "{page}: {wide} px too wide");
            photograph(&browser, &page).await;
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

/// Stores a screenshot if `SCREENSHOTS` names a folder.
async fn photograph(browser: &Browser, page: &str) {
    let Some(folder) = std::env::var_os("SCREENSHOTS") else {
        return;
    };
    let name: String = page
        .chars()
        .map(|one| if one.is_ascii_alphanumeric() { one } else { '-' })
        .collect();
    let picture = browser.client.screenshot().await.unwrap();
    std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
}

/// A card shows the site's pictures; a filter is saved and opened; selected rows are exported.
async fn pictures_filters_and_selections_work(browser: &Browser, server: &Server) {
    browser
        .open(&at(server.address(), "/domains/site00001.sites.test"))
        .await;
    let drawn =
        "return [...document.querySelectorAll('main img')].map(one => one.complete && one.naturalWidth > 0)";
    crate::support::app::wait_for("icon and logo", async || {
        (browser.run(drawn).await == json!([true, true])).then_some(())
    })
    .await;
    browser
        .open(&at(server.address(), "/domains?status=completed"))
        .await;
    browser.click("//summary[.='Save this filter']").await;
    browser.fill("//input[@name='name']", "Reached").await;
    browser.click("//button[.='Save']").await;
    browser
        .wait_for("//nav[@aria-label='Saved filters']/a[.='Reached' and @aria-current='page']")
        .await;
    browser
        .click("//input[@aria-label='Select all shown rows']")
        .await;
    browser
        .click("//input[@aria-label='Select site00000.sites.test']")
        .await;
    assert_eq!(browser.wait_for("//output").await, "1");
    let exported = "const done = arguments[arguments.length - 1];
        const form = document.querySelector('form.selection');
        const button = form.querySelector('button[formaction=\"/domains/selection\"]');
        fetch(button.formAction + '?' + new URLSearchParams(new FormData(form, button)))
            .then(answer => answer.text()).then(text => done(text.split('\\n').slice(1).map(line => line.split(',')[0])))";
    let rows = browser.client.execute_async(exported, Vec::new()).await.unwrap();
    assert_eq!(rows, json!(["site00001.sites.test", ""]));
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
    let batch = json!({ "domains": domains, "files": ["icon", "logo"] });
    let batch = text(&server.post("/api/v4/batches", &batch).await["batch_id"]);
    let path = format!("/api/v4/batches/{batch}");
    server.wait_for(&path, |batch| batch["progress"] == 1.0).await;
    // Scans and batches are two read models; each follows the log by itself.
    let failed = server
        .wait_for(&format!("{path}/scans?status=failed"), |scans| {
            scans["items"][0].is_object()
        })
        .await;
    let (scan, batch) = (text(&failed["items"][0]["scan_id"]), format!("/batches/{batch}"));
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
        "/domains?status=completed".to_owned(),
        "/saved-filters".to_owned(),
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
