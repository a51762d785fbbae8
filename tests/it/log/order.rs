//! The order checker: whatever writes, and in whatever way, a reader by position sees each event once and in commit
//! order. Other kinds of readers run as controls on the same writers, and each of them fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use sitelog::log::EventLog;
use sitelog::log::read::read_page;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use super::{event, unit};
use crate::support::postgres::TestDatabase;

/// Writers in separate transactions, as in plain postgres-es.
const UPSTREAM_WRITERS: u64 = 6;
/// Writers through the group commit.
const GROUP_WRITERS: u64 = 4;
const ROUNDS: u64 = 40;

/// A table as other systems use it: numbered by identity, with the transaction's id. Each upstream writer
/// writes to it what it writes to the log, in the same transaction.
const SHADOW: &str = "create table shadow (id bigint generated always as identity primary key, \
                        xid xid8 not null default pg_current_xact_id(), name text not null)";

/// What a reader has seen, in the order it saw it.
#[derive(Default)]
struct Seen {
    names: Vec<String>,
    positions: Vec<i64>,
}

/// Our reader: everything after the position.
async fn read_by_position(connection: &mut PgConnection, seen: &mut Seen) {
    loop {
        let after = seen.positions.last().copied().unwrap_or(0);
        let page = read_page(connection, after, &["Happened"], 7).await.unwrap();
        if page.events.is_empty() {
            return;
        }
        for event in page.events {
            seen.positions.push(event.position);
            seen.names.push(event.data()["name"].as_str().unwrap().to_owned());
        }
    }
}

