//! Servers that are killed while they send, and two that share the work.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const SITES: usize = 60;
const LIMIT: Duration = Duration::from_mins(4);

async fn sites() -> Sites {
    let options = SitesOptions {
        sites: SITES,
        urls_per_sitemap: 1,
        ..SitesOptions::default()
    };
    Sites::start(options).await.unwrap()
}

async fn create(server: &Server, receiver: &Receiver, url: &str) -> String {
    let settings = json!({ "url": url, "events": ["scan.completed", "batch.completed"] });
    let created = server.post("/api/v4/webhooks", &settings).await;
    receiver.knows(created["secret"].as_str().unwrap());
    let id = created["webhook_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v4/webhooks?at_least={}", created["position"]);
    server.get(&path).await;
    id
}

fn names() -> Vec<String> {
    (0..SITES).map(|n| format!("site{n:05}.sites.test")).collect()
}

/// Positions of what the endpoints are to get.
async fn wanted(server: &Server) -> Vec<i64> {
    let events = server.all("/api/v4/events").await;
    let wanted = events
        .iter()
        .filter(|event| matches!(event["type"].as_str(), Some("ScanCompleted" | "BatchCompleted")));
    wanted.map(|event| event["position"].as_i64().unwrap()).collect()
}

/// What was accepted, repetitions aside: the order in which each came first.
fn first_times(accepted: &[i64]) -> Vec<i64> {
    let mut seen = Vec::new();
    for position in accepted {
        if !seen.contains(position) {
            seen.push(*position);
        }
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_it_delivers_each_event_in_order_to_a_receiver_that_fails() {
    let (sites, receiver) = (sites().await, Receiver::start().await);
    let connect_to = format!("{},{}", sites.connect_to(), receiver.connect_to());
    let mut server = Server::start(&sites, &[("SITELOG_FETCH__CONNECT_TO", &connect_to)]);
    let id = create(&server, &receiver, "http://a.hook.test/in").await;
    // Each third request fails in another way.
    let bad = [
        Reply::Status(500),
        Reply::Status(301),
        Reply::Status(410),
        Reply::Status(503),
    ];
    receiver.answers((0..24).flat_map(|n| [Reply::Ok, Reply::Ok, bad[n % bad.len()]]));
    let batch = server.request_batch(&names()).await;
    let end = tokio::time::Instant::now() + LIMIT;
    for kill in 1..=3 {
        let enough = kill * 10;
        while receiver.received().len() < enough {
            assert!(tokio::time::Instant::now() < end, "{:?}", receiver.received());
            enable_if_gone(&server, &id).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server.kill();
        server.restart();
        enable_if_gone(&server, &id).await;
    }
    let path = format!("/api/v4/batches/{batch}");
    server
        .wait_for(&path, LIMIT, |batch| batch["status"] == "completed")
        .await;
    let all = wanted(&server).await;
    assert_eq!(all.len(), SITES + 1);
    while first_times(&receiver.accepted("/in")).len() < all.len() {
        assert!(
            tokio::time::Instant::now() < end,
            "{:?} of {all:?}",
            receiver.accepted("/in")
        );
        enable_if_gone(&server, &id).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        first_times(&receiver.accepted("/in")),
        all,
        "each, in order, none skipped"
    );
    assert!(receiver.received().iter().all(|message| message.is_genuine));
}

/// 410 disables an endpoint; somebody enables it again.
async fn enable_if_gone(server: &Server, id: &str) {
    let path = format!("/api/v4/webhooks/{id}");
    if server.get(&path).await["status"] == "disabled" {
        server.post(&format!("{path}/enable"), &json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_make_each_attempt_once() {
    let (sites, receiver) = (sites().await, Receiver::start().await);
    let database = TestDatabase::new().await;
    let connect_to = format!("{},{}", sites.connect_to(), receiver.connect_to());
    let settings = [
        ("DATABASE_URL", database.url.as_str()),
        ("SITELOG_FETCH__CONNECT_TO", &connect_to),
    ];
    let (first, _second) = (Server::start(&sites, &settings), Server::start(&sites, &settings));
    let paths: Vec<String> = (0..6).map(|n| format!("/in{n}")).collect();
    for path in &paths {
        create(&first, &receiver, &format!("http://a.hook.test{path}")).await;
    }
    let batch = first.request_batch(&names()).await;
    let path = format!("/api/v4/batches/{batch}");
    first
        .wait_for(&path, LIMIT, |batch| batch["status"] == "completed")
        .await;
    let all = wanted(&first).await;
    wait_for("all deliveries", async || {
        (receiver.received().len() >= all.len() * paths.len()).then_some(())
    })
    .await;
    let mut attempts: BTreeMap<(String, i64), usize> = BTreeMap::new();
    for message in receiver.received() {
        *attempts
            .entry((message.path.clone(), message.position()))
            .or_default() += 1;
    }
    assert!(attempts.values().all(|times| *times == 1), "{attempts:?}");
    for path in &paths {
        assert_eq!(receiver.accepted(path), all, "{path}");
    }
    let listed: Value = first.get("/api/v4/webhooks").await;
    assert_eq!(listed["items"].as_array().unwrap().len(), paths.len());
}
