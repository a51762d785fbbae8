//! Pages that behave as the predecessor's did, served from here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sitelog::api::settings::LegacySettings;

use crate::support::app::TestApp;
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

/// A browser without a window, if this machine has one.
fn browser() -> Option<PathBuf> {
    let dirs: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    names
        .iter()
        .find_map(|name| dirs.iter().map(|dir| dir.join(name)).find(|path| path.exists()))
}

/// What a page holds when it has come to rest. Its clock runs as fast as its requests are answered.
async fn page_at_rest(browser: PathBuf, url: String) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = tokio::task::spawn_blocking(move || {
        Command::new(browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args(["--virtual-time-budget=7200000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let page = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        page.contains("<title>"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_like_the_old_ones_runs_through_in_a_browser_single_and_batch() {
    let Some(browser) = browser() else {
        eprintln!("SKIPPED: there is no Chromium here; the old pages are not run in a browser");
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

    let (good, other) = (Sites::site(0), Sites::site(1));
    let page = page_at_rest(
        browser.clone(),
        format!("{scanner}?domain=https://www.{}/", good.host()),
    )
    .await;
    for part in [
        "<title>done: completed</title>".to_owned(),
        "Status: completed - 100% (since ".to_owned(),
        format!("{} | {} | WordPress: Yes", good.title(), good.language()),
        good.email(),
        " seconds | in order".to_owned(),
    ] {
        assert!(page.contains(&part), "'{part}' is not in {page}");
    }

    let failing = "err404.sites.test";
    let domains = [good.host(), other.host(), failing.to_owned()];
    let page = page_at_rest(
        browser.clone(),
        format!("{scanner}?domains={}", domains.join(",")),
    )
    .await;
    for part in [
        "<title>done: completed</title>".to_owned(),
        "100% (3/3)".to_owned(),
        format!("{} ; completed ; timed ; no error", good.host()),
        format!("{} ; completed ; timed ; no error", other.host()),
        format!("{failing} ; failed ; timed ; "),
    ] {
        assert!(page.contains(&part), "'{part}' is not in {page}");
    }

    let page = page_at_rest(browser, format!("{scanner}?domain=not%20a%20domain")).await;
    assert!(
        page.contains("Error: Domain validation error: Invalid domain format: not a domain"),
        "{page}"
    );
}
