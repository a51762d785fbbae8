//! Webhooks: each event at least once, in order, signed, to the right endpoints.

mod crash;
mod programs;
pub mod receiver;
mod unordered;
mod verifier;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings};

use crate::support::app::{TestApp, wait_for};
use receiver::{Receiver, Reply, verify};

async fn start() -> (TestApp, Receiver) {
    let receiver = Receiver::start().await;
    let app = TestApp::builder().reaching(receiver.connect_to()).start().await;
    (app, receiver)
}

/// Creates an endpoint that gets these; its id.
async fn create(app: &TestApp, receiver: &Receiver, settings: Value) -> String {
    let mut whole = json!({ "url": "http://a.hook.test/in", "events": ["scan.completed", "scan.failed", "domain.changed"] });
    for (name, value) in settings.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let answer = app.post_json("/api/v4/webhooks", &whole).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let created = answer.json();
    receiver.knows(created["secret"].as_str().unwrap());
    let id = created["webhook_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v4/webhooks/{id}?at_least={}", created["position"]);
    assert_eq!(app.get(&path).await.status, 200);
    id
}

async fn scan(app: &TestApp, domain: &str, title: &str) {
    let scan = app.create_scan(domain).await;
    let title = Some(title.to_owned());
    let findings = Findings {
        title,
        ..Findings::default()
    };
    app.complete(&scan, &findings).await;
}

async fn command(app: &TestApp, id: &str, name: &str, body: &Value) -> Value {
    let answer = app
        .post_json(&format!("/api/v4/webhooks/{id}/{name}"), body)
        .await;
    assert_eq!(answer.status, 202, "{name}: {}", answer.text());
    let position = answer.json()["position"].to_string();
    let path = format!("/api/v4/webhooks/{id}?at_least={position}");
    assert_eq!(app.get(&path).await.status, 200);
    answer.json()
}

async fn until_count(receiver: &Receiver, count: usize) {
    wait_for("messages", async || {
        (receiver.received().len() >= count).then_some(())
    })
    .await;
}

/// Positions of the log's events of these types.
async fn positions(app: &TestApp, types: &[&str]) -> Vec<i64> {
    let events = app.get("/api/v4/events?limit=1000").await.json();
    let events = events["items"].as_array().unwrap().clone();
    let wanted = events
        .iter()
        .filter(|event| types.contains(&event["type"].as_str().unwrap()));
    wanted.map(|event| event["position"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn events_come_signed_in_order_to_who_wants_them() {
    let (app, receiver) = start().await;
    scan(&app, "a.com", "before").await;
    let all = create(&app, &receiver, json!({})).await;
    create(
        &app,
        &receiver,
        json!({ "url": "http://b.hook.test/filtered", "events": ["domain.changed"], "domains": ["b.com"], "fields": ["title"] }),
    )
    .await;
    scan(&app, "a.com", "after").await;
    scan(&app, "b.com", "one").await;
    scan(&app, "b.com", "two").await;
    let failed = app.create_scan("c.com").await;
    app.fail(&failed, FailureReason::Timeout, false).await;
    until_count(&receiver, 7).await;
    let received = receiver.received();
    assert!(received.iter().all(|message| message.is_genuine), "{received:?}");
    let topics: Vec<&str> = received
        .iter()
        .filter(|message| message.path == "/in")
        .map(receiver::Received::topic)
        .collect();
    assert_eq!(
        topics,
        [
            "domain.changed",
            "scan.completed",
            "scan.completed",
            "domain.changed",
            "scan.completed",
            "scan.failed"
        ]
    );
    assert!(receiver.accepted("/in").is_sorted(), "in the order of the log");
    let filtered: Vec<_> = received
        .iter()
        .filter(|message| message.path == "/filtered")
        .collect();
    assert_eq!(filtered.len(), 1);
    assert_eq!(
        (
            &filtered[0].body["data"]["domain"],
            &filtered[0].body["data"]["fields"]
        ),
        (
            &json!("b.com"),
            &json!([{ "field": "title", "before": "one", "after": "two" }])
        )
    );
    // An attempt is noted when its answer is there, which is after the receiver has the message.
    let latest = format!("/api/v4/webhooks/{all}/deliveries?limit=2");
    let listed = wait_for("the last delivery to be noted", async || {
        let listed = app.get(&latest).await.json();
        (listed["items"][0]["event"] == "scan.failed").then_some(listed)
    })
    .await;
    assert_eq!(
        (
            &listed["items"][0]["event"],
            &listed["items"][0]["status"],
            &listed["items"][0]["answer"]
        ),
        (&json!("scan.failed"), &json!(200), &json!("thanks"))
    );
    let next = listed["next"].as_str().unwrap();
    let rest = app
        .get(&format!("/api/v4/webhooks/{all}/deliveries?cursor={next}"))
        .await
        .json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_and_nothing_overtakes_it() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    receiver.answers([Reply::Status(500), Reply::Status(301)]);
    scan(&app, "a.com", "a").await;
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 4).await;
    let received = receiver.received();
    let ids: Vec<&str> = received.iter().map(|message| message.id.as_str()).collect();
    assert!(
        ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3],
        "{ids:?}"
    );
    let wanted = positions(&app, &["ScanCompleted"]).await;
    assert_eq!(receiver.accepted("/in"), wanted, "no redirect was followed");
    let path = format!("/api/v4/webhooks/{id}/deliveries");
    let answers = app.get_until(&path, |answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|items| items.len() == 4)
    });
    let answers = answers.await.json();
    let webhook_view: Vec<(&Value, &Value)> = answers["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["attempt"], &one["status"]))
        .collect();
    assert_eq!(
        webhook_view,
        [
            (&json!(1), &json!(200)),
            (&json!(3), &json!(200)),
            (&json!(2), &json!(301)),
            (&json!(1), &json!(500))
        ]
    );
}