/// The followers of a process: each with its own page size, sharing what one of them has read.
async fn follow(log: EventLog, pool: PgPool, limit: i64, done: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut position = 0;
    loop {
        let last = done.load(Ordering::SeqCst);
        let mut connection = pool.acquire().await.unwrap();
        let page = log.tail().page(&mut connection, position, &["Happened"], limit);
        let page = page.await.unwrap();
        drop(connection);
        assert!(page.position >= position, "a follower went back");
        let is_at_the_end = page.position == position;
        position = page.position;
        for event in &page.events {
            seen.positions.push(event.position);
            seen.names.push(event.data()["name"].as_str().unwrap().to_owned());
        }
        if last && is_at_the_end {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

/// Control: everything after the identity.
async fn read_by_identity(connection: &mut PgConnection, seen: &mut Seen) {
    let sql = "select id, name from shadow where id > $1 order by id";
    let after = seen.positions.last().copied().unwrap_or(0);
    let rows: Vec<(i64, String)> = sqlx::query_as(sql)
        .bind(after)
        .fetch_all(connection)
        .await
        .unwrap();
    for (id, name) in rows {
        seen.positions.push(id);
        seen.names.push(name);
    }
}

/// Control: everything after the last transaction, if no earlier transaction is still open.
async fn read_behind_the_xmin(connection: &mut PgConnection, checkpoint: &mut (i64, i64), seen: &mut Seen) {
    let sql = "select xid::text::bigint, id, name from shadow \
                where (xid::text::bigint, id) > ($1, $2) and xid < pg_snapshot_xmin(pg_current_snapshot()) \
                order by 1, 2";
    let rows: Vec<(i64, i64, String)> = sqlx::query_as(sql)
        .bind(checkpoint.0)
        .bind(checkpoint.1)
        .fetch_all(connection)
        .await
        .unwrap();
    for (xid, id, name) in rows {
        *checkpoint = (xid, id);
        seen.names.push(name);
    }
}

async fn write_upstream(
    connection: &mut PgConnection,
    stream: &str,
    sequence: i64,
    name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
         values ('test', $1, $2, 'Happened', '1', $3, '{}')",
    )
    .bind(stream)
    .bind(sequence)
    .bind(json!({ "Happened": { "name": name } }))
    .execute(connection)
    .await
    .map(drop)
}

async fn write_shadow(connection: &mut PgConnection, name: &str) {
    let sql = "insert into shadow (name) values ($1)";
    sqlx::query(sql).bind(name).execute(connection).await.unwrap();
}

/// Transactions of every kind: with an early transaction id, savepoints, conflicts, rollbacks. Returns the names that
/// were committed, in order.
async fn write_in_transactions(pool: PgPool, writer: u64) -> Vec<String> {
    let mut chance = StdRng::seed_from_u64(writer);
    let mut committed = Vec::new();
    for round in 0..ROUNDS {
        let (stream, name) = (format!("s{writer}-{round}"), format!("w{writer:02}r{round:03}"));
        let mut tx = pool.begin().await.unwrap();
        if chance.random_bool(0.5) {
            sqlx::query("select pg_current_xact_id()::text")
                .execute(&mut *tx)
                .await
                .unwrap();
            pause(&mut chance).await;
        }
        write_shadow(&mut tx, &name).await;
        pause(&mut chance).await;
        if chance.random_bool(0.3) {
            sqlx::query("savepoint a").execute(&mut *tx).await.unwrap();
            write_upstream(&mut tx, &stream, 1, "never").await.unwrap();
            sqlx::query("rollback to savepoint a")
                .execute(&mut *tx)
                .await
                .unwrap();
        }
        let count = chance.random_range(1..=3);
        let mut written = Vec::new();
        for sequence in 1..=count {
            let name = format!("{name}e{sequence}");
            write_upstream(&mut tx, &stream, sequence, &name).await.unwrap();
            written.push(name);
        }
        // Somebody was first on the stream: everything of the transaction goes.
        let conflicts = chance.random_bool(0.2);
        if conflicts {
            assert!(write_upstream(&mut tx, &stream, 1, "never").await.is_err());
        }
        if conflicts || chance.random_bool(0.2) {
            tx.rollback().await.unwrap();
        } else {
            tx.commit().await.unwrap();
            committed.extend(written);
        }
    }
    committed
}

/// Appends through the group commit; two writers share each stream, so half of them conflict.
async fn write_in_groups(log: EventLog, writer: u64) -> Vec<String> {
    let mut committed = Vec::new();
    for round in 0..ROUNDS {
        let mut unit = unit(&format!("g{}-{round}", writer / 2), 0, 0);
        let names: Vec<String> = (1..=2).map(|n| format!("g{writer:02}r{round:03}e{n}")).collect();
        for name in &names {
            unit.streams[0].events.push(event(&json!({ "name": name })));
        }
        if log.append(unit).await.is_ok() {
            committed.extend(names);
        }
    }
    committed
}

async fn pause(chance: &mut StdRng) {
    for _ in 0..chance.random_range(0..20) {
        tokio::task::yield_now().await;
    }
}

/// Each writer's events, in the order they were seen.
fn by_writer(names: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut writers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        writers
            .entry(name[..3].to_owned())
            .or_default()
            .push(name.clone());
    }
    writers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_by_position_sees_each_event_once_and_the_controls_fail() {
    let database = TestDatabase::new().await;
    let pool = PgPoolOptions::new()
        .max_connections(20)
        .connect(&database.url)
        .await
        .unwrap();
    sqlx::raw_sql(SHADOW).execute(&pool).await.unwrap();
    let log = EventLog::open(pool.clone());

    // One transaction begins first and ends last; it has its identity and its transaction id already.
    let mut slow = pool.begin().await.unwrap();
    write_shadow(&mut slow, "slow").await;

    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (pool, done) = (pool.clone(), Arc::clone(&done));
        async move {
            let mut connection = pool.acquire().await.unwrap();
            let (mut ours, mut identity, mut gated) = (Seen::default(), Seen::default(), Seen::default());
            let mut checkpoint = (0, 0);
            loop {
                let last = done.load(Ordering::SeqCst);
                read_by_position(&mut connection, &mut ours).await;
                read_by_identity(&mut connection, &mut identity).await;
                read_behind_the_xmin(&mut connection, &mut checkpoint, &mut gated).await;
                if last {
                    return (ours, identity, gated, checkpoint);
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let followers: Vec<_> = [1, 7, 1000]
        .map(|limit| tokio::spawn(follow(log.clone(), pool.clone(), limit, Arc::clone(&done))))
        .into();
    let upstream =
        (0..UPSTREAM_WRITERS).map(|writer| tokio::spawn(write_in_transactions(pool.clone(), writer)));
    let groups = (0..GROUP_WRITERS).map(|writer| tokio::spawn(write_in_groups(log.clone(), writer)));
    let committed: Vec<Vec<String>> = join_all(upstream.chain(groups).collect::<Vec<_>>())
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    done.store(true, Ordering::SeqCst);
    let (mut ours, mut identity, mut gated, mut checkpoint) = reader.await.unwrap();

    // Ours does not wait for the open transaction and has seen all there is, each once, each writer's in its order.
    let committed: Vec<String> = committed.concat();
    let count = i64::try_from(committed.len()).unwrap();
    assert!(count > 300, "{count}");
    assert_eq!(ours.positions, (1..=count).collect::<Vec<_>>());
    assert_eq!(by_writer(&ours.names), by_writer(&committed));
    for follower in followers {
        let seen = follower.await.unwrap();
        assert_eq!(seen.positions, (1..=count).collect::<Vec<_>>());
        assert_eq!(by_writer(&seen.names), by_writer(&committed));
    }
    // One who comes later is behind what is kept, and reads by himself until he has caught up.
    let late = follow(log.clone(), pool.clone(), 7, Arc::clone(&done)).await;
    assert_eq!(late.positions, (1..=count).collect::<Vec<_>>());
    // The gate lets nothing through that began after the open transaction.
    assert_eq!(
        gated.names, [""; 0],
        "an xmin gate stalls behind any open transaction"
    );
    assert!(identity.names.len() > 50);

    write_upstream(&mut slow, "slow", 1, "slow").await.unwrap();
    slow.commit().await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    read_by_position(&mut connection, &mut ours).await;
    read_by_identity(&mut connection, &mut identity).await;
    assert_eq!(ours.names.last().unwrap(), "slow");
    assert_eq!(ours.positions, (1..=count + 1).collect::<Vec<_>>());
    let stored: BTreeSet<String> = sqlx::query_scalar::<_, String>("select name from shadow")
        .fetch_all(&mut *connection)
        .await
        .unwrap()
        .into_iter()
        .collect();
    let seen: BTreeSet<String> = identity.names.into_iter().collect();
    let missed: Vec<&String> = stored.difference(&seen).collect();
    assert!(
        missed.contains(&&"slow".to_owned()),
        "a reader by identity misses what commits late: {missed:?}"
    );
    // Once nobody is in the way, the gate lets all through: transactions of other databases of the server count too.
    while gated.names.len() < stored.len() {
        read_behind_the_xmin(&mut connection, &mut checkpoint, &mut gated).await;
        tokio::task::yield_now().await;
    }
    assert!(log.verify().await.unwrap().holds());
}
