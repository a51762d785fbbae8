//! A batch: requested, followed, cancelled, retried.

use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings};

use super::UNKNOWN;
use crate::support::app::TestApp;

/// A batch of two and the ids of its scans.
async fn batch_of_two(app: &TestApp) -> (String, String, String) {
    let id = app.create_batch(&["a.com", "b.com"]).await;
    let scans = app.scans_of_batch(&id, 2).await;
    let scan = |index: usize| scans[index]["scan_id"].as_str().unwrap().to_owned();
    (format!("/api/v4/batches/{id}"), scan(0), scan(1))
}

#[tokio::test]
async fn an_accepted_batch_says_where_to_go_from_here() {
    let app = TestApp::start().await;
    let answer = app
        .post_json("/api/v4/batches", &json!({ "domains": ["a.com"] }))
        .await;
    let accepted = answer.json();
    let path = format!("/api/v4/batches/{}", accepted["batch_id"].as_str().unwrap());
    assert_eq!(
        (answer.status, answer.header("location")),
        (202, Some(path.as_str()))
    );
    assert!(accepted["position"].is_i64());
    for link in accepted["links"].as_object().unwrap().values() {
        assert_eq!(app.get(link.as_str().unwrap()).await.status, 200, "{link}");
    }
}

#[tokio::test]
async fn a_batch_that_was_just_accepted_is_known_although_its_row_is_not_written_yet() {
    let app = TestApp::builder().without_projector().start().await;
    let accepted = app
        .post_json("/api/v4/batches", &json!({ "domains": ["a.com"] }))
        .await
        .json();
    let path = accepted["links"]["self"].as_str().unwrap();
    app.get(path).await.problem(503, "unavailable");
    app.start_projector();
    app.get_in_status(path, "pending").await;
}

#[tokio::test]
async fn progress_and_failures_are_counted_while_it_runs() {
    let app = TestApp::start().await;
    let (path, one, _) = batch_of_two(&app).await;
    app.fail(&one, FailureReason::Timeout, false).await;
    let batch = app
        .get_until(&path, |answer| answer.json()["failed"] == 1)
        .await
        .json();
    assert_eq!(batch["status"], "running");
    let counts = json!([
        batch["total"],
        batch["completed"],
        batch["failed"],
        batch["cancelled"],
        batch["progress"]
    ]);
    assert_eq!(
        (counts, &batch["failures"]),
        (json!([2, 0, 1, 0, 0.5]), &json!({ "timeout": 1 }))
    );
    assert_eq!(batch["completed_at"], Value::Null);
}

#[tokio::test]
async fn it_ends_completed_partial_or_failed() {
    let app = TestApp::start().await;
    for (failing, word) in [(0, "completed"), (1, "partial"), (2, "failed")] {
        let (path, one, other) = batch_of_two(&app).await;
        for (index, scan) in [one, other].iter().enumerate() {
            if index < failing {
                app.fail(scan, FailureReason::HttpStatus, false).await;
            } else {
                app.complete(scan, &Findings::default()).await;
            }
        }
        let batch = app.get_in_status(&path, word).await;
        assert!(batch["completed_at"].is_string());
        assert_eq!(batch["progress"], 1.0);
    }
}

