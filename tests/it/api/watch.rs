//! Scans and batches watched by server-sent events.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sitelog::values::{FailureReason, Findings};
use tower::ServiceExt;

use crate::support::app::TestApp;
use crate::support::events::{StreamEvent, parse};

/// An open event stream.
struct Stream {
    body: Body,
    text: String,
}

impl Stream {
    async fn open(router: &Router, path: &str, after: Option<i64>) -> Self {
        let mut request = Request::builder().uri(path).header("accept-encoding", "gzip");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
        for (name, value) in [
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("x-accel-buffering", "no"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(response.headers().get("content-encoding").is_none());
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// Reads until an event of this type comes.
    async fn until(&mut self, kind: &str) {
        while !parse(&self.text).iter().any(|seen| seen.event == kind) {
            assert!(
                self.read_on().await,
                "the stream ended before {kind}: {}",
                self.text
            );
        }
    }

    /// The whole stream, after it has ended.
    async fn rest(mut self) -> Vec<StreamEvent> {
        while self.read_on().await {}
        assert!(self.text.starts_with("retry: 1000\n\n"), "{}", self.text);
        parse(&self.text)
    }

    async fn read_on(&mut self) -> bool {
        let Some(frame) = self.body.frame().await else {
            return false;
        };
        let bytes = frame.unwrap().into_data().unwrap();
        self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        true
    }
}

fn positions(events: &[StreamEvent]) -> Vec<i64> {
    events.iter().map(|seen| seen.id).collect()
}

/// The events of the log for this path.
async fn logged(app: &TestApp, path: &str, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let page = app.get(&format!("{path}?limit=1000")).await.json();
    assert_eq!(page["next"], Value::Null);
    let events = page["items"].as_array().unwrap().iter();
    events.filter(|event| wanted(event)).cloned().collect()
}

/// The events that a watcher of a batch gets.
fn is_of(batch: &str, event: &Value) -> bool {
    event["stream"]["id"] == batch || event["data"]["batch_id"] == batch
}

#[tokio::test]
async fn a_scan_is_told_as_it_goes_to_its_end() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    app.create_scan("b.com").await;
    let path = format!("/api/v4/scans/{id}/events");
    let mut stream = Stream::open(&app.router, &path, None).await;
    stream.until("ScanRequested").await;
    app.fail(&id, FailureReason::Timeout, true).await;
    stream.until("ScanAttemptFailed").await;
    app.complete(&id, &Findings::default()).await;
    let seen = stream.rest().await;
    let logged = logged(&app, &format!("/api/v4/streams/domain_scan/{id}"), |_| true).await;
    assert_eq!(seen.len(), 5);
    for (seen, event) in seen.iter().zip(&logged) {
        assert_eq!(&seen.data, event);
        assert_eq!(
            (json!(seen.id), json!(seen.event)),
            (event["position"].clone(), event["type"].clone())
        );
    }
}

#[tokio::test]
async fn who_comes_back_is_told_exactly_the_rest_and_then_to_stay_away() {
    let app = TestApp::start().await;
    let batch = app.create_batch(&["a.com", "b.com", "c.com"]).await;
    let other = app.create_batch(&["d.com"]).await;
    let path = format!("/api/v4/batches/{batch}/events");
    let live = Stream::open(&app.router, &path, None).await;
    for scan in app.scans_of_batch(&other, 1).await {
        app.complete(scan["scan_id"].as_str().unwrap(), &Findings::default())
            .await;
    }
    for scan in app.scans_of_batch(&batch, 3).await {
        app.complete(scan["scan_id"].as_str().unwrap(), &Findings::default())
            .await;
    }
    let seen = live.rest().await;
    let expected = logged(&app, "/api/v4/events", |event| is_of(&batch, event)).await;
    assert_eq!(
        seen.iter().map(|seen| &seen.data).collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
    assert_eq!(seen.last().unwrap().event, "BatchCompleted");
    let all = positions(&seen);
    for (n, id) in all.iter().enumerate().take(all.len() - 1) {
        let again = Stream::open(&app.router, &path, Some(*id)).await.rest().await;
        assert_eq!(positions(&again), all[n + 1..]);
        let by_query = Stream::open(&app.router, &format!("{path}?after={id}"), None).await;
        assert_eq!(positions(&by_query.rest().await), all[n + 1..]);
    }
    let last = all.last().unwrap().to_string();
    let answer = app.call("GET", &path).header("last-event-id", &last).send().await;
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
}

#[tokio::test]
async fn a_batch_that_was_called_off_is_told_to_the_end_of_its_last_scan() {
    let app = TestApp::start().await;
    let batch = app.create_batch(&["a.com", "b.com"]).await;
    let path = format!("/api/v4/batches/{batch}/events");
    let stream = Stream::open(&app.router, &path, None).await;
    app.post(&format!("/api/v4/batches/{batch}/cancel")).await;
    let seen = stream.rest().await;
    let cancelled = seen.iter().filter(|seen| seen.event == "ScanCancelled").count();
    assert_eq!(cancelled, 2);
    let answer = app
        .call("GET", &path)
        .header("last-event-id", &seen.last().unwrap().id.to_string())
        .send()
        .await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn a_retried_scan_is_told_on() {
    let app = TestApp::start().await;
    let id = app.create_scan("a.com").await;
    app.fail(&id, FailureReason::NotHtml, false).await;
    let path = format!("/api/v4/scans/{id}/events");
    let first = positions(&Stream::open(&app.router, &path, None).await.rest().await);
    app.post(&format!("/api/v4/scans/{id}/retry")).await;
    let mut stream = Stream::open(&app.router, &path, first.last().copied()).await;
    stream.until("ScanRetried").await;
    app.complete(&id, &Findings::default()).await;
    let kinds: Vec<_> = stream.rest().await.into_iter().map(|seen| seen.event).collect();
    assert_eq!(kinds, ["ScanRetried", "ScanStarted", "ScanCompleted"]);
}

#[tokio::test]
async fn changes_are_told_as_they_are_found_to_who_filters_for_them() {
    let app = TestApp::start().await;
    let found = async |domain: &str, title: &str, description: &str| {
        let scan = app.create_scan(domain).await;
        let findings = json!({ "title": title, "description": description });
        let findings: Findings = serde_json::from_value(findings).unwrap();
        app.complete(&scan, &findings).await;
    };
    found("a.com", "one", "of 1").await;
    found("a.com", "two", "of 1").await;
    let path = "/api/v4/changes/events?field=title";
    let mut stream = Stream::open(&app.router, path, None).await;
    // It says from where on before the next change is found, so that nothing is missed after a connection that was cut.
    assert!(stream.read_on().await);
    assert_eq!(stream.text, format!("id: {}\nretry: 1000\n\n", app.head().await));
    found("a.com", "two", "of 2").await;
    found("b.com", "one", "of 3").await;
    found("a.com", "three", "of 2").await;
    stream.until("DomainChanged").await;
    let seen = parse(&stream.text);
    let listed = app.get("/api/v4/changes?field=title&sort=position").await.json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        (seen.len(), &seen[0].data),
        (1, &items[1]),
        "from now on, and only the title"
    );
    // From the beginning, and from where somebody was.
    let first = items[0]["position"].as_i64().unwrap();
    let mut again = Stream::open(&app.router, path, Some(first)).await;
    again.until("DomainChanged").await;
    assert_eq!(positions(&parse(&again.text)), positions(&seen));
    let mut all = Stream::open(&app.router, "/api/v4/changes/events?since=0", None).await;
    all.until("DomainChanged").await;
    assert_eq!(parse(&all.text).len(), 3);
    app.get("/api/v4/changes/events?sort=-position")
        .await
        .problem(400, "invalid_query");
    app.get("/api/v4/changes/events?fields=title")
        .await
        .problem(400, "unknown_parameter");
}

#[tokio::test]
async fn who_takes_nothing_for_long_misses_nothing() {
    let app = TestApp::start().await;
    let names: Vec<String> = (0..700).map(|n| format!("site{n}.com")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let answer = app
        .post_json("/api/v4/batches", &json!({ "domains": names }))
        .await;
    let batch = answer.json()["batch_id"].as_str().unwrap().to_owned();
    let stream = Stream::open(&app.router, &format!("/api/v4/batches/{batch}/events"), None).await;
    app.get_until("/api/v4/events?limit=1000", |answer| {
        answer.text().contains("BatchExpanded")
    })
    .await;
    app.post(&format!("/api/v4/batches/{batch}/cancel")).await;
    app.get_until(&format!("/api/v4/batches/{batch}"), |answer| {
        answer.json()["cancelled"] == 700
    })
    .await;
    let seen = positions(&stream.rest().await);
    let expected: Vec<i64> = (1..=app.head().await).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn nobody_watches_what_is_anothers_or_does_not_exist() {
    let app = TestApp::start().await;
    let (scan, batch) = (app.create_scan("a.com").await, app.create_batch(&["b.com"]).await);
    for path in [
        format!("/api/v4/scans/{scan}/events"),
        format!("/api/v4/batches/{batch}/events"),
    ] {
        app.call("GET", &path)
            .tenant(super::OTHER)
            .send()
            .await
            .problem(404, "not_found");
    }
    for path in ["scans", "batches"] {
        let path = format!("/api/v4/{path}/{}/events", super::UNKNOWN);
        app.get(&path).await.problem(404, "not_found");
    }
    let path = format!("/api/v4/scans/{scan}/events");
    for id in ["x", "-1", "1.5"] {
        let answer = app.call("GET", &path).header("last-event-id", id).send().await;
        answer.problem(400, "invalid_last_event_id");
    }
    app.get(&format!("{path}?after=-1"))
        .await
        .problem(400, "invalid_query");
}
