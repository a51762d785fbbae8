//! Clients that request scans and record, outside the database, what was acknowledged to them.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{SITES, host};
use crate::support::PATIENCE;

/// An append that the service acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub(super) scan_id: Uuid,
    pub(super) position: i64,
    /// How often the request was sent until it was acknowledged.
    pub(super) sent: u32,
}

/// Running clients.
pub(super) struct Clients {
    stop: CancellationToken,
    running: Vec<JoinHandle<Vec<Acknowledged>>>,
}

impl Clients {
    /// Starts clients that repeatedly send requests to a server, with pauses.
    pub(super) fn start(address: &str, count: u64, pause: Duration) -> Self {
        let stop = CancellationToken::new();
        let running = (0..count)
            .map(|number| tokio::spawn(client(address.to_owned(), number, pause, stop.clone())))
            .collect();
        Self { stop, running }
    }

    /// Lets each client complete its last request, and returns what was acknowledged to them.
    pub(super) async fn stop(self) -> Vec<Acknowledged> {
        self.stop.cancel();
        let known = futures::future::join_all(self.running).await;
        known.into_iter().flat_map(Result::unwrap).collect()
    }
}

async fn client(address: String, number: u64, pause: Duration, stop: CancellationToken) -> Vec<Acknowledged> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut chance = StdRng::seed_from_u64(number);
    let mut known = Vec::new();
    while !stop.is_cancelled() {
        let key = Uuid::new_v4().to_string();
        let body = json!({ "domain": host(chance.random_range(0..SITES)) });
        let first = acknowledged(&client, &address, &key, &body).await;
        // Whoever is not sure asks again, and hears the same.
        if chance.random_bool(0.2) {
            let again = acknowledged(&client, &address, &key, &body).await;
            assert_eq!(
                (again.scan_id, again.position),
                (first.scan_id, first.position),
                "a repeat under the same key"
            );
        }
        known.push(first);
        tokio::time::sleep(pause).await;
    }
    known
}

/// Sends a request, always under the same key, until it is acknowledged.
async fn acknowledged(client: &reqwest::Client, address: &str, key: &str, body: &Value) -> Acknowledged {
    let end = Instant::now() + PATIENCE;
    for sent in 1.. {
        let request = client
            .post(format!("http://{address}/api/v4/scans"))
            .timeout(Duration::from_secs(15))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(body.to_string());
        match answer_to(request).await {
            Ok((StatusCode::ACCEPTED, answer)) => {
                return Acknowledged {
                    scan_id: answer["scan_id"].as_str().unwrap().parse().unwrap(),
                    position: answer["position"].as_i64().unwrap(),
                    sent,
                };
            }
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) | Err(_) => {}
            Ok((status, answer)) => panic!("{status}: {answer}"),
        }
        assert!(Instant::now() < end, "never acknowledged");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    unreachable!("the loop ends by an answer or a panic")
}

async fn answer_to(request: reqwest::RequestBuilder) -> Result<(StatusCode, Value), reqwest::Error> {
    let answer = request.send().await?;
    let status = answer.status();
    let content = answer.bytes().await?;
    Ok((status, serde_json::from_slice(&content).unwrap_or_default()))
}
