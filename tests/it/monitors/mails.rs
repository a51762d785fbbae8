//! Emails about runs: one for each run that found changes, to each subscriber, until they unsubscribe.

use serde_json::{Value, json};
use sitelog::access::Secret;
use sitelog::mail::MailSettings;

use super::{command, complete, create};
use crate::support::app::{TestApp, wait_for};
use crate::support::smtp::Smtp;

async fn start() -> (TestApp, Smtp) {
    let smtp = Smtp::start().await;
    let settings = MailSettings {
        smtp_url: Secret::new(smtp.url()),
        from: "sitelog <noreply@sitelog.test>".parse().unwrap(),
        public_url: "https://sitelog.test/".parse().unwrap(),
    };
    (TestApp::builder().with_mail(settings).start().await, smtp)
}

async fn subscribe(app: &TestApp, monitor: &str, address: &str) -> Value {
    let path = format!("/api/v4/monitors/{monitor}/subscribers");
    let answer = app.post_json(&path, &json!({ "address": address })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

/// A monitor of one domain.
async fn shops(app: &TestApp) -> String {
    create(
        app,
        &json!({ "name": "Shops", "domains": ["a.com"], "rhythm": "monthly" }),
    )
    .await
}

async fn run(app: &TestApp, monitor: &str, title: &str) {
    let run = command(app, monitor, "run").await;
    complete(app, run["batch_id"].as_str().unwrap(), 1, title).await;
}

async fn until_count(smtp: &Smtp, count: usize) {
    wait_for("mails", async || (smtp.mails().len() >= count).then_some(())).await;
}

async fn subscribers(app: &TestApp, monitor: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/v4/monitors/{monitor}/subscribers")).await;
    answer.json()["items"].as_array().unwrap().clone()
}

/// The queue is empty: nothing more will be sent.
async fn until_all_is_sent(app: &TestApp) {
    wait_for("the queue of mails", async || {
        let (head, reached): (i64, i64) = sqlx::query_as(
            "select position, (select position from policy where name = 'queue_mails') from log_head",
        )
        .fetch_one(app.log_pool())
        .await
        .unwrap();
        let waiting: i64 = sqlx::query_scalar("select count(*) from monitor_mail")
            .fetch_one(app.log_pool())
            .await
            .unwrap();
        (reached >= head && waiting == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_run_that_found_changes_is_a_mail_to_each_subscriber() {
    let (app, smtp) = start().await;
    let settings = json!({ "name": "Shöps\r\nBcc: x@y.test", "domains": ["a.com"], "rhythm": "monthly", "fields": ["title"] });
    let id = create(&app, &settings).await;
    for address in ["anna@example.com", "ben@example.com"] {
        subscribe(&app, &id, address).await;
    }
    assert_eq!(
        subscribe(&app, &id, "anna@example.com").await["sent_at"],
        Value::Null
    );
    assert_eq!(subscribers(&app, &id).await.len(), 2);
    run(&app, &id, "one").await;
    until_all_is_sent(&app).await;
    assert!(
        smtp.mails().is_empty(),
        "the first scan of a domain changes nothing"
    );
    run(&app, &id, "<script>two").await;
    until_count(&smtp, 2).await;
    let mut mails = smtp.mails();
    mails.sort_by(|a, b| a.to.cmp(&b.to));
    assert_eq!(
        mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(),
        ["anna@example.com", "ben@example.com"]
    );
    let mail = &mails[0];
    assert!(
        mail.text.contains("Title: one =E2=86=92 <script>two"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("&lt;script&gt;two"), "{}", mail.text);
    assert!(!mail.text.contains("\nBcc:"), "{}", mail.text);
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_ne!(mail.header("Message-ID"), mails[1].header("Message-ID"));
    until_all_is_sent(&app).await;
    assert!(
        subscribers(&app, &id)
            .await
            .iter()
            .all(|row| !row["sent_at"].is_null())
    );
    run(&app, &id, "<script>two").await;
    until_all_is_sent(&app).await;
    assert_eq!(smtp.mails().len(), 2, "nothing changed");
}

#[tokio::test]
async fn one_click_ends_the_mails_and_looking_does_not() {
    let (app, smtp) = start().await;
    let id = shops(&app).await;
    subscribe(&app, &id, "anna@example.com").await;
    run(&app, &id, "one").await;
    run(&app, &id, "two").await;
    until_count(&smtp, 1).await;
    let link = smtp.mails()[0].header("List-Unsubscribe").to_owned();
    let path = link
        .strip_prefix("<https://sitelog.test")
        .and_then(|link| link.strip_suffix('>'))
        .unwrap()
        .to_owned();
    let page = app.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("Shops") && page.text().contains("anna@example.com"),
        "{}",
        page.text()
    );
    assert_eq!(subscribers(&app, &id).await.len(), 1);
    let kind = "application/x-www-form-urlencoded";
    let ended = app.post_text(&path, kind, "List-Unsubscribe=One-Click").await;
    assert_eq!(ended.status, 200, "{}", ended.text());
    assert!(subscribers(&app, &id).await.is_empty());
    assert!(
        !app.get(&path).await.text().contains("anna"),
        "the token is worth nothing any more"
    );
    run(&app, &id, "three").await;
    until_all_is_sent(&app).await;
    assert_eq!(smtp.mails().len(), 1);
    // For good, however the address is written.
    let again = format!("/api/v4/monitors/{id}/subscribers");
    let refused = app
        .post_json(&again, &json!({ "address": "Anna@example.com" }))
        .await;
    let problem = refused.problem(422, "invalid_field");
    assert!(
        problem["detail"].as_str().unwrap().contains("has unsubscribed"),
        "{problem}"
    );
    // What cannot be a token is nobody's.
    for path in ["/unsubscribe/%00", "/unsubscribe/x", "/unsubscribe/'"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn mails_of_long_ago_are_no_news() {
    let (app, smtp) = start().await;
    let id = shops(&app).await;
    run(&app, &id, "one").await;
    run(&app, &id, "two").await;
    // Who subscribes later gets nothing of what was before, even if the queue is filled only now.
    subscribe(&app, &id, "anna@example.com").await;
    sqlx::query("update policy set position = 0 where name = 'queue_mails'")
        .execute(app.log_pool())
        .await
        .unwrap();
    until_all_is_sent(&app).await;
    assert!(smtp.mails().is_empty());
    // What nobody sent for a day is dropped, and said.
    smtp.answers(["451 later"]);
    run(&app, &id, "three").await;
    wait_for("the failed attempt", async || {
        let old = sqlx::query(
            "update monitor_mail set queued_at = now() - interval '2 days', due_at = now() + interval '1 hour' \
              where failures = 1",
        );
        let old = old.execute(app.log_pool()).await.unwrap();
        (old.rows_affected() == 1).then_some(())
    })
    .await;
    let listed = subscribers(&app, &id).await;
    assert!(
        listed[0]["error"].as_str().unwrap().contains("later"),
        "what fails is shown: {listed:?}"
    );
    let (stop, tracker) = (
        tokio_util::sync::CancellationToken::new(),
        tokio_util::task::TaskTracker::new(),
    );
    app.app.spawn_projector(&tracker, &stop);
    until_all_is_sent(&app).await;
    assert_eq!(subscribers(&app, &id).await[0]["error"], "not sent within a day");
    assert!(smtp.mails().is_empty());
    stop.cancel();
}

#[tokio::test]
async fn what_fails_is_tried_again_and_what_is_refused_is_shown() {
    let (app, smtp) = start().await;
    let id = shops(&app).await;
    subscribe(&app, &id, "anna@example.com").await;
    run(&app, &id, "one").await;
    smtp.answers(["451 try again"]);
    run(&app, &id, "two").await;
    // A wrong password is about us, and passes.
    smtp.answers(["535 5.7.8 bad credentials"]);
    wait_for("the failed attempt to be noted", async || {
        let due = sqlx::query("update monitor_mail set due_at = '-infinity' where failures = 1");
        let due = due.execute(app.log_pool()).await.unwrap();
        (due.rows_affected() == 1).then_some(())
    })
    .await;
    wait_for("the second failed attempt to be noted", async || {
        let due = sqlx::query("update monitor_mail set due_at = '-infinity' where failures = 2");
        let due = due.execute(app.log_pool()).await.unwrap();
        (due.rows_affected() == 1).then_some(())
    })
    .await;
    until_count(&smtp, 1).await;
    until_all_is_sent(&app).await;
    smtp.answers(["550 5.1.1 no such user"]);
    run(&app, &id, "three").await;
    wait_for("the refusal", async || smtp.has_answered().then_some(())).await;
    until_all_is_sent(&app).await;
    let listed = subscribers(&app, &id).await;
    assert!(
        listed[0]["error"].as_str().unwrap().contains("no such user"),
        "{listed:?}"
    );
    let page = app.get(&format!("/monitors/{id}")).await.text();
    assert!(page.contains("no such user"), "{page}");
    // What is tried for a day is given up.
    smtp.answers(["451 never"]);
    run(&app, &id, "four").await;
    wait_for("the next failed attempt", async || {
        let old = sqlx::query(
            "update monitor_mail set queued_at = now() - interval '25 hours', due_at = '-infinity' where failures = 1",
        );
        let old = old.execute(app.log_pool()).await.unwrap();
        (old.rows_affected() == 1).then(|| smtp.answers(["451 never"]))
    })
    .await;
    until_all_is_sent(&app).await;
    assert!(
        subscribers(&app, &id).await[0]["error"]
            .as_str()
            .unwrap()
            .contains("never")
    );
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn addresses_are_checked_bounded_and_removed_with_the_monitor() {
    let (app, _smtp) = start().await;
    let id = shops(&app).await;
    let path = format!("/api/v4/monitors/{id}/subscribers");
    for bad in [
        "nobody",
        "a@b@c",
        "",
        "a b@c.test",
        "x@y.test\r\nRCPT TO:<z@z.test>",
    ] {
        app.post_json(&path, &json!({ "address": bad }))
            .await
            .problem(422, "invalid_field");
    }
    for n in 0..20 {
        subscribe(&app, &id, &format!("p{n}@example.com")).await;
    }
    app.post_json(&path, &json!({ "address": "one.more@example.com" }))
        .await
        .problem(422, "too_many_subscribers");
    let first = subscribers(&app, &id).await[0]["subscriber_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let removed = app.call("DELETE", &format!("{path}/{first}")).send().await;
    assert_eq!(removed.status, 204);
    app.call("DELETE", &format!("{path}/{first}"))
        .send()
        .await
        .problem(404, "not_found");
    app.post_json(
        "/api/v4/monitors/00000000-0000-4000-8000-00000000dead/subscribers",
        &json!({ "address": "a@b.test" }),
    )
    .await
    .problem(404, "not_found");
    // The page does the same.
    let kind = "application/x-www-form-urlencoded";
    let added = app
        .post_text(
            &format!("/monitors/{id}/subscribe"),
            kind,
            "address=page%40example.com",
        )
        .await;
    assert_eq!(added.status, 303, "{}", added.text());
    let row = subscribers(&app, &id).await.pop().unwrap();
    assert_eq!(row["address"], "page@example.com");
    let form = format!("subscriber={}", row["subscriber_id"].as_str().unwrap());
    app.post_text(&format!("/monitors/{id}/unsubscribe"), kind, form)
        .await;
    assert_eq!(subscribers(&app, &id).await.len(), 19);
    assert_eq!(
        app.call("DELETE", &format!("/api/v4/monitors/{id}"))
            .send()
            .await
            .status,
        202
    );
    wait_for("the addresses to go", async || {
        let left: i64 = sqlx::query_scalar("select count(*) from monitor_subscriber")
            .fetch_one(app.log_pool())
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_mail_server_nobody_subscribes() {
    let app = TestApp::start().await;
    let id = shops(&app).await;
    let path = format!("/api/v4/monitors/{id}/subscribers");
    let refused = app
        .post_json(&path, &json!({ "address": "anna@example.com" }))
        .await;
    refused.problem(409, "no_mail_server");
}
