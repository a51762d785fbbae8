//! Two tenants call every route of the document: neither sees or changes data of the other.

use serde_json::{Value, json};
use sitelog::access::ApiKey;
use sitelog::access::Scope::Admin;
use sitelog::values::Findings;

use super::{key, key_of, other};
use crate::support::app::{TestApp, wait_for};
use crate::support::call::Answer;

/// Words that occur only in data of our tenant.
const MARK: &str = "ours-alone";

/// The resources of the first tenant, for the parameters of paths.
struct Ours {
    scan: String,
    batch: String,
    domain: String,
    key: String,
    webhook: String,
    monitor: String,
    /// Position of a change of the domain.
    change: String,
}

impl Ours {
    /// A path of the document with the ids of our resources.
    fn path(&self, template: &str) -> String {
        let id = if template.contains("/batches/") {
            &self.batch
        } else if template.contains("/keys/") {
            &self.key
        } else if template.contains("/monitors/") {
            &self.monitor
        } else if template.contains("/webhooks/") {
            &self.webhook
        } else {
            &self.scan
        };
        template
            .replace("{type}", "domain_scan")
            .replace("{domain}", &self.domain)
            .replace("{position}", &self.change)
            .replace("{id}", id)
            .replace("{subscriber}", &self.scan)
    }
}

async fn as_key(app: &TestApp, key: &ApiKey, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let mut call = app.call(method, path).bearer(key.reveal());
    if let Some(body) = body {
        call = call.json(body);
    }
    call.send().await
}

/// A scan that completed, a batch and a domain, all with the mark.
async fn provide(app: &TestApp, key: &ApiKey) -> Ours {
    let domain = format!("{MARK}.com");
    let scan = json!({ "domain": domain });
    let scan = as_key(app, key, "POST", "/api/v4/scans", Some(&scan))
        .await
        .json();
    let scan = scan["scan_id"].as_str().unwrap().to_owned();
    let batch = json!({ "domains": [format!("b.{MARK}.com")] });
    let batch = as_key(app, key, "POST", "/api/v4/batches", Some(&batch))
        .await
        .json();
    let batch = batch["batch_id"].as_str().unwrap().to_owned();
    let title = Some(MARK.to_owned());
    app.complete(
        &scan,
        &Findings {
            title,
            ..Findings::default()
        },
    )
    .await;
    let path = format!("/api/v4/domains/{domain}");
    wait_for("the domain", async || {
        let found = as_key(app, key, "GET", &path, None).await;
        (found.json()["status"] == "completed").then_some(())
    })
    .await;
    let path = format!("/api/v4/batches/{batch}/scans");
    let of_batch = wait_for("the batch", async || {
        let found = as_key(app, key, "GET", &path, None).await;
        Some(found.json()["items"].get(0)?["scan_id"].as_str()?.to_owned())
    })
    .await;
    // A watcher gets its end, and then nothing more.
    app.complete(&of_batch, &Findings::default()).await;
    let path = format!("/api/v4/batches/{batch}");
    wait_for("its end", async || {
        let found = as_key(app, key, "GET", &path, None).await;
        (found.json()["status"] == "completed").then_some(())
    })
    .await;
    // It is scanned again, and found changed.
    let again = json!({ "domain": domain });
    let again = as_key(app, key, "POST", "/api/v4/scans", Some(&again))
        .await
        .json();
    let title = Some(format!("{MARK} again"));
    let found = Findings {
        title,
        ..Findings::default()
    };
    app.complete(again["scan_id"].as_str().unwrap(), &found).await;
    let changes = as_key(app, key, "GET", "/api/v4/changes", None).await.json();
    let change = changes["items"][0]["position"].to_string();
    let path = format!("/api/v4/domains/{domain}");
    wait_for("the change", async || {
        let found = as_key(app, key, "GET", &path, None).await.json();
        (found["status"] == "completed" && found["title"] == format!("{MARK} again")).then_some(())
    })
    .await;
    let webhook = json!({ "url": format!("https://{MARK}.invalid/"), "events": ["scan.completed"] });
    let webhook = as_key(app, key, "POST", "/api/v4/webhooks", Some(&webhook))
        .await
        .json();
    let path = format!("/api/v4/webhooks?at_least={}", webhook["position"]);
    assert_eq!(as_key(app, key, "GET", &path, None).await.status, 200);
    let webhook = webhook["webhook_id"].as_str().unwrap().to_owned();
    let monitor = json!({ "name": MARK, "domains": [format!("m.{MARK}.com")], "rhythm": "monthly" });
    let monitor = as_key(app, key, "POST", "/api/v4/monitors", Some(&monitor))
        .await
        .json();
    let monitor = monitor["monitor_id"].as_str().unwrap().to_owned();
    let run = as_key(app, key, "POST", &format!("/api/v4/monitors/{monitor}/run"), None)
        .await
        .json();
    let path = format!("/api/v4/monitors/{monitor}?at_least={}", run["position"]);
    assert_eq!(as_key(app, key, "GET", &path, None).await.status, 200);
    let path = format!("/api/v4/batches/{}", run["batch_id"].as_str().unwrap());
    let of_run = wait_for("the run", async || {
        let found = as_key(app, key, "GET", &format!("{path}/scans"), None).await;
        Some(found.json()["items"].get(0)?["scan_id"].as_str()?.to_owned())
    })
    .await;
    app.complete(&of_run, &Findings::default()).await;
    wait_for("its end", async || {
        let found = as_key(app, key, "GET", &path, None).await;
        (found.json()["status"] == "completed").then_some(())
    })
    .await;
    let key = key.id().to_string();
    Ours {
        scan,
        batch,
        domain,
        key,
        webhook,
        monitor,
        change,
    }
}