#[tokio::test]
async fn an_endpoint_that_is_gone_or_fails_for_a_day_is_disabled_and_goes_on_where_it_was() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    let path = format!("/api/v4/webhooks/{id}");
    receiver.answers([Reply::Status(410)]);
    scan(&app, "a.com", "a").await;
    let webhook_view = app
        .get_until(&path, |answer| answer.json()["status"] == "disabled")
        .await
        .json();
    assert_eq!(webhook_view["disabled_reason"], "gone");
    assert_eq!(app.post(&format!("{path}/test")).await.status, 409);
    command(&app, &id, "enable", &json!({})).await;
    until_count(&receiver, 2).await;
    receiver.answers([Reply::Status(500); 20]);
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 3).await;
    // As if it had failed since yesterday.
    wait_for("the first failure to be noted", async || {
        let moved = sqlx::query(
            "update webhook set failing_since = failing_since - interval '25 hours', next_attempt_at = '-infinity' \
              where failures > 0 and leased_until is null",
        );
        let moved = moved.execute(app.log_pool()).await.unwrap();
        (moved.rows_affected() == 1).then_some(())
    })
    .await;
    let webhook_view = app
        .get_until(&path, |answer| answer.json()["status"] == "disabled")
        .await
        .json();
    assert_eq!(webhook_view["disabled_reason"], "failing");
    let events = app.get(&format!("/api/v4/streams/webhook/{id}")).await.json();
    let last = events["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["type"], &last["data"]["error"]),
        (&json!("WebhookDisabled"), &json!("HTTP 500"))
    );
    receiver.recovers();
    command(&app, &id, "enable", &json!({})).await;
    let all = positions(&app, &["ScanCompleted"]).await;
    wait_for("both", async || (receiver.accepted("/in") == all).then_some(())).await;
}

#[tokio::test]
async fn a_range_one_event_and_a_test_are_sent_once_more_and_nothing_else() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    for name in ["a.com", "b.com", "c.com", "d.com"] {
        scan(&app, name, name).await;
    }
    until_count(&receiver, 4).await;
    let all = positions(&app, &["ScanCompleted"]).await;
    // The attempt is noted after the receiver has the message. Until then the endpoint has not passed it.
    app.get_until(&format!("/api/v4/webhooks/{id}/deliveries"), |answer| {
        answer.json()["items"]
            .as_array()
            .is_some_and(|items| items.len() == 4)
    })
    .await;
    receiver.clear();
    command(
        &app,
        &id,
        "replay",
        &json!({ "since": all[0], "until": all[2].to_string() }),
    )
    .await;
    until_count(&receiver, 2).await;
    // After the range it is where it was: what comes next is new.
    scan(&app, "e.com", "e").await;
    until_count(&receiver, 3).await;
    let new = *positions(&app, &["ScanCompleted"]).await.last().unwrap();
    assert_eq!(receiver.accepted("/in"), [all[1], all[2], new]);
    receiver.clear();
    command(&app, &id, "resend", &json!({ "position": all[3] })).await;
    until_count(&receiver, 1).await;
    command(&app, &id, "test", &json!({})).await;
    until_count(&receiver, 2).await;
    let received = receiver.received();
    assert_eq!(
        (received[0].position(), received[1].topic()),
        (all[3], "webhook.test")
    );
    let refused = app
        .post_json(
            &format!("/api/v4/webhooks/{id}/resend"),
            &json!({ "position": 1 }),
        )
        .await;
    assert_eq!(refused.status, 422, "{}", refused.text());
}

