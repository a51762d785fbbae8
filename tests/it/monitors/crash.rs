//! Servers that are killed while monitors are due, and two servers that share the work: no scheduled time has two
//! runs.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::TimeDelta;
use serde_json::Value;
use sitelog::commands::CommandBus;
use sitelog::log::EventLog;

use super::created_at;
use crate::support::PATIENCE;
use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const MONITORS: usize = 60;

async fn sites() -> Sites {
    let options = SitesOptions {
        sites: MONITORS,
        urls_per_sitemap: 1,
        ..SitesOptions::default()
    };
    Sites::start(options).await.unwrap()
}

/// Monitors of one domain each that have been due for a week.
async fn due(database: &TestDatabase) {
    let bus = CommandBus::new(EventLog::open(database.pool.clone()));
    let then = bus.log().now().await.unwrap() - TimeDelta::days(7);
    for n in 0..MONITORS {
        let rhythm = ["daily", "daily at 6", "30 6 * * *"][n % 3];
        created_at(&bus, rhythm, &[&format!("site{n:05}.sites.test")], then).await;
    }
}

/// The number of runs.
async fn runs(server: &Server) -> usize {
    let events = server.all("/api/v4/events").await;
    events
        .iter()
        .filter(|event| event["type"] == "MonitorRan")
        .count()
}

/// Waits until each has run and each batch has ended; then nothing was done twice.
async fn each_ran_once(server: &Server) {
    wait_for("a run of each", async || {
        (runs(server).await >= MONITORS).then_some(())
    })
    .await;
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        let batches = server.all("/api/v4/batches").await;
        let ended = batches
            .iter()
            .filter(|batch| batch["status"] == "completed")
            .count();
        if ended == MONITORS {
            assert_eq!(batches.len(), MONITORS, "one batch each");
            break;
        }
        assert!(tokio::time::Instant::now() < end, "{batches:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let events = server.all("/api/v4/events").await;
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for event in &events {
        let kind = event["type"].as_str().unwrap();
        let what: &Value = match kind {
            "MonitorRan" => &event["stream"]["id"],
            "BatchRequested" => &event["data"]["monitor_id"],
            "ScanRequested" | "ScanCompleted" => &event["data"]["domain"],
            "MonitorSkipped" => panic!("{event}"),
            _ => continue,
        };
        *counts.entry((kind, what.to_string())).or_default() += 1;
    }
    assert_eq!(counts.len(), 4 * MONITORS);
    assert!(counts.values().all(|times| *times == 1), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_again_and_again_each_due_time_has_one_run() {
    let (sites, database) = (sites().await, TestDatabase::new().await);
    due(&database).await;
    let mut server = Server::start(&sites, &[("DATABASE_URL", database.url.as_str())]);
    for kill in 1..=3 {
        wait_for("some runs", async || {
            (runs(&server).await >= kill * 10).then_some(())
        })
        .await;
        server.kill();
        server.restart();
    }
    each_ran_once(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_begin_each_run_once() {
    let (sites, database) = (sites().await, TestDatabase::new().await);
    due(&database).await;
    let settings = [("DATABASE_URL", database.url.as_str())];
    let (first, _second) = (Server::start(&sites, &settings), Server::start(&sites, &settings));
    each_ran_once(&first).await;
}
