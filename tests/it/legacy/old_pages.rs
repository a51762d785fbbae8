//! Pages that behave like the predecessor's, served by sitelog.

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

/// An app with these pages.
async fn app_with(pages: &Path) -> TestApp {
    let settings = LegacySettings {
        static_dir: Some(pages.to_owned()),
        ..LegacySettings::default()
    };
    TestApp::builder().with_legacy(settings).start().await
}

#[tokio::test]
async fn nothing_outside_the_directory_of_the_old_pages_is_served_whatever_lies_in_it() {
    let outside = tempfile::tempdir().unwrap();
    let pages = outside.path().join("pages");
    std::fs::create_dir_all(pages.join("real")).unwrap();
    std::fs::create_dir(outside.path().join("pages-of-others")).unwrap();
    for file in [
        "secret.html",
        "pages-of-others/secret.html",
        "pages/real/page.html",
    ] {
        std::fs::write(outside.path().join(file), "content").unwrap();
    }
    for (target, link) in [
        (outside.path().join("secret.html"), "file.html"),
        (outside.path().to_owned(), "folder"),
        ("../secret.html".into(), "relative.html"),
        (outside.path().join("pages-of-others"), "sibling"),
        ("file.html".into(), "link-to-link.html"),
        ("/etc".into(), "etc"),
        ("real/page.html".into(), "inside.html"),
        ("real".into(), "inside"),
    ] {
        std::os::unix::fs::symlink(target, pages.join(link)).unwrap();
    }
    let pipe = std::process::Command::new("mkfifo")
        .arg(pages.join("pipe.html"))
        .status();
    assert!(pipe.unwrap().success());
    let app = app_with(&pages).await;
    for path in [
        "file.html",
        "folder/secret.html",
        "folder/",
        "folder",
        "relative.html",
        "sibling/secret.html",
        "link-to-link.html",
        "etc/passwd",
        "real/../../secret.html",
        "real/%2e%2e/%2e%2e/secret.html",
        "pipe.html",
    ] {
        for method in ["GET", "HEAD"] {
            let answer = app.call(method, &format!("/static/{path}")).send().await;
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    for path in ["real/page.html", "inside.html", "inside/page.html"] {
        let answer = app.get(&format!("/static/{path}")).await;
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "content"),
            "{path}"
        );
    }
    // The directory itself may be a link: whoever set it chose it.
    let link = outside.path().join("current");
    std::os::unix::fs::symlink(&pages, &link).unwrap();
    let app = app_with(&link).await;
    assert_eq!(app.get("/static/real/page.html").await.status, 200);
    assert_eq!(app.get("/static/file.html").await.status, 404);
}

#[tokio::test]
async fn a_folder_of_the_old_pages_leads_to_its_own_path_with_a_slash() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("folder")).unwrap();
    for file in ["index.html", "folder/index.html"] {
        std::fs::write(dir.path().join(file), file).unwrap();
    }
    let app = app_with(dir.path()).await;
    for (path, location) in [
        ("/static", "/static/"),
        ("/static/folder", "/static/folder/"),
        ("/static/folder?a=b", "/static/folder/?a=b"),
    ] {
        let answer = app.get(path).await;
        assert!((300..400).contains(&answer.status), "{path}: {}", answer.status);
        assert_eq!(answer.header("location"), Some(location));
    }
    for (path, file) in [
        ("/static/", "index.html"),
        ("/static/folder/", "folder/index.html"),
    ] {
        assert_eq!(app.get(path).await.text(), file);
    }
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
