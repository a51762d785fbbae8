//! Servers that are killed while they send, and two that share the work.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Receiver, Reply};
use crate::support::PATIENCE;
use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const SITES: usize = 60;

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

/// Endpoints that each get all events: with 60 sites, more than 500 deliveries.
const ENDPOINTS: usize = 9;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_with_its_database_it_delivers_each_event_in_order_to_a_receiver_that_fails() {
    let (sites, receiver) = (sites().await, Receiver::start().await);
    let connect_to = format!("{},{}", sites.connect_to(), receiver.connect_to());
    let mut server = Server::start(&sites, &[("SITELOG_FETCH__CONNECT_TO", &connect_to)]);
    let paths: Vec<String> = (0..ENDPOINTS).map(|n| format!("/in{n}")).collect();
    let mut ids = Vec::new();
    for path in &paths {
        ids.push(create(&server, &receiver, &format!("http://a.hook.test{path}")).await);
    }
    // Each sixth request fails in another way.
    let bad = [
        Reply::Status(500),
        Reply::Status(301),
        Reply::Hang,
        Reply::Status(410),
        Reply::SlowBytes,
        Reply::Status(503),
    ];
    receiver.answers((0..180).map(|n| {
        if n % 6 == 5 {
            bad[n / 6 % bad.len()]
        } else {
            Reply::Ok
        }
    }));
    let batch = server.request_batch(&names()).await;
    let end = tokio::time::Instant::now() + PATIENCE;
    for kill in 1..=4 {
        let enough = kill * ENDPOINTS * 10;
        while receiver.received().len() < enough {
            assert!(tokio::time::Instant::now() < end, "{}", receiver.received().len());
            enable_if_gone(&server, &ids).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        if kill % 2 == 0 {
            server.kill_postgres();
        } else {
            server.kill();
            server.restart();
        }
        enable_if_gone(&server, &ids).await;
    }
    let path = format!("/api/v4/batches/{batch}");
    server
        .wait_for(&path, |batch| batch["status"] == "completed")
        .await;
    let all = wanted(&server).await;
    assert_eq!(all.len(), SITES + 1);
    let has_all = |path: &String| first_times(&receiver.accepted(path)).len() == all.len();
    while !paths.iter().all(has_all) {
        if tokio::time::Instant::now() > end {
            let lacking = ids.iter().zip(&paths).find(|(_, path)| !has_all(path)).unwrap().0;
            let webhook = format!("/api/v4/webhooks/{lacking}");
            panic!(
                "{} {}",
                server.get(&webhook).await,
                server.get(&format!("{webhook}/deliveries")).await
            );
        }
        enable_if_gone(&server, &ids).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for path in &paths {
        let accepted = first_times(&receiver.accepted(path));
        assert_eq!(accepted, all, "{path}: each, in order, none skipped");
    }
    assert!(receiver.received().iter().all(|message| message.is_genuine));
}

/// 410 disables an endpoint; somebody enables it again.
async fn enable_if_gone(server: &Server, ids: &[String]) {
    let listed = server.get("/api/v4/webhooks").await;
    for id in ids {
        let is_gone = |item: &Value| item["webhook_id"] == **id && item["status"] == "disabled";
        if listed["items"].as_array().unwrap().iter().any(is_gone) {
            server
                .post(&format!("/api/v4/webhooks/{id}/enable"), &json!({}))
                .await;
        }
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
        .wait_for(&path, |batch| batch["status"] == "completed")
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
