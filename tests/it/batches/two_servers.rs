//! Two servers on one database.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_share_the_work_and_stopping_one_loses_nothing() {
    let sites = Sites::start(SitesOptions {
        sites: 40,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let database = TestDatabase::new().await;
    let settings = [
        ("DATABASE_URL", database.url.as_str()),
        ("SITELOG_WORKER__CONCURRENCY", "4"),
    ];
    let first = Server::start(&sites, &settings);
    let mut second = Server::start(&sites, &settings);
    // Each server comes to hold some of these; so both work, and one is stopped while it does.
    let gates: Vec<_> = (0..8)
        .map(|n| sites.hold(&format!("site{n:05}.sites.test"), "/"))
        .collect();
    let names: Vec<String> = (0..40).map(|n| format!("site{n:05}.sites.test")).collect();
    let batch = first.request_batch(&names).await;
    for gate in &gates {
        gate.reached_by(1).await;
    }
    second.kill();
    drop(gates);
    let path = format!("/api/v4/batches/{batch}");
    let ended = first
        .wait_for(&path, |batch| batch["status"] == "completed")
        .await;
    assert_eq!(ended["completed"], json!(40));
    let mut completions: HashMap<String, usize> = HashMap::new();
    let mut workers = HashSet::new();
    for event in first.all("/api/v4/events").await {
        match event["type"].as_str().unwrap() {
            "ScanCompleted" => *completions.entry(event["stream"]["id"].to_string()).or_default() += 1,
            "ScanStarted" => drop(workers.insert(event["actor"].to_string())),
            _ => {}
        }
    }
    assert_eq!((completions.len(), workers.len()), (40, 2), "both worked");
    assert!(
        completions.values().all(|times| *times == 1),
        "each scan was done once"
    );
}
