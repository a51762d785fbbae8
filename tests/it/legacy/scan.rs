//! `POST /api/v1/scrapersky` and `GET /api/v1/status/{job_id}`.

use serde_json::{Value, json};
use sitelog::values::findings::ContactInfo;
use sitelog::values::{FailureReason, Findings};

use crate::support::app::TestApp;

const OTHER: &str = "00000000-0000-4000-8000-000000000001";

async fn post(app: &TestApp, body: &Value) -> Value {
    let answer = app.post_json("/api/v1/scrapersky", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// Posts a scan and returns its id and the path of its status.
async fn scan(app: &TestApp, domain: &str) -> (String, String) {
    let accepted = post(app, &json!({ "base_url": domain })).await;
    let text = |name: &str| accepted[name].as_str().unwrap().to_owned();
    (text("job_id"), text("status_url"))
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_naive(timestamp: &Value) {
    let text = timestamp.as_str().unwrap();
    let form = "%Y-%m-%dT%H:%M:%S%.6f";
    let read = chrono::NaiveDateTime::parse_from_str(text, form).unwrap();
    assert_eq!(read.format(form).to_string(), text);
    assert_eq!(text.len(), "2026-11-23T04:53:34.867987".len());
}

#[tokio::test]
async fn the_answer_names_the_job_and_where_its_status_stands() {
    let app = TestApp::start().await;
    let body = json!({ "base_url": "https://www.Example.com/x", "max_pages": "5", "unknown": {} });
    let accepted = post(&app, &body).await;
    assert_eq!(keys(&accepted), ["job_id", "status_url"]);
    let id = accepted["job_id"].as_str().unwrap();
    let hex = id.strip_prefix("scan_").unwrap();
    assert!(
        hex.len() == 32
            && hex
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{id}"
    );
    assert_eq!(accepted["status_url"], format!("/api/v1/status/{id}"));
}

#[tokio::test]
async fn a_pending_job_has_no_progress_yet() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    let status = app.get(&url).await;
    assert_eq!(
        (status.status, status.header("content-type")),
        (200, Some("application/json"))
    );
    let mut status = status.json();
    assert_naive(&status["started_at"]);
    status["started_at"] = Value::Null;
    let expected = json!({
        "job_id": id, "status": "pending", "started_at": null, "completed_at": null, "metadata": null,
        "error": null, "progress": null,
    });
    assert_eq!(status, expected);
}

#[tokio::test]
async fn a_job_that_was_just_accepted_is_known_although_no_projection_runs_yet() {
    let app = TestApp::builder().without_projector().start().await;
    let (_, url) = scan(&app, "example.com").await;
    let late = app.get(&url).await;
    assert_eq!((late.status, late.header("retry-after")), (503, Some("1")));
    assert!(late.json()["detail"].is_string(), "{}", late.text());
    app.start_projector();
    app.get_in_status(&url, "pending").await;
}

#[tokio::test]
async fn a_running_job_says_what_it_reads() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    app.begin(&id).await;
    let status = app.get_in_status(&url, "running").await;
    let progress = json!({ "step": "extracting", "message": "Extracting metadata from https://example.com" });
    assert_eq!(
        (&status["progress"], &status["completed_at"]),
        (&progress, &Value::Null)
    );
}

#[tokio::test]
async fn between_two_attempts_a_job_runs_and_has_no_error() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    app.fail(&id, FailureReason::Timeout, true).await;
    let v4 = format!("/api/v4/scans/{}", id.trim_start_matches("scan_"));
    app.get_until(&v4, |answer| answer.json()["next_attempt_at"].is_string())
        .await;
    let status = app.get_in_status(&url, "running").await;
    assert_eq!(
        (&status["error"], &status["progress"]["step"]),
        (&Value::Null, &json!("extracting"))
    );
}

#[tokio::test]
async fn a_completed_job_has_the_twelve_keys_and_no_more() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    let many = |kind: &str| (0..9).map(|n| format!("{kind}{n}")).collect::<Vec<_>>();
    let findings = Findings {
        title: Some("Example".to_owned()),
        contact_info: ContactInfo {
            email: many("e"),
            phone: many("p"),
        },
        ..Findings::default()
    };
    app.complete(&id, &findings).await;
    let status = app.get_in_status(&url, "completed").await;
    assert_naive(&status["completed_at"]);
    assert_eq!(
        (&status["progress"], &status["error"]),
        (
            &json!({ "step": "completed", "message": "Scan completed successfully" }),
            &Value::Null
        )
    );
    let expected = json!({
        "title": "Example", "description": null, "language": null, "is_wordpress": false,
        "wordpress_version": null, "has_elementor": false, "favicon_url": null, "logo_url": null,
        "contact_info": { "email": ["e0", "e1", "e2", "e3", "e4"], "phone": ["p0", "p1", "p2"] },
        "social_links": { "facebook": null, "twitter": null, "linkedin": null, "instagram": null, "youtube": null },
        "tech_stack": { "cms": [], "frameworks": [], "analytics": [], "widgets": [] },
        "performance": {
            "image_count": 0, "script_count": 0, "css_count": 0, "form_count": 0, "link_count": 0, "total_elements": 0
        },
    });
    assert_eq!(status["metadata"], expected);
}

