//! Saved filters, and the actions on selected rows of the list of domains, as forms without scripts.

use serde_json::{Value, json};
use sitelog::values::Findings;

use crate::support::app::{TestApp, wait_for};
use crate::support::call::Answer;

const FORM: &str = "application/x-www-form-urlencoded";

async fn sent(app: &TestApp, path: &str, form: &str) -> Answer {
    app.call("POST", path)
        .header("sec-fetch-site", "same-origin")
        .body(FORM, form.to_owned())
        .send()
        .await
}

/// The id in the first form of a page whose action begins like that.
fn id_in(page: &Answer, path: &str) -> String {
    let text = page.text();
    let action = text.split(&format!("action=\"{path}/")).nth(1).unwrap();
    action.split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_filter_is_saved_opened_renamed_and_deleted() {
    let app = TestApp::start().await;
    let page = app
        .get("/domains?technology=Shopify&status=failed&column=title&limit=5")
        .await;
    let query = "status=failed&amp;technology=Shopify&amp;column=title";
    assert!(
        page.text().contains(&format!("name=\"query\" value=\"{query}\"")),
        "{}",
        page.text()
    );
    let saved = sent(
        &app,
        "/saved-filters",
        "name=+Broken+shops+&query=technology%3DShopify%26status%3Dfailed",
    )
    .await;
    let address = "/domains?status=failed&technology=Shopify";
    assert_eq!(
        (saved.status, saved.header("location")),
        (303, Some(address)),
        "{}",
        saved.text()
    );

    // The list offers it, and marks it where it is shown.
    let escaped = address.replace('&', "&amp;");
    let link = |page: &Answer, current: &str| {
        page.text()
            .contains(&format!("href=\"{escaped}\"{current}>Broken shops</a>"))
    };
    assert!(link(&app.get("/domains").await, ""));
    let shown = app.get("/domains?technology=Shopify&status=failed").await;
    assert!(
        link(&shown, " aria-current=\"page\"") && !shown.text().contains("Save this filter"),
        "{}",
        shown.text()
    );
    let other = "11111111-1111-4111-8111-111111111111";
    let theirs = app.call("GET", "/saved-filters").tenant(other).send().await;
    assert!(!theirs.text().contains("Broken shops"));

    // What cannot be saved says why.
    for (form, said) in [
        (
            "name=Broken+shops&query=status%3Dfailed",
            "Another saved filter is called",
        ),
        ("name=+&query=status%3Dfailed", "must have 1 to 100"),
        ("name=All&query=", "no filter to save"),
        ("name=Bad&query=status%3Dbroken", "status is"),
    ] {
        let refused = sent(&app, "/saved-filters", form).await;
        assert!((400..500).contains(&refused.status), "{form}: {}", refused.status);
        assert!(refused.text().contains(said), "{form}: {}", refused.text());
    }

    // It is renamed and deleted, by its tenant alone.
    let id = id_in(&app.get("/saved-filters").await, "/saved-filters");
    let stolen = app
        .call("POST", &format!("/saved-filters/{id}/delete"))
        .tenant(other)
        .send()
        .await;
    assert_eq!(stolen.status, 404);
    let renamed = sent(&app, &format!("/saved-filters/{id}/rename"), "name=Shops+to+fix").await;
    assert_eq!(
        (renamed.status, renamed.header("location")),
        (303, Some("/saved-filters"))
    );
    assert!(app.get("/saved-filters").await.text().contains("Shops to fix"));
    assert_eq!(
        sent(&app, &format!("/saved-filters/{id}/delete"), "")
            .await
            .status,
        303
    );
    assert!(
        app.get("/saved-filters")
            .await
            .text()
            .contains("No saved filters yet")
    );
}

#[tokio::test]
async fn ticked_domains_are_exported_scanned_again_and_added_to_a_monitor() {
    let app = TestApp::start().await;
    for name in ["a.test", "b.test", "c.test"] {
        let scan = app.create_scan(name).await;
        app.complete(&scan, &Findings::default()).await;
        app.get_in_status(&format!("/api/v4/domains/{name}"), "completed")
            .await;
    }
    let list = app.get("/domains").await.text();
    assert!(
        list.contains("name=\"domain\" value=\"b.test\" form=\"selection\""),
        "{list}"
    );

    // As a file: the ticked rows, each once.
    let file = app
        .get("/domains/selection?format=csv&domain=c.test&domain=a.test&domain=c.test")
        .await;
    assert_eq!(
        file.header("content-disposition"),
        Some("attachment; filename=\"domains.csv\"")
    );
    let text = file.text();
    let names: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(names, ["a.test", "c.test"]);

    // As a batch.
    let ticked = "request_key=01890000-0000-7000-8000-000000000001&pictures=1&domain=a.test&domain=c.test";
    let scanned = sent(&app, "/domains/selection/scan", ticked).await;
    let batch = scanned.header("location").unwrap().to_owned();
    let again = sent(&app, "/domains/selection/scan", ticked).await;
    assert_eq!(
        again.header("location"),
        Some(&*batch),
        "a second click does nothing twice"
    );
    let batch = app.get(&format!("/api/v4{batch}")).await.json();
    assert_eq!(
        (&batch["total"], &batch["options"]["files"]),
        (&json!(2), &json!(["icon", "logo"]))
    );

    // To a monitor: those that it does not have yet, and only one with a list.
    let monitor = json!({ "name": "Shops", "domains": ["a.test", "z.test"], "rhythm": "monthly" });
    let monitor = app.post_json("/api/v4/monitors", &monitor).await.json();
    let filtered = json!({ "name": "Failed", "filter": { "status": "failed" }, "rhythm": "monthly" });
    let filtered = app.post_json("/api/v4/monitors", &filtered).await.json();
    let id = |monitor: &Value| monitor["monitor_id"].as_str().unwrap().to_owned();
    let offered = wait_for("both monitors", async || {
        let page = app.get("/domains").await.text();
        page.contains(&id(&monitor)).then_some(page)
    })
    .await;
    assert!(!offered.contains(&id(&filtered)));
    for key in 2..4 {
        let form = format!(
            "request_key=01890000-0000-7000-8000-00000000000{key}&monitor={}&domain=a.test&domain=b.test",
            id(&monitor)
        );
        let added = sent(&app, "/domains/selection/monitor", &form).await;
        assert_eq!(added.status, 303, "{}", added.text());
        let page = app.get(added.header("location").unwrap()).await;
        assert!(
            page.text().contains("<dt>Domains</dt><dd>3</dd>"),
            "{}",
            page.text()
        );
    }
    let form = format!("monitor={}&domain=a.test", id(&filtered));
    let refused = sent(&app, "/domains/selection/monitor", &form).await;
    assert!(
        refused.status == 422 && refused.text().contains("match a filter"),
        "{}",
        refused.text()
    );

    for path in ["/domains/selection/scan", "/domains/selection/monitor"] {
        let refused = sent(&app, path, "").await;
        assert!(
            refused.status == 422 && refused.text().contains("No domain is selected"),
            "{path}"
        );
    }
    assert_eq!(app.get("/domains/selection?format=csv").await.status, 422);
    assert_eq!(app.get("/domains/selection?domain=a.test").await.status, 400);
}
