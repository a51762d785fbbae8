//! The test kills workers, dispatchers, NATS nodes and the primary of PostgreSQL while a batch runs.
//!
//! `checks.rs` checks the result; `controls.rs` shows that these checks can fail.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::checks::{self, StoredResults};
use super::cluster::Cluster;
use super::engines::{Engines, Nats};
use super::processes::{Node, sitelog, to_sites};
use crate::support::PATIENCE;
use crate::support::app::wait_for;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

const SITES: usize = 1500;

fn name(number: usize) -> String {
    format!("site{number:05}.sites.test")
}

/// The request for a scan: only the home page.
fn scan_of(domain: &str) -> Value {
    json!({ "domain": domain, "max_pages": 1 })
}

/// Prints the duration of each step.
struct Steps {
    begun: Instant,
    last: Instant,
}

impl Steps {
    fn begin() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            last: now,
        }
    }

    fn done(&mut self, step: &str) {
        let (took, all) = (self.last.elapsed(), self.begun.elapsed());
        eprintln!(
            "fleet: {:6.1} s (+{:.1}) {step}",
            all.as_secs_f64(),
            took.as_secs_f64()
        );
        self.last = Instant::now();
    }
}

/// The service on its machines, and a running batch.
struct Fleet {
    // Fields are dropped in this order.
    server: Arc<Server>,
    workers: [Node; 3],
    dispatchers: [Node; 2],
    nats: Nats,
    stored: StoredResults,
    cluster: Cluster,
    _sites: Sites,
    batch: String,
    /// Acknowledged scans that were requested in addition to the batch.
    acknowledged: Vec<String>,
}

impl Fleet {
    /// Returns None if the engines are not installed.
    async fn start(steps: &mut Steps) -> Option<Self> {
        let engines = Engines::find_or_skip()?;
        // Small sites that respond slowly. So many scans are running at each kill, even on a fast machine, and the scans
        // need little CPU time.
        let options = SitesOptions {
            sites: SITES,
            urls_per_sitemap: 3,
            small: true,
            pause: Duration::from_millis(100),
            ..SitesOptions::default()
        };
        let nats = async {
            let nats = Nats::start(&engines, 3, "");
            nats.prepare(&["--replicas", "3"]).await;
            let stored = StoredResults::watch(&nats, 3).await;
            (nats, stored)
        };
        let (cluster, sites, (nats, stored)) = tokio::join!(Cluster::start(), Sites::start(options), nats);
        let (cluster, sites) = (cluster?, sites.unwrap());
        steps.done("three PostgreSQL, three NATS");

        let (url, dir) = (cluster.database_url(), nats.dir.path());
        let api = [
            ("DATABASE_URL", url.as_str()),
            ("SITELOG_DATABASE__CONNECTIONS", "24"),
        ];
        let server = Arc::new(Server::start_with(&sites, &api, &["--roles", "api,projector"]));
        let mut settings = Vec::from(nats.settings("dispatcher"));
        settings.push(("DATABASE_URL", url.clone()));
        settings.push(("SITELOG_DATABASE__CONNECTIONS", "16".to_owned()));
        let dispatchers = ["dispatcher1", "dispatcher2"].map(|name| {
            let roles = ["serve", "--roles", "dispatcher,relay"];
            Node::start(name, dir, sitelog(&roles, dir, &settings))
        });
        let mut settings = Vec::from(to_sites(&sites));
        settings.extend(nats.settings("worker"));
        let workers = ["worker1", "worker2", "worker3"].map(|name| {
            let command = sitelog(&["worker", "--concurrency", "32"], dir, &settings);
            Node::start(name, dir, command)
        });
        let names: Vec<String> = (0..SITES).map(name).collect();
        let batch = json!({ "domains": names, "max_pages": 1 });
        let batch = server.post("/api/v4/batches", &batch).await;
        steps.done("the service, and a batch");
        Some(Self {
            server,
            workers,
            dispatchers,
            nats,
            stored,
            cluster,
            _sites: sites,
            batch: batch["batch_id"].as_str().unwrap().to_owned(),
            acknowledged: Vec::new(),
        })
    }

    /// The number of ended scans of the batch.
    async fn ended(&self) -> u64 {
        ended(&self.server.get(&format!("/api/v4/batches/{}", self.batch)).await)
    }