#[tokio::test]
async fn a_rotated_secret_signs_beside_the_one_before_it() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    let rotated = command(&app, &id, "rotate", &json!({})).await;
    let secret = rotated["secret"].as_str().unwrap().to_owned();
    scan(&app, "a.com", "a").await;
    until_count(&receiver, 1).await;
    assert_eq!(
        (
            receiver.received()[0].signatures,
            receiver.received()[0].is_genuine
        ),
        (2, true)
    );
    sqlx::query("update webhook_secret set valid_until = clock_timestamp() where valid_until is not null")
        .execute(app.log_pool())
        .await
        .unwrap();
    receiver.knows(&secret);
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 2).await;
    assert_eq!(
        (
            receiver.received()[1].signatures,
            receiver.received()[1].is_genuine
        ),
        (1, true)
    );
    let secrets = [secret];
    let shown = app.get("/api/v4/webhooks").await.text();
    let events = app.get("/api/v4/events?limit=1000").await.text();
    for text in [shown, events] {
        assert!(
            !text.contains("whsec_") && !text.contains(secrets[0].trim_start_matches("whsec_")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_repeated_creation_creates_one_endpoint_and_shows_no_secret() {
    let (app, _receiver) = start().await;
    let settings = json!({ "url": "http://a.hook.test/", "events": ["scan.failed"] });
    let mut answers = Vec::new();
    for _ in 0..2 {
        let call = app.call("POST", "/api/v4/webhooks").json(&settings).key("once");
        answers.push(call.send().await.json());
    }
    assert_eq!(answers[0]["webhook_id"], answers[1]["webhook_id"]);
    assert!(answers[0]["secret"].is_string() && answers[1]["secret"].is_null());
    let secrets: i64 = sqlx::query_scalar("select count(*) from webhook_secret")
        .fetch_one(app.log_pool())
        .await
        .unwrap();
    assert_eq!(secrets, 1);
}

#[tokio::test]
async fn a_slow_endpoint_holds_up_nobody_else_and_no_private_address_is_sent_to() {
    let (app, receiver) = start().await;
    for path in ["hang", "slow"] {
        create(
            &app,
            &receiver,
            json!({ "url": format!("http://a.hook.test/{path}") }),
        )
        .await;
    }
    let private = create(&app, &receiver, json!({ "url": "http://127.0.0.1/in" })).await;
    create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    for name in ["a.com", "b.com", "c.com"] {
        scan(&app, name, name).await;
    }
    wait_for("the others", async || {
        (receiver.accepted("/in").len() == 3).then_some(())
    })
    .await;
    let path = format!("/api/v4/webhooks/{private}/deliveries");
    let webhook_view = app
        .get_until(&path, |answer| !answer.json()["items"][0].is_null())
        .await
        .json();
    assert!(
        webhook_view["items"][0]["error"]
            .as_str()
            .unwrap()
            .contains("not a public address"),
        "{webhook_view}"
    );
}

#[tokio::test]
async fn a_rebuild_of_read_models_sends_nothing_again_and_a_deleted_endpoint_gets_nothing() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.completed"] })).await;
    scan(&app, "a.com", "a").await;
    until_count(&receiver, 1).await;
    for name in ["domains", "jobs"] {
        let path = format!("/api/v4/projections/{name}");
        assert_eq!(app.post(&format!("{path}/rebuild")).await.status, 202);
        app.get_until(&path, |answer| answer.json()["task"]["state"] == "done")
            .await;
    }
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 2).await;
    assert_eq!(
        receiver.accepted("/in"),
        positions(&app, &["ScanCompleted"]).await
    );
    let deleted = app.call("DELETE", &format!("/api/v4/webhooks/{id}")).send().await;
    assert_eq!(deleted.status, 202, "{}", deleted.text());
    let path = format!("/api/v4/webhooks/{id}?at_least={}", deleted.json()["position"]);
    assert_eq!(app.get(&path).await.status, 404);
    let other = create(
        &app,
        &receiver,
        json!({ "url": "http://a.hook.test/other", "events": ["scan.completed"] }),
    )
    .await;
    scan(&app, "c.com", "c").await;
    wait_for("the other", async || {
        (receiver.accepted("/other").len() == 1).then_some(())
    })
    .await;
    assert_eq!(receiver.accepted("/in").len(), 2);
    assert_eq!(
        app.get("/api/v4/webhooks").await.json()["items"][0]["webhook_id"],
        json!(other)
    );
}

#[tokio::test]
async fn what_cannot_be_an_endpoint_is_refused() {
    let (app, _receiver) = start().await;
    for (settings, status) in [
        (json!({ "url": "hook", "events": ["scan.failed"] }), 422),
        (json!({ "url": "https://a.test/", "events": [] }), 422),
        (
            json!({ "url": "https://a.test/", "events": ["webhook.test"] }),
            422,
        ),
        (
            json!({ "url": "https://a.test/", "events": ["scan.failed"], "domains": ["no domain"] }),
            422,
        ),
        (
            json!({ "url": "https://a.test/", "events": ["domain.changed"], "fields": ["colour"] }),
            422,
        ),
        (
            json!({ "url": "https://a.test/", "events": ["scan.failed"], "secret": "x" }),
            400,
        ),
    ] {
        let answer = app.post_json("/api/v4/webhooks", &settings).await;
        assert_eq!(answer.status, status, "{settings}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_is_imported_or_older_than_a_new_wish_is_not_sent() {
    let (app, receiver) = start().await;
    let id = create(&app, &receiver, json!({ "events": ["scan.failed"] })).await;
    scan(&app, "a.com", "a").await;
    let settings = json!({ "url": "http://a.hook.test/in", "events": ["scan.completed"] });
    let changed = app.post_json(&format!("/api/v4/webhooks/{id}"), &settings).await;
    assert_eq!(changed.status, 202, "{}", changed.text());
    scan(&app, "b.com", "b").await;
    until_count(&receiver, 1).await;
    scan(&app, "c.com", "c").await;
    until_count(&receiver, 2).await;
    assert_eq!(
        receiver.accepted("/in"),
        positions(&app, &["ScanCompleted"]).await[1..]
    );
}

#[tokio::test]
async fn pages_and_the_command_line_do_the_same() {
    let (app, receiver) = start().await;
    let form = "url=http%3A%2F%2Fa.hook.test%2Fin&scan.completed=yes&description=%3CCRM%3E";
    let made = app
        .call("POST", "/webhooks")
        .header("sec-fetch-site", "same-origin")
        .body("application/x-www-form-urlencoded", form.to_owned())
        .send()
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let text = made.text();
    let secret = &text[text.find("whsec_").unwrap()..];
    receiver.knows(&secret[..secret.find('<').unwrap()]);
    let listed = app
        .get_until("/webhooks", |answer| answer.text().contains("a.hook.test/in"))
        .await;
    assert!(
        listed.text().contains("&lt;CRM&gt;") && !listed.text().contains("whsec_"),
        "{}",
        listed.text()
    );
    scan(&app, "a.com", "a").await;
    until_count(&receiver, 1).await;
    assert!(receiver.received()[0].is_genuine);
    let id = app.get("/api/v4/webhooks").await.json()["items"][0]["webhook_id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let path = format!("/webhooks/{id}");
    let page = app
        .get_until(&path, |answer| answer.text().contains("HTTP 200"))
        .await;
    assert!(page.text().contains("scan.completed"));
    let run = async |arguments: &[&str]| {
        let mut command = app.command(arguments);
        command.env("SITELOG_FETCH__CONNECT_TO", receiver.connect_to());
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code(), said)
    };
    let (code, said) = run(&["webhook", "test", &id]).await;
    assert_eq!(code, Some(0), "{said}");
    until_count(&receiver, 2).await;
    let (code, said) = run(&["webhook", "list"]).await;
    assert!(
        code == Some(0) && said.contains(&id) && !said.contains("whsec_"),
        "{said}"
    );
    let (code, said) = run(&["webhook", "create", "http://a.hook.test/cli", "--json"]).await;
    assert_eq!(code, Some(0), "{said}");
    let created: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    let (code, said) = run(&["webhook", "replay", &id, "--since", "0"]).await;
    assert_eq!(code, Some(0), "{said}");
    until_count(&receiver, 3).await;
    let (code, _) = run(&["webhook", "delete", &id]).await;
    assert_eq!(code, Some(0));
    let (code, said) = run(&["webhook", "delete", "00000000-0000-4000-8000-00000000dead"]).await;
    assert!(
        code == Some(1) && said.contains("there is no such webhook"),
        "{said}"
    );
    let (code, said) = run(&["webhook", "create", "nowhere"]).await;
    assert!(
        code == Some(2) && said.contains("must be an absolute URL"),
        "{said}"
    );
}

/// The receiver of these tests refuses what it must, so that its yes says something.
#[test]
fn a_changed_body_an_old_time_and_a_wrong_secret_are_refused() {
    // Signed by the reference libraries' example.
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned();
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".parse().unwrap());
    headers.insert("webhook-timestamp", "1614265330".parse().unwrap());
    headers.insert(
        "webhook-signature",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".parse().unwrap(),
    );
    assert!(
        !verify(&[secret], &headers, b"{\"test\": 2432232314}"),
        "it is of 2021"
    );
}
