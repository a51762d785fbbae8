//! Changes of domains: each is reported once, by the scan that found it; insignificant differences are not reported.

use serde_json::{Value, json};
use sitelog::values::report::{SiteReport, SitemapReport};
use sitelog::values::sitemap::{SitemapKind, SitemapUrl};
use sitelog::values::{FailureReason, Findings, Problem};

use crate::support::app::TestApp;

/// The domain is scanned, and this is found.
async fn found(app: &TestApp, domain: &str, findings: Value) -> String {
    let scan = app.create_scan(domain).await;
    let findings: Findings = serde_json::from_value(findings).unwrap();
    app.complete(&scan, &findings).await;
    scan
}

async fn failed(app: &TestApp, domain: &str, reason: FailureReason) -> String {
    let scan = app.create_scan(domain).await;
    app.fail(&scan, reason, false).await;
    scan
}

/// The domain is scanned, and its sitemaps name these URLs.
async fn listed(app: &TestApp, domain: &str, files: &[(&str, &[&str])], problems: &[Problem]) -> String {
    let scan = app.create_scan(domain).await;
    let sitemap = |(name, urls): &(&str, &[&str])| SitemapReport {
        url: format!("https://{domain}/{name}.xml"),
        parent: None,
        kind: SitemapKind::Urlset,
        status: 200,
        not_modified: false,
        bytes: 100,
        entries: urls.len() as u64,
        urls: urls
            .iter()
            .map(|path| SitemapUrl {
                loc: format!("https://{domain}/{path}"),
                ..SitemapUrl::default()
            })
            .collect(),
        problems: problems.to_vec(),
    };
    let report = SiteReport {
        robots: None,
        sitemaps: files.iter().map(sitemap).collect(),
        pages: Vec::new(),
        outcome: Ok(Findings::default()),
        revisit: None,
    };
    app.record(&scan, &report).await;
    scan
}

async fn changes(app: &TestApp, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/v4/changes?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_differs_is_told_once_with_the_values_before_and_after() {
    let app = TestApp::start().await;
    let first = found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+491"] } }),
    )
    .await;
    assert_eq!(
        changes(&app, "").await,
        [Value::Null; 0],
        "the first scan changes nothing"
    );
    let second = found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+492"] } }),
    )
    .await;
    let reported = changes(&app, "").await;
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert_eq!(
        reported[0]["fields"],
        json!([{ "field": "phone_numbers", "before": ["+491"], "after": ["+492"] }])
    );
    assert_eq!(
        (
            &reported[0]["scan_id"],
            &reported[0]["previous_scan_id"],
            &reported[0]["domain"]
        ),
        (&json!(second), &json!(first), &json!("a.com"))
    );
    found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+492"] } }),
    )
    .await;
    assert_eq!(changes(&app, "").await, reported);
}

#[tokio::test]
async fn what_was_not_found_again_stays_known_and_its_return_is_no_change() {
    let app = TestApp::start().await;
    found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+491"] } }),
    )
    .await;
    found(&app, "a.com", json!({ "title": "A" })).await;
    found(&app, "a.com", json!({ "title": " A" })).await;
    found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+491"] } }),
    )
    .await;
    assert_eq!(changes(&app, "").await.len(), 0);
    found(&app, "a.com", json!({ "title": "A" })).await;
    found(
        &app,
        "a.com",
        json!({ "title": "A", "contact_info": { "phone": ["+492"] } }),
    )
    .await;
    let reported = changes(&app, "domain=a.com&field=phone_numbers").await;
    assert_eq!(reported.len(), 1, "{reported:?}");
    assert_eq!(
        reported[0]["fields"][0]["before"],
        json!(["+491"]),
        "what an earlier scan found"
    );
}

#[tokio::test]
async fn a_failed_scan_changes_the_status_and_nothing_else() {
    let app = TestApp::start().await;
    found(&app, "a.com", json!({ "title": "A" })).await;
    failed(&app, "a.com", FailureReason::NameNotResolved).await;
    failed(&app, "a.com", FailureReason::Timeout).await;
    // Not the site's fault: nobody knows how it is.
    failed(&app, "a.com", FailureReason::Internal).await;
    found(&app, "a.com", json!({ "title": "B" })).await;
    let reported = changes(&app, "sort=position").await;
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert_eq!(
        (&reported[0]["fields"], &reported[0]["reason"]),
        (
            &json!([{ "field": "status", "before": "completed", "after": "failed" }]),
            &json!("name_not_resolved")
        )
    );
    assert_eq!(
        reported[1]["fields"],
        json!([
            { "field": "status", "before": "failed", "after": "completed" },
            { "field": "title", "before": "A", "after": "B" },
        ])
    );
    // A domain that failed from the start, and its retry.
    let first = failed(&app, "b.com", FailureReason::Timeout).await;
    app.post(&format!("/api/v4/scans/{first}/retry")).await;
    app.complete(&first, &Findings::default()).await;
    assert_eq!(changes(&app, "domain=b.com").await.len(), 0);
}

