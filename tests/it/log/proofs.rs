//! Heads and proofs from a real log, and the script with which a third party checks them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sitelog::log::EventLog;
use sitelog::log::head::TreeHead;
use sitelog::log::merkle::{MerkleTree, leaf_hash};
use sitelog::log::proof::{verify_consistency, verify_inclusion};
use sitelog::log::tree::ProofError;

use super::{log, unit};
use crate::support::postgres::TestDatabase;

/// More events than one stored node covers: some complete subtrees are stored, the rest is not.
const EVENTS: usize = 2500;

async fn filled(events: usize) -> (EventLog, TestDatabase) {
    let (log, database) = log().await;
    for n in 0..events.div_ceil(500) {
        let count = (events - n * 500).min(500);
        log.append(unit(&format!("s{n}"), 0, count)).await.unwrap();
    }
    (log, database)
}

/// The head over the first leaves, computed from the events.
async fn head_by_hand(database: &TestDatabase, size: i64) -> TreeHead {
    let contents: Vec<String> = sqlx::query_scalar(
        "select jsonb_build_array(position, event_id, aggregate_type, aggregate_id, sequence, event_type, \
           event_version, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), tenant_id, \
           payload, metadata)::text from events where position <= $1 order by position",
    )
    .bind(size)
    .fetch_all(&database.pool)
    .await
    .unwrap();
    let mut tree = MerkleTree::default();
    for content in contents {
        tree.push(leaf_hash(content.as_bytes()));
    }
    TreeHead {
        size: tree.size(),
        root: tree.root(),
    }
}

#[tokio::test]
async fn a_head_is_the_same_whether_its_subtrees_are_stored_or_not() {
    let (log, database) = filled(EVENTS).await;
    for size in [1, 2, 1023, 1024, 1025, 2047, 2048, 2500] {
        let by_hand = head_by_hand(&database, size).await;
        let asked = Some(u64::try_from(size).unwrap());
        assert_eq!(log.checkpoint(asked).await.unwrap().head, by_hand, "{size}");
        sqlx::raw_sql("delete from log_tree_node where level > 10")
            .execute(&database.pool)
            .await
            .unwrap();
        assert_eq!(
            log.checkpoint(asked).await.unwrap().head,
            by_hand,
            "{size}, without some nodes"
        );
    }
    let stored: Vec<(i16, i64)> = sqlx::query_as("select level, index from log_tree_node order by 1, 2")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(stored, [(10, 0), (10, 1)]);
}

#[tokio::test]
async fn the_stored_tree_grows_with_the_log_and_each_node_is_stored_once() {
    let (log, database) = filled(1500).await;
    log.extend_tree().await.unwrap();
    for n in 0..6 {
        log.append(unit(&format!("more{n}"), 0, 500)).await.unwrap();
        log.extend_tree().await.unwrap();
    }
    let other = EventLog::open(database.pool.clone());
    let (one, two) = tokio::join!(log.extend_tree(), other.extend_tree());
    one.unwrap();
    two.unwrap();
    let stored: Vec<(i16, i64)> = sqlx::query_as("select level, index from log_tree_node order by 1, 2")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(
        stored,
        [(10, 0), (10, 1), (10, 2), (10, 3), (11, 0), (11, 1), (12, 0)]
    );
    assert!(log.verify().await.unwrap().holds());
    assert_eq!(
        log.checkpoint(None).await.unwrap().head,
        head_by_hand(&database, 4500).await
    );
}

#[tokio::test]
async fn an_event_is_proven_to_be_in_each_tree_that_holds_it() {
    let (log, _database) = filled(EVENTS).await;
    for (position, size) in [
        (1, 1),
        (1, 2500),
        (700, 2048),
        (1024, 1024),
        (1025, 1500),
        (2500, 2500),
    ] {
        let proof = log.prove_inclusion(position, Some(size)).await.unwrap();
        let head = proof.checkpoint.head;
        let index = u64::try_from(position - 1).unwrap();
        let leaf = leaf_hash(proof.content.as_bytes());
        assert_eq!(leaf, proof.leaf);
        assert!(
            verify_inclusion(&leaf, index, head.size, &proof.path, &head.root),
            "{position} of {size}"
        );
        let content: Value = serde_json::from_str(&proof.content).unwrap();
        assert_eq!(content[0], position);
    }
}

#[tokio::test]
async fn the_log_is_proven_to_have_only_grown() {
    let (log, database) = filled(EVENTS).await;
    for (old, new) in [
        (0, 2500),
        (1, 2500),
        (1024, 2500),
        (1500, 2048),
        (2499, 2500),
        (2500, 2500),
    ] {
        let proof = log.prove_consistency(old, Some(new)).await.unwrap();
        let head = proof.checkpoint.head;
        assert_eq!(
            proof.old,
            head_by_hand(&database, i64::try_from(old).unwrap()).await
        );
        let holds = verify_consistency(old, head.size, &proof.old.root, &head.root, &proof.path);
        assert!(holds, "{old} to {new}");
    }
}

