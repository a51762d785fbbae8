//! Conditions that must hold after any failure.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sitelog::projections::batch_jobs::BatchJobs;
use sitelog::projections::domains::Domains;
use sitelog::projections::jobs::Jobs;
use sitelog::projections::sitemaps::Sitemaps;
use sitelog::projections::views::views_schema;
use sqlx::PgPool;
use uuid::Uuid;

use super::ledger::Acknowledged;
use super::{NAMES, expire_leases, generation_after};
use crate::support::server::Server;

/// Every acknowledged append is in the log once, every scan ends, the log and all read models verify clean, no task is
/// left, and exactly one generation of each read model counts.
pub(super) async fn assert_whole(server: &Server, hand: &PgPool, known: &[Acknowledged]) {
    assert_acknowledged_once(hand, known).await;
    // Whoever had these is dead; the next may continue at once.
    expire_leases(hand).await;
    for name in NAMES {
        generation_after_any(server, name).await;
    }
    all_scans_end(server, known).await;
    assert_log(hand).await;
    assert_one_live_generation(hand).await;
    let (code, said) = server.run(&["log", "verify"]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = server.run(&["projections", "verify"]).await;
    assert_eq!(code, Some(0), "{said}");
    for name in NAMES {
        server
            .post(&format!("/api/v4/projections/{name}/rebuild"), &json!({}))
            .await;
        generation_after(server, name).await;
    }
    assert_one_live_generation(hand).await;
    assert_nothing_left_behind(hand).await;
}

/// Tasks that nobody requested have ended, too.
async fn generation_after_any(server: &Server, name: &str) {
    let status = server.get(&format!("/api/v4/projections/{name}")).await;
    if !status["task"].is_null() {
        generation_after(server, name).await;
    }
}

async fn assert_acknowledged_once(hand: &PgPool, known: &[Acknowledged]) {
    let ids: Vec<String> = known.iter().map(|one| one.scan_id.to_string()).collect();
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "each request made a scan of its own");
    let requested: Vec<(Uuid, i64)> = sqlx::query_as(
        "select aggregate_id::uuid, position from events where event_type = 'ScanRequested' \
            and payload #>> '{ScanRequested,batch_id}' is null order by position",
    )
    .fetch_all(hand)
    .await
    .unwrap();
    let mut acknowledged: Vec<(Uuid, i64)> = known.iter().map(|one| (one.scan_id, one.position)).collect();
    acknowledged.sort_by_key(|(_, position)| *position);
    assert_eq!(
        requested, acknowledged,
        "the log has each acknowledged request once, where it was said to be, and no other"
    );
}

async fn all_scans_end(server: &Server, known: &[Acknowledged]) {
    for one in known {
        let path = format!("/api/v4/scans/{}?at_least={}", one.scan_id, one.position);
        server
            .wait_for(&path, |scan| {
                !["pending", "running"].contains(&scan["status"].as_str().unwrap_or("pending"))
            })
            .await;
    }
}

/// Positions and sequences are dense, and each attempt of a scan ended once.
async fn assert_log(hand: &PgPool) {
    let (events, last, head): (i64, i64, i64) = sqlx::query_as(
        "select count(*), coalesce(max(position), 0), (select position from log_head) from events",
    )
    .fetch_one(hand)
    .await
    .unwrap();
    assert_eq!((events, events), (last, head), "positions are dense");
    let gaps: Vec<String> = sqlx::query_scalar(
        "select aggregate_id from events group by aggregate_type, aggregate_id having count(*) <> max(sequence)",
    )
    .fetch_all(hand)
    .await
    .unwrap();
    assert_eq!(gaps, Vec::<String>::new(), "sequences are dense");
    let doubled: Vec<(String, Value)> = sqlx::query_as(
        "select aggregate_id, payload -> event_type -> 'attempt' from events \
          where event_type in ('ScanCompleted', 'ScanFailed') group by 1, 2 having count(*) > 1",
    )
    .fetch_all(hand)
    .await
    .unwrap();
    assert_eq!(doubled, Vec::<(String, Value)>::new(), "each attempt ended once");
}

/// The schema of a read model's views.
pub(super) fn views_of(name: &str) -> String {
    match name {
        "domains" => views_schema::<Domains>(),
        "jobs" => views_schema::<Jobs>(),
        "batch_jobs" => views_schema::<BatchJobs>(),
        "sitemaps" => views_schema::<Sitemaps>(),
        other => panic!("there is no read model {other}"),
    }
}

/// One per read model, and the views show that one.
pub(super) async fn assert_one_live_generation(hand: &PgPool) {
    for name in NAMES {
        let live: Vec<i32> =
            sqlx::query_scalar("select generation from projection where name = $1 and state = 'live'")
                .bind(name)
                .fetch_all(hand)
                .await
                .unwrap();
        let [live] = live[..] else {
            panic!("{name} has the live generations {live:?}");
        };
        let views: Vec<(String, String)> =
            sqlx::query_as("select viewname::text, definition from pg_views where schemaname = $1")
                .bind(views_of(name))
                .fetch_all(hand)
                .await
                .unwrap();
        assert!(!views.is_empty(), "{name} has views");
        for (view, definition) in views {
            assert!(
                definition.contains(&format!("FROM {}_g{live}.{view}", views_of(name))),
                "generation {live} is live, and {view} is {definition}"
            );
        }
    }
}

/// No schema but those of the views, of the live generation and of the one before; no half-built one; no open task.
pub(super) async fn assert_nothing_left_behind(hand: &PgPool) {
    let building: i64 = sqlx::query_scalar("select count(*) from projection where state = 'building'")
        .fetch_one(hand)
        .await
        .unwrap();
    let open: i64 =
        sqlx::query_scalar("select count(*) from projection_task where state in ('queued', 'running')")
            .fetch_one(hand)
            .await
            .unwrap();
    assert_eq!((building, open), (0, 0));
    let schemas: BTreeSet<String> =
        sqlx::query_scalar("select nspname::text from pg_namespace where nspname like 'rm\\_%'")
            .fetch_all(hand)
            .await
            .unwrap()
            .into_iter()
            .collect();
    let mut wanted: BTreeSet<String> = NAMES.iter().map(|name| views_of(name)).collect();
    let generations: Vec<(String, i32, String)> =
        sqlx::query_as("select name, generation, state from projection")
            .fetch_all(hand)
            .await
            .unwrap();
    for (name, generation, _) in &generations {
        wanted.insert(format!("{}_g{generation}", views_of(name)));
    }
    assert_eq!(schemas, wanted);
    for name in NAMES {
        let retired = generations
            .iter()
            .filter(|(of, _, state)| of == name && state == "retired");
        assert!(retired.count() <= 1, "{generations:?}");
    }
}
