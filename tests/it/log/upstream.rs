//! The table stays compatible with postgres-es: we read what it writes, and the reverse.

use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use postgres_es::PostgresEventRepository;
use serde_json::json;
use sitelog::aggregates::DomainScan;
use sitelog::log::read::EventFilter;

use super::{log, unit};

fn upstream_event(id: &str, sequence: usize) -> SerializedEvent {
    SerializedEvent::new(
        id.into(),
        sequence,
        "domain_scan".into(),
        "ScanCancelled".into(),
        "1".into(),
        json!({ "ScanCancelled": { "domain": "example.com", "batch_id": null, "attempt": 0 } }),
        json!({ "tenant_id": "550e8400-e29b-41d4-a716-446655440000" }),
    )
}

#[tokio::test]
async fn what_the_upstream_repository_writes_gets_a_position_and_a_leaf() {
    let (log, database) = log().await;
    log.append(unit("a", 0, 2)).await.unwrap();
    let upstream = PostgresEventRepository::new(database.pool.clone());
    upstream
        .persist::<DomainScan>(&[upstream_event("b", 1), upstream_event("b", 2)], None)
        .await
        .unwrap();
    log.append(unit("a", 2, 1)).await.unwrap();
    let events = log
        .events(&EventFilter {
            limit: 10,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    let order: Vec<_> = events
        .iter()
        .map(|e| (e.position, e.aggregate_id.as_str(), e.sequence))
        .collect();
    assert_eq!(
        order,
        [(1, "a", 1), (2, "a", 2), (3, "b", 1), (4, "b", 2), (5, "a", 3)]
    );
    let unhashed: i64 = sqlx::query_scalar("select count(*) from events where octet_length(leaf) <> 32")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(unhashed, 0);
}

#[tokio::test]
async fn the_upstream_repository_reads_what_we_write() {
    let (log, database) = log().await;
    let mut ours = unit("c", 0, 0);
    ours.streams[0].aggregate_type = "domain_scan";
    ours.streams[0].events.push(super::event(&json!({ "n": 1 })));
    log.append(ours).await.unwrap();
    let upstream = PostgresEventRepository::new(database.pool.clone());
    let read = upstream.get_events::<DomainScan>("c").await.unwrap();
    assert_eq!(
        (read.len(), read[0].sequence, read[0].payload.clone()),
        (1, 1, json!({ "Happened": { "n": 1 } }))
    );
}

#[tokio::test]
async fn the_optimistic_lock_holds_between_the_two() {
    let (log, database) = log().await;
    let upstream = PostgresEventRepository::new(database.pool.clone());
    upstream
        .persist::<DomainScan>(&[upstream_event("d", 1)], None)
        .await
        .unwrap();
    let mut ours = unit("d", 0, 1);
    ours.streams[0].aggregate_type = "domain_scan";
    assert!(log.append(ours).await.is_err());
    assert!(
        upstream
            .persist::<DomainScan>(&[upstream_event("d", 1)], None)
            .await
            .is_err()
    );
    assert_eq!(log.head().await.unwrap(), 1, "the refused write took no position");
}
