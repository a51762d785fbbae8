//! Verification finds and names every manual change of the log.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sitelog::aggregates::can_read;
use sitelog::log::EventLog;
use sitelog::log::head::TreeHead;
use sitelog::log::verify::{LogVerification, VerifyOptions};
use sitelog::values::TenantId;

use super::{event, key, log, unit};
use crate::support::postgres::TestDatabase;

/// Six events of two streams; the second refers to a body, and a command left its key.
async fn filled() -> (EventLog, TestDatabase) {
    let (log, database) = log().await;
    let salt = log.salt(TenantId::DEFAULT, "example.com").await.unwrap();
    let (reference, body) = salt.seal(b"https://example.com/", 1);
    let mut first = unit("a", 0, 1);
    first.streams[0].events.push(event(&json!({ "urls": reference })));
    first.streams[0].events.push(event(&json!({ "n": 2 })));
    first.bodies = vec![body];
    first.key = Some(key("k", 1, json!(null)));
    log.append(first).await.unwrap();
    log.append(unit("b", 0, 3)).await.unwrap();
    (log, database)
}

async fn meddle(database: &TestDatabase, meddling: &str) {
    let script = format!("alter table events disable trigger all; {meddling}");
    sqlx::raw_sql(&script).execute(&database.pool).await.unwrap();
}

/// The result of a verification after a change with the owner's rights.
async fn after(meddling: &str) -> Vec<String> {
    let (log, database) = filled().await;
    meddle(&database, meddling).await;
    texts(&log.verify().await.unwrap())
}

