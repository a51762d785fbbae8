//! Unordered endpoints, endpoints that return `Retry-After`, and chat messages.

use serde_json::json;

use super::receiver::Reply;
use super::{command, create, positions, scan, start, until_count};
use crate::support::app::{TestApp, wait_for};

/// Delays waiting events until `due` is called.
async fn not_before_long(app: &TestApp) {
    wait_for("the failed event to wait", async || {
        let moved = sqlx::query("update webhook_retry set due_at = now() + interval '4 hours'");
        let moved = moved.execute(app.log_pool()).await.unwrap();
        (moved.rows_affected() > 0).then_some(())
    })
    .await;
}

async fn due(app: &TestApp) {
    sqlx::query("update webhook_retry set due_at = '-infinity'")
        .execute(app.log_pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_endpoint_that_does_not_mind_gets_later_events_while_one_waits() {
    let (app, receiver) = start().await;
    let unordered = json!({ "events": ["scan.completed"], "ordered": false });
    let id = create(&app, &receiver, unordered).await;
    let path = format!("/api/v4/webhooks/{id}");
    receiver.answers([Reply::Status(500)]);
    scan(&app, "a.com", "a").await;
    not_before_long(&app).await;
    scan(&app, "b.com", "b").await;
    scan(&app, "c.com", "c").await;
    until_count(&receiver, 3).await;
    let [a, b, c] = positions(&app, &["ScanCompleted"]).await[..] else {
        panic!("three scans")
    };
    assert_eq!(receiver.accepted("/in"), [b, c]);
    let shown = app
        .get_until(&path, |answer| answer.json()["position"] == c)
        .await
        .json();
    assert_eq!(
        (&shown["ordered"], &shown["retrying"], &shown["failures"]),
        (&json!(false), &json!(1), &json!(0))
    );
    due(&app).await;
    let shown = app.get_until(&path, |answer| answer.json()["retrying"] == 0);
    shown.await;
    assert_eq!(receiver.accepted("/in"), [b, c, a], "each once");
    let attempts = app.get(&format!("{path}/deliveries")).await.json();
    assert_eq!(
        (
            &attempts["items"][0]["position"],
            &attempts["items"][0]["attempt"]
        ),
        (&json!(a), &json!(2))
    );
}

#[tokio::test]
async fn an_event_that_fails_for_a_day_disables_it_and_is_sent_once_it_is_enabled() {
    let (app, receiver) = start().await;
    let unordered = json!({ "events": ["scan.completed"], "ordered": false });
    let id = create(&app, &receiver, unordered).await;
    let path = format!("/api/v4/webhooks/{id}");
    receiver.answers([Reply::Status(500), Reply::Status(500)]);
    scan(&app, "a.com", "a").await;
    not_before_long(&app).await;
    sqlx::query("update webhook_retry set failing_since = now() - interval '25 hours'")
        .execute(app.log_pool())
        .await
        .unwrap();
    due(&app).await;
    let changed = app.get_until(&path, |answer| answer.json()["status"] == "disabled");
    assert_eq!(changed.await.json()["disabled_reason"], "failing");
    scan(&app, "b.com", "b").await;
    command(&app, &id, "enable", &json!({})).await;
    let all = positions(&app, &["ScanCompleted"]).await;
    wait_for("both", async || {
        let mut accepted = receiver.accepted("/in");
        accepted.sort_unstable();
        (accepted == all).then_some(())
    })
    .await;
}

#[tokio::test]
async fn with_too_many_that_wait_it_goes_on_in_order() {
    let (app, receiver) = start().await;
    let unordered = json!({ "events": ["scan.completed"], "ordered": false });
    let id = create(&app, &receiver, unordered).await;
    sqlx::query(
        "insert into webhook_retry select webhook_id, -n, 1, now(), now() + interval '4 hours' \
           from webhook, generate_series(1, 1000) n",
    )
    .execute(app.log_pool())
    .await
    .unwrap();
    receiver.answers([Reply::Status(500)]);
    scan(&app, "a.com", "a").await;
    let path = format!("/api/v4/webhooks/{id}");
    let shown = app.get_until(&path, |answer| answer.json()["failures"] == 1);
    assert_eq!(shown.await.json()["retrying"], 1000);
    // What waits and is there no more is forgotten.
    due(&app).await;
    app.get_until(&path, |answer| answer.json()["retrying"] == 0)
        .await;
}

#[tokio::test]
async fn an_endpoint_that_asks_for_time_gets_it() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    receiver.answers([Reply::Later(3000)]);
    scan(&app, "a.com", "a").await;
    let path = format!("/api/v4/webhooks/{id}");
    app.get_until(&path, |answer| answer.json()["failures"] == 1)
        .await;
    let waits: bool = sqlx::query_scalar(
        "select next_attempt_at between now() + interval '48 minutes' and now() + interval '50 minutes' from webhook",
    )
    .fetch_one(app.log_pool())
    .await
    .unwrap();
    assert!(waits, "Retry-After: 3000, and not before");
}

#[tokio::test]
async fn an_unordered_endpoint_that_asks_for_time_gets_nothing_else_meanwhile() {
    let (app, receiver) = start().await;
    let unordered = json!({ "events": ["scan.completed"], "ordered": false });
    let id = create(&app, &receiver, unordered).await;
    receiver.answers([Reply::Later(3000)]);
    scan(&app, "a.com", "a").await;
    let path = format!("/api/v4/webhooks/{id}");
    app.get_until(&path, |answer| answer.json()["retrying"] == 1)
        .await;
    wait_for("the pause of the endpoint", async || {
        let rests: bool = sqlx::query_scalar(
            "select leased_until is null and next_attempt_at > now() + interval '45 minutes' from webhook",
        )
        .fetch_one(app.log_pool())
        .await
        .unwrap();
        rests.then_some(())
    })
    .await;
    scan(&app, "b.com", "b").await;
    // A test is sent at once; when it came, the endpoint had its turn.
    command(&app, &id, "test", &json!({})).await;
    until_count(&receiver, 2).await;
    assert_eq!(receiver.received()[1].topic(), "webhook.test");
    sqlx::query("update webhook set next_attempt_at = '-infinity'")
        .execute(app.log_pool())
        .await
        .unwrap();
    due(&app).await;
    until_count(&receiver, 4).await;
    assert_eq!(receiver.accepted("/in").len(), 3);
}

#[tokio::test]
async fn an_event_that_is_never_taken_is_given_up_if_others_are() {
    let (app, receiver) = start().await;
    let unordered = json!({ "events": ["scan.completed"], "ordered": false });
    let id = create(&app, &receiver, unordered).await;
    let path = format!("/api/v4/webhooks/{id}");
    receiver.answers([Reply::Status(400), Reply::Ok, Reply::Status(400)]);
    scan(&app, "a.com", "a").await;
    not_before_long(&app).await;
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 2).await;
    sqlx::query("update webhook_retry set failing_since = now() - interval '25 hours'")
        .execute(app.log_pool())
        .await
        .unwrap();
    due(&app).await;
    let changed = app
        .get_until(&path, |answer| answer.json()["retrying"] == 0)
        .await
        .json();
    assert_eq!(changed["status"], "active");
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn a_chat_gets_a_text() {
    let (app, receiver) = start().await;
    for format in ["slack", "teams", "discord"] {
        let settings = json!({
            "url": format!("http://a.hook.test/{format}"), "events": ["domain.changed"], "format": format,
        });
        create(&app, &receiver, settings).await;
    }
    scan(&app, "a.com", "one").await;
    scan(&app, "a.com", "<!channel> two").await;
    until_count(&receiver, 3).await;
    for message in receiver.received() {
        let text = message.body.to_string();
        assert!(text.contains("a.com") || text.contains("a\\\\.com"), "{text}");
        assert!(message.is_genuine);
        let member = match message.path.as_str() {
            "/slack" => {
                let changed = message.body["text"].as_str().unwrap();
                assert_eq!(changed, "a.com changed\nTitle: one → &lt;!channel&gt; two");
                "text"
            }
            "/teams" => "attachments",
            _ => "content",
        };
        assert!(!message.body[member].is_null(), "{text}");
    }
    let bad = json!({ "url": "http://a.hook.test/", "events": ["scan.failed"], "format": "irc" });
    let refused = app.post_json("/api/v4/webhooks", &bad).await;
    let problem = refused.problem(422, "invalid_field");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("slack, teams or discord"),
        "{problem}"
    );
}