    /// Waits until this number of scans of the batch has ended.
    async fn reach(&self, wanted: u64) {
        let path = format!("/api/v4/batches/{}", self.batch);
        self.server.wait_for(&path, |batch| ended(batch) >= wanted).await;
    }

    /// Waits until the service works again: requests a scan and waits for its end.
    async fn go_on(&mut self) {
        // A site that the batch reaches late: no killed worker holds a lease of its host.
        let domain = scan_of(&name(SITES - 1 - self.acknowledged.len()));
        let scan = self.server.post("/api/v4/scans", &domain).await;
        let scan = scan["scan_id"].as_str().unwrap().to_owned();
        let end = Instant::now() + PATIENCE;
        while !has_ended(&self.server.get(&format!("/api/v4/scans/{scan}")).await) {
            assert!(Instant::now() < end, "scan {scan} does not end");
            // A process that starts while there is no primary exits with an error. Restart it, as systemd would.
            for dispatcher in &mut self.dispatchers {
                if dispatcher.has_failed() {
                    dispatcher.restart();
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.acknowledged.push(scan);
    }

    /// Waits until this worker holds no lease. Results that it delivers afterwards are late.
    async fn lose(&self, worker: &Node) {
        let names = format!("worker:%:{}", worker.id());
        let url = self.cluster.database_url();
        wait_for("the end of a frozen worker's leases", async || {
            let mut database = PgConnection::connect(&url).await.ok()?;
            let held: i64 = sqlx::query_scalar(
                "select count(*) from scan_task where leased_until is not null and worker like $1",
            )
            .bind(&names)
            .fetch_one(&mut database)
            .await
            .ok()?;
            (held == 0).then_some(())
        })
        .await;
    }

    async fn step(&self, step: &str, steps: &mut Steps) {
        steps.done(&format!("{step} ({} of {SITES} scanned)", self.ended().await));
    }

    /// Kills and freezes the parts of the service.
    async fn endure(&mut self, steps: &mut Steps) {
        self.reach(30).await;
        // A machine is frozen and later continues.
        let frozen = self.cluster.freeze_primary().await;
        self.workers[1].freeze();
        self.workers[0].kill();
        self.workers[2].kill();
        self.dispatchers[0].kill();
        self.nats.nodes[0].kill();
        self.workers[0].restart();
        self.workers[2].restart();
        self.dispatchers[0].restart();
        self.cluster.is_replaced(frozen).await;
        steps.done("another primary");
        self.cluster.thaw(frozen);
        self.go_on().await;
        self.nats.nodes[0].restart();
        self.step(
            "primary and a worker frozen; two workers, dispatcher, NATS node killed",
            steps,
        )
        .await;
        tokio::join!(self.lose(&self.workers[1]), self.cluster.follows(frozen));
        self.workers[1].thaw();
        self.step(
            "that worker has lost its leases, that PostgreSQL is a standby",
            steps,
        )
        .await;
        // The machine with the primary fails.
        let dead = self.cluster.kill_primary().await;
        self.dispatchers[1].kill();
        self.nats.nodes[1].kill();
        self.dispatchers[1].restart();
        self.go_on().await;
        self.nats.nodes[1].restart();
        self.cluster.bring_back(dead);
        self.step("primary, dispatcher, NATS node killed", steps).await;
        self.reach(SITES as u64).await;
    }

    /// Errors in the log and on the broker.
    async fn faults(&self, acknowledged: &[String]) -> Vec<String> {
        let mut database = PgConnection::connect(&self.cluster.database_url()).await.unwrap();
        assert_two_promotions(&mut database).await;
        // Some copied messages are lost with their broker, because copies are not acknowledged.
        assert!(self.stored.count().await > SITES / 2);
        [
            checks::not_ended_once(&mut database).await,
            checks::read_by_another_worker(&mut database).await,
            checks::not_in_the_log(&mut database, acknowledged).await,
            checks::gaps(&mut database).await,
            self.stored.twice().await,
        ]
        .concat()
    }

    async fn verify(&self, arguments: &[&str]) {
        let verified = self.server.run(arguments).await;
        assert_eq!(verified.0, Some(0), "{arguments:?}: {}", verified.1);
    }
}

fn ended(batch: &Value) -> u64 {
    batch["completed"].as_u64().unwrap() + batch["failed"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_outlasts_kills_of_every_machine_and_each_scan_ends_once() {
    let mut steps = Steps::begin();
    let Some(mut fleet) = Fleet::start(&mut steps).await else {
        return;
    };
    let (server, url) = (Arc::clone(&fleet.server), fleet.cluster.database_url());
    let done = CancellationToken::new();
    let requests = requests_of_a_client(&server, &done);
    let leases = hosts_under_two_leases(url.clone(), &done);
    fleet.endure(&mut steps).await;
    done.cancel();
    let mut acknowledged = requests.await.unwrap();
    for scan in &acknowledged {
        let path = format!("/api/v4/scans/{scan}");
        server.wait_for(&path, has_ended).await;
    }
    acknowledged.append(&mut fleet.acknowledged);
    steps.done("all scans have ended");
    let batch = server.get(&format!("/api/v4/batches/{}", fleet.batch)).await;
    assert_eq!(
        (&batch["completed"], &batch["status"]),
        (&json!(SITES), &json!("completed")),
        "{batch}"
    );
    assert_eq!(leases.await.unwrap(), BTreeSet::new());
    assert_eq!(fleet.faults(&acknowledged).await, Vec::<String>::new());
    steps.done("no fault in the log, or on the broker");
    tokio::join!(
        fleet.verify(&["log", "verify"]),
        fleet.verify(&["projections", "verify"]),
        assert_copied(&fleet.nats, &url),
    );
    steps.done("log, read models and the copy verified");
    drop(fleet);
    steps.done("stopped");
}

fn has_ended(scan: &Value) -> bool {
    ["completed", "failed"].contains(&scan["status"].as_str().unwrap())
}

/// Requests scans until it is stopped; returns the acknowledged ones.
fn requests_of_a_client(server: &Arc<Server>, done: &CancellationToken) -> AbortOnDropHandle<Vec<String>> {
    let (server, done) = (Arc::clone(server), done.clone());
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        while !done.is_cancelled() {
            // The same sites as in the batch, to check that a host never has two leases.
            let domain = scan_of(&name(acknowledged.len() * 7 % SITES));
            let scan = server.post("/api/v4/scans", &domain).await;
            acknowledged.push(scan["scan_id"].as_str().unwrap().to_owned());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        acknowledged
    }))
}

/// Repeatedly looks for hosts that have two leases.
fn hosts_under_two_leases(url: String, done: &CancellationToken) -> AbortOnDropHandle<BTreeSet<String>> {
    let done = done.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        let found = Mutex::new(BTreeSet::new());
        while !done.is_cancelled() {
            let look = async {
                let mut database = PgConnection::connect(&url).await?;
                loop {
                    let twice = checks::leased_twice(&mut database).await?;
                    found.lock().unwrap().extend(twice);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            tokio::select! {
                // There is nothing to check while there is no primary.
                looked = look => drop::<Result<(), sqlx::Error>>(looked),
                () = done.cancelled() => {}
            }
        }
        found.into_inner().unwrap()
    }))
}

async fn assert_two_promotions(database: &mut PgConnection) {
    let timeline: i64 =
        sqlx::query_scalar("select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint")
            .fetch_one(database)
            .await
            .unwrap();
    assert!(timeline >= 3, "two standbys were promoted: timeline {timeline}");
}

/// The copy on NATS equals the log.
async fn assert_copied(nats: &Nats, url: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let ours: Vec<(i64, uuid::Uuid)> =
        sqlx::query_as("select position, event_id from events order by position")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let jetstream = async_nats::jetstream::new(nats.client("admin").await);
    wait_for("the copy of the log", async || {
        let copy = jetstream.get_stream("SITELOG_main_LOG").await.ok()?;
        (copy.cached_info().state.last_sequence >= ours.len() as u64).then_some(())
    })
    .await;
    let settings = nats.settings("follower");
    let text = wait_for("a reader of the copy", async || {
        let command = sitelog(&["follow", "--no-wait"], nats.dir.path(), &settings);
        let output = tokio::process::Command::from(command).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        output.status.success().then_some(text)
    })
    .await;
    let copied: Vec<(i64, uuid::Uuid)> = text
        .lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap();
            let id = event["event_id"].as_str().unwrap().parse().unwrap();
            (event["position"].as_i64().unwrap(), id)
        })
        .collect();
    assert!(
        copied.len() >= ours.len(),
        "{} of {} events",
        copied.len(),
        ours.len()
    );
    for (copied, ours) in copied.iter().zip(&ours) {
        assert_eq!(copied, ours);
    }
}
