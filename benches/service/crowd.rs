//! Two thousand concurrent clients for a minute: their responses, and the growth of memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::processes::{Service, SitesProcess, host};

const CLIENTS: usize = 2000;
const WHOLE: Duration = Duration::from_mins(1);
const PRINT_EVERY: Duration = Duration::from_secs(10);

/// Responses by status; failures by kind.
type Counts = Arc<Mutex<BTreeMap<String, u64>>>;

pub async fn run() {
    println!(
        "crowd: {CLIENTS} clients for {} s, each with a connection of its own",
        WHOLE.as_secs()
    );
    let sites = SitesProcess::start(100, 60);
    let service = Service::start(&sites, 64);
    println!("  memory before      {} MB", service.memory_kb("VmRSS") / 1024);
    let counts = Counts::default();
    // One for all: making a client costs more than what it asks for. Its pool has a connection for each.
    let shared = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(CLIENTS)
        .timeout(Duration::from_mins(1))
        .build()
        .expect("a client");
    let end = Instant::now() + WHOLE;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            tokio::spawn(client(
                shared.clone(),
                service.url(""),
                number,
                end,
                Arc::clone(&counts),
            ))
        })
        .collect();
    while Instant::now() < end {
        tokio::time::sleep(PRINT_EVERY).await;
        println!("  memory             {} MB", service.memory_kb("VmRSS") / 1024);
    }
    for client in clients {
        client.await.expect("a client ends");
    }
    for (answer, count) in counts.lock().expect("no client panics").iter() {
        println!("  {answer:<18} {count}");
    }
    println!("  peak memory        {} MB", service.memory_kb("VmHWM") / 1024);
    let head = service.get("/readyz").await;
    println!("  afterwards         {head}");
}

/// Sends one request after the other: mostly reads, some scans, sometimes a batch.
async fn client(client: reqwest::Client, root: String, number: usize, end: Instant, counts: Counts) {
    let mut turn = number;
    while Instant::now() < end {
        turn += 1;
        let request = match turn % 10 {
            0 => client
                .post(format!("{root}/api/v4/scans"))
                .header("content-type", "application/json")
                .body(json!({ "domain": host(turn % 100) }).to_string()),
            1 if turn % 100 == 1 => client
                .post(format!("{root}/api/v4/batches"))
                .header("content-type", "text/plain")
                .body("no domain\n".repeat(1000)),
            2 | 3 => client.get(format!("{root}/api/v4/scans?limit=100")),
            4 | 5 => client.get(format!("{root}/api/v4/domains?limit=20")),
            _ => client.get(format!("{root}/api/v4/events?limit=50")),
        };
        let answer = match request.send().await {
            Ok(answer) => {
                let (status, waits) = (answer.status(), answer.headers().contains_key("retry-after"));
                let _broke_off = answer.bytes().await;
                let hint = if waits { " with Retry-After" } else { "" };
                format!("{}{hint}", status.as_u16())
            }
            Err(error) if error.is_timeout() => "no answer in time".to_owned(),
            Err(error) if error.is_connect() => "no connection".to_owned(),
            Err(_) => "broken off".to_owned(),
        };
        *counts
            .lock()
            .expect("no client panics")
            .entry(answer)
            .or_default() += 1;
    }
}
