//! `POST /api/v1/batch` and `GET /api/v1/batch/status/{batch_id}`.

use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings, TenantId};

use crate::support::app::TestApp;

const OTHER: &str = "00000000-0000-4000-8000-000000000001";

fn body(domains: &[&str]) -> Value {
    json!({ "domains": domains, "tenant_id": TenantId::DEFAULT.to_string() })
}

/// Posts a batch and returns the path of its status.
async fn batch(app: &TestApp, domains: &[&str]) -> String {
    let answer = app.post_json("/api/v1/batch", &body(domains)).await;
    assert_eq!(
        (answer.status, &answer.json()["job_count"]),
        (200, &json!(domains.len())),
        "{}",
        answer.text()
    );
    answer.json()["status_url"].as_str().unwrap().to_owned()
}

/// Waits until a batch has this number of scans; returns their ids in the order of its list.
async fn scans(app: &TestApp, url: &str, count: usize) -> Vec<String> {
    let hex = url.rsplit_once("batch_").unwrap().1;
    let id = |scan: &Value| scan["scan_id"].as_str().unwrap().to_owned();
    app.scans_of_batch(hex, count).await.iter().map(id).collect()
}

#[tokio::test]
async fn the_answer_counts_what_was_sent() {
    let app = TestApp::start().await;
    let answer = app
        .post_json("/api/v1/batch", &body(&["a.com", "a.com", "rubbish"]))
        .await;
    let accepted = answer.json();
    let id = accepted["batch_id"].as_str().unwrap();
    assert!(
        id.strip_prefix("batch_")
            .is_some_and(|hex| hex.len() == 32 && !hex.contains('-')),
        "{id}"
    );
    let expected =
        json!({ "batch_id": id, "status_url": format!("/api/v1/batch/status/{id}"), "job_count": 3 });
    assert_eq!(answer.both(), (200, expected));
}

#[tokio::test]
async fn a_pending_batch_shows_no_jobs_yet() {
    let app = TestApp::start().await;
    let url = batch(&app, &["a.com", "b.com"]).await;
    let mut status = app.get(&url).await.json();
    let started_at = status["started_at"].take();
    assert!(
        chrono::NaiveDateTime::parse_from_str(started_at.as_str().unwrap(), "%Y-%m-%dT%H:%M:%S%.6f").is_ok()
    );
    let expected = json!({
        "batch_id": url.rsplit_once('/').unwrap().1, "status": "pending", "started_at": null, "completed_at": null,
        "total_jobs": 2, "completed_jobs": 0, "failed_jobs": 0, "jobs": [],
    });
    assert_eq!(status, expected);
}

#[tokio::test]
async fn jobs_are_listed_in_the_order_they_begin_and_are_pending_until_they_end() {
    let app = TestApp::start().await;
    let url = batch(&app, &["https://www.a.com/x", "b.com", "c.com"]).await;
    let ids = scans(&app, &url, 3).await;
    app.begin(&ids[2]).await;
    app.fail(&ids[0], FailureReason::Timeout, false).await;
    let status = app
        .get_until(&url, |answer| answer.json()["failed_jobs"] == 1)
        .await
        .json();
    assert_eq!(
        (&status["status"], &status["total_jobs"]),
        (&json!("in_progress"), &json!(3))
    );
    let name = |id: &str| format!("scan_{}", id.replace('-', ""));
    let expected = json!([
        { "domain": "c.com", "job_id": name(&ids[2]), "status": "pending" },
        { "domain": "a.com", "job_id": name(&ids[0]), "status": "failed", "error": "Failed to extract metadata" },
    ]);
    assert_eq!(status["jobs"], expected);
}

#[tokio::test]
async fn a_batch_ends_partial_when_some_failed_and_completed_when_none_did() {
    let app = TestApp::start().await;
    for (fails, word) in [(true, "partial"), (false, "completed")] {
        let url = batch(&app, &["a.com", "b.com"]).await;
        let ids = scans(&app, &url, 2).await;
        app.complete(&ids[0], &Findings::default()).await;
        if fails {
            app.fail(&ids[1], FailureReason::HttpStatus, false).await;
        } else {
            app.complete(&ids[1], &Findings::default()).await;
        }
        let status = app.get_in_status(&url, word).await;
        let failed = i32::from(fails);
        assert_eq!(
            (&status["completed_jobs"], &status["failed_jobs"]),
            (&json!(2 - failed), &json!(failed))
        );
        assert!(status["completed_at"].is_string());
        assert_eq!(
            status["jobs"].as_array().map(Vec::len),
            Some(2),
            "who sees the end sees all of it"
        );
        assert_eq!(status["jobs"][0].get("error"), None);
    }
}

