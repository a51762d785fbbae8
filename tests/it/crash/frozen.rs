//! A server that is frozen in the middle of work: the others continue without it. When it continues after its lease
//! has expired, its work is refused.

use serde_json::json;
use sqlx::{Connection, PgConnection, PgPool};

use super::whole::{assert_nothing_left_behind, assert_one_live_generation, views_of};
use super::{
    NAMES, Point, ask_for, connection, expire_leases, generation_after, hand, host, linger_at,
    linger_no_more, sites, somebody_lingers,
};
use crate::support::PATIENCE;
use crate::support::app::wait_for;
use crate::support::server::Server;
use crate::support::sites::Sites;

/// A server with all roles, and one on the same database that only serves until the first one is frozen.
fn two_servers(sites: &Sites) -> (Server, Server) {
    let first = Server::start(sites, &[("SITELOG_WORKER__CONCURRENCY", "2")]);
    let data_dir = first.data_dir.path().to_str().unwrap().to_owned();
    let second = Server::start(
        sites,
        &[
            ("SITELOG_WORKER__CONCURRENCY", "2"),
            ("SITELOG_DATA_DIR", &data_dir),
        ],
    );
    (first, second)
}

async fn until(hand: &PgPool, what: &str, sql: &str) {
    wait_for(what, async || {
        let found: bool = sqlx::query_scalar(sql).fetch_one(hand).await.unwrap();
        found.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_frozen_in_the_middle_of_an_append_does_not_stop_the_others() {
    let sites = sites().await;
    let (first, second) = two_servers(&sites);
    let hand = hand(&first);
    // Its append is under way and waits; when it may continue, the server is no longer there. As one statement, bodies
    // and all, it commits without it.
    let mut holder: PgConnection = connection(&first).await;
    let mut tx = holder.begin().await.unwrap();
    sqlx::query("select position from log_head for update")
        .execute(&mut *tx)
        .await
        .unwrap();
    // A list has a body beside its event.
    let body = json!({ "domains": [host(1)] });
    let asked = async {
        let frozen = async {
            until(
                &hand,
                "the append to wait",
                "select exists (select from pg_stat_activity where wait_event_type = 'Lock' \
                    and query like '%append_with_bodies%' and datname = current_database())",
            )
            .await;
            first.freeze();
            tx.rollback().await.unwrap();
            until(
                &hand,
                "the append to be committed",
                "select exists (select from events where event_type = 'BatchRequested')",
            )
            .await;
            let wanted = json!({ "domain": host(2) });
            let other = tokio::time::timeout(PATIENCE, second.post("/api/v4/scans", &wanted)).await;
            first.thaw();
            other.expect("the frozen server keeps the other one from writing")
        };
        let (mine, other) = tokio::join!(first.post("/api/v4/batches", &body), frozen);
        (mine, other)
    };
    let (mine, other) = asked.await;
    for (answer, id, event_type) in [
        (&mine, "batch_id", "BatchRequested"),
        (&other, "scan_id", "ScanRequested"),
    ] {
        let requested: i64 = sqlx::query_scalar(
            "select count(*) from events where event_type = $3 and aggregate_id = $1 and position = $2",
        )
        .bind(answer[id].as_str().unwrap())
        .bind(answer["position"].as_i64().unwrap())
        .bind(event_type)
        .fetch_one(&hand)
        .await
        .unwrap();
        assert_eq!(requested, 1, "{answer}");
    }
    let requested: i64 =
        sqlx::query_scalar("select count(*) from events where event_type = 'BatchRequested'")
            .fetch_one(&hand)
            .await
            .unwrap();
    assert_eq!(
        requested, 1,
        "what was sent again under the same key was written once"
    );
    let (code, said) = second.run(&["log", "verify"]).await;
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_wakes_up_after_its_lease_neither_builds_nor_switches() {
    let sites = sites().await;
    let first = Server::start(&sites, &[("SITELOG_WORKER__CONCURRENCY", "2")]);
    let data_dir = first.data_dir.path().to_str().unwrap().to_owned();
    let hand = hand(&first);
    first.request_batch(&(0..10).map(host).collect::<Vec<_>>()).await;
    let points = [
        Point::Phase("folding"),
        Point::Phase("indexing"),
        Point::Phase("verifying"),
        Point::Phase("promoting"),
        Point::Switch,
    ];
    for (number, point) in points.into_iter().enumerate() {
        let name = NAMES[number % NAMES.len()];
        eprintln!("frozen: {point:?} of {name}");
        linger_at(&hand, point, 1.0).await;
        let (live, _) = ask_for(&first, name, "rebuild").await;
        somebody_lingers(&hand).await;
        first.freeze();
        // Readers come through, whatever the frozen one was at.
        let sql = format!("select count(*) from {}.{name}", views_of(name));
        let read = sqlx::query_scalar::<_, i64>(&sql).fetch_one(&hand);
        let read = tokio::time::timeout(PATIENCE, read).await;
        assert!(read.is_ok(), "the frozen server keeps readers waiting");
        // A server that is there only now can hold none of its locks.
        let mut second = Server::start(
            &sites,
            &[
                ("SITELOG_WORKER__CONCURRENCY", "2"),
                ("SITELOG_DATA_DIR", &data_dir),
            ],
        );
        linger_no_more(&hand).await;
        // The first time the lease runs out by itself.
        if number > 0 {
            expire_leases(&hand).await;
        }
        let after = generation_after(&second, name).await;
        assert!(after > live);
        let newest = newest_promotion(&hand).await;
        first.thaw();
        // It is awake when it answers, and has come to its next look for tasks when it has done one.
        ask_for(&first, name, "verify").await;
        generation_after(&first, name).await;
        second.terminate().await;
        ask_for(&first, name, "verify").await;
        assert_eq!(
            generation_after(&first, name).await,
            after,
            "it switched to nothing"
        );
        assert_eq!(newest_promotion(&hand).await, newest, "nor switched at all");
        assert_one_live_generation(&hand).await;
    }
    let (code, said) = first.run(&["projections", "verify"]).await;
    assert_eq!(code, Some(0), "{said}");
    for name in NAMES {
        ask_for(&first, name, "rebuild").await;
        generation_after(&first, name).await;
    }
    assert_nothing_left_behind(&hand).await;
}

async fn newest_promotion(hand: &PgPool) -> String {
    sqlx::query_scalar("select max(promoted_at)::text from projection where state <> 'building'")
        .fetch_one(hand)
        .await
        .unwrap()
}