#[tokio::test]
async fn a_failed_job_has_the_old_text_and_the_reason_in_its_progress() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    app.fail(&id, FailureReason::NameNotResolved, false).await;
    let status = app.get_in_status(&url, "failed").await;
    assert_naive(&status["completed_at"]);
    assert_eq!(
        (&status["error"], &status["metadata"]),
        (&json!("Failed to extract metadata"), &Value::Null)
    );
    let message = "Scan failed: Failed to extract metadata (name_not_resolved: as the test wants it)";
    assert_eq!(
        status["progress"],
        json!({ "step": "failed", "message": message })
    );
}

#[tokio::test]
async fn a_fault_of_ours_is_not_blamed_on_the_site() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    app.fail(&id, FailureReason::Internal, false).await;
    let status = app.get_in_status(&url, "failed").await;
    assert_eq!(
        (&status["error"], &status["progress"]["message"]),
        (
            &json!("as the test wants it"),
            &json!("Scan failed: as the test wants it")
        )
    );
}

#[tokio::test]
async fn a_cancelled_job_has_failed() {
    let app = TestApp::start().await;
    let (id, url) = scan(&app, "example.com").await;
    let v4 = format!("/api/v4/scans/{}/cancel", id.trim_start_matches("scan_"));
    assert_eq!(app.post(&v4).await.status, 202);
    let status = app.get_in_status(&url, "failed").await;
    assert_eq!(status["error"], "Scan cancelled");
}

#[tokio::test]
async fn the_body_names_the_tenant_and_the_id_alone_finds_the_job() {
    let app = TestApp::start().await;
    let accepted = post(&app, &json!({ "base_url": "example.com", "tenant_id": OTHER })).await;
    let url = accepted["status_url"].as_str().unwrap();
    assert_eq!(app.get(url).await.status, 200);
    assert_eq!(app.call("GET", url).tenant(OTHER).send().await.status, 200);
    let v4 = format!(
        "/api/v4/scans/{}",
        accepted["job_id"].as_str().unwrap().trim_start_matches("scan_")
    );
    assert_eq!(
        app.get(&v4).await.status,
        404,
        "the default tenant has no such scan"
    );
    assert_eq!(app.call("GET", &v4).tenant(OTHER).send().await.status, 200);
}

#[tokio::test]
async fn who_names_another_tenant_does_not_find_the_job() {
    let app = TestApp::start().await;
    let (_, url) = scan(&app, "example.com").await;
    let answer = app.call("GET", &url).tenant(OTHER).send().await;
    assert_eq!(answer.both(), (404, json!({ "detail": "Job not found" })));
    let answer = app.call("GET", &url).tenant("acme").send().await;
    assert_eq!(
        answer.both(),
        (400, json!({ "detail": "The header X-Tenant-Id must be a UUID." }))
    );
}

#[tokio::test]
async fn a_scan_of_one_tenant_leaves_the_others_domain_alone() {
    let app = TestApp::start().await;
    let (first, _) = scan(&app, "example.com").await;
    let findings = Findings {
        title: Some("Ours".to_owned()),
        ..Findings::default()
    };
    app.complete(&first, &findings).await;
    app.get_in_status("/api/v4/domains/example.com", "completed")
        .await;
    let second = post(&app, &json!({ "base_url": "example.com", "tenant_id": OTHER })).await;
    app.get_in_status(second["status_url"].as_str().unwrap(), "pending")
        .await;
    let ours = app.get("/api/v4/domains/example.com").await.json();
    assert_eq!(
        (&ours["title"], &ours["status"]),
        (&json!("Ours"), &json!("completed"))
    );
}

#[tokio::test]
async fn a_repeat_with_the_same_key_is_the_same_job() {
    let app = TestApp::start().await;
    let send = async |domain: &str| {
        let call = app.call("POST", "/api/v1/scrapersky").key("k1");
        call.json(&json!({ "base_url": domain })).send().await
    };
    let first = send("example.com").await;
    assert_eq!(send("example.com").await.both(), first.both());
    assert_eq!(app.head().await, 1);
    let other = send("example.org").await;
    assert_eq!(other.status, 422);
    assert!(
        other.json()["detail"]
            .as_str()
            .unwrap()
            .contains("Idempotency-Key"),
        "{}",
        other.text()
    );
}

#[tokio::test]
async fn a_site_is_read_and_shown_in_the_old_shape() {
    let app = TestApp::scanning().await;
    let (_, url) = scan(&app, "site00000.sites.test").await;
    let status = app.get_in_status(&url, "completed").await;
    let site = crate::support::sites::Sites::site(0);
    let metadata = &status["metadata"];
    assert_eq!(
        (
            &metadata["title"],
            &metadata["is_wordpress"],
            &metadata["wordpress_version"]
        ),
        (&json!(site.title()), &json!(true), &json!("6.5.2"))
    );
    assert_eq!(metadata["contact_info"]["email"][0], site.email());
    assert_eq!(keys(metadata).len(), 12);
}
