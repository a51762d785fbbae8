//! Pages that behave as the predecessor's did, served from here.

use sitelog::api::settings::LegacySettings;

use crate::support::app::TestApp;

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
