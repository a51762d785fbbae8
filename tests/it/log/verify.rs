//! Whatever a hand does to the log behind its back is found and named.

use sitelog::log::EventLog;
use sitelog::values::TenantId;

use super::{log, unit};
use crate::support::postgres::TestDatabase;

async fn filled() -> (EventLog, TestDatabase) {
    let (log, database) = log().await;
    let salt = log.salt(TenantId::DEFAULT, "example.com").await.unwrap();
    let mut first = unit("a", 0, 3);
    first.bodies = vec![salt.seal(b"https://example.com/", 1).1];
    log.append(first).await.unwrap();
    log.append(unit("b", 0, 3)).await.unwrap();
    (log, database)
}

/// What verification says after somebody with the owner's rights did this.
async fn after(meddling: &str) -> Vec<String> {
    let (log, database) = filled().await;
    let script = format!("alter table events disable trigger all; {meddling}");
    sqlx::raw_sql(&script).execute(&database.pool).await.unwrap();
    log.verify().await.unwrap().findings
}

#[tokio::test]
async fn an_untouched_log_holds_and_its_head_covers_each_event() {
    let (log, _database) = filled().await;
    let found = log.verify().await.unwrap();
    assert!(found.holds(), "{found:?}");
    assert_eq!((found.events, found.bodies), (6, 1));
    let before = found.root;
    log.append(unit("c", 0, 1)).await.unwrap();
    assert_ne!(log.verify().await.unwrap().root, before);
}

#[tokio::test]
async fn an_altered_event_is_named() {
    let findings = after("update events set payload = '{\"Happened\": {\"n\": 9}}' where position = 2").await;
    assert_eq!(
        findings,
        ["event 2 was altered: its hash does not fit what it says"]
    );
}

#[tokio::test]
async fn a_deleted_event_is_named_with_its_stream() {
    let findings = after("delete from events where position = 2").await;
    assert_eq!(findings[0], "events 2 to 2 are missing");
    assert!(
        findings[1].starts_with("stream test/a has 2 events"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn events_cut_off_at_the_end_are_missed() {
    assert_eq!(
        after("delete from events where position >= 5").await,
        ["events 5 to 6 are missing"]
    );
}

#[tokio::test]
async fn swapped_events_are_named() {
    let swap = "update events set position = -1 where position = 2; \
                update events set position = 2 where position = 3; \
                update events set position = 3 where position = -1";
    assert_eq!(after(swap).await.len(), 2);
}

#[tokio::test]
async fn an_altered_body_is_named() {
    let findings = after("update event_body set salt = 'x'").await;
    assert_eq!((findings.len(), findings[0].starts_with("body ")), (1, true));
}
