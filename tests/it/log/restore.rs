//! A log in another cluster: a dump restored into a new cluster is the same log, and continues normally.

use std::process::Command;

use sitelog::commands::CommandBus;
use sitelog::log::EventLog;
use sitelog::log::read::{EventFilter, read_page};
use sitelog::postgres::EmbeddedPostgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection};

use super::{forget, log, unit};
use crate::support::postgres::program;

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(
        done.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_restored_into_a_new_cluster_is_the_same_log_and_goes_on() {
    let (log, database) = log().await;
    let bus = CommandBus::new(log.clone());
    forget::completed_scan(&bus, "a.com").await;
    forget::completed_scan(&bus, "b.com").await;
    forget::forgotten(&bus, "b.com").await;
    for n in 0..6 {
        log.append(unit(&format!("s{n}"), 0, 300)).await.unwrap();
    }
    // A table as others have it, and a cluster that has seen more transactions than a new one.
    let shadow = "create table shadow as select position, pg_current_xact_id() as xid from events";
    sqlx::raw_sql("do $$ begin for n in 1..3000 loop perform pg_current_xact_id(); commit; end loop; end $$")
        .execute(&database.pool)
        .await
        .unwrap();
    sqlx::raw_sql(shadow).execute(&database.pool).await.unwrap();
    let before = log.verify().await.unwrap();
    let head = log.checkpoint(None).await.unwrap();
    let proof = log.prove_inclusion(1234, None).await.unwrap();
    let size = i64::try_from(head.head.size).unwrap();

    let dir = tempfile::tempdir().unwrap();
    let dump = dir.path().join("sitelog.dump");
    run(Command::new(program("pg_dump"))
        .arg("-Fc")
        .arg("-f")
        .arg(&dump)
        .arg(&database.url));
    let cluster = EmbeddedPostgres::start(dir.path()).await.unwrap();
    let mut admin = PgConnection::connect(&cluster.superuser_url()).await.unwrap();
    for statement in [
        "drop database if exists sitelog with (force)",
        "create database sitelog owner sitelog",
    ] {
        sqlx::raw_sql(statement).execute(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();
    run(Command::new(program("pg_restore"))
        .arg("--exit-on-error")
        .arg("-d")
        .arg(cluster.url())
        .arg(&dump));

    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect(cluster.url())
        .await
        .unwrap();
    let restored = EventLog::open(pool.clone());
    let after = restored.verify().await.unwrap();
    assert!(after.holds(), "{:?}", after.findings);
    assert_eq!(
        (after.events, after.bodies, after.erased, after.root),
        (before.events, before.bodies, before.erased, before.root)
    );
    assert_eq!(
        restored.checkpoint(None).await.unwrap(),
        head,
        "name, size and root"
    );
    assert_eq!(restored.prove_inclusion(1234, None).await.unwrap(), proof);
    // Positions continue where they stood, and a reader that was at the end sees what is new and nothing else.
    restored.append(unit("later", 0, 3)).await.unwrap();
    let page = read_page(&mut pool.acquire().await.unwrap(), size, &["Happened"], 10)
        .await
        .unwrap();
    let seen: Vec<i64> = page.events.iter().map(|event| event.position).collect();
    assert_eq!(seen, [size + 1, size + 2, size + 3]);
    let all = restored
        .events(&EventFilter {
            limit: 10_000,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    assert!(all.iter().map(|event| event.position).eq(1..=size + 3));
    let growth = restored.prove_consistency(head.head.size, None).await.unwrap();
    assert_eq!(growth.old, head.head);
    assert!(restored.verify().await.unwrap().holds());
    // Control: a gate on transaction ids sees none of what was restored, for the new cluster has not come that far.
    let gated: i64 =
        sqlx::query_scalar("select count(*) from shadow where xid < pg_snapshot_xmin(pg_current_snapshot())")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(gated, 0);
    drop(restored);
    pool.close().await;
    cluster.stop().await.unwrap();
}
