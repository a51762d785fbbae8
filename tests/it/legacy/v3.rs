//! `/api/v3`, under the intended path and under the doubled one.

use serde_json::{Value, json};
use sitelog::access::Scope::Write;
use sitelog::values::FailureReason;

use super::{NOBODY, accepted, assert_deprecated, assert_naive, findings, names, text, without_times};
use crate::access::key;
use crate::support::app::TestApp;

const PREFIXES: [&str; 2] = ["/api/v3", "/api/v3/api/v3"];
const PAGE_SCRAPERS: [&str; 2] = ["modernized_page_scraper", "batch_page_scraper"];

#[tokio::test]
async fn a_page_scan_fills_what_was_always_null() {
    let app = TestApp::start().await;
    for (prefix, router) in PREFIXES
        .into_iter()
        .flat_map(|prefix| PAGE_SCRAPERS.map(|router| (prefix, router)))
    {
        let path = format!("{prefix}/{router}/scan");
        let job = accepted(
            &app,
            200,
            &path,
            &json!({ "base_url": " https://www.Example.com/", "max_pages": 10 }),
        )
        .await;
        assert_eq!(names(&job), ["created_at", "job_id", "status_url"]);
        assert_naive(&job["created_at"]);
        let (id, url) = (text(&job, "job_id"), text(&job, "status_url"));
        assert_eq!(url, format!("/api/v3/batch_page_scraper/status/{id}"));
        let pending = app.get(&format!("{prefix}/{router}/status/{id}")).await;
        assert_deprecated(&pending);
        assert_eq!(
            pending.header("cache-control"),
            Some("no-store, no-cache, must-revalidate, max-age=0")
        );
        let pending = without_times(pending.json(), &["created_at", "updated_at"]);
        assert_eq!(
            (&pending["status"], &pending["progress"]),
            (&json!("pending"), &json!(0.0))
        );
        app.begin(&id).await;
        let running = app.get_in_status(&url, "processing").await;
        assert_naive(&running["metadata"]["start_time"]);
        let second = accepted(&app, 200, &path, &json!({ "base_url": "example.com" })).await;
        app.complete(&text(&second, "job_id"), &findings()).await;
        let done = app.get_in_status(&text(&second, "status_url"), "completed").await;
        let site_data = &done["result"]["site_data"];
        for (name, value) in [
            ("title", json!("Example")),
            ("is_wordpress", json!(true)),
            ("elementor_version", json!("3.21.0")),
            ("has_woocommerce", json!(true)),
            ("has_divi", json!(false)),
            ("wordpress_theme", Value::Null),
            (
                "contact_info",
                json!({ "email": ["info@example.com"], "phone": ["+15551234567"] }),
            ),
        ] {
            assert_eq!(site_data[name], value, "{name}");
        }
        let metrics = without_times(
            done["result"]["processing_metrics"].clone(),
            &["start_time", "end_time"],
        );
        assert!(metrics["processing_time"].is_f64());
        assert_eq!(metrics["domain"], "example.com");
        assert_eq!(done["result_data"], done["result"]);
        assert_eq!(done["job_metadata"], done["metadata"]);
        assert_eq!(
            (&done["progress"], &done["error"], &done["domain"]),
            (&json!(1.0), &Value::Null, &json!("example.com"))
        );
        assert!(uuid::Uuid::try_parse(done["domain_id"].as_str().unwrap()).is_ok());
    }
}

#[tokio::test]
async fn a_sitemap_scan_has_its_own_words() {
    let app = TestApp::start().await;
    let job = accepted(
        &app,
        202,
        "/api/v3/sitemap/scan",
        &json!({ "base_url": "a.com", "max_pages": -5, "tenant_id": null }),
    )
    .await;
    let (id, url) = (text(&job, "job_id"), text(&job, "status_url"));
    assert_eq!(url, format!("/api/v3/sitemap/status/{id}"));
    app.begin(&id).await;
    app.get_in_status(&url, "running").await;
    let other = accepted(&app, 202, "/api/v3/sitemap/scan", &json!({ "base_url": "a.com" })).await;
    app.complete(&text(&other, "job_id"), &findings()).await;
    let done = app.get_in_status(&text(&other, "status_url"), "complete").await;
    assert_eq!(done["result_data"], json!({ "sitemaps": [] }));
    // What is no domain is taken, and has failed.
    let bad = accepted(
        &app,
        202,
        "/api/v3/sitemap/scan",
        &json!({ "base_url": "not a domain" }),
    )
    .await;
    let failed = app.get_in_status(&text(&bad, "status_url"), "failed").await;
    assert_eq!(failed["error"], "Invalid domain format: not a domain");
}

