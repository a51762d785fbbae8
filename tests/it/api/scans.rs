//! One scan: requested, read, cancelled, retried.

use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings};

use super::UNKNOWN;
use crate::support::app::TestApp;
use crate::support::call::Answer;

#[tokio::test]
async fn an_accepted_scan_says_where_to_go_from_here() {
    let app = TestApp::start().await;
    let answer = app
        .post_json("/api/v4/scans", &json!({ "domain": "example.com" }))
        .await;
    let accepted = answer.json();
    let path = format!("/api/v4/scans/{}", accepted["scan_id"].as_str().unwrap());
    assert_eq!(
        (answer.status, answer.header("location")),
        (202, Some(path.as_str()))
    );
    assert_eq!(
        (&accepted["status"], &accepted["position"]),
        (&json!("pending"), &json!(1))
    );
    assert_eq!(accepted["links"]["self"], path);
    for link in accepted["links"].as_object().unwrap().values() {
        assert_eq!(app.get(link.as_str().unwrap()).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn a_pending_scan_has_all_fields_of_the_view() {
    let app = TestApp::start().await;
    let id = app.create_scan("https://www.Example.com/contact").await;
    let mut scan = app.get(&format!("/api/v4/scans/{id}")).await.json();
    assert!(scan["created_at"].take().as_str().unwrap().ends_with('Z'));
    let expected = json!({
        "scan_id": id, "batch_id": null, "line": null, "domain": "example.com", "domain_unicode": "example.com",
        "status": "pending", "progress": 0.0, "attempts": 0, "reason": null, "error": null, "created_at": null,
        "started_at": null, "completed_at": null, "next_attempt_at": null, "result": null,
        "links": {
            "self": format!("/api/v4/scans/{id}"), "events": format!("/api/v4/streams/domain_scan/{id}"),
            "domain": "/api/v4/domains/example.com",
        },
    });
    assert_eq!(scan, expected);
}

#[tokio::test]
async fn a_scan_that_was_just_accepted_is_known_although_its_row_is_not_written_yet() {
    let app = TestApp::builder().without_projector().start().await;
    let path = format!("/api/v4/scans/{}", app.create_scan("example.com").await);
    let late = app.get(&path).await;
    late.problem(503, "unavailable");
    assert_eq!(late.header("retry-after"), Some("1"));
    app.start_projector();
    app.get_in_status(&path, "pending").await;
}

#[tokio::test]
async fn at_least_waits_for_the_position_of_the_command() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    let cancelled = app.post(&format!("/api/v4/scans/{id}/cancel")).await.json();
    let path = format!("/api/v4/scans/{id}?at_least={}", cancelled["position"]);
    assert_eq!(app.get(&path).await.json()["status"], "cancelled");
}

#[tokio::test]
async fn a_position_of_the_future_is_waited_for_and_then_told_to_come_later() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    let answer = app.get(&format!("/api/v4/scans/{id}?at_least=1000")).await;
    let problem = answer.problem(503, "unavailable");
    assert_eq!(
        (answer.header("retry-after"), &problem["position"]),
        (Some("1"), &json!(1))
    );
}

#[tokio::test]
async fn who_knows_the_present_state_is_told_so_until_it_changes() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    let path = format!("/api/v4/scans/{id}");
    let tag = app.get(&path).await.header("etag").unwrap().to_owned();
    let again = async || app.call("GET", &path).header("if-none-match", &tag).send().await;
    let unchanged = again().await;
    assert_eq!(
        (unchanged.status, unchanged.header("etag"), unchanged.body.len()),
        (304, Some(&*tag), 0)
    );
    app.begin(&id).await;
    app.get_in_status(&path, "running").await;
    let changed = again().await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(&*tag));
}

#[tokio::test]
async fn a_completed_scan_shows_what_was_found_and_the_domain_does_so_too() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    let title = Some("Example".to_owned());
    app.complete(
        &id,
        &Findings {
            title,
            ..Findings::default()
        },
    )
    .await;
    let scan = app
        .get_in_status(&format!("/api/v4/scans/{id}"), "completed")
        .await;
    assert_eq!(
        (&scan["result"]["title"], &scan["progress"]),
        (&json!("Example"), &json!(1.0))
    );
    assert!(scan["completed_at"].is_string());
    let domain = app
        .get_in_status("/api/v4/domains/example.com", "completed")
        .await;
    assert_eq!(
        (&domain["title"], &domain["last_scan_id"]),
        (&json!("Example"), &json!(id))
    );
    assert_eq!(
        app.get("/api/v4/domains/example.com/urls").await.json(),
        json!({ "items": [], "next": null })
    );
}

#[tokio::test]
async fn a_failed_scan_says_why_in_a_code_and_in_words() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    app.fail(&id, FailureReason::TlsFailed, false).await;
    let scan = app.get_in_status(&format!("/api/v4/scans/{id}"), "failed").await;
    let why = (&scan["reason"], &scan["error"], &scan["result"]);
    assert_eq!(
        why,
        (&json!("tls_failed"), &json!("as the test wants it"), &Value::Null)
    );
}