fn texts(found: &LogVerification) -> Vec<String> {
    assert_eq!(found.wrong, u64::try_from(found.findings.len()).unwrap());
    found.findings.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn an_untouched_log_holds_and_its_head_covers_each_event() {
    let (log, _database) = filled().await;
    let found = log.verify().await.unwrap();
    assert!(found.holds(), "{found:?}");
    assert_eq!((found.events, found.bodies, found.erased), (6, 1, 0));
    assert_eq!(log.checkpoint(None).await.unwrap().head.root, found.root);
    let before = found.root;
    log.append(unit("c", 0, 1)).await.unwrap();
    assert_ne!(log.verify().await.unwrap().root, before);
}

#[tokio::test]
async fn an_altered_event_is_named_whatever_of_it_was_altered() {
    let changes = [
        "payload = '{\"Happened\": {\"n\": 9}}'",
        "metadata = '{\"actor\": \"somebody else\"}'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "tenant_id = '00000000-0000-0000-0000-000000000001'",
        "event_id = '00000000-0000-0000-0000-000000000001'",
        "event_version = '2'",
        "leaf = sha256('x')",
    ];
    for change in changes {
        let findings = after(&format!("update events set {change} where position = 5")).await;
        let said = "event 5 was changed: its hash does not match its content (Happened, test/b, sequence 2)";
        assert_eq!(findings, [said], "{change}");
    }
}

#[tokio::test]
async fn a_deleted_event_is_named_with_its_stream() {
    let findings = after("delete from events where position = 5").await;
    let stream = "stream test/b has 2 events, but the last one has number 3";
    assert_eq!(findings, ["events 5 to 5 are missing", stream]);
}

#[tokio::test]
async fn a_streams_first_event_is_missed() {
    let findings = after("delete from events where position = 4").await;
    assert_eq!(findings[0], "events 4 to 4 are missing");
    assert!(
        findings[1].starts_with("stream test/b has 2 events"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn events_cut_off_at_the_end_are_missed() {
    let findings = after("delete from events where position >= 5").await;
    assert_eq!(findings, ["events 5 to 6 are missing"]);
}

#[tokio::test]
async fn swapped_events_are_named_with_where_they_stood() {
    let swap = "update events set position = -1 where position = 5; \
                update events set position = 5 where position = 6; \
                update events set position = 6 where position = -1";
    let said = [
        "event 5 was moved: it was written as event 6",
        "event 6 was moved: it was written as event 5",
    ];
    assert_eq!(after(swap).await, said);
}

#[tokio::test]
async fn an_event_that_was_put_in_behind_the_end_is_named() {
    let copy = "insert into events select aggregate_type, 'c', 1, event_type, event_version, payload, metadata, 7, \
                  gen_random_uuid(), recorded_at, tenant_id, leaf from events where position = 6";
    assert_eq!(after(copy).await, ["event 7 was not appended: the log ends at 6"]);
}

#[tokio::test]
async fn an_event_whose_leaf_was_made_to_fit_is_told_by_what_was_kept_of_it() {
    let (log, database) = filled().await;
    log.append(unit("many", 0, 1100)).await.unwrap();
    let kept = log.checkpoint(Some(1050)).await.unwrap().head;
    log.extend_tree().await.unwrap();
    // Whoever owns the database can write an event again, leaf and all.
    let anew = "update events set payload = '{\"Happened\": {\"n\": 77}}' where position = 500; \
                update events set leaf = event_leaf(position, event_id, aggregate_type, aggregate_id, sequence, \
                  event_type, event_version, recorded_at, tenant_id, payload, metadata) where position = 500";
    meddle(&database, anew).await;
    let said = "events 1 to 1024 do not match their stored hash: some events, or the hash, were changed";
    assert_eq!(texts(&log.verify().await.unwrap()), [said]);
    // If the stored hashes are thrown away, only the head that was kept elsewhere shows it.
    meddle(&database, "truncate log_tree_node").await;
    assert!(log.verify().await.unwrap().holds());
    let options = VerifyOptions {
        head: Some(kept),
        ..VerifyOptions::default()
    };
    let findings = texts(&log.verify_with(&options).await.unwrap());
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].starts_with("the first 1050 events do not match the given head"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_stored_hash_that_was_altered_is_named_once() {
    let (log, database) = log().await;
    log.append(unit("many", 0, 2500)).await.unwrap();
    log.extend_tree().await.unwrap();
    meddle(
        &database,
        "update log_tree_node set hash = sha256('x') where level = 10 and index = 1",
    )
    .await;
    let said = "events 1025 to 2048 do not match their stored hash: some events, or the hash, were changed";
    assert_eq!(texts(&log.verify().await.unwrap()), [said]);
}

#[tokio::test]
async fn a_kept_head_holds_at_each_size_and_not_for_a_log_that_was_cut() {
    let (log, database) = filled().await;
    for size in 0..=6 {
        let kept = log.checkpoint(Some(size)).await.unwrap().head;
        let options = VerifyOptions {
            head: Some(kept),
            ..VerifyOptions::default()
        };
        assert!(log.verify_with(&options).await.unwrap().holds(), "{size}");
        let options = VerifyOptions {
            head: Some(TreeHead {
                root: [7; 32],
                ..kept
            }),
            ..VerifyOptions::default()
        };
        assert_eq!(
            texts(&log.verify_with(&options).await.unwrap()).len(),
            1,
            "{size}"
        );
    }
    let kept = log.checkpoint(None).await.unwrap().head;
    // Carefully truncated: only the head shows it.
    meddle(
        &database,
        "delete from events where position = 6; update log_head set position = 5",
    )
    .await;
    assert!(log.verify().await.unwrap().holds());
    let options = VerifyOptions {
        head: Some(kept),
        ..VerifyOptions::default()
    };
    let said = "the given head covers 6 events, but the log has only 5: events were removed";
    assert_eq!(texts(&log.verify_with(&options).await.unwrap()), [said]);
}

#[tokio::test]
async fn an_altered_and_an_unreadable_body_are_named() {
    for (change, what) in [("salt = 'x'", "was changed"), ("bytes = 'x'", "cannot be read")] {
        let findings = after(&format!("update event_body set {change}")).await;
        assert_eq!(
            (findings.len(), findings[0].starts_with("body ")),
            (1, true),
            "{findings:?}"
        );
        assert!(findings[0].contains(what), "{findings:?}");
    }
}

#[tokio::test]
async fn a_body_that_was_deleted_by_hand_is_missed_with_its_event() {
    let findings = after("delete from event_body").await;
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].ends_with("of event 2 is missing, but was not erased by an event"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_key_that_names_no_event_is_named() {
    let findings = after("update idempotency_key set position = 4000").await;
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0].starts_with("idempotency key 'k' of POST /x"),
        "{findings:?}"
    );
    assert!(
        findings[0].ends_with("refers to event 4000, which does not exist"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn an_event_that_this_release_cannot_read_is_named() {
    let (log, _database) = log().await;
    let (mut later, mut broken, mut fine) = (unit("l", 0, 0), unit("b", 0, 0), unit("f", 0, 0));
    for (unit, version, data) in [
        (&mut later, "2", json!({ "x": 1 })),
        (&mut broken, "1", json!({ "domain": 7 })),
        (
            &mut fine,
            "1",
            json!({ "domain": "example.com", "batch_id": null, "attempt": 0 }),
        ),
    ] {
        unit.streams[0].aggregate_type = "domain_scan";
        let mut cancelled = event(&data);
        cancelled.event_type = "ScanCancelled".into();
        cancelled.event_version = version.into();
        cancelled.payload = json!({ "ScanCancelled": data });
        unit.streams[0].events.push(cancelled);
        log.append(unit.clone()).await.unwrap();
    }
    assert!(log.verify().await.unwrap().holds(), "as hashes go, all is well");
    let options = VerifyOptions {
        readable: Some(can_read),
        ..VerifyOptions::default()
    };
    let findings = texts(&log.verify_with(&options).await.unwrap());
    assert_eq!(findings.len(), 2, "{findings:?}");
    let later = "event 1 of type ScanCancelled version 2 was written by a later release: upgrade needed";
    assert_eq!(findings[0], later);
    assert!(
        findings[1].starts_with("cannot read event 2 of type ScanCancelled version 1: "),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_hundred_findings_are_told_and_the_rest_counted() {
    let (log, database) = log().await;
    log.append(unit("many", 0, 300)).await.unwrap();
    meddle(&database, "update events set metadata = '{}'").await;
    let found = log.verify().await.unwrap();
    assert_eq!((found.findings.len(), found.wrong), (100, 300));
}

/// Runs the binary on a database.
fn sitelog(database: &TestDatabase, arguments: &[&str]) -> (Option<i32>, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_sitelog"))
        .args(arguments)
        .env("DATABASE_URL", &database.url)
        .output()
        .unwrap();
    (run.status.code(), String::from_utf8(run.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_says_what_it_found_also_as_json_and_against_a_kept_head() {
    let (log, database) = log().await;
    let mut scan = unit("f", 0, 0);
    scan.streams[0].aggregate_type = "domain_scan";
    let mut cancelled = event(&json!(null));
    cancelled.event_type = "ScanCancelled".into();
    cancelled.payload =
        json!({ "ScanCancelled": { "domain": "example.com", "batch_id": null, "attempt": 0 } });
    scan.streams[0].events.push(cancelled);
    log.append(scan).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("head");
    std::fs::write(&kept, sitelog(&database, &["log", "head"]).1).unwrap();
    let against = |head: &Path| sitelog(&database, &["log", "verify", "--head", head.to_str().unwrap()]);
    let (code, said) = against(&kept);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("1 event and 0 bodies are unchanged; 0 bodies erased\n"),
        "{said}"
    );
    assert!(
        said.contains("the given head matches the first 1 event"),
        "{said}"
    );
    meddle(&database, "update events set metadata = '{}'").await;
    let (code, said) = against(&kept);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("event 1 was changed"), "{said}");
    assert!(said.contains("do not match the given head"), "{said}");
    let (code, said) = sitelog(&database, &["log", "verify", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &report["holds"], &report["wrong"]),
        (Some(1), &json!(false), &json!(1))
    );
    assert_eq!(
        (&report["findings"][0]["kind"], &report["findings"][0]["position"]),
        (&json!("event_altered"), &json!(1))
    );
    assert_eq!(
        sitelog(&database, &["log", "verify", "--head", "nonsense"]).0,
        Some(2)
    );
}
