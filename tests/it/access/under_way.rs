//! Running responses end when their caller loses access. Every admission uses the same check, so each way to lose
//! access is tested on one kind of response, and each kind of response in one way.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use chrono::Utc;
use futures::StreamExt;
use serde_json::json;
use sitelog::access::Scope::{Operator, Read, Write};
use sitelog::access::{AuthMode, AuthSettings, JwtSettings, Secret, keys, sessions};
use sitelog::values::Findings;

use super::tokens::{SECRET, claims, token};
use super::{OTHER, key, key_of, other};
use crate::support::app::TestApp;
use crate::support::call::Call;

/// A service that checks its callers again continuously.
async fn watchful() -> TestApp {
    let auth = AuthSettings {
        recheck_every: Duration::from_millis(20),
        jwt: Some(JwtSettings {
            secret: Some(Secret::new(SECRET.to_owned())),
            jwks_url: None,
            audience: "authenticated".to_owned(),
            issuer: None,
        }),
        ..AuthSettings::of(AuthMode::Required)
    };
    TestApp::builder().with_auth(auth).start().await
}

async fn scan_of(app: &TestApp, credential: &str) -> String {
    let call = app.call("POST", "/api/v4/scans").bearer(credential);
    let answer = call.json(&json!({ "domain": "a.com" })).send().await;
    answer.json()["scan_id"].as_str().unwrap().to_owned()
}

/// An event stream, read up to the first event: from here on it waits.
async fn watched(call: Call) -> BodyDataStream {
    let response = call.open().await;
    assert_eq!(response.status(), 200);
    let mut stream = response.into_body().into_data_stream();
    while !next(&mut stream).await.unwrap().contains("ScanRequested") {}
    stream
}

async fn next(stream: &mut BodyDataStream) -> Option<String> {
    let bytes = stream.next().await?.unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn execute(app: &TestApp, statement: &str) {
    sqlx::query(statement).execute(app.log_pool()).await.unwrap();
}

#[tokio::test]
async fn an_event_stream_ends_with_its_key() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let scan = scan_of(&app, owner.reveal()).await;
    let path = format!("/api/v4/scans/{scan}/events");
    for loss in [
        "update api_key set revoked_at = clock_timestamp() where key_id = $1",
        "update api_key set expires_at = clock_timestamp() where key_id = $1",
        "update api_key set scopes = '{admin}' where key_id = $1",
        "update api_key set tenant_id = gen_random_uuid() where key_id = $1",
        "delete from api_key where key_id = $1",
    ] {
        let reader = key(&app, &[Read]).await;
        let mut stream = watched(app.call("GET", &path).bearer(reader.reveal())).await;
        let mut kept = watched(app.call("GET", &path).bearer(owner.reveal())).await;
        sqlx::query(loss)
            .bind(reader.id().as_str())
            .execute(app.log_pool())
            .await
            .unwrap();
        assert_eq!(next(&mut stream).await, None, "{loss}");
        // A client that kept its access gets further events.
        let more = app
            .call("POST", &format!("/api/v4/scans/{scan}/cancel"))
            .bearer(owner.reveal());
        assert!(more.send().await.status < 300);
        assert!(next(&mut kept).await.unwrap().contains("ScanCancelled"));
        let more = app
            .call("POST", &format!("/api/v4/scans/{scan}/retry"))
            .bearer(owner.reveal());
        assert!(more.send().await.status < 300);
    }
}

#[tokio::test]
async fn an_event_stream_of_a_batch_ends_with_its_key() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let call = app.call("POST", "/api/v4/batches").bearer(owner.reveal());
    let answer = call.json(&json!({ "domains": ["a.com"] })).send().await;
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v4/batches/{batch}/events");
    let mut stream = watched(app.call("GET", &path).bearer(owner.reveal())).await;
    keys::revoke(app.log_pool(), None, owner.id()).await.unwrap();
    while let Some(text) = next(&mut stream).await {
        assert!(!text.contains("ScanCompleted"), "{text}");
    }
}

#[tokio::test]
async fn an_event_stream_of_an_operator_for_a_tenant_ends_when_it_is_no_operator_any_more() {
    let app = watchful().await;
    let owner = key_of(&app, other(), &[Write]).await;
    let scan = scan_of(&app, owner.reveal()).await;
    let operator = key(&app, &[Operator]).await;
    let path = format!("/api/v4/scans/{scan}/events");
    let call = app.call("GET", &path).bearer(operator.reveal()).tenant(OTHER);
    let mut stream = watched(call).await;
    execute(
        &app,
        "update api_key set scopes = '{read}' where 'operator' = any(scopes)",
    )
    .await;
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn an_event_stream_ends_with_its_token() {
    let app = watchful().await;
    let mut short = claims();
    short["exp"] = json!(Utc::now().timestamp() + 3);
    let token = token(&short);
    let scan = scan_of(&app, &token).await;
    let path = format!("/api/v4/scans/{scan}/events");
    let mut stream = watched(app.call("GET", &path).bearer(&token)).await;
    assert_eq!(next(&mut stream).await, None);
    assert!(Utc::now().timestamp() >= short["exp"].as_i64().unwrap());
}

#[tokio::test]
async fn an_event_stream_ends_with_its_session() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let scan = scan_of(&app, owner.reveal()).await;
    let path = format!("/api/v4/scans/{scan}/events");
    let open = async || {
        let session = sessions::open(app.log_pool(), &owner).await.unwrap();
        let cookie = format!("sitelog_session={}", session.reveal());
        let stream = watched(app.call("GET", &path).header("cookie", &cookie)).await;
        (session, stream)
    };
    let (session, mut stream) = open().await;
    let (_session, mut other) = open().await;
    sessions::close(app.log_pool(), &session).await.unwrap();
    assert_eq!(next(&mut stream).await, None, "somebody signed out");
    keys::revoke(app.log_pool(), None, owner.id()).await.unwrap();
    assert_eq!(next(&mut other).await, None, "the key of the session was revoked");
}

