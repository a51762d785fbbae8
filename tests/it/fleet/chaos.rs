//! Everything is killed while a batch is under way: workers, dispatchers, NATS, the primary of PostgreSQL.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::cluster::Cluster;
use super::engines::{Engines, Nats};
use super::processes::{Node, sitelog, to_sites};
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const SITES: usize = 1500;
/// Each step waits for a condition; so long at most, on whatever machine.
const LIMIT: Duration = Duration::from_mins(6);

fn name(number: usize) -> String {
    format!("site{number:05}.sites.test")
}

/// The service on its machines.
struct Fleet {
    server: Arc<Server>,
    batch: String,
}

impl Fleet {
    /// Waits until so many scans of the batch have ended.
    async fn reach(&self, ended: u64) {
        let path = format!("/api/v4/batches/{}", self.batch);
        let count = |batch: &Value| batch["completed"].as_u64().unwrap() + batch["failed"].as_u64().unwrap();
        self.server
            .wait_for(&path, LIMIT, |batch| count(batch) >= ended)
            .await;
    }
}

/// It takes minutes, and both processors.
fn is_wanted() -> bool {
    let is_wanted = std::env::var_os("SITELOG_TEST_FLEET").is_some();
    if !is_wanted {
        eprintln!("SKIPPED: set SITELOG_TEST_FLEET=1 (script/test-fleet does) to kill a whole fleet");
    }
    is_wanted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_outlasts_kills_of_every_machine_and_each_scan_ends_once() {
    if !is_wanted() {
        return;
    }
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let options = SitesOptions {
        sites: SITES,
        urls_per_sitemap: 5,
        ..SitesOptions::default()
    };
    let nats = Nats::start(&engines, 3, "");
    let (cluster, sites) = tokio::join!(Cluster::start(), Sites::start(options));
    let Some(mut cluster) = cluster else { return };
    let (mut nats, sites) = (nats, sites.unwrap());
    nats.prepare(&["--replicas", "3"]).await;

    let (url, dir) = (cluster.database_url(), nats.dir.path().to_owned());
    let api = [
        ("DATABASE_URL", url.as_str()),
        ("SITELOG_DATABASE__CONNECTIONS", "24"),
    ];
    let server = Arc::new(Server::start_with(&sites, &api, &["--roles", "api,projector"]));
    let mut settings = Vec::from(nats.settings("dispatcher"));
    settings.push(("DATABASE_URL", url.clone()));
    settings.push(("SITELOG_DATABASE__CONNECTIONS", "16".to_owned()));
    let dispatch = |name: &str, roles: &str| {
        Node::start(name, &dir, sitelog(&["serve", "--roles", roles], &dir, &settings))
    };
    let mut dispatchers = [
        dispatch("dispatcher1", "dispatcher,relay"),
        dispatch("dispatcher2", "dispatcher,relay"),
    ];
    let mut settings = Vec::from(to_sites(&sites));
    settings.extend(nats.settings("worker"));
    let work = |n: usize| {
        let command = sitelog(&["worker", "--concurrency", "12"], &dir, &settings);
        Node::start(&format!("worker{n}"), &dir, command)
    };
    let mut workers = [work(1), work(2), work(3)];

    let names: Vec<String> = (0..SITES).map(name).collect();
    let fleet = Fleet {
        batch: server.request_batch(&names).await,
        server: Arc::clone(&server),
    };
    let done = CancellationToken::new();
    let acknowledged = requests_of_a_client(&server, &done);
    let leases = hosts_under_two_leases(url.clone(), &done);

    fleet.reach(100).await;
    workers[0].kill();
    fleet.reach(200).await;
    dispatchers[0].kill();
    nats.nodes[0].kill();
    workers[0].restart();
    fleet.reach(350).await;
    nats.nodes[0].restart();
    dispatchers[0].restart();
    workers[1].freeze();
    fleet.reach(450).await;
    // A machine with the primary on it goes.
    let dead = cluster.kill_primary().await;
    fleet.reach(600).await;
    cluster.bring_back(dead).await;
    workers[1].thaw();
    nats.nodes[1].kill();
    dispatchers[1].kill();
    fleet.reach(750).await;
    dispatchers[1].restart();
    nats.nodes[1].restart();
    // A machine stands still, and comes back as if nothing had happened.
    let frozen = cluster.freeze_primary().await;
    fleet.reach(900).await;
    cluster.thaw(frozen);
    workers[2].kill();
    workers[2].restart();

    fleet.reach(SITES as u64).await;
    done.cancel();
    let acknowledged = acknowledged.await.unwrap();
    assert_eq!(
        leases.await.unwrap(),
        Vec::<String>::new(),
        "one lease for each host at a time"
    );
    for scan in &acknowledged {
        let path = format!("/api/v4/scans/{scan}");
        server
            .wait_for(&path, LIMIT, |scan| {
                ["completed", "failed"].contains(&scan["status"].as_str().unwrap())
            })
            .await;
    }
    let batch = server.get(&format!("/api/v4/batches/{}", fleet.batch)).await;
    assert_eq!(
        (&batch["completed"], &batch["status"]),
        (&json!(SITES), &json!("completed")),
        "{batch}"
    );
    assert_whole_log(&url, SITES + acknowledged.len(), &acknowledged).await;
    for arguments in [&["log", "verify"][..], &["projections", "verify"]] {
        let verified = server.run(arguments).await;
        assert_eq!(verified.0, Some(0), "{arguments:?}: {}", verified.1);
    }
    assert_copied(&nats, &url).await;
}

/// Requests scans until it is told to stop; returns those that were acknowledged.
fn requests_of_a_client(server: &Arc<Server>, done: &CancellationToken) -> AbortOnDropHandle<Vec<String>> {
    let (server, done) = (Arc::clone(server), done.clone());
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        while !done.is_cancelled() {
            // Of the same sites: a host is never under two leases.
            let domain = json!({ "domain": name(acknowledged.len() * 7 % SITES) });
            let scan = server.post("/api/v4/scans", &domain).await;
            acknowledged.push(scan["scan_id"].as_str().unwrap().to_owned());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        acknowledged
    }))
}

