//! The event log against a real PostgreSQL.

mod append;
mod evolution;
mod forget;
mod move_tenant;
mod order;
mod proofs;
mod restore;
mod segments;
mod tail;
mod upstream;
mod verify;

use serde_json::{Value, json};
use sitelog::log::{AppendUnit, EventLog, IdempotencyKey, NewEvent, StreamAppend};
use sitelog::values::TenantId;
use uuid::Uuid;

use crate::support::postgres::TestDatabase;

/// A log in a new database.
async fn log() -> (EventLog, TestDatabase) {
    let database = TestDatabase::new().await;
    (EventLog::open(database.pool.clone()), database)
}

fn event(data: &Value) -> NewEvent {
    NewEvent {
        event_id: Uuid::new_v4(),
        event_type: "Happened".into(),
        event_version: "1".into(),
        payload: json!({ "Happened": data }),
        metadata: json!({ "tenant_id": TenantId::DEFAULT }),
    }
}

/// `count` events onto a stream whose last event is `expected`.
fn unit(stream: &str, expected: i64, count: usize) -> AppendUnit {
    let events = (0..count).map(|n| event(&json!({ "n": n }))).collect();
    AppendUnit {
        tenant: TenantId::DEFAULT,
        streams: vec![StreamAppend {
            aggregate_type: "test",
            aggregate_id: stream.into(),
            expected,
            events,
        }],
        bodies: Vec::new(),
        key: None,
    }
}

fn key(name: &str, body: u8, result: Value) -> IdempotencyKey {
    IdempotencyKey {
        route: "POST /x".into(),
        key: name.into(),
        body_hash: [body; 32],
        result,
    }
}