#[tokio::test]
async fn nothing_crosses_on_any_route() {
    let app = TestApp::builder().guarded().start().await;
    let (first, second) = (key(&app, &[Admin]).await, key_of(&app, other(), &[Admin]).await);
    let ours = provide(&app, &first).await;
    let document = app.get("/openapi.json").await.json();
    let head = app.head().await;
    let mut walked = 0;
    for (template, methods) in document["paths"].as_object().unwrap() {
        // The stream of changes does not end. It has what the list of changes has.
        if !template.starts_with("/api/v4/") || template == "/api/v4/changes/events" {
            continue;
        }
        for method in methods.as_object().unwrap().keys() {
            let (method, path) = (method.to_uppercase(), ours.path(template));
            let creates = method == "POST" && !template.contains('{');
            if creates {
                continue;
            }
            walked += 1;
            let theirs = as_key(&app, &second, &method, &path, None).await;
            // Read models hold every tenant's rows, and workers scan for every tenant: both are for operators.
            if template.starts_with("/api/v4/projections") || template == "/api/v4/workers" {
                assert_eq!(theirs.status, 403, "{method} {path}");
                continue;
            }
            if template.contains('{') {
                assert_eq!(theirs.status, 404, "{method} {path}: {}", theirs.text());
            } else {
                let others_keys = template.ends_with("/keys");
                assert_eq!(theirs.status, 200, "{method} {path}");
                let expected = usize::from(others_keys);
                assert_eq!(
                    theirs.json()["items"].as_array().unwrap().len(),
                    expected,
                    "{method} {path}"
                );
            }
            for word in [
                MARK,
                &ours.scan,
                &ours.batch,
                &ours.key,
                &ours.webhook,
                &ours.monitor,
            ] {
                let (text, asked) = (theirs.text(), path.contains(word));
                assert!(asked || !text.contains(word), "{method} {path}: {text}");
            }
            if method == "GET" {
                let answer = as_key(&app, &first, &method, &path, None).await;
                assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
            }
        }
    }
    assert!(walked >= 16, "{walked}");
    // Filters and cursors that name what is ours find nothing either.
    let cursor = as_key(&app, &first, "GET", "/api/v4/events?limit=1", None)
        .await
        .json()["next"]
        .clone();
    let cursor = cursor.as_str().unwrap();
    for query in [
        format!("scans?batch={}", ours.batch),
        format!("scans?domain={}", ours.domain),
        format!("domains?batch={}", ours.batch),
        format!("changes?domain={}", ours.domain),
        format!("changes?monitor={}", ours.monitor),
        format!("batches?monitor={}", ours.monitor),
        format!("domains?contains={MARK}"),
        format!("events?stream={}", ours.scan),
        format!("events?cursor={cursor}"),
    ] {
        let answer = as_key(&app, &second, "GET", &format!("/api/v4/{query}"), None).await;
        assert_eq!(
            answer.both(),
            (200, json!({ "items": [], "next": null })),
            "{query}"
        );
    }
    assert_eq!(app.head().await, head, "something of ours was changed");
    assert_eq!(
        as_key(&app, &first, "GET", "/api/v4/keys", None).await.json()["items"][0]["revoked_at"],
        Value::Null
    );
}

