//! One tenant with a hundred clients that send the most expensive requests, and another one that works normally: the
//! effect on the second tenant.
//!
//! With `SITELOG_BENCH_DATABASE_URL` two servers run on that database instead of one on a private one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, LOUD, QUIET, Times};
use crate::processes::{Service, SitesProcess, host};

/// Clients of the demanding tenant.
const CLIENTS: usize = 100;
const SITES: usize = 2000;
const IDLE: Duration = Duration::from_secs(20);
const BUSY: Duration = Duration::from_mins(1);

pub async fn run() {
    let sites = SitesProcess::start(SITES, 60);
    let database = std::env::var("SITELOG_BENCH_DATABASE_URL").ok();
    let count = if database.is_some() { 2 } else { 1 };
    println!(
        "unfair: {CLIENTS} clients of one tenant for {} s, servers: {count}",
        BUSY.as_secs()
    );
    let services: Vec<Service> = (0..count)
        .map(|_| Service::start_on(&sites, 64, database.as_deref()))
        .collect();
    let client = Client::new(CLIENTS + 16);
    let root = services[0].url("");
    // What there is to read.
    let list: Vec<String> = (0..SITES).map(host).collect();
    let batch = client
        .post(
            &root,
            LOUD,
            "/batches",
            &json!({ "domains": list, "max_concurrent": 1000 }),
        )
        .await;
    let batch = batch["batch_id"].as_str().expect("accepted").to_owned();
    client.ended(&root, LOUD, &format!("/batches/{batch}")).await;
    let scanned: Vec<String> = (0..50).map(host).collect();
    let own = client
        .post(&root, QUIET, "/batches", &json!({ "domains": scanned }))
        .await;
    client
        .ended(
            &root,
            QUIET,
            &format!("/batches/{}", own["batch_id"].as_str().expect("accepted")),
        )
        .await;

    let idle = quiet(&client, &services, Instant::now() + IDLE).await;
    println!("  alone              {idle}");
    let end = Instant::now() + BUSY;
    let asked = Arc::new(AtomicU64::new(0));
    let refused = Arc::new(AtomicU64::new(0));
    let loud: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let root = services[number % services.len()].url("");
            let (client, batch) = (client.clone(), batch.clone());
            let (asked, refused) = (Arc::clone(&asked), Arc::clone(&refused));
            tokio::spawn(async move {
                let mut turn = number;
                while Instant::now() < end {
                    turn += 1;
                    let status = ask_for_much(&client, &root, turn, &batch).await;
                    asked.fetch_add(1, Ordering::Relaxed);
                    if status == 429 || status == 503 {
                        refused.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                }
            })
        })
        .collect();
    let busy = quiet(&client, &services, end).await;
    for client in loud {
        client.await.expect("a client ends");
    }
    println!("  beside the others  {busy}");
    println!(
        "  the others         {} requests, {} of them refused with Retry-After",
        asked.load(Ordering::Relaxed),
        refused.load(Ordering::Relaxed)
    );
    for (name, before, after) in idle.pairs(&busy) {
        println!("  {name:<18} p99 {:.1} times that when alone", after / before);
    }
    for service in &services {
        println!(
            "  memory             {} MB at most",
            service.memory_kb("VmHWM") / 1024
        );
        for (line, count) in service.complaints() {
            println!("  server said        {count} times: {line}");
        }
    }
}

/// The results of the second tenant.
#[derive(Default)]
struct Seen {
    status: Times,
    list: Times,
    export: Times,
    scan: Times,
    failed: AtomicU64,
}

impl Seen {
    fn pairs<'a>(&'a self, other: &'a Self) -> [(&'static str, f64, f64); 4] {
        [
            ("status", self.status.p99(), other.status.p99()),
            ("list", self.list.p99(), other.list.p99()),
            ("export", self.export.p99(), other.export.p99()),
            ("request of a scan", self.scan.p99(), other.scan.p99()),
        ]
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p99 status {:.1} ms ({}), list {:.1} ms ({}), export {:.1} ms ({}), request of a scan {:.1} ms ({}); failed {}",
            self.status.p99(),
            self.status.count(),
            self.list.p99(),
            self.list.count(),
            self.export.p99(),
            self.export.count(),
            self.scan.p99(),
            self.scan.count(),
            self.failed.load(Ordering::Relaxed)
        )
    }
}

/// A tenant that scans, polls, lists and exports, four of each at a time.
async fn quiet(client: &Client, services: &[Service], end: Instant) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let root = services[number % services.len()].url("");
            let (client, seen) = (client.clone(), Arc::clone(&seen));
            tokio::spawn(async move {
                let mut turn = number;
                while Instant::now() < end {
                    turn += 4;
                    let begun = Instant::now();
                    let scan = client
                        .post(&root, QUIET, "/scans", &json!({ "domain": host(turn % SITES) }))
                        .await;
                    seen.scan.add(begun);
                    let Some(id) = scan["scan_id"].as_str() else {
                        seen.failed.fetch_add(1, Ordering::Relaxed);
                        continue;
                    };
                    for (times, path) in [
                        (&seen.status, format!("/scans/{id}")),
                        (&seen.status, format!("/scans/{id}")),
                        (&seen.status, format!("/scans/{id}")),
                        (&seen.list, "/domains?limit=20".to_owned()),
                        (&seen.export, "/domains?format=csv&limit=50".to_owned()),
                    ] {
                        let begun = Instant::now();
                        let (status, _) = client.get(&root, QUIET, &path).await;
                        times.add(begun);
                        if status != 200 {
                            seen.failed.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a client ends");
    }
    seen
}

/// One of each kind that costs much, in turn.
async fn ask_for_much(client: &Client, root: &str, turn: usize, batch: &str) -> u16 {
    let domain = host(turn % SITES);
    let path = match turn % 10 {
        0 => "/domains?format=csv".to_owned(),
        1 => format!("/batches/{batch}/domains?format=ndjson"),
        2 => format!("/domains/{domain}/history"),
        3 => format!("/domains/{domain}?as_of=1000"),
        4 => "/events?limit=1000".to_owned(),
        5 => "/domains?technology=nothing-has-this".to_owned(),
        6 => "/domains?contains=zzzz".to_owned(),
        7 => "/scans?limit=1000".to_owned(),
        8 => {
            let list: Vec<String> = (0..1000).map(|line| format!("no{line}-{turn}.invalid")).collect();
            let accepted = client
                .post(root, LOUD, "/batches", &json!({ "domains": list }))
                .await;
            let Some(id) = accepted["batch_id"].as_str() else {
                return 429;
            };
            client
                .post(root, LOUD, &format!("/batches/{id}/cancel"), &json!({}))
                .await;
            return 200;
        }
        _ => format!("/domains/{domain}/urls?limit=1000"),
    };
    client.get(root, LOUD, &path).await.0
}
