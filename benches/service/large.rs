//! A batch of 100,000: the time until all of it is cancelled, and until all of another one is retried, and the effect
//! on another tenant. Both must end within `BOUND`, and the other tenant's p99 must stay below `RATIO` times its idle
//! value; otherwise this program fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;

use crate::client::{Client, LOUD, QUIET, Times};
use crate::processes::{Service, SitesProcess, host};

const LINES: usize = 100_000;
const BOUND: Duration = Duration::from_mins(3);
const RATIO: f64 = 5.0;
const IDLE: Duration = Duration::from_secs(20);

pub async fn run() {
    let sites = SitesProcess::start(1, 60);
    let service = Service::start(&sites, 64);
    let client = Client::new(16);
    let root = service.url("");
    println!("large: a batch of {LINES}");
    let scan = client
        .post(&root, QUIET, "/scans", &json!({ "domain": host(0) }))
        .await;
    let status = format!("/scans/{}", scan["scan_id"].as_str().expect("accepted"));

    let other = Other::start(&client, &root, &status);
    tokio::time::sleep(IDLE).await;
    let idle = other.stop().await;
    println!("  alone                     p99 {idle:.1} ms");

    // The server of the sites has no such ones and answers 404: their scans fail for good at the first attempt.
    let names = |kind: &str| -> Vec<String> {
        (0..LINES)
            .map(|line| format!("{kind}{line}.sites.test"))
            .collect()
    };
    let batch = request(&client, &root, &names("c"), 1).await;
    let other = Other::start(&client, &root, &status);
    let begun = Instant::now();
    client
        .post(&root, LOUD, &format!("{batch}/cancel"), &json!({}))
        .await;
    ended(&client, &root, &batch).await;
    report("cancelled", begun.elapsed(), other.stop().await, idle);

    let batch = request(&client, &root, &names("r"), 1000).await;
    let begun = Instant::now();
    ended(&client, &root, &batch).await;
    println!(
        "  {LINES} scans failed after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let other = Other::start(&client, &root, &status);
    let begun = Instant::now();
    client
        .post(&root, LOUD, &format!("{batch}/retry"), &json!({}))
        .await;
    expanded(&client, &root, &batch, 2).await;
    report("retried", begun.elapsed(), other.stop().await, idle);
    ended(&client, &root, &batch).await;
    println!("  and failed again after {:.0} s", begun.elapsed().as_secs_f64());
    for (line, count) in service.complaints() {
        println!("  server said               {count} times: {line}");
    }
}

fn report(what: &str, took: Duration, p99: f64, idle: f64) {
    let ratio = p99 / idle;
    println!(
        "  {what} within {:.0} s     p99 of the other tenant {p99:.1} ms, {ratio:.1} times that when alone",
        took.as_secs_f64()
    );
    assert!(took <= BOUND, "the last scan was {what} after {took:?}");
    assert!(ratio < RATIO, "the other tenant's p99 rose {ratio:.1} times");
}

async fn request(client: &Client, root: &str, names: &[String], max_concurrent: u32) -> String {
    let body = json!({ "domains": names, "max_concurrent": max_concurrent });
    let batch = client.post(root, LOUD, "/batches", &body).await;
    format!("/batches/{}", batch["batch_id"].as_str().expect("accepted"))
}

/// Until none of the batch's scans is open any more.
async fn ended(client: &Client, root: &str, batch: &str) {
    loop {
        let (_, body) = client.get(root, LOUD, batch).await;
        let batch: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        let count = |name: &str| batch[name].as_u64().unwrap_or_default();
        if count("completed") + count("failed") + count("cancelled") == LINES as u64 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Until all scans of a batch's round are in the log.
async fn expanded(client: &Client, root: &str, batch: &str, round: u64) {
    let (_, body) = client.get(root, LOUD, batch).await;
    let batch: serde_json::Value = serde_json::from_slice(&body).expect("a batch");
    let events = batch["links"]["events"].as_str().expect("a link");
    let events = events.strip_prefix("/api/v4").expect("of this API").to_owned();
    loop {
        let (status, body) = client.get(root, LOUD, &events).await;
        assert_eq!(status, 200, "the events of the batch");
        let events: serde_json::Value = serde_json::from_slice(&body).expect("events");
        let is_it =
            |event: &serde_json::Value| event["type"] == "BatchExpanded" && event["data"]["round"] == round;
        if events["items"].as_array().expect("a list").iter().any(is_it) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A tenant that polls the status of its scan.
struct Other {
    times: Arc<Times>,
    is_over: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Other {
    fn start(client: &Client, root: &str, path: &str) -> Self {
        let (times, is_over) = (Arc::<Times>::default(), Arc::<AtomicBool>::default());
        let (client, root, path) = (client.clone(), root.to_owned(), path.to_owned());
        let (seen, ends) = (Arc::clone(&times), Arc::clone(&is_over));
        let task = tokio::spawn(async move {
            while !ends.load(Ordering::Relaxed) {
                let begun = Instant::now();
                let (status, _) = client.get(&root, QUIET, &path).await;
                seen.add(begun);
                assert_eq!(status, 200, "the other tenant's status");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { times, is_over, task }
    }

    /// The p99 in milliseconds.
    async fn stop(self) -> f64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.expect("each status is answered");
        self.times.p99()
    }
}
