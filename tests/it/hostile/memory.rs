//! Content of hostile sites does not accumulate in the memory of the process that reads it.

use serde_json::json;

use crate::support::app::wait_for;
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

/// More than the process has with ordinary sites, and far less than one of the bodies.
const FLAT: u64 = 400 << 20;

#[tokio::test]
async fn memory_stays_flat_under_bombs_and_endless_pages() {
    let options = SitesOptions {
        sites: 8,
        bomb_bytes: 10 << 30,
        big_bytes: 2 << 30,
        ..SitesOptions::default()
    };
    let sites = Sites::start(options).await.unwrap();
    let server = Server::start(&sites, &[]);
    let hostile = ["bomb", "big"].map(|name| format!("{name}.sites.test"));
    let good = (0..8).map(|number| Sites::site(number).host());
    let domains: Vec<String> = hostile.into_iter().chain(good).collect();
    let batch = server
        .post("/api/v4/batches", &json!({ "domains": domains }))
        .await;
    let path = format!("/api/v4/batches/{}", batch["batch_id"].as_str().unwrap());
    let ended = wait_for("the batch", async || {
        let batch = server.get(&path).await;
        batch["completed_at"].is_string().then_some(batch)
    })
    .await;
    assert_eq!(
        (&ended["status"], &ended["completed"]),
        (&json!("completed"), &json!(10)),
        "{ended}"
    );
    let peak = server.peak_memory();
    assert!(peak < FLAT, "{} MiB", peak >> 20);
}
