//! Cancelling and retrying scans and batches.

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

fn status(value: &Value) -> &str {
    value["status"].as_str().unwrap()
}

fn ended(value: &Value) -> bool {
    !["pending", "running"].contains(&status(value))
}

fn domains(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{name}.sites.test")).collect()
}

async fn start(options: SitesOptions) -> (Sites, Server) {
    let sites = Sites::start(options).await.unwrap();
    let server = Server::start(&sites, &[]);
    (sites, server)
}

async fn event_types(server: &Server, stream: &str) -> Vec<String> {
    let events = server.all(&format!("/api/v4/events?stream={stream}")).await;
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_batch_stops_what_runs_and_starts_nothing_more() {
    let (sites, server) = start(SitesOptions {
        sites: 30,
        ..SitesOptions::default()
    })
    .await;
    let gate = sites.hold("site00000.sites.test", "/");
    let names: Vec<String> = (0..30).map(|n| format!("site{n:05}.sites.test")).collect();
    let body = json!({ "domains": names, "max_concurrent": 1 });
    let batch = server.post("/api/v4/batches", &body).await["batch_id"]
        .as_str()
        .unwrap()
        .to_owned();
    gate.reached_by(1).await;
    let answer = server
        .post(&format!("/api/v4/batches/{batch}/cancel"), &json!({}))
        .await;
    assert_eq!(status(&answer), "cancelled");
    let path = format!("/api/v4/batches/{batch}");
    let seen = server
        .wait_for(&path, |batch| batch["cancelled"] == json!(30))
        .await;
    assert_eq!((status(&seen), &seen["completed"]), ("cancelled", &json!(0)));
    gate.open();
    assert_eq!(
        sites.requests_to("site00001.sites.test"),
        0,
        "nothing more was started"
    );
    let again = server
        .post(&format!("/api/v4/batches/{batch}/cancel"), &json!({}))
        .await;
    assert_eq!(status(&again), "cancelled");
    assert_eq!(
        event_types(&server, &batch).await,
        ["BatchRequested", "BatchExpanded", "BatchCancelled"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_batch_scans_only_what_failed_and_ends_a_second_time() {
    let options = SitesOptions {
        sites: 2,
        flaky_failures: 1000,
        ..SitesOptions::default()
    };
    let (sites, server) = start(options).await;
    let batch = server
        .request_batch(&domains(&["site00000", "site00001", "err404"]))
        .await;
    let path = format!("/api/v4/batches/{batch}");
    let first = server.wait_for(&path, ended).await;
    assert_eq!(
        (status(&first), &first["failures"]),
        ("partial", &json!({ "http_status": 1 }))
    );
    let requests = sites.requests_to("site00000.sites.test");
    server.post(&format!("{path}/retry"), &json!({})).await;
    let round_two = |batch: &Value| ended(batch) && batch["completed_at"] != first["completed_at"];
    let second = server.wait_for(&path, round_two).await;
    assert_eq!(
        (&second["completed"], &second["failed"], &second["total"]),
        (&json!(2), &json!(1), &json!(3))
    );
    assert_eq!(
        sites.requests_to("site00000.sites.test"),
        requests,
        "completed scans do not change"
    );
    let expected = [
        "BatchRequested",
        "BatchExpanded",
        "BatchCompleted",
        "BatchReopened",
        "BatchExpanded",
        "BatchCompleted",
    ];
    assert_eq!(event_types(&server, &batch).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retrying_one_scan_of_an_ended_batch_reopens_the_batch() {
    let (_sites, server) = start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await;
    let batch = server.request_batch(&domains(&["site00000", "err403"])).await;
    let path = format!("/api/v4/batches/{batch}");
    let first = server.wait_for(&path, ended).await;
    // Scans and batches are two read models; each follows the log by itself.
    let failed = server
        .wait_for(&format!("{path}/scans?status=failed"), |scans| {
            scans["items"][0].is_object()
        })
        .await;
    let scan = failed["items"][0]["scan_id"].as_str().unwrap();
    server
        .post(&format!("/api/v4/scans/{scan}/retry"), &json!({}))
        .await;
    let second = server
        .wait_for(&path, |batch| {
            ended(batch) && batch["completed_at"] != first["completed_at"]
        })
        .await;
    assert_eq!((status(&second), &second["failed"]), ("partial", &json!(1)));
    let scan = server.get(&format!("/api/v4/scans/{scan}")).await;
    assert_eq!((status(&scan), &scan["attempts"]), ("failed", &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_that_passes_is_tried_again_by_itself() {
    let options = SitesOptions {
        sites: 1,
        flaky_failures: 1,
        ..SitesOptions::default()
    };
    let (_sites, server) = start(options).await;
    let scan = server
        .post("/api/v4/scans", &json!({ "domain": "flaky.sites.test" }))
        .await;
    let path = format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap());
    let scan = server.wait_for(&path, ended).await;
    assert_eq!(
        (status(&scan), &scan["attempts"], &scan["reason"]),
        ("completed", &json!(2), &Value::Null)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_scans_beside_a_running_server_and_tells_by_its_exit_code() {
    let (_sites, server) = start(SitesOptions {
        sites: 2,
        ..SitesOptions::default()
    })
    .await;
    let good = server
        .command(&["scan", "site00001.sites.test", "--json"])
        .output()
        .unwrap();
    let scan: Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!((good.status.code(), status(&scan)), (Some(0), "completed"));
    let bad = server.command(&["scan", "err404.sites.test"]).output().unwrap();
    assert_eq!(bad.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&bad.stdout).contains("http_status"));
    assert_eq!(
        server
            .command(&["scan", "no domain"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
    let seen = server.get("/api/v4/domains/site00001.sites.test").await;
    assert_eq!(
        status(&seen),
        "completed",
        "the server knows what the command found"
    );
}