#[tokio::test]
async fn a_file_breaks_off_with_its_key_and_does_not_look_whole() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let domains: Vec<String> = (0..3_000).map(|n| format!("d{n}.com")).collect();
    let call = app.call("POST", "/api/v4/batches").bearer(owner.reveal());
    let answer = call.json(&json!({ "domains": domains })).send().await;
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    let last = format!("/api/v4/scans?batch={batch}&domain=d2999.com");
    crate::support::app::wait_for("the scans", async || {
        let answer = app.call("GET", &last).bearer(owner.reveal()).send().await;
        answer.json()["items"][0].is_object().then_some(())
    })
    .await;
    for format in ["csv", "ndjson"] {
        let reader = key(&app, &[Read]).await;
        let path = format!("/api/v4/scans?batch={batch}&format={format}");
        let response = app.call("GET", &path).bearer(reader.reveal()).open().await;
        let mut file = response.into_body().into_data_stream();
        assert!(file.next().await.unwrap().is_ok());
        keys::revoke(app.log_pool(), None, reader.id()).await.unwrap();
        // A client that takes its time finds the check due when it continues.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(file.next().await.unwrap().is_err(), "{format}");
        assert!(file.next().await.is_none(), "{format}");
        // Who is let in gets all of it, in whatever coding.
        for coding in ["identity", "gzip", "zstd"] {
            let call = app
                .call("GET", &path)
                .bearer(owner.reveal())
                .header("accept-encoding", coding);
            let whole = call.send().await;
            assert!(
                coding != "identity" || whole.text().lines().count() >= 3_000,
                "{format}"
            );
            assert_eq!(whole.header("content-encoding").unwrap_or("identity"), coding);
        }
    }
}

#[tokio::test]
async fn a_list_that_is_still_being_sent_is_not_taken_from_a_key_that_was_revoked_meanwhile() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let (lines, body) = futures::channel::mpsc::unbounded();
    let body = Body::from_stream(body.map(Ok::<_, std::convert::Infallible>));
    let sending = app
        .call("POST", "/api/v4/batches")
        .bearer(owner.reveal())
        .body("text/csv", body)
        .send();
    let revoking = async {
        lines.unbounded_send("domain\na.com\n").unwrap();
        keys::revoke(app.log_pool(), None, owner.id()).await.unwrap();
        // The sender stays open: only the check can end it.
        lines
    };
    let (answer, _lines) = tokio::join!(sending, revoking);
    answer.problem(401, "invalid_credentials");
    assert_eq!(app.head().await, 0, "nothing was taken");
}

#[tokio::test]
async fn an_answer_that_waits_is_not_given_to_a_key_that_was_revoked_meanwhile() {
    let app = watchful().await;
    let owner = key(&app, &[Write]).await;
    let waiting = app
        .call("POST", "/api/v4/scans")
        .bearer(owner.reveal())
        .header("prefer", "wait=50")
        .json(&json!({ "domain": "a.com" }))
        .send();
    let revoking = async {
        let id = crate::support::app::wait_for("the scan", async || {
            let answer = app
                .call("GET", "/api/v4/scans")
                .bearer(owner.reveal())
                .send()
                .await;
            answer.json()["items"][0]["scan_id"].as_str().map(str::to_owned)
        })
        .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        keys::revoke(app.log_pool(), None, owner.id()).await.unwrap();
        app.complete(&id, &Findings::default()).await;
    };
    let (answer, ()) = tokio::join!(waiting, revoking);
    answer.problem(401, "invalid_credentials");
}

/// A complete body is not checked again.
#[tokio::test]
async fn an_answer_without_a_body_that_is_under_way_is_left_alone() {
    let app = watchful().await;
    let owner = key(&app, &[Read]).await;
    let response = app
        .call("GET", "/api/v4/scans")
        .bearer(owner.reveal())
        .open()
        .await;
    let body: Body = response.into_body();
    keys::revoke(app.log_pool(), None, owner.id()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(axum::body::to_bytes(body, 1 << 20).await.is_ok());
}
