//! Feeds of monitors: read with their own token, escaped, and not readable after it is revoked.

use atom_syndication::Feed;
use serde_json::{Value, json};

use super::{command, complete, create};
use crate::support::app::TestApp;
use crate::support::call::Answer;

/// A title that would break a page or a document that does not escape it.
const HOSTILE: &str = "<script>alert(1)</script> & \"]]> \u{8}\u{fffe}end";

/// A monitor whose runs found these titles.
async fn monitor(app: &TestApp, name: &str, titles: &[&str]) -> String {
    let id = create(
        app,
        &json!({ "name": name, "domains": ["a.com"], "rhythm": "monthly" }),
    )
    .await;
    for title in titles {
        let run = command(app, &id, "run").await;
        complete(app, run["batch_id"].as_str().unwrap(), 1, title).await;
    }
    id
}

async fn open(app: &TestApp, id: &str) -> String {
    let answer = app.post(&format!("/api/v4/monitors/{id}/feed")).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["feed"].as_str().unwrap().to_owned()
}

fn read(answer: &Answer) -> Feed {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.text().parse().unwrap()
}

#[tokio::test]
async fn a_feed_has_what_the_monitor_found_changed_escaped() {
    let app = TestApp::start().await;
    let id = monitor(&app, "Shops & <others>", &["one", HOSTILE]).await;
    let other = monitor(&app, "others", &["three"]).await;
    let place = open(&app, &id).await;
    let answer = app.get(&place).await;
    assert_eq!(
        answer.header("content-type"),
        Some("application/atom+xml; charset=utf-8")
    );
    let feed = read(&answer);
    assert_eq!(feed.title.as_str(), "Changes: Shops & <others>");
    assert_eq!(feed.entries.len(), 1, "{feed:?}");
    let entry = &feed.entries[0];
    assert_eq!(
        (entry.title.as_str(), entry.links[0].href.as_str()),
        ("a.com: Title", "/domains/a.com")
    );
    let content = entry.content.as_ref().unwrap().value.clone().unwrap();
    assert!(
        content.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; ") && content.contains("end"),
        "{content}"
    );
    assert!(
        !content.contains("<script") && !content.contains('\u{8}'),
        "{content}"
    );
    // The same each time, so that readers see it once; and known again without being sent.
    let again = app.get(&place).await;
    assert_eq!(again.text(), answer.text());
    let tag = answer.header("etag").unwrap();
    let known = app.call("GET", &place).header("if-none-match", tag).send().await;
    assert_eq!((known.status, known.text().as_str()), (304, ""));
    let theirs = read(&app.get(&open(&app, &other).await).await);
    assert_eq!(theirs.entries.len(), 1);
    assert_ne!(theirs.entries[0].id, entry.id);
}

#[tokio::test]
async fn a_token_opens_one_feed_until_it_is_replaced_or_revoked() {
    let app = TestApp::start().await;
    let id = monitor(&app, "a", &[]).await;
    let path = format!("/api/v4/monitors/{id}");
    assert_eq!(app.get(&path).await.json()["feed_since"], Value::Null);
    let first = open(&app, &id).await;
    assert!(read(&app.get(&first).await).entries.is_empty());
    assert!(app.get(&path).await.json()["feed_since"].is_string());
    let second = open(&app, &id).await;
    app.get(&first).await.problem(404, "not_found");
    read(&app.get(&second).await);
    assert_eq!(
        app.call("DELETE", &format!("{path}/feed")).send().await.status,
        204
    );
    app.get(&second).await.problem(404, "not_found");
    let third = open(&app, &id).await;
    assert_eq!(app.call("DELETE", &path).send().await.status, 202);
    app.get_until(&third, |answer| answer.status == 404).await;
    app.get("/feeds/.xml").await.problem(404, "not_found");
    // What was shown once is nowhere else.
    let token = third.trim_start_matches("/feeds/").trim_end_matches(".xml");
    let stored: Vec<String> = sqlx::query_scalar("select row_to_json(f)::text from monitor_feed f")
        .fetch_all(app.log_pool())
        .await
        .unwrap();
    assert!(!stored.concat().contains(token));
    assert!(!app.get("/api/v4/events?limit=1000").await.text().contains(token));
}

#[tokio::test]
async fn a_repeated_request_makes_no_other_token() {
    let app = TestApp::start().await;
    let id = monitor(&app, "a", &[]).await;
    let path = format!("/api/v4/monitors/{id}/feed");
    let post = || app.call("POST", &path).key("once").send();
    let (first, again) = (post().await.json(), post().await.json());
    assert_eq!(again["feed"], Value::Null);
    read(&app.get(first["feed"].as_str().unwrap()).await);
}

#[tokio::test]
async fn a_feed_needs_no_key_and_its_token_opens_nothing_else() {
    let app = TestApp::builder().guarded().start().await;
    let key = crate::access::key(&app, &[sitelog::access::Scope::Write]).await;
    let body = json!({ "name": "a", "domains": ["a.com"], "rhythm": "monthly" });
    let call = app
        .call("POST", "/api/v4/monitors")
        .json(&body)
        .bearer(key.reveal());
    let created = call.send().await.json();
    let path = format!("/api/v4/monitors/{}", created["monitor_id"].as_str().unwrap());
    let seen = format!("{path}?at_least={}", created["position"]);
    assert_eq!(
        app.call("GET", &seen).bearer(key.reveal()).send().await.status,
        200
    );
    let call = app.call("POST", &format!("{path}/feed")).bearer(key.reveal());
    let place = call.send().await.json()["feed"].as_str().unwrap().to_owned();
    read(&app.get(&place).await);
    let token = place.trim_start_matches("/feeds/").trim_end_matches(".xml");
    assert_eq!(app.call("GET", &path).bearer(token).send().await.status, 401);
}
