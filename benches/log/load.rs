//! Clients that append as fast as they can for a while.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sitelog::log::{AppendUnit, NewEvent, StreamAppend};
use sitelog::values::TenantId;
use uuid::Uuid;

/// What a request of a scan says, about 300 bytes.
pub fn payload() -> Value {
    json!({ "ScanRequested": {
        "domain": "site00001.sites.test", "batch_id": Uuid::new_v4(), "line": 17, "max_concurrent": 50,
        "options": { "max_pages": 4, "max_attempts": 3, "deadline_seconds": 240 },
    } })
}

/// The actor and the cause.
pub fn metadata() -> Value {
    json!({
        "tenant_id": TenantId::DEFAULT, "actor": "policy:expand_batches", "roles": "system",
        "causation_id": Uuid::new_v4(),
    })
}

/// A new stream of this many events.
pub fn unit(events: usize) -> AppendUnit {
    let event = || NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "ScanRequested".into(),
        event_version: "1".into(),
        payload: payload(),
        metadata: metadata(),
    };
    AppendUnit {
        tenant: TenantId::DEFAULT,
        streams: vec![StreamAppend {
            aggregate_type: "domain_scan",
            aggregate_id: Uuid::new_v4().to_string(),
            expected: 0,
            events: (0..events).map(|_| event()).collect(),
        }],
        bodies: Vec::new(),
        key: None,
    }
}

/// Events per second of this many clients, each of which appends this many events at a time, one append after the other.
pub async fn measure<A, F>(clients: usize, events: usize, time: Duration, append: A) -> f64
where
    A: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let begun = Instant::now();
    let running = (0..clients).map(|_| {
        let append = append.clone();
        tokio::spawn(async move {
            let mut appends = 0;
            while begun.elapsed() < time {
                append().await;
                appends += 1;
            }
            appends
        })
    });
    let mut appends = 0;
    for client in running.collect::<Vec<_>>() {
        appends += client.await.expect("no client fails");
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let written = (appends * events) as f64;
    written / begun.elapsed().as_secs_f64()
}
