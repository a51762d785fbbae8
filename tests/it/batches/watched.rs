//! A batch is watched over HTTP: while its server dies, by another server, and when it is stopped.

use crate::support::events::{StreamEvent, parse};
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// Reads an event stream until it ends, breaks, or contains an event of a type; returns the events, and whether it ended normally.
async fn read(
    server: &Server,
    path: &str,
    after: Option<i64>,
    until: Option<&str>,
) -> (Vec<StreamEvent>, bool) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(format!("http://{}{path}", server.address()));
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let mut answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut text = String::new();
    loop {
        if until.is_some_and(|kind| parse(&text).iter().any(|received| received.event == kind)) {
            return (parse(&text), false);
        }
        match answer.chunk().await {
            Ok(Some(bytes)) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Ok(None) => return (parse(&text), true),
            Err(_) => return (parse(&text), false),
        }
    }
}

async fn some_sites() -> (Sites, Vec<String>) {
    let options = SitesOptions {
        sites: 6,
        ..SitesOptions::default()
    };
    let sites = Sites::start(options).await.unwrap();
    let names = (0..6).map(|n| format!("site{n:05}.sites.test")).collect();
    (sites, names)
}

/// What the log has of a batch: its own events, and those of its scans that name it.
async fn logged(server: &Server, batch: &str) -> Vec<i64> {
    let events = server.all("/api/v4/events").await;
    let mine = events
        .iter()
        .filter(|event| event["stream"]["id"] == batch || event["data"]["batch_id"] == batch);
    mine.map(|event| event["position"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_goes_on_where_it_was_after_the_death_of_its_server() {
    let (sites, names) = some_sites().await;
    let mut server = Server::start(&sites, &[]);
    let gate = sites.hold(&names[0], "/");
    let batch = server.request_batch(&names).await;
    let path = format!("/api/v4/batches/{batch}/events");
    let (mut received, ended) = read(&server, &path, None, Some("ScanCompleted")).await;
    assert!(!ended);
    server.kill();
    gate.open();
    server.restart();
    let last = received.last().map(|received| received.id);
    let (rest, ended) = read(&server, &path, last, None).await;
    assert!(ended);
    received.extend(rest);
    let received: Vec<i64> = received.iter().map(|received| received.id).collect();
    assert_eq!(received, logged(&server, &batch).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_server_writes_is_told_by_this_one() {
    let (sites, names) = some_sites().await;
    let database = TestDatabase::new().await;
    let settings = [("DATABASE_URL", database.url.as_str())];
    let works = Server::start(&sites, &settings);
    let shows = Server::start(&sites, &[settings[0], ("SITELOG_WORKER__CONCURRENCY", "1")]);
    let gate = sites.hold(&names[0], "/");
    let batch = works.request_batch(&names).await;
    let path = format!("/api/v4/batches/{batch}/events");
    let watching = read(&shows, &path, None, None);
    let opening = async {
        gate.reached_by(1).await;
        gate.open();
    };
    let ((received, ended), ()) = tokio::join!(watching, opening);
    assert!(ended);
    let received: Vec<i64> = received.iter().map(|received| received.id).collect();
    assert_eq!(received, logged(&works, &batch).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_end_when_the_server_is_told_to_stop() {
    let (sites, names) = some_sites().await;
    let mut server = Server::start(&sites, &[]);
    let gate = sites.hold(&names[0], "/");
    let batch = server.request_batch(&names).await;
    gate.reached_by(1).await;
    let path = format!("/api/v4/batches/{batch}/events");
    let watching = read(&server, &path, None, None);
    let stopping = async {
        server
            .wait_for(&format!("/api/v4/batches/{batch}"), |b| b["completed"] == 5)
            .await;
        server.ask_to_stop().await;
    };
    let ((received, ended), ()) = tokio::join!(watching, stopping);
    gate.open();
    assert!(ended, "it was broken off");
    assert!(!received.is_empty());
    server.wait_for_exit();
    let said = server.said();
    assert!(
        !said.iter().any(|line| line.contains("Aborting requests")),
        "{said:?}"
    );
}
