//! Pages that behave as the predecessor's did, served from here.

use std::path::Path;

use sitelog::api::settings::LegacySettings;

use crate::support::app::TestApp;
use crate::support::browser::Browser;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

#[tokio::test]
async fn the_old_pages_come_from_the_directory_that_is_set_and_nothing_else_does() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("scanner.html"), "<script>1</script>").unwrap();
    let settings = LegacySettings {
        static_dir: Some(dir.path().to_owned()),
        ..LegacySettings::default()
    };
    let app = TestApp::builder().with_legacy(settings).start().await;
    let page = app.get("/static/scanner.html").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, Some("text/html"))
    );
    assert!(
        page.header("content-security-policy")
            .unwrap()
            .contains("'unsafe-inline'")
    );
    assert_eq!(app.get("/static/../Cargo.toml").await.status, 404);
    assert_eq!(
        TestApp::start().await.get("/static/scanner.html").await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_like_the_old_ones_runs_through_in_a_browser_single_and_batch() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let options = SitesOptions {
        sites: 2,
        urls_per_sitemap: 3,
        ..SitesOptions::default()
    };
    let sites = Sites::start(options).await.unwrap();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/old_pages");
    let server = Server::start(&sites, &[("SITELOG_LEGACY__STATIC_DIR", pages.to_str().unwrap())]);
    let scanner = format!("http://{}/static/scanner.html", server.address());
    // What the page holds when its title says that it is done.
    let at_rest = async |query: &str| {
        browser.open(&format!("{scanner}?{query}")).await;
        let title = browser.wait_for("//title[starts-with(., 'done')]").await;
        (title, browser.source().await)
    };

    let (good, other) = (Sites::site(0), Sites::site(1));
    let (title, page) = at_rest(&format!("domain=https://www.{}/", good.host())).await;
    assert_eq!(title, "done: completed", "{page}");
    for part in [
        "Status: completed - 100% (since ".to_owned(),
        format!("{} | {} | WordPress: Yes", good.title(), good.language()),
        good.email(),
        " seconds | in order".to_owned(),
    ] {
        assert!(page.contains(&part), "'{part}' is not in {page}");
    }

    let failing = "err404.sites.test";
    let domains = [good.host(), other.host(), failing.to_owned()];
    let (title, page) = at_rest(&format!("domains={}", domains.join(","))).await;
    assert_eq!(title, "done: completed", "{page}");
    for part in [
        "100% (3/3)".to_owned(),
        format!("{} ; completed ; timed ; no error", good.host()),
        format!("{} ; completed ; timed ; no error", other.host()),
        format!("{failing} ; failed ; timed ; "),
    ] {
        assert!(page.contains(&part), "'{part}' is not in {page}");
    }

    // The pages of February 2025: single scans over v1, shown as they come, also for a list.
    let (title, page) = at_rest(&format!("v1={},{failing}", good.host())).await;
    assert_eq!(title, "done: 1 completed, 1 failed", "{page}");
    for part in [
        &good.title(),
        "Scan completed successfully",
        "Failed to extract metadata",
    ] {
        assert!(page.contains(part), "'{part}' is not in {page}");
    }

    let (title, page) = at_rest("domain=not%20a%20domain").await;
    assert_eq!(title, "done: error", "{page}");
    assert!(
        page.contains("Error: Domain validation error: Invalid domain format: not a domain"),
        "{page}"
    );
    browser.close().await;
}
