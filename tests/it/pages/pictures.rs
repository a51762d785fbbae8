//! Icons and logos of sites: shown from the log, only to their tenant, and erased with everything else.

use serde_json::json;
use sitelog::log::verify::VerifyOptions;
use sitelog::values::Findings;
use sitelog::values::picture::{Picture, PictureType};

use crate::support::app::TestApp;

const DRAWING: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0h9v9'/></svg>";
/// What is stored is shown as it is.
const PIXELS: &[u8] = b"\x89PNG\r\n\x1a\n pixels";

#[tokio::test]
async fn pictures_are_shown_from_the_log_to_their_tenant_alone_and_erased_with_the_domain() {
    let app = TestApp::start().await;
    let picture = |media_type, content: &[u8]| {
        Some(Picture {
            url: "https://pictured.test/x".to_owned(),
            media_type,
            width: Some(32),
            height: Some(32),
            content: content.into(),
            ..Picture::default()
        })
    };
    let found = Findings {
        icon: picture(PictureType::Png, PIXELS),
        logo: picture(PictureType::Svg, DRAWING),
        ..Findings::default()
    };
    let scan = app.create_scan("pictured.test").await;
    app.complete(&scan, &found).await;
    let known = app
        .get_in_status("/api/v4/domains/pictured.test", "completed")
        .await;
    let icon = &known["meta_json"]["icon"];
    assert_eq!(
        (&icon["media_type"], &icon["body"]["bytes"], icon.get("content")),
        (&json!("image/png"), &json!(PIXELS.len()), None)
    );

    // The pages name them, by an address that changes with the content.
    let version = &icon["body"]["digest"].as_str().unwrap()[..16];
    let address = format!("/domains/pictured.test/pictures/icon?v={version}");
    for page in ["/domains", "/domains/pictured.test"] {
        let page = app.get(page).await;
        assert!(
            page.text().contains(&format!("src=\"{address}\"")),
            "{}",
            page.text()
        );
    }

    // They are inert, and kept by the browser alone.
    let shown = app.get(&address).await;
    assert_eq!((shown.status, &*shown.body), (200, PIXELS));
    assert_eq!(shown.header("content-type"), Some("image/png"));
    assert_eq!(shown.header("cache-control"), Some("private, max-age=86400"));
    let drawing = app.get("/domains/pictured.test/pictures/logo").await;
    assert_eq!(
        (drawing.header("content-type"), &*drawing.body),
        (Some("image/svg+xml"), DRAWING)
    );
    let policy = drawing.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && policy.contains("sandbox"),
        "{policy}"
    );
    assert_eq!(drawing.header("x-content-type-options"), Some("nosniff"));
    let again = app
        .call("GET", &address)
        .header("if-none-match", shown.header("etag").unwrap());
    let again = again.send().await;
    assert_eq!((again.status, again.body.len()), (304, 0));

    // Another tenant has none, and no picture is reached that the domain does not have.
    let other = "11111111-1111-4111-8111-111111111111";
    let theirs = app.call("GET", &address).tenant(other).send().await;
    assert_eq!(theirs.status, 404);
    for path in [
        "/domains/pictured.test/pictures/photo",
        "/domains/other.test/pictures/icon",
    ] {
        assert_eq!(app.get(path).await.status, 404, "{path}");
    }

    // The log names both, and they go with the rest.
    let log = sitelog::log::EventLog::open(app.log_pool().clone());
    assert!(
        log.verify_with(&VerifyOptions::default())
            .await
            .unwrap()
            .findings
            .is_empty()
    );
    let erased = app.call("DELETE", "/api/v4/domains/pictured.test").send().await;
    assert_eq!(erased.status, 202, "{}", erased.text());
    let left: i64 = sqlx::query_scalar("select count(*) from event_body where subject = 'pictured.test'")
        .fetch_one(app.log_pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    app.get_until(&address, |gone| gone.status == 404).await;
    assert!(
        log.verify_with(&VerifyOptions::default())
            .await
            .unwrap()
            .findings
            .is_empty()
    );
}
