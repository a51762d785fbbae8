//! The formats of March 2025: `/api/v1/sitemap/*`, `/api/v1/batch/{id}/status`, `/api/v2/page_scraper/*`.

use serde_json::{Value, json};
use sitelog::values::{FailureReason, TenantId};

use super::{NOBODY, accepted, assert_deprecated, assert_naive, findings, names, text, without_times};
use crate::support::app::TestApp;

/// The paths for requests, and for their statuses.
const SCANS: [(&str, &str); 3] = [
    ("/api/v1/sitemap/scrapersky", "/api/v1/sitemap/status/"),
    ("/api/v1/sitemap/scan", "/api/v1/sitemap/status/"),
    ("/api/v2/page_scraper/scan", "/api/v2/page_scraper/status/"),
];
const BATCHES: [(&str, &str); 2] = [
    ("/api/v1/sitemap/batch", "/api/v1/sitemap/batch/"),
    ("/api/v2/page_scraper/batch", "/api/v2/page_scraper/batch/"),
];

#[tokio::test]
async fn a_scan_is_told_from_request_to_result_under_each_name() {
    let app = TestApp::start().await;
    for (path, status_path) in SCANS {
        let body = json!({ "base_url": "https://www.Example.com/x", "tenant_id": TenantId::DEFAULT, "max_pages": 7 });
        let job = accepted(&app, 200, path, &body).await;
        assert_eq!(names(&job), ["job_id", "status_url"]);
        let (id, url) = (text(&job, "job_id"), text(&job, "status_url"));
        assert!(uuid::Uuid::try_parse(&id).is_ok() && id.contains('-'), "{id}");
        assert_eq!(url, format!("{status_path}{id}"));
        let answer = app.get(&url).await;
        assert_deprecated(&answer);
        let expected = json!({
            "job_id": id, "status": "pending", "progress": 0.0, "result": null, "error": null, "domain": "example.com",
            "metadata": { "domain": "example.com", "scan_type": "single", "user_name": "anonymous", "max_pages": 7 },
        });
        assert_eq!(
            without_times(answer.json(), &["created_at", "updated_at"]),
            expected
        );
        app.begin(&id).await;
        let running = app.get_in_status(&url, "running").await;
        let progress = running["progress"].as_f64().unwrap();
        assert!(progress > 0.0 && progress < 1.0);
        let other = accepted(&app, 200, path, &body).await;
        app.complete(&text(&other, "job_id"), &findings()).await;
        let done = app.get_in_status(&text(&other, "status_url"), "complete").await;
        assert_eq!(
            (&done["progress"], &done["result"]["title"]),
            (&json!(1.0), &json!("Example"))
        );
        assert_eq!(done["result"].as_object().unwrap().len(), 12);
    }
}

#[tokio::test]
async fn a_failed_scan_has_an_error_and_no_result() {
    let app = TestApp::start().await;
    let job = accepted(
        &app,
        200,
        "/api/v2/page_scraper/scan",
        &json!({ "base_url": "a.com" }),
    )
    .await;
    app.fail(&text(&job, "job_id"), FailureReason::NameNotResolved, false)
        .await;
    let failed = app.get_in_status(&text(&job, "status_url"), "failed").await;
    assert_eq!(
        (&failed["error"], &failed["result"]),
        (&json!("Failed to extract metadata"), &Value::Null)
    );
}

#[tokio::test]
async fn a_batch_names_each_of_its_domains_from_the_start() {
    let app = TestApp::start().await;
    for (path, status_path) in BATCHES {
        let body = json!({ "domains": ["a.com", "b.com", "rubbish"], "tenant_id": TenantId::DEFAULT, "max_pages": 5 });
        let batch = accepted(&app, 200, path, &body).await;
        assert_eq!(names(&batch), ["batch_id", "job_count", "status_url"]);
        let (id, url) = (text(&batch, "batch_id"), text(&batch, "status_url"));
        assert_eq!(
            (&url, &batch["job_count"]),
            (&format!("{status_path}{id}/status"), &json!(3))
        );
        let scans = app.scans_of_batch(&id, 3).await;
        let scan = |index: usize| scans[index]["scan_id"].as_str().unwrap();
        let answer = app
            .get_until(&url, |answer| {
                answer.json()["domain_statuses"]
                    .as_array()
                    .is_some_and(|all| all.len() == 3)
            })
            .await;
        assert_deprecated(&answer);
        let status = answer.json();
        let expected = json!([
            { "domain": "a.com", "job_id": scan(0), "status": "pending", "error": null },
            { "domain": "b.com", "job_id": scan(1), "status": "pending", "error": null },
            { "domain": "rubbish", "job_id": scan(2), "status": "failed", "error": "Invalid domain format: rubbish" },
        ]);
        assert_eq!(status["domain_statuses"], expected);
        app.complete(scan(0), &findings()).await;
        app.fail(scan(1), FailureReason::Timeout, false).await;
        let ended = app.get_in_status(&url, "partial").await;
        let ended = without_times(ended, &["created_at", "updated_at", "start_time", "end_time"]);
        assert!(
            ended["processing_time"]
                .as_f64()
                .is_some_and(|seconds| seconds >= 0.0)
        );
        for (name, value) in [
            ("batch_id", json!(id)),
            ("progress", json!(1.0)),
            ("completed_domains", json!(1)),
            ("failed_domains", json!(2)),
            ("total_domains", json!(3)),
            ("error", Value::Null),
            ("metadata", json!({ "max_pages": 5, "scan_type": "batch" })),
        ] {
            assert_eq!(ended[name], value, "{name}");
        }
        assert_eq!(ended["domain_statuses"][0]["status"], "complete");
        // The path of March 2025 says the same of it, and the one before says its own.
        let status = app.get(&format!("/api/v1/batch/{id}/status")).await;
        assert_eq!(status.json()["status"], "partial");
        let before = app.get(&format!("/api/v1/batch/status/{id}")).await;
        assert_eq!(before.json()["total_jobs"], 3);
    }
}