#[tokio::test]
async fn who_knows_the_present_state_is_told_so() {
    let app = TestApp::start().await;
    let (path, _, _) = batch_of_two(&app).await;
    let tag = app.get(&path).await.header("etag").unwrap().to_owned();
    let again = app.call("GET", &path).header("if-none-match", &tag).send().await;
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[tokio::test]
async fn cancelling_ends_its_scans_and_twice_changes_nothing() {
    let app = TestApp::start().await;
    let (path, one, other) = batch_of_two(&app).await;
    app.complete(&one, &Findings::default()).await;
    let first = app.post(&format!("{path}/cancel")).await;
    assert_eq!(
        (first.status, &first.json()["status"]),
        (202, &json!("cancelled"))
    );
    app.get_in_status(&format!("/api/v4/scans/{other}"), "cancelled")
        .await;
    let batch = app
        .get_until(&path, |answer| answer.json()["cancelled"] == 1)
        .await
        .json();
    assert_eq!(
        (&batch["status"], &batch["completed"]),
        (&json!("cancelled"), &json!(1))
    );
    let head = app.head().await;
    assert_eq!(app.post(&format!("{path}/cancel")).await.both(), first.both());
    assert_eq!(app.head().await, head);
    assert_eq!(
        app.get(&format!("/api/v4/scans/{one}")).await.json()["status"],
        "completed"
    );
}

#[tokio::test]
async fn what_ended_cannot_be_cancelled_and_what_did_not_fail_not_retried() {
    let app = TestApp::start().await;
    let (path, one, other) = batch_of_two(&app).await;
    app.complete(&one, &Findings::default()).await;
    app.complete(&other, &Findings::default()).await;
    app.get_in_status(&path, "completed").await;
    let head = app.head().await;
    app.post(&format!("{path}/cancel"))
        .await
        .problem(409, "cannot_cancel");
    app.post(&format!("{path}/retry"))
        .await
        .problem(409, "cannot_retry");
    app.post(&format!("/api/v4/scans/{one}/retry"))
        .await
        .problem(409, "cannot_retry");
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_cancelled_batch_cannot_be_retried() {
    let app = TestApp::start().await;
    let (path, _, _) = batch_of_two(&app).await;
    app.post(&format!("{path}/cancel")).await;
    app.post(&format!("{path}/retry"))
        .await
        .problem(409, "cannot_retry");
}

#[tokio::test]
async fn retrying_does_again_what_failed_and_nothing_else_and_it_ends_a_second_time() {
    let app = TestApp::start().await;
    let (path, one, other) = batch_of_two(&app).await;
    app.complete(&one, &Findings::default()).await;
    app.fail(&other, FailureReason::Timeout, false).await;
    app.get_in_status(&path, "partial").await;
    let retried = app.post(&format!("{path}/retry")).await;
    assert_eq!(retried.status, 202);
    app.get_in_status(&format!("/api/v4/scans/{other}"), "pending")
        .await;
    assert_eq!(
        app.get(&format!("/api/v4/scans/{one}")).await.json()["status"],
        "completed"
    );
    let batch = app
        .get_until(&path, |answer| answer.json()["failed"] == 0)
        .await
        .json();
    assert_eq!(batch["status"], "running");
    assert_eq!((&batch["failed"], &batch["failures"]), (&json!(0), &json!({})));
    app.complete(&other, &Findings::default()).await;
    app.get_in_status(&path, "completed").await;
}

#[tokio::test]
async fn retrying_one_scan_reopens_its_batch() {
    let app = TestApp::start().await;
    let (path, one, other) = batch_of_two(&app).await;
    app.fail(&one, FailureReason::Timeout, false).await;
    app.fail(&other, FailureReason::Timeout, false).await;
    app.get_in_status(&path, "failed").await;
    assert_eq!(app.post(&format!("/api/v4/scans/{one}/retry")).await.status, 202);
    app.get_in_status(&path, "running").await;
    app.complete(&one, &Findings::default()).await;
    app.get_in_status(&path, "partial").await;
}

#[tokio::test]
async fn unknown_and_malformed_ids_are_not_found() {
    let app = TestApp::start().await;
    for id in [UNKNOWN, "x", "%ff", "%00"] {
        app.get(&format!("/api/v4/batches/{id}"))
            .await
            .problem(404, "not_found");
        app.get(&format!("/api/v4/batches/{id}/scans"))
            .await
            .problem(404, "not_found");
        for command in ["cancel", "retry"] {
            app.post(&format!("/api/v4/batches/{id}/{command}"))
                .await
                .problem(404, "not_found");
        }
    }
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn a_scans_id_names_no_batch() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    app.get(&format!("/api/v4/batches/{id}"))
        .await
        .problem(404, "not_found");
    app.post(&format!("/api/v4/batches/{id}/cancel"))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn a_batch_of_sites_good_and_bad_ends_with_a_reason_for_each_that_failed() {
    let app = TestApp::scanning().await;
    let id = app
        .create_batch(&[
            "site00000.sites.test",
            "err404.sites.test",
            "empty.sites.test",
            "inside.sites.test",
        ])
        .await;
    let batch = app
        .get_in_status(&format!("/api/v4/batches/{id}"), "partial")
        .await;
    let expected = json!({ "http_status": 1, "empty_body": 1, "forbidden_address": 1 });
    assert_eq!((&batch["completed"], &batch["failures"]), (&json!(1), &expected));
}
