//! The primary of PostgreSQL fails in the middle of a batch: how long there are no writes, how many results wait, and
//! whether anything is done twice.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::cluster::Cluster;
use crate::engines::{Engines, Nats};
use crate::machines::{Machines, ROOM, Source};
use crate::service::{Service, SitesProcess, host};

pub async fn run(engines: &Engines, sites: usize) {
    println!(
        "failover: {sites} domains, {ROOM} at once in two worker processes; three PostgreSQL, three NATS on this machine"
    );
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };
    let (farm, url) = (SitesProcess::start(sites, 60), cluster.database_url());
    let machines = Machines::start(engines, &farm, (Source::Nats, 2), (Some(&url), 3)).await;
    let (service, nats) = (&machines.service, machines.nats.as_ref().expect("it was started"));
    let domains: Vec<String> = (0..sites).map(host).collect();
    let body = json!({ "domains": domains, "max_concurrent": 1000, "max_pages": 1 });
    let begun = Instant::now();
    let batch = service.post("/api/v4/batches", &body).await;
    let path = format!(
        "/api/v4/batches/{}",
        batch["batch_id"].as_str().expect("accepted")
    );
    let (ended, most_waiting) = (AtomicBool::new(false), AtomicU64::new(0));
    let kill = async {
        wait_for(service, &path, |batch| {
            batch["completed"].as_u64().unwrap_or_default() >= sites as u64 / 10
        })
        .await;
        let dead = cluster.kill_primary().await;
        wait_for(service, &path, |batch| {
            batch["status"] != "pending" && batch["status"] != "running"
        })
        .await;
        ended.store(true, Ordering::Relaxed);
        dead
    };
    let (_dead, silence, drained) = tokio::join!(
        kill,
        longest_silence(service, sites, &ended),
        watch_waiting(nats, &most_waiting, &ended)
    );
    let took = begun.elapsed();
    let batch = service.get(&path).await;
    assert_eq!(batch["completed"], sites, "{batch}");
    let mut database = PgConnection::connect(&url).await.expect("a primary");
    let twice: i64 = sqlx::query_scalar("select count(*) from events where event_type = 'ScanAbandoned'")
        .fetch_one(&mut database)
        .await
        .expect("a log");
    println!("  without writes     {:>6.1} s", silence.as_secs_f64());
    println!(
        "  results that waited {:>5} at most, {:.1} s until fewer than ten waited again",
        most_waiting.load(Ordering::Relaxed),
        drained.as_secs_f64()
    );
    println!("  scans begun twice  {twice:>6}");
    println!("  the whole batch    {:>6.1} s", took.as_secs_f64());
}

/// Requests until the response matches; requests fail while there is no primary.
async fn wait_for(service: &Service, path: &str, wanted: impl Fn(&Value) -> bool) {
    loop {
        let answer = service.get(path).await;
        if answer.get("status").is_some_and(Value::is_string) && wanted(&answer) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The longest time between two requests that were acknowledged.
async fn longest_silence(service: &Service, sites: usize, ended: &AtomicBool) -> Duration {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    let mut number = 0;
    while !ended.load(Ordering::Relaxed) {
        let domain = json!({ "domain": host(number % sites), "max_pages": 1 });
        let answer = service.post("/api/v4/scans", &domain).await;
        if answer["scan_id"].is_string() {
            longest = longest.max(last.elapsed());
            last = Instant::now();
            number += 1;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    longest
}

/// Records the maximum number of waiting results; returns the time from there until few waited.
async fn watch_waiting(nats: &Nats, most: &AtomicU64, ended: &AtomicBool) -> Duration {
    let admin = async_nats::jetstream::new(nats.client("admin").await);
    let (mut at_most, mut drained) = (Instant::now(), Duration::ZERO);
    while !ended.load(Ordering::Relaxed) {
        if let Ok(results) = admin.get_stream("SITELOG_main_RESULTS").await {
            let waiting = results.cached_info().state.messages;
            if waiting > most.fetch_max(waiting, Ordering::Relaxed) {
                (at_most, drained) = (Instant::now(), Duration::ZERO);
            } else if waiting < 10 && drained.is_zero() {
                drained = at_most.elapsed();
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drained
}
