//! Requests that wait for the end of a scan (`Prefer: wait`), and requests that reuse a recent scan (`max_age_days`).

use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings};

use crate::support::app::TestApp;
use crate::support::call::{Answer, Call};

fn request(app: &TestApp, body: &Value) -> Call {
    app.call("POST", "/api/v4/scans").json(body)
}

/// The scan of a domain that was requested, as soon as it is there.
async fn scan_of(app: &TestApp, domain: &str) -> String {
    let some = |answer: &Answer| answer.json()["items"][0]["scan_id"].is_string();
    let found = app
        .get_until(&format!("/api/v4/scans?domain={domain}"), some)
        .await;
    found.json()["items"][0]["scan_id"].as_str().unwrap().to_owned()
}

/// A completed scan of a domain, which the read models know.
async fn scanned(app: &TestApp, domain: &str) -> String {
    let id = app.create_scan(domain).await;
    app.complete(&id, &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/scans/{id}"), "completed")
        .await;
    id
}

#[tokio::test]
async fn an_answer_that_waits_has_the_result() {
    let app = TestApp::start().await;
    for (domain, status) in [("a.com", "completed"), ("b.com", "failed")] {
        let waiting = request(&app, &json!({ "domain": domain }))
            .header("prefer", "respond-async, wait=50")
            .send();
        let ending = async {
            let id = scan_of(&app, domain).await;
            if status == "completed" {
                app.complete(&id, &Findings::default()).await;
            } else {
                app.fail(&id, FailureReason::NotHtml, false).await;
            }
            id
        };
        let (answer, id) = tokio::join!(waiting, ending);
        let scan = answer.json();
        assert_eq!(
            (answer.status, &scan["status"], &scan["reused"]),
            (200, &json!(status), &json!(false))
        );
        assert_eq!(scan["scan_id"], id);
        assert_eq!(scan["result"].is_object(), status == "completed");
        assert_eq!(answer.header("preference-applied"), Some("wait=50"));
        assert_eq!(
            answer.header("location"),
            Some(format!("/api/v4/scans/{id}").as_str())
        );
    }
}

#[tokio::test]
async fn who_waits_in_vain_is_told_where_to_look() {
    let app = TestApp::start().await;
    for (prefer, applied) in [
        ("wait=1", Some("wait=1")),
        ("wait=0", Some("wait=0")),
        ("wait=x", None),
    ] {
        let answer = request(&app, &json!({ "domain": "a.com" }))
            .header("prefer", prefer)
            .send()
            .await;
        assert_eq!(
            (answer.status, answer.header("preference-applied")),
            (202, applied),
            "{prefer}"
        );
        assert_eq!(answer.json()["status"], "pending");
    }
}

#[tokio::test]
async fn a_young_scan_is_the_answer_and_nothing_is_written() {
    let app = TestApp::start().await;
    let id = scanned(&app, "a.com").await;
    let head = app.head().await;
    let answer = request(&app, &json!({ "domain": "www.A.com", "max_age_days": 0.5 }))
        .send()
        .await;
    let scan = answer.json();
    assert_eq!(
        (answer.status, &scan["reused"], &scan["scan_id"]),
        (200, &json!(true), &json!(id))
    );
    assert!(scan["result"].is_object());
    assert_eq!(app.head().await, head);
    for body in [
        json!({ "domain": "a.com" }),
        json!({ "domain": "a.com", "max_age_days": 0 }),
        json!({ "domain": "a.com", "max_age_days": 0.000_000_1 }),
        json!({ "domain": "b.com", "max_age_days": 30 }),
    ] {
        assert_eq!(request(&app, &body).send().await.status, 202, "{body}");
    }
    let other = request(&app, &json!({ "domain": "a.com", "max_age_days": 30 })).tenant(super::OTHER);
    assert_eq!(other.send().await.status, 202);
    for age in [json!(-1), json!(1e9), json!("x")] {
        let answer = request(&app, &json!({ "domain": "a.com", "max_age_days": age }))
            .send()
            .await;
        answer.problem(422, "invalid_field");
    }
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_young_scan_or_new_one() {
    let app = TestApp::start().await;
    let body = json!({ "domain": "a.com", "max_age_days": 30 });
    let first = request(&app, &body).key("new").send().await;
    assert_eq!(first.status, 202);
    let id = first.json()["scan_id"].as_str().unwrap().to_owned();
    app.complete(&id, &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/scans/{id}"), "completed")
        .await;
    let again = request(&app, &body).key("new").send().await;
    assert_eq!(again.both(), first.both());
    let reused = request(&app, &body).key("young").send().await;
    assert_eq!((reused.status, &reused.json()["scan_id"]), (200, &json!(id)));
    let younger = scanned(&app, "a.com").await;
    assert_ne!(younger, id);
    assert_eq!(
        request(&app, &body).key("young").send().await.both(),
        reused.both()
    );
    let other = request(&app, &json!({ "domain": "b.com", "max_age_days": 30 })).key("young");
    other.send().await.problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn what_was_forgotten_is_scanned_again() {
    let app = TestApp::start().await;
    let id = scanned(&app, "a.com").await;
    let erased = app.call("DELETE", "/api/v4/domains/a.com").send().await.json();
    app.get(&format!("/api/v4/scans/{id}?at_least={}", erased["position"]))
        .await;
    let answer = request(&app, &json!({ "domain": "a.com", "max_age_days": 30 }))
        .send()
        .await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

#[tokio::test]
async fn a_batch_leaves_out_what_was_scanned_lately_and_says_so() {
    let app = TestApp::start().await;
    let id = scanned(&app, "b.com").await;
    let body = json!({ "domains": ["a.com", "b.com", "x", "c.com"], "max_age_days": 7 });
    let dry = app.post_json("/api/v4/batches?dry_run=true", &body).await;
    let batch = app
        .call("POST", "/api/v4/batches")
        .key("k")
        .json(&body)
        .send()
        .await;
    for (answer, status) in [(&dry, 200), (&batch, 202)] {
        let answered = answer.json();
        assert_eq!(answer.status, status);
        assert_eq!(
            (&answered["accepted"], &answered["skipped"]),
            (&json!(2), &json!(1))
        );
        assert_eq!(answered["rejected"].as_array().unwrap().len(), 1);
        let skipped = &answered["skipped_domains"][0];
        assert_eq!(
            (&skipped["line"], &skipped["domain"], &skipped["scan_id"]),
            (&json!(2), &json!("b.com"), &json!(id))
        );
    }
    let batch_id = batch.json()["batch_id"].as_str().unwrap().to_owned();
    for scan in app.scans_of_batch(&batch_id, 2).await {
        app.complete(scan["scan_id"].as_str().unwrap(), &Findings::default())
            .await;
    }
    app.get_in_status(&format!("/api/v4/batches/{batch_id}"), "completed")
        .await;
    let again = app
        .call("POST", "/api/v4/batches")
        .key("k")
        .json(&body)
        .send()
        .await;
    assert_eq!(again.both(), batch.both());
}

#[tokio::test]
async fn a_batch_of_nothing_but_young_scans_is_none() {
    let app = TestApp::start().await;
    scanned(&app, "a.com").await;
    let head = app.head().await;
    let path = "/api/v4/batches?max_age_days=1.5";
    let post = || {
        app.call("POST", path)
            .key("k")
            .body("text/csv", "domain\na.com\n")
            .send()
    };
    let answer = post().await;
    let answered = answer.json();
    assert_eq!(
        (answer.status, &answered["batch_id"], &answered["position"]),
        (200, &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&answered["accepted"], &answered["skipped"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(app.head().await, head);
    scanned(&app, "a.com").await;
    assert_eq!(post().await.both(), answer.both());
}