#[tokio::test]
async fn all_that_completed_is_complete() {
    let app = TestApp::start().await;
    let batch = accepted(
        &app,
        200,
        "/api/v1/sitemap/batch",
        &json!({ "domains": ["a.com"] }),
    )
    .await;
    let scans = app.scans_of_batch(&text(&batch, "batch_id"), 1).await;
    app.begin(scans[0]["scan_id"].as_str().unwrap()).await;
    app.get_in_status(&text(&batch, "status_url"), "running").await;
    let id = text(&batch, "batch_id");
    let other = accepted(
        &app,
        200,
        "/api/v1/sitemap/batch",
        &json!({ "domains": ["a.com"] }),
    )
    .await;
    assert_ne!(text(&other, "batch_id"), id);
    let scans = app.scans_of_batch(&text(&other, "batch_id"), 1).await;
    app.complete(scans[0]["scan_id"].as_str().unwrap(), &findings())
        .await;
    app.get_in_status(&text(&other, "status_url"), "complete").await;
}

#[tokio::test]
async fn errors_have_a_code_a_time_and_the_requests_id() {
    let app = TestApp::start().await;
    for (path, _) in SCANS {
        let call = app.call("POST", path).header("x-request-id", "req-123456");
        let answer = call.json(&json!({ "base_url": "example" })).send().await;
        assert_eq!(answer.status, 400);
        assert_deprecated(&answer);
        let detail = answer.json()["detail"].clone();
        let expected = json!({
            "error_code": "domain_validation_error", "message": "Invalid domain format: example",
            "request_id": "req-123456", "context": { "domain": "example" },
        });
        assert_eq!(without_times(detail, &["timestamp"]), expected);
        let answer = app.post_json(path, &json!({})).await;
        assert_eq!(
            (answer.status, &answer.json()["detail"][0]["type"]),
            (422, &json!("missing"))
        );
    }
    for (path, _) in BATCHES {
        for (domains, message) in [
            (vec!["a.com"; 101], "Maximum 100 domains allowed per batch"),
            (vec![], "No domains provided"),
        ] {
            let answer = app.post_json(path, &json!({ "domains": domains })).await;
            let detail = &answer.json()["detail"];
            assert_eq!(
                (answer.status, &detail["error_code"], &detail["message"]),
                (400, &json!("validation_error"), &json!(message))
            );
        }
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let app = TestApp::start().await;
    for (path, message) in [
        ("/api/v1/sitemap/status/", "Job not found"),
        ("/api/v2/page_scraper/status/", "Job not found"),
    ] {
        for id in [NOBODY, "zzz"] {
            let answer = app.get(&format!("{path}{id}")).await;
            assert_eq!(
                (answer.status, &answer.json()["detail"]["message"]),
                (404, &json!(message))
            );
            assert_eq!(answer.json()["detail"]["error_code"], "not_found");
            assert_naive(&answer.json()["detail"]["timestamp"]);
        }
    }
    for prefix in [
        "/api/v1/batch",
        "/api/v1/sitemap/batch",
        "/api/v2/page_scraper/batch",
    ] {
        let answer = app.get(&format!("{prefix}/{NOBODY}/status")).await;
        assert_eq!(
            (answer.status, &answer.json()["detail"]["message"]),
            (404, &json!("Batch not found"))
        );
    }
    let answer = app.get("/api/v2/nothing").await;
    assert_eq!(
        (answer.status, &answer.json()["detail"]["message"]),
        (404, &json!("Not Found"))
    );
}

#[tokio::test]
async fn without_a_key_these_paths_are_closed_too() {
    let app = TestApp::builder().guarded().start().await;
    for (path, _) in SCANS {
        let answer = app.post_json(path, &json!({ "base_url": "a.com" })).await;
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(answer.json()["detail"]["error_code"], "authentication_error");
        assert!(answer.header("www-authenticate").is_some());
    }
}