#[tokio::test]
async fn a_scan_that_came_to_something_names_the_sitemaps() {
    let app = TestApp::scanning().await;
    let job = accepted(
        &app,
        202,
        "/api/v3/sitemap/scan",
        &json!({ "base_url": "site00000.sites.test" }),
    )
    .await;
    let done = app.get_in_status(&text(&job, "status_url"), "complete").await;
    let sitemaps = done["result_data"]["sitemaps"].as_array().unwrap().clone();
    assert!(!sitemaps.is_empty());
    for sitemap in &sitemaps {
        assert!(uuid::Uuid::try_parse(sitemap["id"].as_str().unwrap()).is_ok());
        assert!(sitemap["url"].as_str().unwrap().starts_with("http"));
        assert!(["index", "standard"].contains(&sitemap["type"].as_str().unwrap()));
    }
    assert!(
        sitemaps
            .iter()
            .any(|sitemap| sitemap["url_count"].as_u64() > Some(0))
    );
}

#[tokio::test]
async fn a_batch_tells_of_each_domain_by_its_name() {
    let app = TestApp::start().await;
    for (prefix, router) in PREFIXES
        .into_iter()
        .flat_map(|prefix| PAGE_SCRAPERS.map(|router| (prefix, router)))
    {
        let body = json!({ "domains": ["a.com", "b.com", "no domain"], "max_pages": 10, "max_concurrent": 5, "batch_id": null, "tenant_id": null });
        let batch = accepted(&app, 200, &format!("{prefix}/{router}/batch"), &body).await;
        assert_eq!(
            names(&batch),
            ["batch_id", "created_at", "job_count", "status_url"]
        );
        let (id, url) = (text(&batch, "batch_id"), text(&batch, "status_url"));
        assert_eq!(
            (&url, &batch["job_count"]),
            (
                &format!("/api/v3/batch_page_scraper/batch/{id}/status"),
                &json!(3)
            )
        );
        let scans = app.scans_of_batch(&id, 3).await;
        let scan = |index: usize| scans[index]["scan_id"].as_str().unwrap();
        let whole = |answer: &crate::support::call::Answer| {
            answer.json()["domain_statuses"]
                .as_object()
                .is_some_and(|all| all.len() == 3)
        };
        let pending = app
            .get_until(&format!("{prefix}/{router}/batch/{id}/status"), whole)
            .await;
        assert_deprecated(&pending);
        let expected = json!({ "status": "pending", "job_id": scan(0), "start_time": null, "end_time": null, "processing_time": null, "error": null });
        assert_eq!(pending.json()["domain_statuses"]["a.com"], expected);
        app.complete(scan(0), &findings()).await;
        app.fail(scan(1), FailureReason::NameNotResolved, false).await;
        let done = app.get_in_status(&url, "completed").await;
        let done = without_times(done, &["created_at", "updated_at", "start_time", "end_time"]);
        assert_eq!(
            (
                &done["total_domains"],
                &done["completed_domains"],
                &done["failed_domains"],
                &done["progress"]
            ),
            (&json!(3), &json!(1), &json!(2), &json!(1.0))
        );
        assert_eq!(done["metadata"]["domain_count"], 3);
        let ok = without_times(
            done["domain_statuses"]["a.com"].clone(),
            &["start_time", "end_time"],
        );
        assert_eq!((&ok["status"], &ok["error"]), (&json!("completed"), &Value::Null));
        assert!(ok["processing_time"].is_f64());
        let bad = &done["domain_statuses"]["b.com"];
        assert_eq!(bad["status"], "failed");
        assert!(
            bad["error"].as_str().unwrap().contains("name_not_resolved"),
            "{bad}"
        );
        assert_eq!(
            done["domain_statuses"]["no domain"]["error"],
            "Invalid domain format: no domain"
        );
    }
}

