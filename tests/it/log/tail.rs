//! The part of the log that the followers of a process share.

use sitelog::log::EventLog;
use sqlx::{PgConnection, PgPool};

use super::{log, unit};
use crate::support::PATIENCE;

async fn positions(log: &EventLog, connection: &mut PgConnection, after: i64) -> Vec<i64> {
    let page = log.tail().page(connection, after, &["Happened"], 100).await;
    page.unwrap().events.iter().map(|event| event.position).collect()
}

/// The log as it was after a position, as if the database had come back from an earlier state.
async fn go_back_to(pool: &PgPool, position: i64) {
    let sql = format!(
        "alter table events disable trigger all; delete from events where position > {position}; \
         update log_head set position = {position}"
    );
    sqlx::raw_sql(&sql).execute(pool).await.unwrap();
}

#[tokio::test]
async fn events_that_the_log_no_longer_holds_are_not_shown() {
    let (log, database) = log().await;
    let mut connection = database.pool.acquire().await.unwrap();
    assert_eq!(positions(&log, &mut connection, 0).await, [0_i64; 0]);
    log.append(unit("a", 0, 3)).await.unwrap();
    assert_eq!(positions(&log, &mut connection, 0).await, [1, 2, 3]);
    go_back_to(&database.pool, 1).await;
    // Each follower lost its connection.
    log.tail().forget().await;
    assert_eq!(positions(&log, &mut connection, 1).await, [0_i64; 0]);
    log.append(unit("b", 0, 4)).await.unwrap();
    let page = log
        .tail()
        .page(&mut connection, 1, &["Happened"], 100)
        .await
        .unwrap();
    let streams: Vec<&str> = page
        .events
        .iter()
        .map(|event| event.aggregate_id.as_str())
        .collect();
    assert_eq!((streams, page.position), (vec!["b"; 4], 5));
}

#[tokio::test]
async fn a_follower_whose_connection_hangs_holds_up_no_other() {
    let (log, database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    let mut connection = database.pool.acquire().await.unwrap();
    positions(&log, &mut connection, 1).await;
    log.append(unit("a", 1, 1)).await.unwrap();
    // Whoever reads on the first connection waits for a lock that is not released.
    let mut locking = database.pool.begin().await.unwrap();
    sqlx::raw_sql("lock table events in access exclusive mode")
        .execute(&mut *locking)
        .await
        .unwrap();
    let hanging = tokio::spawn({
        let (log, pool) = (log.clone(), database.pool.clone());
        async move {
            let mut connection = pool.acquire().await.unwrap();
            positions(&log, &mut connection, 1).await
        }
    });
    crate::support::app::wait_for("somebody who waits for the lock", async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_locks where relation = 'events'::regclass and not granted)",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
    // Another one comes as far as the table itself instead of waiting for the first.
    let other = tokio::time::timeout(PATIENCE, async {
        sqlx::raw_sql("set lock_timeout = '10ms'")
            .execute(&mut *connection)
            .await
            .unwrap();
        log.tail()
            .page(&mut connection, 1, &["Happened"], 100)
            .await
            .map(drop)
    })
    .await
    .unwrap();
    assert!(other.is_err(), "the table is locked");
    locking.rollback().await.unwrap();
    assert_eq!(hanging.await.unwrap(), [2]);
}