#[tokio::test]
async fn what_is_not_in_the_log_has_no_proof() {
    let (log, database) = filled(3).await;
    for (position, size) in [(0, None), (4, None), (-1, None), (3, Some(2))] {
        let refused = log.prove_inclusion(position, size).await.unwrap_err();
        assert!(
            matches!(refused, ProofError::OutOfRange { .. }),
            "{position}: {refused}"
        );
    }
    let refused = log.prove_inclusion(1, Some(4)).await.unwrap_err();
    assert_eq!(refused.to_string(), "the log has only 3 events, not 4");
    assert!(matches!(
        log.prove_consistency(3, Some(2)).await,
        Err(ProofError::OutOfRange { .. })
    ));
    sqlx::raw_sql("alter table events disable trigger all; delete from events where position = 2")
        .execute(&database.pool)
        .await
        .unwrap();
    let refused = log.prove_inclusion(1, None).await.unwrap_err();
    assert!(
        matches!(refused, ProofError::Log(_)),
        "a proof over a hole: {refused}"
    );
}

#[tokio::test]
async fn an_empty_log_has_a_head() {
    let (log, _database) = log().await;
    let text = log.checkpoint(None).await.unwrap().to_string();
    assert_eq!(
        text,
        "sitelog/empty\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    );
}

/// The output of the script; `None` if Python is missing.
fn script(arguments: &[&str]) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("script/verify-proof");
    let run = Command::new("python3").arg(script).args(arguments).output();
    if run.is_err() {
        eprintln!("SKIPPED: there is no python3 to run script/verify-proof with");
    }
    run.ok()
}

/// Runs the binary on a database.
fn sitelog(database: &TestDatabase, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sitelog"))
        .args(arguments)
        .env("DATABASE_URL", &database.url)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_checks_both_proofs_with_the_script_alone() {
    let (log, database) = filled(1300).await;
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let old_head = file("old", &stdout(&sitelog(&database, &["log", "head"])));
    log.append(unit("later", 0, 17)).await.unwrap();
    let head = sitelog(&database, &["log", "head"]);
    assert!(stdout(&head).starts_with("sitelog/") && stdout(&head).lines().nth(1) == Some("1317"));
    let head = file("head", &stdout(&head));
    let inclusion = stdout(&sitelog(&database, &["log", "proof", "1050", "--json"]));
    let consistency = stdout(&sitelog(
        &database,
        &["log", "proof", "--consistency", "1300", "--json"],
    ));
    let (event, growth) = (file("event", &inclusion), file("growth", &consistency));
    for arguments in [
        vec![event.as_str()],
        vec![event.as_str(), "--head", &head],
        vec![growth.as_str(), "--head", &head, "--old-head", &old_head],
    ] {
        let Some(said) = script(&arguments) else { return };
        assert!(said.status.success(), "{arguments:?}: {said:?}");
        assert!(stdout(&said).starts_with("proven: "));
    }
    // And what is not so is not proven: another text, another place, another head.
    let bent = |proof: &str, bend: &dyn Fn(&mut Value)| {
        let mut proof: Value = serde_json::from_str(proof).unwrap();
        bend(&mut proof);
        file("bent", &proof.to_string())
    };
    let text = |proof: &mut Value| {
        let content = proof["leaf"]["content"]
            .as_str()
            .unwrap()
            .replace("Happened", "Occurred");
        proof["leaf"]["content"] = content.into();
    };
    let place = |proof: &mut Value| proof["position"] = json!(1051);
    let path = |proof: &mut Value| proof["path"][0] = json!("00".repeat(32));
    let longer = |proof: &mut Value| proof["path"].as_array_mut().unwrap().push(json!("00".repeat(32)));
    for bend in [&text as &dyn Fn(&mut Value), &place, &path, &longer] {
        let said = script(&[&bent(&inclusion, bend), "--head", &head]).unwrap();
        assert_eq!(said.status.code(), Some(1), "{said:?}");
    }
    for bend in [&path as &dyn Fn(&mut Value), &longer] {
        let said = script(&[
            &bent(&consistency, bend),
            "--head",
            &head,
            "--old-head",
            &old_head,
        ])
        .unwrap();
        assert_eq!(said.status.code(), Some(1), "{said:?}");
    }
    let another = format!("1317:{}", "11".repeat(32));
    assert_eq!(
        script(&[&event, "--head", &another]).unwrap().status.code(),
        Some(1)
    );
    let another = format!("1300:{}", "11".repeat(32));
    let said = script(&[&growth, "--head", &head, "--old-head", &another]).unwrap();
    assert_eq!(said.status.code(), Some(1));
    // A head of another size is no answer either way.
    assert_eq!(
        script(&[&event, "--head", &old_head]).unwrap().status.code(),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_positions_are_wrong_arguments_and_a_broken_log_proves_nothing() {
    let (_log, database) = filled(3).await;
    for arguments in [
        vec!["log", "proof", "4"],
        vec!["log", "proof", "0"],
        vec!["log", "proof"],
        vec!["log", "proof", "1", "--size", "9"],
    ] {
        assert_eq!(
            sitelog(&database, &arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    let report: Value =
        serde_json::from_str(&stdout(&sitelog(&database, &["log", "head", "--json"]))).unwrap();
    assert_eq!(
        (&report["size"], report["root"].as_str().unwrap().len()),
        (&json!(3), 64)
    );
    assert!(report["recorded_at"].is_string());
    sqlx::raw_sql(
        "alter table events disable trigger all; update events set metadata = '{}' where position = 2",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    assert_eq!(sitelog(&database, &["log", "proof", "2"]).status.code(), Some(1));
}