#[tokio::test]
async fn a_batch_of_nothing_but_failures_has_failed() {
    let app = TestApp::start().await;
    let batch = accepted(
        &app,
        200,
        "/api/v3/batch_page_scraper/batch",
        &json!({ "domains": ["bad one"] }),
    )
    .await;
    app.get_in_status(&text(&batch, "status_url"), "failed").await;
}

#[tokio::test]
async fn more_than_a_thousand_domains_are_all_told() {
    let app = TestApp::start().await;
    let domains: Vec<String> = (0..1200).map(|n| format!("d{n}.com")).collect();
    let batch = accepted(
        &app,
        200,
        "/api/v3/batch_page_scraper/batch",
        &json!({ "domains": domains }),
    )
    .await;
    let whole = |answer: &crate::support::call::Answer| {
        answer.json()["domain_statuses"]
            .as_object()
            .is_some_and(|all| all.len() == 1200)
    };
    app.get_until(&text(&batch, "status_url"), whole).await;
}

#[tokio::test]
async fn a_sitemap_batch_has_limits_of_its_own() {
    let app = TestApp::start().await;
    for prefix in PREFIXES {
        let path = format!("{prefix}/sitemap/batch/create");
        let batch = accepted(
            &app,
            200,
            &path,
            &json!({ "domains": ["a.com"], "max_pages": 10 }),
        )
        .await;
        let id = text(&batch, "batch_id");
        let expected = json!({ "batch_id": id, "status": "pending", "total_domains": 1, "status_url": format!("/api/v3/sitemap/batch/status/{id}") });
        assert_eq!(Value::Object(batch), expected);
        let status = app.get(&format!("{prefix}/sitemap/batch/status/{id}")).await;
        assert_eq!((status.status, &status.json()["total_domains"]), (200, &json!(1)));
        let requested = "select count(*) from events where event_type = 'BatchRequested'";
        let before: i64 = sqlx::query_scalar(requested)
            .fetch_one(app.app.log.pool())
            .await
            .unwrap();
        for (body, message) in [
            (json!({ "domains": [] }), "At least one domain is required"),
            (
                json!({ "domains": vec!["a.com"; 101] }),
                "Maximum 100 domains allowed per batch",
            ),
            (json!({ "domains": ["x"] }), "Invalid domain: x"),
            (
                json!({ "domains": ["a.com"], "max_pages": 0 }),
                "max_pages must be at least 1",
            ),
            (
                json!({ "domains": ["a.com"], "max_pages": 10_001 }),
                "max_pages cannot exceed 10000",
            ),
        ] {
            let answer = app.post_json(&path, &body).await;
            assert_eq!(
                (answer.status, &answer.json()["error"]),
                (422, &json!(true)),
                "{body}"
            );
            let problem = answer.json()["detail"][0].clone();
            assert_eq!(problem["msg"], format!("Value error, {message}"));
            assert_eq!(names(problem.as_object().unwrap()), ["loc", "msg", "type"]);
        }
        // The batch that was accepted may still be on its way; none came after it.
        let after: i64 = sqlx::query_scalar(requested)
            .fetch_one(app.app.log.pool())
            .await
            .unwrap();
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn errors_are_said_as_v3_said_them_and_where_its_pages_look() {
    let app = TestApp::start().await;
    for router in PAGE_SCRAPERS {
        let answer = app
            .post_json(
                &format!("/api/v3/{router}/scan"),
                &json!({ "base_url": "example" }),
            )
            .await;
        let error = "Domain validation error: Invalid domain format: example";
        let expected = json!({
            "error": true, "message": { "message": "Invalid input parameter", "error": error },
            "status_code": 400, "detail": error,
        });
        assert_eq!(answer.both(), (400, expected));
        assert_deprecated(&answer);
    }
    let answer = app
        .post_json("/api/v3/batch_page_scraper/scan", &json!({ "base_url": "" }))
        .await;
    assert_eq!(
        (answer.status, &answer.json()["message"]["error"]),
        (400, &json!("base_url is required"))
    );
    let answer = app
        .post_json("/api/v3/modernized_page_scraper/scan", &json!({}))
        .await;
    let expected = json!({ "detail": [{ "loc": ["body", "base_url"], "msg": "Field required", "type": "missing" }], "error": true });
    assert_eq!(answer.both(), (422, expected));
    let answer = app.get("/api/v3/nothing").await;
    let expected =
        json!({ "error": true, "message": "Not Found", "status_code": 404, "detail": "Not Found" });
    assert_eq!(answer.both(), (404, expected));
    let answer = app.call("DELETE", "/api/v3/sitemap/scan").send().await;
    assert_eq!(
        (answer.status, &answer.json()["message"]),
        (405, &json!("Method Not Allowed"))
    );
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn what_is_unknown_is_200_and_says_so() {
    let app = TestApp::start().await;
    for prefix in PREFIXES {
        for (path, status) in [
            ("modernized_page_scraper/status", "unknown"),
            ("batch_page_scraper/status", "unknown"),
            ("sitemap/status", "not_found"),
        ] {
            let answer = app.get(&format!("{prefix}/{path}/{NOBODY}")).await;
            assert_eq!(
                (answer.status, &answer.json()["status"]),
                (200, &json!(status)),
                "{path}"
            );
            assert_eq!(
                (&answer.json()["job_id"], &answer.json()["progress"]),
                (&json!(NOBODY), &json!(0.0))
            );
            // The predecessor answered 500 and showed its SQL.
            let malformed = app.get(&format!("{prefix}/{path}/zzz")).await;
            assert_eq!(
                (malformed.status, &malformed.json()["detail"][0]["type"]),
                (422, &json!("uuid_parsing"))
            );
        }
        for (before, after) in [
            ("modernized_page_scraper/batch/", "/status"),
            ("batch_page_scraper/batch/", "/status"),
            ("sitemap/batch/status/", ""),
        ] {
            let unknown = app.get(&format!("{prefix}/{before}{NOBODY}{after}")).await;
            assert_eq!(
                (
                    unknown.status,
                    &unknown.json()["status"],
                    &unknown.json()["error"]
                ),
                (200, &json!("unknown"), &json!("Batch not found"))
            );
            let malformed = app.get(&format!("{prefix}/{before}zzz{after}")).await;
            assert_eq!(
                (
                    malformed.status,
                    &malformed.json()["status"],
                    &malformed.json()["error"]
                ),
                (200, &json!("error"), &json!("Invalid UUID format: zzz"))
            );
        }
    }
}

#[tokio::test]
async fn v3_asks_who_is_there() {
    let app = TestApp::builder().guarded().start().await;
    let ours = key(&app, &[Write]).await;
    for (method, path) in [
        ("POST", "/api/v3/modernized_page_scraper/scan"),
        ("POST", "/api/v3/sitemap/batch/create"),
        (
            "GET",
            "/api/v3/sitemap/status/f6413b85-8367-4628-bf89-3fad2a15f1a6",
        ),
        ("GET", "/api/v3/domains"),
        ("POST", "/api/v3/domains/direct-submit"),
    ] {
        let nobody = app.call(method, path).json(&json!({})).send().await;
        assert_eq!(
            (nobody.status, &nobody.json()["message"]),
            (401, &json!("Not authenticated")),
            "{path}"
        );
        assert!(nobody.header("www-authenticate").is_some());
        let stranger = app.call(method, path).bearer("scraper_sky_2024").send().await;
        assert_eq!(
            (stranger.status, &stranger.json()["message"]),
            (401, &json!("Could not validate credentials"))
        );
        let known = app
            .call(method, path)
            .bearer(ours.reveal())
            .json(&json!({}))
            .send()
            .await;
        assert!([200, 422].contains(&known.status), "{path}: {}", known.text());
    }
    for path in ["health", "test_background_task?test_data=x"] {
        let answer = app.get(&format!("/api/v3/batch_page_scraper/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_naive(&answer.json()["timestamp"]);
    }
    assert_eq!(
        app.get("/health/database").await.both(),
        (
            200,
            json!({ "status": "ok", "message": "Database connection successful" })
        )
    );
}
