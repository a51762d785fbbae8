//! Policies: an unreadable event affects only its own consequences.

use serde_json::json;
use sqlx::PgPool;

use crate::support::app::{TestApp, wait_for};

async fn quarantined(pool: &PgPool) -> Vec<(String, String, String)> {
    sqlx::query_as("select name, event_type, error from policy_parked order by name")
        .fetch_all(pool)
        .await
        .unwrap()
}

/// Requests a batch of one domain.
async fn request(app: &TestApp, domain: &str) -> String {
    let answer = app
        .post_json("/api/v4/batches", &json!({ "domains": [domain] }))
        .await;
    answer.json()["batch_id"].as_str().unwrap().to_owned()
}

/// Replaces the stored list of a batch by something that cannot be unpacked.
async fn break_list(pool: &PgPool, batch: &str) {
    let changed = sqlx::query("update event_body set bytes = 'not compressed' where subject = $1")
        .bind(batch)
        .execute(pool)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
}

#[tokio::test]
async fn a_batch_whose_list_cannot_be_read_is_quarantined_and_the_next_one_is_done() {
    let app = TestApp::builder().without_projector().start().await;
    let pool = app.log_pool().clone();
    let broken = request(&app, "a.com").await;
    let sound = request(&app, "b.com").await;
    break_list(&pool, &broken).await;
    app.start_projector();
    assert_eq!(app.scans_of_batch(&sound, 1).await[0]["domain"], "b.com");
    let events = quarantined(&pool).await;
    assert_eq!(events.len(), 1, "{events:?}");
    let (policy, event_type, error) = &events[0];
    assert_eq!(
        (policy.as_str(), event_type.as_str()),
        ("expand_batches", "BatchRequested")
    );
    assert!(error.contains(&broken), "{error}");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_quarantined_by_each_policy_and_all_others_are_followed() {
    let app = TestApp::builder().without_projector().start().await;
    let pool = app.log_pool().clone();
    let stream = "00000000-0000-0000-0000-00000000000f";
    sqlx::query(
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
         values ('domain_scan', $1, 1, 'ScanRequested', '1', '{\"ScanRequested\": 5}', '{}')",
    )
    .bind(stream)
    .execute(&pool)
    .await
    .unwrap();
    let scan = app.create_scan("a.com").await;
    app.start_projector();
    wait_for("the scan's task", async || {
        let task: Option<bool> = sqlx::query_scalar("select true from scan_task where scan_id::text = $1")
            .bind(&scan)
            .fetch_optional(&pool)
            .await
            .unwrap();
        task
    })
    .await;
    let events = wait_for("both policies", async || {
        let events = quarantined(&pool).await;
        (events.len() == 2).then_some(events)
    })
    .await;
    assert_eq!(
        json!(
            events
                .iter()
                .map(|(policy, kind, _)| (policy, kind))
                .collect::<Vec<_>>()
        ),
        json!([
            ["complete_batches", "ScanRequested"],
            ["schedule_scans", "ScanRequested"]
        ])
    );
}
