//! Clients of two tenants, and the times of their requests.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The demanding tenant.
pub const LOUD: &str = "00000000-0000-4000-8000-000000000001";
/// The other one.
pub const QUIET: &str = "00000000-0000-4000-8000-000000000002";

/// Times of one kind of request, in milliseconds.
#[derive(Default)]
pub struct Times(Mutex<Vec<f64>>);

impl Times {
    pub fn add(&self, begun: Instant) {
        self.0
            .lock()
            .expect("no client panics")
            .push(begun.elapsed().as_secs_f64() * 1000.0);
    }

    pub fn p99(&self) -> f64 {
        let mut times = self.0.lock().expect("no client panics").clone();
        times.sort_by(f64::total_cmp);
        times
            .get(times.len().saturating_sub(1) * 99 / 100)
            .copied()
            .unwrap_or(f64::NAN)
    }

    pub fn count(&self) -> usize {
        self.0.lock().expect("no client panics").len()
    }
}

#[derive(Clone)]
pub struct Client(reqwest::Client);

impl Client {
    pub fn new(connections: usize) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(connections)
            .timeout(Duration::from_mins(2))
            .build();
        Self(client.expect("a client"))
    }

    pub async fn get(&self, root: &str, tenant: &str, path: &str) -> (u16, Vec<u8>) {
        let request = self
            .0
            .get(format!("{root}/api/v4{path}"))
            .header("x-tenant-id", tenant);
        let Ok(answer) = request.send().await else {
            return (0, Vec::new());
        };
        let status = answer.status().as_u16();
        match answer.bytes().await {
            Ok(body) => (status, body.to_vec()),
            Err(_) => (0, Vec::new()),
        }
    }

    pub async fn post(&self, root: &str, tenant: &str, path: &str, body: &Value) -> Value {
        let request = self
            .0
            .post(format!("{root}/api/v4{path}"))
            .header("x-tenant-id", tenant)
            .header("content-type", "application/json")
            .body(body.to_string());
        let Ok(answer) = request.send().await else {
            return Value::Null;
        };
        let body = answer.bytes().await.unwrap_or_default();
        serde_json::from_slice(&body).unwrap_or_default()
    }

    pub async fn ended(&self, root: &str, tenant: &str, path: &str) {
        loop {
            let (_, body) = self.get(root, tenant, path).await;
            let batch: Value = serde_json::from_slice(&body).unwrap_or_default();
            if batch["progress"] == json!(1.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