#[tokio::test]
async fn between_two_attempts_a_scan_says_when_the_next_is_due() {
    let app = TestApp::start().await;
    let id = app.create_scan("example.com").await;
    app.fail(&id, FailureReason::Timeout, true).await;
    let waits = |answer: &Answer| answer.json()["next_attempt_at"].is_string();
    let scan = app.get_until(&format!("/api/v4/scans/{id}"), waits).await.json();
    let state = (&scan["status"], &scan["reason"], &scan["attempts"]);
    assert_eq!(state, (&json!("pending"), &json!("timeout"), &json!(1)));
}

#[tokio::test]
async fn cancelling_twice_changes_nothing() {
    let app = TestApp::start().await;
    let path = format!("/api/v4/scans/{}/cancel", app.create_scan("example.com").await);
    let first = app.post(&path).await;
    assert_eq!(
        (first.status, &first.json()["status"]),
        (202, &json!("cancelled"))
    );
    let head = app.head().await;
    assert_eq!(app.post(&path).await.both(), first.both());
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn what_completed_or_failed_cannot_be_cancelled() {
    let app = TestApp::start().await;
    let (one, other) = (app.create_scan("a.com").await, app.create_scan("b.com").await);
    app.complete(&one, &Findings::default()).await;
    app.fail(&other, FailureReason::Timeout, false).await;
    let head = app.head().await;
    for id in [one, other] {
        let answer = app.post(&format!("/api/v4/scans/{id}/cancel")).await;
        answer.problem(409, "cannot_cancel");
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn what_failed_or_was_cancelled_can_be_done_again() {
    let app = TestApp::start().await;
    let (one, other) = (app.create_scan("a.com").await, app.create_scan("b.com").await);
    app.fail(&one, FailureReason::Timeout, false).await;
    app.post(&format!("/api/v4/scans/{other}/cancel")).await;
    for id in [one, other] {
        let answer = app.post(&format!("/api/v4/scans/{id}/retry")).await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (202, &json!("pending"))
        );
        let scan = app
            .get(&format!(
                "/api/v4/scans/{id}?at_least={}",
                answer.json()["position"]
            ))
            .await
            .json();
        assert_eq!(
            (&scan["status"], &scan["reason"]),
            (&json!("pending"), &Value::Null)
        );
    }
}

#[tokio::test]
async fn what_completed_or_has_not_ended_cannot_be_done_again() {
    let app = TestApp::start().await;
    let (one, other) = (app.create_scan("a.com").await, app.create_scan("b.com").await);
    app.complete(&one, &Findings::default()).await;
    let head = app.head().await;
    for id in [one, other] {
        let answer = app.post(&format!("/api/v4/scans/{id}/retry")).await;
        answer.problem(409, "cannot_retry");
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let app = TestApp::start().await;
    for id in [UNKNOWN, "x", "%ff", "%00"] {
        app.get(&format!("/api/v4/scans/{id}"))
            .await
            .problem(404, "not_found");
        for command in ["cancel", "retry"] {
            app.post(&format!("/api/v4/scans/{id}/{command}"))
                .await
                .problem(404, "not_found");
        }
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn an_international_name_is_kept_as_punycode_and_shown_readable() {
    let app = TestApp::start().await;
    for input in [
        "münchen.de",
        "MÜNCHEN.de",
        "xn--mnchen-3ya.de",
        "https://www.münchen.de/über",
    ] {
        let id = app.create_scan(input).await;
        let scan = app.get(&format!("/api/v4/scans/{id}")).await.json();
        let shown = (&scan["domain"], &scan["domain_unicode"]);
        assert_eq!(
            shown,
            (&json!("xn--mnchen-3ya.de"), &json!("münchen.de")),
            "{input}"
        );
    }
    for path in ["xn--mnchen-3ya.de", "m%C3%BCnchen.de"] {
        let domain = app
            .get_until(&format!("/api/v4/domains/{path}"), |answer| answer.status == 200)
            .await;
        assert_eq!(domain.json()["domain_unicode"], "münchen.de");
    }
}

#[tokio::test]
async fn max_pages_out_of_range_is_brought_to_the_nearest_bound() {
    let app = TestApp::start().await;
    for (asked, kept) in [(json!(-5), 1), (json!(1000), 100), (Value::Null, 4)] {
        let answer = app
            .post_json("/api/v4/scans", &json!({ "domain": "a.com", "max_pages": asked }))
            .await;
        let stream = app
            .get(answer.json()["links"]["events"].as_str().unwrap())
            .await
            .json();
        assert_eq!(stream["items"][0]["data"]["options"]["max_pages"], kept);
    }
}

#[tokio::test]
async fn files_and_a_sample_are_options_of_each_way_to_request_scans() {
    let app = TestApp::start().await;
    let options_of = async |id: &str| {
        let stream = app.get(&format!("/api/v4/streams/domain_scan/{id}")).await.json();
        let options = &stream["items"][0]["data"]["options"];
        (options["files"].clone(), options["sitemap_sample"].clone())
    };
    let body = json!({ "domain": "a.com", "files": ["llms_txt", "security_txt"], "sitemap_sample": 5000 });
    let scan = app.post_json("/api/v4/scans", &body).await.json();
    let wanted = (json!(["security_txt", "llms_txt"]), json!(100));
    assert_eq!(options_of(scan["scan_id"].as_str().unwrap()).await, wanted);
    let body = json!({ "domains": ["b.com"], "files": ["ads_txt"], "sitemap_sample": 7 });
    let by_json = app
        .post_json("/api/v4/batches?files=llms_txt", &body)
        .await
        .json();
    let path = "/api/v4/batches?files=ads_txt,humans_txt&sitemap_sample=3";
    let by_query = app.post_text(path, "text/plain", "c.com").await.json();
    for (batch, wanted) in [
        (by_json, (json!(["ads_txt"]), json!(7))),
        (by_query, (json!(["ads_txt", "humans_txt"]), json!(3))),
    ] {
        let scans = app.scans_of_batch(batch["batch_id"].as_str().unwrap(), 1).await;
        assert_eq!(options_of(scans[0]["scan_id"].as_str().unwrap()).await, wanted);
    }
    let unknown = json!({ "domain": "a.com", "files": ["robots_txt"] });
    assert_eq!(app.post_json("/api/v4/scans", &unknown).await.status, 422);
    let refused = app
        .post_text("/api/v4/batches?files=robots_txt", "text/plain", "c.com")
        .await;
    assert_eq!(
        (refused.status, refused.json()["code"].as_str()),
        (422, Some("invalid_field"))
    );
    assert!(refused.text().contains("robots_txt") && refused.text().contains("security_txt"));
}

#[tokio::test]
async fn the_audit_of_sitemaps_is_a_list_in_pages_and_a_file() {
    let app = TestApp::start().await;
    let example = |url: &str| json!({ "url": url, "sitemap": "https://a.com/sitemap.xml", "value": "" });
    let findings: Findings = serde_json::from_value(json!({
        "sitemap_audit": { "home": "https://a.com/", "entries": 9, "faults": [
            { "check": "plain_http", "count": 7, "examples": [example("http://a.com/1"), example("http://a.com/2")] },
        ] },
        "sitemap_sample": [{ "url": "https://a.com/3", "status": 404 }],
    }))
    .unwrap();
    let scan = app.create_scan("a.com").await;
    app.complete(&scan, &findings).await;
    app.get_in_status("/api/v4/domains/a.com", "completed").await;
    let path = "/api/v4/domains/a.com/sitemap-audit";
    let first = app.get(&format!("{path}?limit=2")).await.json();
    let urls = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|row| row["url"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(urls(&first), ["http://a.com/1", "http://a.com/2"]);
    assert_eq!(
        (&first["items"][0]["check"], &first["items"][0]["count"]),
        (&json!("plain_http"), &json!(7))
    );
    let next = first["next"].as_str().unwrap();
    let second = app.get(&format!("{path}?limit=2&cursor={next}")).await.json();
    assert_eq!(
        (urls(&second), &second["next"]),
        (vec!["https://a.com/3".to_owned()], &Value::Null)
    );
    assert_eq!(
        (&second["items"][0]["check"], &second["items"][0]["status"]),
        (&json!("sample"), &json!(404))
    );
    let file = app.get(&format!("{path}?format=csv")).await.text();
    assert_eq!(file.lines().count(), 4, "{file}");
    assert!(
        file.contains("a.com,plain_http,7,http://a.com/1,https://a.com/sitemap.xml"),
        "{file}"
    );
    assert_eq!(app.get("/api/v4/domains/b.com/sitemap-audit").await.status, 404);
    let domains = app.get("/api/v4/domains?format=csv").await.text();
    assert!(domains.contains("plain_http: 7"), "{domains}");
}

#[tokio::test]
async fn a_site_is_scanned_from_the_request_to_the_urls_of_its_sitemaps() {
    let app = TestApp::scanning().await;
    let id = app.create_scan("site00001.sites.test").await;
    let scan = app
        .get_in_status(&format!("/api/v4/scans/{id}"), "completed")
        .await;
    let site = crate::support::sites::Sites::site(1);
    assert_eq!(scan["result"]["title"], site.title());
    let urls = "/api/v4/domains/site00001.sites.test/urls";
    let whole = |answer: &Answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|urls| urls.len() == 6)
    };
    let urls = app.get_until(urls, whole).await.json();
    assert_eq!(
        urls["items"][0]["url"],
        "https://site00001.sites.test/pages/0?from=map&n=0"
    );
}