/// Looks again and again for hosts that two workers may visit at once.
fn hosts_under_two_leases(url: String, done: &CancellationToken) -> AbortOnDropHandle<Vec<String>> {
    let done = done.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let found = Mutex::new(HashSet::new());
        while !done.is_cancelled() {
            let look = async {
                let mut connection = PgConnection::connect(&url).await?;
                loop {
                    let twice: Vec<String> = sqlx::query_scalar(
                        "select host from scan_task where leased_until is not null group by host having count(*) > 1",
                    )
                    .fetch_all(&mut connection)
                    .await?;
                    found.lock().unwrap().extend(twice);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            };
            tokio::select! {
                // While there is no primary there is nothing to see.
                looked = look => drop::<Result<(), sqlx::Error>>(looked),
                () = done.cancelled() => {}
            }
        }
        found.into_inner().unwrap().into_iter().collect()
    }))
}

/// Each scan ended once, nothing that was acknowledged is missing, and positions are dense.
async fn assert_whole_log(url: &str, scans: usize, acknowledged: &[String]) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let endings: Vec<(String, i64)> = sqlx::query_as(
        "select aggregate_id, count(*) from events where event_type in ('ScanCompleted', 'ScanFailed', 'ScanCancelled') \
          group by aggregate_id",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let twice: Vec<_> = endings.iter().filter(|(_, times)| *times != 1).collect();
    assert!(twice.is_empty(), "ended more than once: {twice:?}");
    assert_eq!(endings.len(), scans);
    let ended: HashSet<&str> = endings.iter().map(|(scan, _)| scan.as_str()).collect();
    let missing: Vec<_> = acknowledged
        .iter()
        .filter(|scan| !ended.contains(scan.as_str()))
        .collect();
    assert!(missing.is_empty(), "acknowledged and missing: {missing:?}");
    let (events, last): (i64, i64) = sqlx::query_as("select count(*), max(position) from events")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(events, last, "positions are dense");
    let timelines: i64 =
        sqlx::query_scalar("select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert!(timelines >= 3, "two standbys were promoted: timeline {timelines}");
}

/// The copy on NATS is the log.
async fn assert_copied(nats: &Nats, url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let ours: Vec<(i64, uuid::Uuid)> =
        sqlx::query_as("select position, event_id from events order by position")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    crate::support::app::wait_for("the copy of the log", async || {
        let settings = nats.settings("follower");
        let command = sitelog(&["follow", "--no-wait"], nats.dir.path(), &settings);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if events.len() < ours.len() {
            return None;
        }
        for (event, (position, id)) in events.iter().zip(&ours) {
            assert_eq!(event["position"], json!(position));
            assert_eq!(event["event_id"].as_str().unwrap(), id.to_string());
        }
        Some(())
    })
    .await;
}
