//! Tasks for read models are interrupted at each of their steps, by killing the server or PostgreSQL. They continue or
//! start again, and their work is done once.

use std::time::Duration;

use super::ledger::Clients;
use super::whole::{assert_one_live_generation, assert_whole};
use super::{
    NAMES, Point, ask_for, expire_leases, free_address, generation_after, hand, host, kill_postgres,
    linger_at, linger_no_more, sites, somebody_lingers,
};
use crate::support::server::Server;

/// Long enough for an interruption.
const LINGER_SECONDS: f64 = 1.5;

const REBUILD: [Point; 7] = [
    Point::Phase("folding"),
    Point::Phase("indexing"),
    Point::Phase("catching_up"),
    Point::Phase("verifying"),
    Point::Phase("promoting"),
    Point::Switch,
    Point::Result,
];
const ROLLBACK: [Point; 4] = [
    Point::Phase("catching_up"),
    Point::Phase("promoting"),
    Point::Switch,
    Point::Result,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_struck_at_any_step_is_done_once() {
    let sites = sites().await;
    let address = free_address();
    let mut server = Server::start(
        &sites,
        &[("SITELOG_WORKER__CONCURRENCY", "4"), ("SITELOG_BIND", &address)],
    );
    let hand = hand(&server);
    let batch = server.request_batch(&(0..20).map(host).collect::<Vec<_>>()).await;
    let clients = Clients::start(&address, 2, Duration::from_millis(500));
    // Each read model has a generation to go back to.
    for name in NAMES {
        ask_for(&server, name, "rebuild").await;
        generation_after(&server, name).await;
    }
    let strikes = REBUILD
        .iter()
        .map(|point| ("rebuild", *point))
        .chain(ROLLBACK.iter().map(|point| ("rollback", *point)));
    for (number, (kind, point)) in strikes.enumerate() {
        let name = NAMES[number % NAMES.len()];
        let strikes_server = number % 2 == 0;
        let what = if strikes_server {
            "the server"
        } else {
            "PostgreSQL"
        };
        eprintln!("{what} is killed: {kind} of {name}, {point:?}");
        linger_at(&hand, point, LINGER_SECONDS).await;
        let (live, before) = ask_for(&server, name, kind).await;
        somebody_lingers(&hand).await;
        if strikes_server {
            server.kill();
            server.restart();
        } else {
            kill_postgres(&server, &hand).await;
        }
        linger_no_more(&hand).await;
        expire_leases(&hand).await;
        let after = generation_after(&server, name).await;
        if kind == "rollback" {
            assert_eq!(Some(after), before, "it went back, and only once");
        } else {
            assert!(after > live, "{after} was built after {live}");
        }
        assert_one_live_generation(&hand).await;
    }
    let known = clients.stop().await;
    eprintln!(
        "{} requests were acknowledged, {} of them not at the first time",
        known.len(),
        known.iter().filter(|one| one.sent > 1).count()
    );
    server
        .wait_for(&format!("/api/v4/batches/{batch}"), |batch| {
            batch["status"] == "completed"
        })
        .await;
    assert_whole(&server, &hand, &known).await;
    server.terminate().await;
}
