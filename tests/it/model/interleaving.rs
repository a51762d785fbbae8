//! Two logs with the same streams in different interleavings give the same rows.

use std::collections::VecDeque;

use cqrs_es::{Aggregate, DomainEvent};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use sitelog::aggregates::{BatchEvent, DomainScan, ScanEvent};
use sitelog::log::{AppendUnit, EventLog, NewEvent, StreamAppend};
use sitelog::projections::all;
use sitelog::projections::fold::FoldOptions;
use sitelog::values::{BatchOptions, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use super::{Action, DOMAINS, SCANS, batch_id, findings, scan_id};
use crate::support::postgres::TestDatabase;

/// An event of a stream.
#[derive(Clone)]
struct StreamEvent {
    stream: (&'static str, String),
    sequence: i64,
    event: NewEvent,
}

/// The histories of the scans of each domain. What a domain's row is depends on the order of its own scans' events, so
/// these stay in order; everything else may be woven as it likes.
fn lanes(chance: &mut StdRng) -> Vec<VecDeque<StreamEvent>> {
    let mut lanes = vec![VecDeque::new(); DOMAINS];
    let mut scans: Vec<(DomainScan, i64)> = vec![Default::default(); SCANS];
    for _ in 0..60 {
        let scan = chance.random_range(0..SCANS);
        let (state, sequence) = &mut scans[scan];
        let possible: Vec<_> = Action::ALL
            .into_iter()
            .map(|action| action.events(scan, state))
            .filter(|events| !events.is_empty())
            .collect();
        let Some(events) = possible.choose(chance) else {
            continue;
        };
        for event in events {
            state.apply(event.clone());
            *sequence += 1;
            let event = stream_event("domain_scan", scan_id(scan).0, *sequence, event, chance);
            lanes[scan % DOMAINS].push_back(event);
        }
    }
    lanes
}

fn stream_event<E: DomainEvent + serde::Serialize>(
    stream: &'static str,
    id: Uuid,
    sequence: i64,
    event: &E,
    chance: &mut StdRng,
) -> StreamEvent {
    // When it happened is said by the event itself: the log's own time differs from one log to the other.
    let occurred_at = super::now() + chrono::TimeDelta::seconds(chance.random_range(0..1_000_000));
    StreamEvent {
        stream: (stream, id.to_string()),
        sequence,
        event: NewEvent {
            event_id: Uuid::from_u128(chance.random()),
            event_type: event.event_type(),
            event_version: event.event_version(),
            payload: serde_json::to_value(event).unwrap(),
            metadata: json!({ "tenant_id": TenantId::DEFAULT, "actor": "model", "occurred_at": occurred_at }),
        },
    }
}

fn batch_requested(chance: &mut StdRng) -> StreamEvent {
    let event = BatchEvent::BatchRequested {
        total: u32::try_from(SCANS / 2).unwrap(),
        options: BatchOptions::new(None, None),
        items: findings(0),
        monitor_id: None,
    };
    stream_event("batch_scan", batch_id().0, 1, &event, chance)
}

/// One lane after the other.
fn in_a_row(lanes: &[VecDeque<StreamEvent>]) -> Vec<StreamEvent> {
    lanes.iter().flatten().cloned().collect()
}

/// Whichever lane comes next by chance.
fn woven(lanes: &[VecDeque<StreamEvent>], chance: &mut StdRng) -> Vec<StreamEvent> {
    let mut lanes = lanes.to_vec();
    let mut woven = Vec::new();
    loop {
        lanes.retain(|lane| !lane.is_empty());
        if lanes.is_empty() {
            return woven;
        }
        let next = chance.random_range(0..lanes.len());
        woven.extend(lanes[next].pop_front());
    }
}

/// Writes a log and returns the digests of its tables, without positions, and without what says in which order things
/// of different domains came.
async fn digests(events: Vec<StreamEvent>) -> Vec<(String, i64, Option<String>)> {
    let database = TestDatabase::new().await;
    let log = EventLog::open(database.pool.clone());
    for one in events {
        let unit = AppendUnit {
            tenant: TenantId::DEFAULT,
            streams: vec![StreamAppend {
                aggregate_type: one.stream.0,
                aggregate_id: one.stream.1,
                expected: one.sequence - 1,
                events: vec![one.event],
            }],
            bodies: Vec::new(),
            key: None,
        };
        log.append(unit).await.unwrap();
    }
    let head = log.head().await.unwrap();
    for projection in all() {
        projection
            .build_as_of(&log, head, "folded", FoldOptions::default())
            .await
            .unwrap();
    }
    let mut digests = Vec::new();
    for (table, but) in [
        ("jobs", "{position,requested_position}"),
        (
            "batch_jobs",
            "{position,requested_position,start_time,updated_at,processing_time}",
        ),
        ("domains", "{position}"),
        ("sitemaps", "{position}"),
    ] {
        let (rows, digest) = digest(&database.pool, table, but).await;
        digests.push((table.to_owned(), rows, digest));
    }
    digests
}

async fn digest(pool: &PgPool, table: &str, but: &str) -> (i64, Option<String>) {
    let sql = format!(
        "select count(*), sum(hashtextextended((to_jsonb(t) - $1::text::text[])::text, 0))::text from folded.{table} t"
    );
    sqlx::query_as(&sql).bind(but).fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn rows_do_not_depend_on_how_streams_are_interleaved() {
    for seed in 0..4 {
        let mut chance = StdRng::seed_from_u64(seed);
        let lanes = lanes(&mut chance);
        let started = lanes
            .iter()
            .flatten()
            .filter(|one| one.event.event_type == "ScanStarted");
        assert!(started.count() > 3, "the histories tell of something");
        let batch = batch_requested(&mut chance);
        let with_batch = |events: Vec<StreamEvent>| [vec![batch.clone()], events].concat();
        let straight = digests(with_batch(in_a_row(&lanes))).await;
        for _ in 0..2 {
            let woven = digests(with_batch(woven(&lanes, &mut chance))).await;
            assert_eq!(woven, straight, "seed {seed}");
        }
    }
}

#[test]
fn events_of_scans_are_all_that_is_woven() {
    let lanes = lanes(&mut StdRng::seed_from_u64(0));
    let names: Vec<&str> = lanes
        .iter()
        .flatten()
        .map(|one| one.event.event_type.as_str())
        .collect();
    let requested = serde_json::from_value::<ScanEvent>(lanes[0][0].event.payload.clone()).unwrap();
    assert!(matches!(requested, ScanEvent::ScanRequested { .. }));
    assert!(
        names.contains(&"ScanCompleted") && names.contains(&"ScanRetried"),
        "{names:?}"
    );
}
