//! Memory of the service with 1,000 concurrent scans, each waiting for its site.

use std::time::Duration;

use serde_json::json;

use crate::processes::{Service, SitesProcess};

const SCANS: usize = 1000;

pub async fn run() {
    println!("memory: {SCANS} scans under way at once");
    let sites = SitesProcess::start(10, 600);
    let service = Service::start(&sites, SCANS);
    let before = service.memory_kb("VmRSS");
    let domains: Vec<String> = (0..SCANS).map(|n| format!("n{n}.slow.sites.test")).collect();
    let body = json!({ "domains": domains, "max_concurrent": SCANS });
    let batch = service.post("/api/v4/batches", &body).await;
    let path = format!(
        "/api/v4/batches/{}/scans?status=running&limit=1000",
        batch["batch_id"].as_str().expect("accepted")
    );
    let mut running = 0;
    for _ in 0..200 {
        let page = service.get(&path).await;
        running = running.max(page["items"].as_array().expect("a list").len());
        if running == SCANS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = service.memory_kb("VmRSS");
    println!(
        "  {running} running: {} MB before, {} MB with them",
        before / 1024,
        after / 1024
    );
    service
        .post(
            &format!(
                "/api/v4/batches/{}/cancel",
                batch["batch_id"].as_str().expect("accepted")
            ),
            &json!({}),
        )
        .await;
}
