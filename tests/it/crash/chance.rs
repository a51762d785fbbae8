//! Kills at random moments while read models are continuously rebuilt and rolled back, batches are scanned, and a slow
//! reader delays every switch. `SITELOG_CRASH_KILLS` sets the number of kills, `SITELOG_CRASH_SEED` repeats those of
//! an earlier run.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ledger::Clients;
use super::whole::{assert_one_live_generation, assert_whole, views_of};
use super::{NAMES, expire_leases, free_address, hand, host, kill_postgres, sites};
use crate::support::app::wait_for;
use crate::support::server::Server;

const KILLS: u64 = 5;
/// A reader that holds the views for this time makes a switch wait and retry.
const SLOW_READ_SECONDS: f64 = 0.4;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Repeatedly requests tasks for the read models, regardless of their results.
fn operator(address: &str, mut chance: StdRng, stop: CancellationToken) -> JoinHandle<u64> {
    let address = address.to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    tokio::spawn(async move {
        let mut accepted = 0;
        while !stop.is_cancelled() {
            let name = NAMES[chance.random_range(0..NAMES.len())];
            let kind = if chance.random_bool(0.6) {
                "rebuild"
            } else {
                "rollback"
            };
            let asked = client
                .post(format!("http://{address}/api/v4/projections/{name}/{kind}"))
                .timeout(Duration::from_secs(5))
                .send()
                .await;
            accepted += u64::from(asked.is_ok_and(|answer| answer.status() == StatusCode::ACCEPTED));
            tokio::time::sleep(Duration::from_millis(chance.random_range(20..150))).await;
        }
        accepted
    })
}

/// Reads slowly from the views, and holds them meanwhile.
fn slow_reader(url: String, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        while !stop.is_cancelled() {
            // Between the death of PostgreSQL and its return there is nothing to be read.
            if let Ok(mut connection) = PgConnection::connect(&url).await {
                for name in NAMES {
                    let sql = format!(
                        "select count(*), pg_sleep({SLOW_READ_SECONDS})::text from {}.{name}",
                        views_of(name)
                    );
                    let _lost_with_the_server = sqlx::query(&sql).execute(&mut connection).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_nothing_and_leave_nothing_half_done() {
    let seed = number("SITELOG_CRASH_SEED").unwrap_or_else(rand::random);
    let kills = number("SITELOG_CRASH_KILLS").unwrap_or(KILLS);
    eprintln!("SITELOG_CRASH_SEED={seed} SITELOG_CRASH_KILLS={kills}");
    let mut chance = StdRng::seed_from_u64(seed);
    let sites = sites().await;
    let address = free_address();
    let mut server = Server::start(
        &sites,
        &[("SITELOG_WORKER__CONCURRENCY", "4"), ("SITELOG_BIND", &address)],
    );
    let hand = hand(&server);
    let mut batches = vec![server.request_batch(&(0..20).map(host).collect::<Vec<_>>()).await];
    let stop = CancellationToken::new();
    let clients = Clients::start(&address, 2, Duration::from_millis(400));
    let operators: Vec<_> = (0..2)
        .map(|number| operator(&address, StdRng::seed_from_u64(seed ^ (number + 1)), stop.clone()))
        .collect();
    let reader = slow_reader(server.database_url(), stop.clone());
    for kill in 0..kills {
        tokio::time::sleep(Duration::from_millis(chance.random_range(300..2500))).await;
        // One, the other, or both at once.
        let struck = chance.random_range(0..3);
        eprintln!("kill {kill}: {}", ["server", "PostgreSQL", "both"][struck]);
        match struck {
            0 => server.kill(),
            1 => kill_postgres(&server, &hand).await,
            _ => {
                server.kill_postgres();
                server.kill();
            }
        }
        if struck != 1 {
            server.restart();
        }
        expire_leases(&hand).await;
        assert_one_live_generation(&hand).await;
        if kill % 5 == 4 {
            batches.push(server.request_batch(&(0..10).map(host).collect::<Vec<_>>()).await);
        }
    }
    stop.cancel();
    let mut accepted = 0;
    for operator in operators {
        accepted += operator.await.unwrap();
    }
    reader.await.unwrap();
    let known = clients.stop().await;
    let done = tasks_done(&hand).await;
    eprintln!(
        "{} requests were acknowledged, {} of them not at the first time; {accepted} requests for work, tasks: {done}",
        known.len(),
        known.iter().filter(|one| one.sent > 1).count()
    );
    for batch in batches {
        let ended = |batch: &Value| batch["status"] == "completed";
        server.wait_for(&format!("/api/v4/batches/{batch}"), ended).await;
    }
    assert_whole(&server, &hand, &known).await;
    assert_none_failed(&hand).await;
    server.terminate().await;
}

/// How many tasks there were, by kind and state.
async fn tasks_done(hand: &sqlx::PgPool) -> Value {
    let sql = "select kind, state, count(*) from projection_task group by 1, 2 order by 1, 2";
    let counts: Vec<(String, String, i64)> = wait_for("the tasks", async || {
        sqlx::query_as(sql).fetch_all(hand).await.ok()
    })
    .await;
    json!(counts)
}

/// A task may fail only if there is no earlier generation to roll back to.
async fn assert_none_failed(hand: &sqlx::PgPool) {
    let failed: Vec<String> = sqlx::query_scalar(
        "select name || ': ' || error from projection_task where state = 'failed' \
            and error not like 'there is no earlier generation %'",
    )
    .fetch_all(hand)
    .await
    .unwrap();
    assert_eq!(failed, Vec::<String>::new());
}