#[tokio::test]
async fn urls_of_sitemaps_are_compared_where_both_were_read_to_their_end() {
    let app = TestApp::start().await;
    listed(&app, "a.com", &[("x", &["1", "2"]), ("y", &["3"])], &[]).await;
    // One moves, one goes, one comes; the order is another.
    listed(
        &app,
        "a.com",
        &[("y", &["3"]), ("x", &["4", "1?utm_source=a"])],
        &[],
    )
    .await;
    // Cut off: what is missing may be there.
    listed(
        &app,
        "a.com",
        &[("x", &["1"])],
        &[Problem::new("url_limit", "too many")],
    )
    .await;
    listed(&app, "a.com", &[], &[]).await;
    listed(&app, "a.com", &[("x", &["1", "4"]), ("y", &["3", "5"])], &[]).await;
    let reported = changes(&app, "field=sitemap_urls&sort=position").await;
    assert_eq!(reported.len(), 2, "{reported:?}");
    assert_eq!(
        (&reported[0]["urls"], &reported[1]["urls"]),
        (
            &json!({ "added": 1, "removed": 1 }),
            &json!({ "added": 1, "removed": 0 })
        )
    );
    let urls = |reported: &Value| reported["links"]["urls"].as_str().unwrap().to_owned();
    let first = app.get(&urls(&reported[0])).await.json();
    assert_eq!(
        first["items"],
        json!([
            { "domain": "a.com", "change": "added", "url": "https://a.com/4" },
            { "domain": "a.com", "change": "removed", "url": "https://a.com/2" },
        ])
    );
    let second = app
        .get(&format!("{}?format=csv", urls(&reported[1])))
        .await
        .text();
    assert_eq!(second, "domain,change,url\r\na.com,added,https://a.com/5\r\n");
    let page = app.get(&format!("{}?limit=1", urls(&reported[0]))).await.json();
    let next = format!("{}?cursor={}", urls(&reported[0]), page["next"].as_str().unwrap());
    assert_eq!(app.get(&next).await.json()["items"][0]["change"], "removed");
}

#[tokio::test]
async fn what_was_erased_is_no_longer_known_nor_shown() {
    let app = TestApp::start().await;
    found(&app, "a.com", json!({ "title": "A" })).await;
    found(&app, "a.com", json!({ "title": "secret" })).await;
    // Under way while the domain is forgotten: it must not bring back what was known.
    let scan = app.create_scan("a.com").await;
    let under_way = app.previous_scan(&scan).await;
    assert_eq!(
        app.call("DELETE", "/api/v4/domains/a.com").send().await.status,
        202
    );
    let reported = changes(&app, "").await;
    assert_eq!(
        (&reported[0]["erased"], &reported[0]["fields"]),
        (
            &json!(true),
            &json!([{ "field": "title", "before": null, "after": null }])
        )
    );
    let findings = Findings {
        title: Some("B".to_owned()),
        ..Findings::default()
    };
    app.record_begun(&under_way, Ok(findings)).await;
    assert_eq!(changes(&app, "").await.len(), 1);
    let verified = app.app.log.verify().await.unwrap();
    assert!(verified.holds(), "{verified:?}");
}

#[tokio::test]
async fn changes_are_filtered_paged_exported_and_shown() {
    let app = TestApp::start().await;
    for domain in ["a.com", "b.com"] {
        found(&app, domain, json!({ "title": "<old>" })).await;
    }
    let before = app.head().await;
    for domain in ["a.com", "b.com"] {
        found(&app, domain, json!({ "title": "<new>" })).await;
    }
    let page = app.get("/api/v4/changes?limit=1&sort=position").await.json();
    assert_eq!(page["items"][0]["domain"], "a.com");
    let next = page["next"].as_str().unwrap();
    let rest = changes(&app, &format!("sort=position&cursor={next}")).await;
    assert_eq!((rest.len(), &rest[0]["domain"]), (1, &json!("b.com")));
    let since = |since: &str| format!("since={since}");
    let (last, at) = (rest[0]["position"].to_string(), rest[0]["at"].as_str().unwrap());
    for (query, count) in [
        (since(&before.to_string()), 2),
        (since(&last), 0),
        (since(at), 0),
        (since("2000-01-01T00:00:00Z"), 2),
        (since("2999-01-01T00:00:00Z"), 0),
        ("field=title".to_owned(), 2),
        ("field=language".to_owned(), 0),
        ("domain=https://a.com/".to_owned(), 1),
    ] {
        assert_eq!(changes(&app, &query).await.len(), count, "{query}");
    }
    for query in [
        "field=colour",
        "since=yesterday",
        "domain=no%20domain",
        "sort=field",
        "batch=1",
    ] {
        assert_eq!(
            app.get(&format!("/api/v4/changes?{query}")).await.status,
            400,
            "{query}"
        );
    }
    let csv = app.get("/api/v4/changes?format=csv&domain=a.com").await.text();
    assert!(csv.contains(",a.com,a.com,title: <old> → <new>,"), "{csv}");
    let shown = app.get("/changes?field=&domain=a.com").await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert!(
        shown.text().contains("&lt;old&gt;") && shown.text().contains("&lt;new&gt;"),
        "{}",
        shown.text()
    );
    assert_eq!(
        app.get("/api/v4/changes/1/urls").await.status,
        404,
        "no change stands there"
    );
}
