//! Appending: order, conflicts, keys, bodies, and what the table itself refuses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use sha2::{Digest, Sha256};
use sitelog::log::body::{MAX_CONTENT, store_as_objects};
use sitelog::log::read::{EventFilter, read_page};
use sitelog::log::{AppendUnit, Appended, LogError};
use sitelog::values::TenantId;

use super::{event, key, log, unit};

#[tokio::test]
async fn an_append_tells_the_position_of_its_last_event() {
    let (log, _database) = log().await;
    assert_eq!(
        log.append(unit("a", 0, 2)).await.unwrap(),
        Appended::Committed(Some(2))
    );
    assert_eq!(
        log.append(unit("a", 2, 1)).await.unwrap(),
        Appended::Committed(Some(3))
    );
    assert_eq!(log.head().await.unwrap(), 3);
}

#[tokio::test]
async fn who_decided_on_an_old_state_conflicts_and_costs_the_others_nothing() {
    let (log, _database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    let outcomes = log
        .append_all(vec![unit("b", 0, 1), unit("a", 0, 1), unit("c", 0, 1)])
        .await;
    assert!(
        matches!(&outcomes[..], [Ok(_), Err(LogError::Conflict), Ok(_)]),
        "{outcomes:?}"
    );
    assert_eq!(log.head().await.unwrap(), 3);
}

#[tokio::test]
async fn of_two_appends_to_one_stream_in_one_group_the_first_wins() {
    let (log, _database) = log().await;
    let outcomes = log.append_all(vec![unit("a", 0, 1), unit("a", 0, 1)]).await;
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        1,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_single_append_waits_for_a_small_part_of_a_batch_at_most() {
    let (log, _database) = log().await;
    let batch = (0..1000).map(|n| unit(&format!("s{n}"), 0, 1)).collect();
    let (batch, single) = tokio::join!(log.append_all(batch), log.append(unit("single", 0, 1)));
    let Ok(Appended::Committed(Some(position))) = single else {
        panic!("{single:?}");
    };
    assert!(position <= 300, "it came after {position} of 1000");
    assert!(batch.iter().all(Result::is_ok), "the batch is appended whole");
}

#[tokio::test]
async fn a_sequence_that_is_ahead_of_the_stream_is_a_conflict() {
    let (log, _database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    assert!(matches!(
        log.append(unit("a", 5, 1)).await,
        Err(LogError::Conflict)
    ));
}

#[tokio::test]
async fn a_unit_of_several_streams_is_written_as_a_whole_or_not_at_all() {
    let (log, _database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    let mut both = unit("b", 0, 1);
    both.streams.extend(unit("a", 0, 1).streams);
    assert!(matches!(log.append(both).await, Err(LogError::Conflict)));
    assert_eq!(log.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_repeated_key_returns_the_first_result_and_writes_nothing() {
    let (log, _database) = log().await;
    let mut first = unit("a", 0, 1);
    first.key = Some(key("k", 1, json!({ "id": "a" })));
    log.append(first).await.unwrap();
    let mut repeat = unit("b", 0, 1);
    repeat.key = Some(key("k", 1, json!({ "id": "b" })));
    let repeated = Appended::Repeated {
        result: json!({ "id": "a" }),
        position: 1,
    };
    assert_eq!(log.append(repeat).await.unwrap(), repeated);
    assert_eq!(log.head().await.unwrap(), 1);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let (log, _database) = log().await;
    let mut first = unit("a", 0, 1);
    first.key = Some(key("k", 1, json!(null)));
    log.append(first).await.unwrap();
    let mut other = unit("b", 0, 1);
    other.key = Some(key("k", 2, json!(null)));
    assert!(matches!(log.append(other).await, Err(LogError::KeyReused)));
}

#[tokio::test]
async fn of_many_appends_with_one_key_at_once_exactly_one_is_written() {
    let (log, _database) = log().await;
    let units = (0..50).map(|n| {
        let mut unit = unit(&format!("s{n}"), 0, 1);
        unit.key = Some(key("k", 1, json!({ "id": n })));
        unit
    });
    let outcomes = log.append_all(units.collect()).await;
    let committed = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(Appended::Committed(_))))
        .count();
    assert_eq!((committed, log.head().await.unwrap()), (1, 1));
}

/// The order checker: many writers with conflicts, a transaction that stays open beside them and rollbacks; a reader
/// that goes by position sees each event once, in order, without a gap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_by_position_misses_nothing_and_sees_nothing_twice() {
    let (log, database) = log().await;
    let mut bystander = database.pool.begin().await.unwrap();
    sqlx::query("create temp table t (x int); insert into t values (1)")
        .execute(&mut *bystander)
        .await
        .ok();
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (pool, done) = (database.pool.clone(), Arc::clone(&done));
        async move {
            let (mut seen, mut position) = (Vec::new(), 0);
            loop {
                let finished = done.load(Ordering::SeqCst);
                let page = read_page(&mut pool.acquire().await.unwrap(), position, &["Happened"], 7)
                    .await
                    .unwrap();
                seen.extend(page.events.iter().map(|event| event.position));
                if finished && page.position == position {
                    return seen;
                }
                position = page.position;
            }
        }
    });
    let writers = (0..16).map(|writer| {
        let log = log.clone();
        async move {
            for round in 0..20 {
                // Two writers share each stream, so about half of the appends conflict.
                let _ = log
                    .append(unit(&format!("{}-{round}", writer / 2), 0, 1 + writer % 3))
                    .await;
            }
        }
    });
    futures::future::join_all(writers).await;
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    bystander.rollback().await.unwrap();
    let head = log.head().await.unwrap();
    assert!(head >= 160, "each of 160 streams was written once: {head}");
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
}

#[tokio::test]
async fn recorded_times_never_run_backwards() {
    let (log, database) = log().await;
    for n in 0..20 {
        log.append(unit(&format!("s{n}"), 0, 2)).await.unwrap();
    }
    let backwards: i64 = sqlx::query_scalar(
        "select count(*) from events a join events b on b.position = a.position + 1 where b.recorded_at < a.recorded_at",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(backwards, 0);
}

#[tokio::test]
async fn a_leaf_is_the_rfc_9162_hash_of_the_events_canonical_text() {
    let (log, database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    let (leaf, text): (Vec<u8>, String) = sqlx::query_as(
        "select leaf, jsonb_build_array(position, event_id, aggregate_type, aggregate_id, sequence, event_type, \
           event_version, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), tenant_id, \
           payload, metadata)::text from events",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(
        leaf,
        Sha256::new()
            .chain_update([0])
            .chain_update(text)
            .finalize()
            .to_vec()
    );
}

#[tokio::test]
async fn nothing_in_the_log_can_be_changed_or_deleted() {
    let (log, database) = log().await;
    log.append(unit("a", 0, 1)).await.unwrap();
    for statement in [
        "update events set event_type = 'x'",
        "delete from events",
        "truncate events",
    ] {
        let error = sqlx::query(statement).execute(&database.pool).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn the_same_body_of_one_subject_is_stored_once() {
    let (log, database) = log().await;
    for n in 0..3 {
        let salt = log.salt(TenantId::DEFAULT, "example.com").await.unwrap();
        let (reference, body) = salt.seal(b"https://example.com/", 1);
        let mut unit = unit(&format!("s{n}"), 0, 1);
        unit.bodies = vec![body];
        log.append(unit).await.unwrap();
        assert_eq!(
            log.body(&reference).await.unwrap().unwrap(),
            b"https://example.com/"
        );
    }
    let stored: i64 = sqlx::query_scalar("select count(*) from event_body")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn an_object_that_an_earlier_release_compressed_becomes_readable_by_sql() {
    let (log, database) = log().await;
    let salt = log.salt(TenantId::DEFAULT, "example.com").await.unwrap();
    let (findings, compressed) = salt.seal(br#"{"title":"Acme"}"#, 1);
    let (list, urls) = salt.seal(b"https://example.com/", 1);
    let mut unit = unit("a", 0, 0);
    unit.streams[0]
        .events
        .push(event(&json!({ "found": findings, "urls": list })));
    unit.bodies = vec![compressed, urls];
    log.append(unit).await.unwrap();
    let readable = async || -> Vec<String> {
        let sql = "select convert_from(bytes, 'UTF8')::jsonb ->> 'title' from event_body \
                    where substr(bytes, 1, 1) = '{'::bytea";
        sqlx::query_scalar(sql).fetch_all(&database.pool).await.unwrap()
    };
    assert_eq!(readable().await, [""; 0]);
    let digests = [findings.digest.as_str(), list.digest.as_str()];
    store_as_objects(&database.pool, digests.into_iter())
        .await
        .unwrap();
    assert_eq!(readable().await, ["Acme"]);
    // The contents are what they were, and so are their digests.
    let content = log.body(&findings).await.unwrap().unwrap();
    assert_eq!(content, br#"{"title":"Acme"}"#);
    assert_eq!(log.body(&list).await.unwrap().unwrap(), b"https://example.com/");
    assert!(log.verify().await.unwrap().holds());
}

#[tokio::test]
async fn nul_in_scraped_text_does_not_stop_the_log() {
    let (log, _database) = log().await;
    let mut unit = unit("a", 0, 0);
    unit.streams[0].events.push(event(&json!({ "title": "a\u{0}b" })));
    log.append(unit).await.unwrap();
    let events = log
        .events(&EventFilter {
            limit: 10,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(events[0].data(), json!({ "title": "ab" }));
}

#[tokio::test]
async fn who_goes_away_while_waiting_loses_nothing() {
    let (log, _database) = log().await;
    let waiting = tokio::spawn({
        let log = log.clone();
        async move { log.append(unit("a", 0, 1)).await }
    });
    tokio::task::yield_now().await;
    waiting.abort();
    // Whatever became of the first, the log continues and is whole.
    log.append(unit("b", 0, 1)).await.unwrap();
    let head = log.head().await.unwrap();
    let events = log
        .events(&EventFilter {
            limit: 10,
            ..EventFilter::default()
        })
        .await
        .unwrap();
    assert_eq!(events.len(), usize::try_from(head).unwrap());
}

#[tokio::test]
async fn a_body_that_could_never_be_read_back_is_refused() {
    let (log, database) = log().await;
    let salt = log.salt(TenantId::DEFAULT, "a.com").await.unwrap();
    let (_, body) = salt.seal(&vec![b' '; MAX_CONTENT + 1], 1);
    let unit = AppendUnit {
        tenant: TenantId::DEFAULT,
        streams: Vec::new(),
        bodies: vec![body],
        key: None,
    };
    let error = log.append(unit).await.unwrap_err();
    assert!(
        error.to_string().contains("a body of a.com has 268435457 bytes"),
        "{error}"
    );
    let kept: i64 = sqlx::query_scalar("select count(*) from event_body")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(kept, 0);
}
