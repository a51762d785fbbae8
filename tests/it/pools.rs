//! Connections: the state of one is not passed on, and a pool that is used up does not affect the others.

use std::task::Poll;

use futures::future::poll_fn;
use sitelog::access::{AuthMode, AuthSettings};
use sitelog::api::settings::LegacySettings;
use sitelog::config::Config;
use sitelog::database::Database;
use sitelog::fetch::settings::FetchSettings;
use sitelog::pools::MIN_CONNECTIONS;
use sitelog::projections::{ReadModels, row_security, status};
use sitelog::values::TenantId;
use sqlx::{PgPool, Row};

use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;

fn config(test: &TestDatabase, connections: u32) -> Config {
    Config {
        database_url: Some(test.url.clone()),
        database_connections: Some(connections),
        data_dir: std::env::temp_dir(),
        bind: ([127, 0, 0, 1], 0).into(),
        worker_concurrency: 1,
        fetch: FetchSettings::default(),
        auth: AuthSettings::of(AuthMode::Off),
        mail: None,
        nats: None,
        telemetry: None,
        legacy: LegacySettings::default(),
    }
}

async fn open(test: &TestDatabase) -> Database {
    Database::open(&config(test, MIN_CONNECTIONS)).await.unwrap()
}

/// Polls a future this often and drops it, like a request whose client disconnects.
async fn break_off<F: Future>(future: F, polls: usize) {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        let done = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
        if done {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Idle connections with an open transaction.
async fn left_in_transaction(test: &TestDatabase) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(&test.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_request_that_is_broken_off_leaves_no_transaction_behind() {
    let test = TestDatabase::new().await;
    let database = open(&test).await;
    let reads = &database.pools.reads;
    row_security::ensure_reader(reads).await.unwrap();
    let models = ReadModels::new(reads.clone(), true);
    for polls in 0..40 {
        break_off(models.reading(TenantId::DEFAULT), polls).await;
        break_off(reads.begin(), polls).await;
        // Nobody but the connection itself knows of this one.
        break_off(async { sqlx::query("begin").execute(reads).await }, polls).await;
    }
    // All of them are good, or were replaced.
    let mut held = Vec::new();
    for _ in 0..reads.options().get_max_connections() {
        let mut connection = reads.acquire().await.unwrap();
        // As one message: its transaction begins with it, unless there is one already.
        let row = sqlx::raw_sql("select now() = statement_timestamp()")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert!(
            row.get::<bool, _>(0),
            "a connection was passed on inside a transaction"
        );
        held.push(connection);
    }
    drop(held);
    wait_for("the transactions to end", async || {
        (left_in_transaction(&test).await == 0).then_some(())
    })
    .await;
    database.close().await;
}

async fn take_all(pool: &PgPool) -> Vec<sqlx::pool::PoolConnection<sqlx::Postgres>> {
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        held.push(pool.acquire().await.unwrap());
    }
    held
}

/// A statement with a wrong plan must end, even if whoever waits for it has gone.
#[tokio::test]
async fn statements_of_appends_and_of_background_work_end() {
    let test = TestDatabase::new().await;
    let database = open(&test).await;
    for (name, pool) in database.pools.named() {
        let limit: String = sqlx::query_scalar("show statement_timeout")
            .fetch_one(pool)
            .await
            .unwrap();
        let is_bounded = ["appends", "work"].contains(&name);
        assert_eq!(limit, if is_bounded { "1min" } else { "0" }, "{name}");
    }
    database.close().await;
}

#[tokio::test]
async fn each_pool_has_its_own_connections() {
    let test = TestDatabase::new().await;
    let database = open(&test).await;
    status::ensure_all(&database.pools.work).await.unwrap();
    for (name, exhausted) in database.pools.named() {
        let held = take_all(exhausted).await;
        assert!(
            exhausted.try_acquire().is_none(),
            "{name} has more than its share"
        );
        for (other, pool) in database.pools.named() {
            if other != name {
                let one: i32 = sqlx::query_scalar("select 1").fetch_one(pool).await.unwrap();
                assert_eq!(one, 1, "{other} beside {name}");
            }
        }
        drop(held);
    }
    database.close().await;
}

#[tokio::test]
async fn more_connections_than_the_server_has_are_refused_at_the_start() {
    let test = TestDatabase::new().await;
    let offered: i32 = sqlx::query_scalar("select current_setting('max_connections')::int")
        .fetch_one(&test.pool)
        .await
        .unwrap();
    let config = config(&test, u32::try_from(offered).unwrap() + 1);
    let Err(error) = Database::connect(&config).await else {
        panic!("more connections than there are were accepted");
    };
    assert!(
        error.to_string().contains("SITELOG_DATABASE__CONNECTIONS"),
        "{error}"
    );
}
