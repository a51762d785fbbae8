//! 10,000 monitors of one domain each, and 100 webhooks that divide their domains among them: their cost while nothing
//! is due, and the cost of running all of them, until each webhook has its events. Nothing may be scanned twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Client, QUIET};
use crate::processes::{Service, SitesProcess, host};

const MONITORS: usize = 10_000;
const WEBHOOKS: usize = 100;
const IDLE: Duration = Duration::from_mins(1);
/// Requests at once.
const CLIENTS: usize = 16;

/// How often each domain was reported.
type Received = Arc<Mutex<HashMap<String, usize>>>;

pub async fn run() {
    let received = Received::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let hooks = listener.local_addr().expect("it listens");
    let routes = Router::new()
        .route("/{hook}", post(take))
        .with_state(Arc::clone(&received));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut sites = SitesProcess::start(MONITORS, 60);
    sites.connect_to = format!("{},*.hook.test={hooks}", sites.connect_to);
    let service = Service::start(&sites, 64);
    let (client, root) = (Client::new(CLIENTS), service.url(""));
    println!("monitors: {MONITORS} of one domain each, {WEBHOOKS} webhooks");
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!("  without any              {:.1} % of the machine", idle().await);

    let begun = Instant::now();
    let created = each(0..MONITORS, async |n| {
        let monitor = json!({ "name": host(n), "domains": [host(n)], "rhythm": "weekly" });
        let created = client.post(&root, QUIET, "/monitors", &monitor).await;
        created["monitor_id"].as_str().expect("created").to_owned()
    })
    .await;
    println!("  created                  {:.0}/s", rate(begun));
    each(0..WEBHOOKS, async |n| {
        let domains: Vec<String> = (n..MONITORS).step_by(WEBHOOKS).map(host).collect();
        let hook = json!({ "url": format!("http://a.hook.test/{n}"), "events": ["scan.completed"], "domains": domains });
        assert!(client.post(&root, QUIET, "/webhooks", &hook).await["webhook_id"].is_string());
    })
    .await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    println!("  while nothing is due     {:.1} % of the machine", idle().await);

    let (begun, busy) = (Instant::now(), busy_seconds());
    each(created.into_iter(), async |id| {
        let run = client
            .post(&root, QUIET, &format!("/monitors/{id}/run"), &Value::Null)
            .await;
        assert!(run["batch_id"].is_string(), "{run}");
    })
    .await;
    println!("  runs began               {:.0}/s", rate(begun));
    while received.lock().expect("no handler panics").len() < MONITORS {
        assert!(begun.elapsed() < Duration::from_mins(10), "not all was delivered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let spent = busy_seconds() - busy;
    println!("  ran, scanned, delivered  {:.0}/s", rate(begun));
    println!(
        "  one run                  {:.1} ms of one processor, with its scan, its delivery and the sites",
        spent * 1000.0 / MONITORS as f64
    );
    let received = received.lock().expect("no handler panics");
    assert!(
        received.values().all(|times| *times == 1),
        "something was scanned twice"
    );
    for (line, count) in service.complaints() {
        println!("  server said              {count} times: {line}");
    }
}

fn rate(begun: Instant) -> f64 {
    MONITORS as f64 / begun.elapsed().as_secs_f64()
}

/// Runs an action for each item, several concurrently.
async fn each<T, R>(items: impl Iterator<Item = T>, work: impl AsyncFn(T) -> R) -> Vec<R> {
    let work = &work;
    futures::stream::iter(items.map(|item| async move { work(item).await }))
        .buffer_unordered(CLIENTS)
        .collect()
        .await
}

async fn take(State(received): State<Received>, body: String) {
    let message: Value = serde_json::from_str(&body).expect("JSON");
    let domain = message["data"]["domain"].as_str().expect("a domain").to_owned();
    *received
        .lock()
        .expect("no handler panics")
        .entry(domain)
        .or_default() += 1;
}

/// The CPU usage in percent over an interval.
async fn idle() -> f64 {
    let (begun, busy) = (Instant::now(), busy_seconds());
    tokio::time::sleep(IDLE).await;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    100.0 * (busy_seconds() - busy) / (begun.elapsed().as_secs_f64() * processors as f64)
}

/// Seconds that the processors were busy since the machine started (`proc(5)`, `/proc/stat`, in hundredths).
fn busy_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").expect("Linux");
    let numbers: Vec<f64> = text
        .lines()
        .next()
        .into_iter()
        .flat_map(|line| line.split_whitespace().skip(1))
        .filter_map(|number| number.parse().ok())
        .collect();
    // user, nice and system; then come idle and waiting.
    numbers.iter().take(3).sum::<f64>() / 100.0
}