#[tokio::test]
async fn nothing_crosses_on_the_predecessors_paths_either() {
    let app = TestApp::builder().guarded().start().await;
    let (first, second) = (key(&app, &[Admin]).await, key_of(&app, other(), &[Admin]).await);
    let ours = provide(&app, &first).await;
    let head = app.head().await;
    let (scan, batch) = (&ours.scan, &ours.batch);
    let of_scans = [
        format!("/api/v1/status/scan_{scan}"),
        format!("/api/v1/sitemap/status/{scan}"),
        format!("/api/v2/page_scraper/status/{scan}"),
        format!("/api/v3/modernized_page_scraper/status/{scan}"),
        format!("/api/v3/batch_page_scraper/status/{scan}"),
        format!("/api/v3/sitemap/status/{scan}"),
    ];
    let of_batches = [
        format!("/api/v1/batch/status/batch_{batch}"),
        format!("/api/v1/batch/{batch}/status"),
        format!("/api/v1/sitemap/batch/{batch}/status"),
        format!("/api/v1/sitemap/batch/status/{batch}"),
        format!("/api/v2/page_scraper/batch/{batch}/status"),
        format!("/api/v3/modernized_page_scraper/batch/{batch}/status"),
        format!("/api/v3/batch_page_scraper/batch/{batch}/status"),
        format!("/api/v3/sitemap/batch/status/{batch}"),
    ];
    let nobody = uuid::Uuid::nil().to_string();
    for (path, id) in
        (of_scans.iter().map(|path| (path, scan))).chain(of_batches.iter().map(|path| (path, batch)))
    {
        let own = as_key(&app, &first, "GET", path, None).await;
        assert_eq!(own.status, 200, "{path}: {}", own.text());
        let theirs = as_key(&app, &second, "GET", path, None).await;
        assert_ne!(
            theirs.json()["status"],
            own.json()["status"],
            "{path}: {}",
            theirs.text()
        );
        assert!(!theirs.text().contains(MARK), "{path}: {}", theirs.text());
        // It looks as what does not exist, except for what differs in each answer.
        let nothing = as_key(&app, &second, "GET", &path.replace(id, &nobody), None).await;
        assert_eq!(theirs.status, nothing.status, "{path}");
    }
    let own = as_key(&app, &first, "GET", "/api/v3/domains", None).await;
    assert!(own.text().contains(MARK), "{}", own.text());
    let theirs = as_key(&app, &second, "GET", "/api/v3/domains", None).await;
    assert_eq!((theirs.status, &theirs.json()["items"]), (200, &json!([])));
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_scan_of_one_tenant_never_takes_over_the_row_of_another() {
    let app = TestApp::builder().guarded().start().await;
    let (first, second) = (key(&app, &[Admin]).await, key_of(&app, other(), &[Admin]).await);
    let ours = provide(&app, &first).await;
    let scan = json!({ "domain": ours.domain });
    let theirs = as_key(&app, &second, "POST", "/api/v4/scans", Some(&scan))
        .await
        .json();
    let path = format!("/api/v4/domains/{}?at_least={}", ours.domain, theirs["position"]);
    let theirs = as_key(&app, &second, "GET", &path, None).await.json();
    assert_eq!(
        (&theirs["title"], &theirs["status"]),
        (&Value::Null, &json!("pending"))
    );
    let ours = as_key(&app, &first, "GET", &path, None).await.json();
    assert_eq!(
        (&ours["title"], &ours["status"]),
        (&json!(format!("{MARK} again")), &json!("completed"))
    );
}

#[tokio::test]
async fn an_idempotency_key_of_one_tenant_says_nothing_to_another() {
    let app = TestApp::builder().guarded().start().await;
    let (first, second) = (key(&app, &[Admin]).await, key_of(&app, other(), &[Admin]).await);
    let mut ids = Vec::new();
    for (key, domain) in [(&first, "a.com"), (&second, "b.com")] {
        let call = app
            .call("POST", "/api/v4/scans")
            .json(&json!({ "domain": domain }))
            .key("same");
        let answer = call.bearer(key.reveal()).send().await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        ids.push(answer.json()["scan_id"].clone());
    }
    assert_ne!(ids[0], ids[1]);
}