#[tokio::test]
async fn a_batch_of_rubbish_is_taken_and_every_item_of_it_fails() {
    let app = TestApp::start().await;
    let long = "x".repeat(5000);
    let url = batch(&app, &["bad domain", "", "127.0.0.1", "nul\0.com", &long]).await;
    let status = app.get_in_status(&url, "failed").await;
    assert_eq!(
        (&status["failed_jobs"], &status["completed_jobs"]),
        (&json!(5), &json!(0))
    );
    assert_eq!(
        (&status["jobs"][0]["domain"], &status["jobs"][0]["status"]),
        (&json!("bad domain"), &json!("failed"))
    );
    assert_eq!(status["jobs"][0]["error"], "Invalid domain format: bad domain");
    let job = app
        .get(&format!(
            "/api/v1/status/{}",
            status["jobs"][0]["job_id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (&job.json()["status"], &job.json()["progress"]["message"]),
        (
            &json!("failed"),
            &json!("Scan failed: Invalid domain format: bad domain")
        )
    );
    let reasons = &app
        .get(&format!(
            "/api/v4/batches/{}",
            url.rsplit_once("batch_").unwrap().1
        ))
        .await
        .json()["failures"];
    assert_eq!(*reasons, json!({ "invalid_domain": 5 }));
}

#[tokio::test]
async fn a_domain_that_is_sent_twice_is_scanned_twice() {
    let app = TestApp::start().await;
    let url = batch(&app, &["a.com", "a.com"]).await;
    for id in scans(&app, &url, 2).await {
        app.complete(&id, &Findings::default()).await;
    }
    let status = app.get_in_status(&url, "completed").await;
    let jobs = status["jobs"].as_array().unwrap();
    assert_eq!(
        (&jobs[0]["domain"], &jobs[1]["domain"]),
        (&json!("a.com"), &json!("a.com"))
    );
    assert_ne!(jobs[0]["job_id"], jobs[1]["job_id"]);
}

#[tokio::test]
async fn a_cancelled_batch_ends_in_a_word_that_old_clients_know() {
    let app = TestApp::start().await;
    for (completes, word) in [(true, "partial"), (false, "failed")] {
        let url = batch(&app, &["a.com", "b.com"]).await;
        let ids = scans(&app, &url, 2).await;
        if completes {
            app.complete(&ids[0], &Findings::default()).await;
            app.get_until(&url, |answer| answer.json()["completed_jobs"] == 1)
                .await;
        }
        let v4 = format!("/api/v4/batches/{}/cancel", url.rsplit_once("batch_").unwrap().1);
        assert_eq!(app.post(&v4).await.status, 202);
        let ended = |answer: &crate::support::call::Answer| {
            let status = answer.json();
            status["completed_jobs"].as_i64().unwrap() + status["failed_jobs"].as_i64().unwrap() == 2
        };
        let status = app.get_until(&url, ended).await.json();
        assert_eq!(status["status"], word);
        assert_eq!(status["jobs"][1]["error"], "Scan cancelled");
    }
}

#[tokio::test]
async fn an_empty_batch_and_one_of_101_are_refused() {
    let app = TestApp::start().await;
    let empty = app.post_json("/api/v1/batch", &body(&[])).await;
    assert_eq!(empty.both(), (400, json!({ "detail": "No domains provided" })));
    let full = app.post_json("/api/v1/batch", &body(&["a.com"; 101])).await;
    assert_eq!(
        full.both(),
        (400, json!({ "detail": "Maximum 100 domains allowed per batch" }))
    );
    assert_eq!(app.head().await, 0);
    assert_eq!(
        app.post_json("/api/v1/batch", &body(&["a.com"; 100]))
            .await
            .json()["job_count"],
        100
    );
}

#[tokio::test]
async fn the_id_alone_finds_the_batch_and_another_tenant_does_not() {
    let app = TestApp::start().await;
    let sent = json!({ "domains": ["a.com"], "tenant_id": OTHER });
    let accepted = app.post_json("/api/v1/batch", &sent).await.json();
    let url = accepted["status_url"].as_str().unwrap();
    assert_eq!(app.get(url).await.status, 200);
    let default = TenantId::DEFAULT.to_string();
    let answer = app.call("GET", url).tenant(&default).send().await;
    assert_eq!(answer.both(), (404, json!({ "detail": "Batch not found" })));
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_the_same_batch() {
    let app = TestApp::start().await;
    let send = || {
        app.call("POST", "/api/v1/batch")
            .key("k1")
            .json(&body(&["a.com", "a.com"]))
            .send()
    };
    let first = send().await;
    assert_eq!(send().await.both(), first.both());
    scans(&app, first.json()["status_url"].as_str().unwrap(), 2).await;
    let batches = app.get("/api/v4/batches").await.json();
    assert_eq!(batches["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_batch_of_sites_good_and_bad_is_read_to_its_end() {
    let app = TestApp::scanning().await;
    let url = batch(
        &app,
        &[
            "site00000.sites.test",
            "err404.sites.test",
            "no good",
            "site00001.sites.test",
        ],
    )
    .await;
    let status = app.get_in_status(&url, "partial").await;
    assert_eq!(
        (&status["completed_jobs"], &status["failed_jobs"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(status["jobs"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn rubbish_cannot_be_retried() {
    let app = TestApp::start().await;
    let url = batch(&app, &["bad domain"]).await;
    let status = app.get_in_status(&url, "failed").await;
    let head = app.head().await;
    let scan = status["jobs"][0]["job_id"]
        .as_str()
        .unwrap()
        .trim_start_matches("scan_");
    let batch = url.rsplit_once("batch_").unwrap().1;
    for path in [format!("scans/{scan}"), format!("batches/{batch}")] {
        app.post(&format!("/api/v4/{path}/retry"))
            .await
            .problem(409, "cannot_retry");
    }
    assert_eq!(app.head().await, head);
}
