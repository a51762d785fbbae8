//! Sealed segments and their files: every change to either is detected.

use std::io::Read;
use std::process::Command;

use serde_json::{Value, json};
use sitelog::commands::CommandBus;
use sitelog::log::EventLog;
use sitelog::log::segment::{SegmentError, VerifiedSegment, verify_segment};
use sitelog::log::verify::Finding;

use super::{forget, log, unit};
use crate::support::postgres::TestDatabase;

async fn filled() -> (EventLog, TestDatabase) {
    let (log, database) = log().await;
    forget::completed_scan(&CommandBus::new(log.clone()), "a.com").await;
    for n in 0..5 {
        log.append(unit(&format!("s{n}"), 0, 300)).await.unwrap();
    }
    (log, database)
}

async fn exported(log: &EventLog, first: u64, last: u64) -> Vec<u8> {
    let mut file = Vec::new();
    log.export_segment(first, last, true, &mut file).await.unwrap();
    file
}

fn lines(file: &[u8]) -> Vec<String> {
    let mut text = String::new();
    zstd::Decoder::new(file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(str::to_owned).collect()
}

/// The errors found after lines of a file were changed.
fn after(file: &[u8], change: impl FnOnce(&mut Vec<String>)) -> Result<VerifiedSegment, SegmentError> {
    let mut lines = lines(file);
    change(&mut lines);
    let text = lines.join("\n") + "\n";
    verify_segment(zstd::encode_all(text.as_bytes(), 1).unwrap().as_slice())
}

#[tokio::test]
async fn a_file_leads_to_the_logs_own_head_wherever_it_begins_and_ends() {
    let (log, _database) = filled().await;
    for (first, last, bodies) in [
        (1, 1504, 2),
        (1, 1, 0),
        (4, 4, 1),
        (2, 1024, 2),
        (1025, 1504, 0),
        (1300, 1301, 0),
    ] {
        let found = verify_segment(exported(&log, first, last).await.as_slice()).unwrap();
        assert_eq!(
            found.head,
            log.checkpoint(Some(last)).await.unwrap().head,
            "{first} to {last}"
        );
        assert_eq!(
            (found.footer.events, found.footer.bodies),
            (last - first + 1, bodies),
            "{first} to {last}"
        );
    }
    let mut none = Vec::new();
    for (first, last) in [(0, 5), (6, 5), (1, 1505)] {
        let refused = log.export_segment(first, last, false, &mut none).await;
        assert!(
            matches!(refused, Err(SegmentError::Range(_))),
            "{first} to {last}"
        );
    }
}

#[tokio::test]
async fn an_altered_file_is_found_out() {
    let (log, _database) = filled().await;
    let file = exported(&log, 2, 100).await;
    assert!(after(&file, |_| {}).is_ok());
    let altered = after(&file, |lines| {
        lines[50] = lines[50].replace("Happened", "Occurred");
    });
    assert!(matches!(altered, Err(SegmentError::Root { .. })), "{altered:?}");
    let other_past = after(&file, |lines| {
        let mut header: Value = serde_json::from_str(&lines[0]).unwrap();
        header["before"][0] = json!("00".repeat(32));
        lines[0] = header.to_string();
    });
    assert!(
        matches!(other_past, Err(SegmentError::Root { .. })),
        "{other_past:?}"
    );
    let shorter = |line: usize, by: usize| after(&file, |lines| drop(lines.drain(line..line + by)));
    for (changed, line) in [
        (shorter(10, 1), 11),
        (after(&file, |lines| lines.swap(10, 11)), 11),
        (after(&file, |lines| lines.insert(10, lines[10].clone())), 12),
        // Bodies stand behind the events; the footer is the last line.
        (shorter(101, 1), 102),
        (after(&file, |lines| lines[100] = lines[101].clone()), 102),
        (after(&file, |lines| drop(lines.pop())), 103),
        (after(&file, |lines| lines[0] = "{}".to_owned()), 1),
    ] {
        match changed {
            Err(SegmentError::Line { line: named, .. }) => assert_eq!(named, line),
            other => panic!("line {line}: {other:?}"),
        }
    }
    let bent = after(&file, |lines| {
        lines[100] = lines[100].replacen("\"salt\":\"", "\"salt\":\"00", 1);
    });
    assert!(
        matches!(bent, Err(SegmentError::Line { line: 101, .. })),
        "{bent:?}"
    );
    assert!(matches!(
        verify_segment(&file[..file.len() / 2]),
        Err(SegmentError::File(_))
    ));
    assert!(matches!(
        verify_segment(&b"nothing of ours"[..]),
        Err(SegmentError::File(_))
    ));
}

#[tokio::test]
async fn sealing_goes_on_where_it_stood_and_a_sealed_segment_is_held_to_its_root() {
    let (log, database) = filled().await;
    let sealed = log.seal(500).await.unwrap();
    let spans: Vec<_> = sealed
        .iter()
        .map(|segment| (segment.first, segment.last))
        .collect();
    assert_eq!(spans, [(1, 500), (501, 1000), (1001, 1500)]);
    let root = log.checkpoint(Some(1000)).await.unwrap().head.root;
    assert_eq!(sealed[1].root, hex::encode(root));
    log.append(unit("later", 0, 400)).await.unwrap();
    assert_eq!(
        log.seal(200).await.unwrap().last().unwrap().last,
        1900,
        "another size from here on"
    );
    assert!(log.verify().await.unwrap().holds());
    // Rewritten with correct leaves and stored hashes: only the sealed roots show it.
    let anew = "alter table events disable trigger all; truncate log_tree_node; \
                update events set payload = '{\"Happened\": {\"n\": 77}}' where position = 700; \
                update events set leaf = event_leaf(position, event_id, aggregate_type, aggregate_id, sequence, \
                  event_type, event_version, recorded_at, tenant_id, payload, metadata) where position = 700";
    sqlx::raw_sql(anew).execute(&database.pool).await.unwrap();
    let findings = log.verify().await.unwrap().findings;
    let first = Finding::SegmentAltered {
        first: 501,
        last: 1000,
    };
    assert_eq!((findings.len(), &findings[0]), (4, &first), "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_write_a_file_that_is_checked_without_a_database() {
    let (log, database) = filled().await;
    let dir = tempfile::tempdir().unwrap();
    let sitelog = |arguments: &[&str], url: &str| {
        let run = Command::new(env!("CARGO_BIN_EXE_sitelog"))
            .args(arguments)
            .current_dir(dir.path())
            .env("DATABASE_URL", url)
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap())
    };
    let sealed = sitelog(&["log", "seal", "--segment-size", "700", "--json"], &database.url).1;
    let last: Value = serde_json::from_str(sealed.lines().last().unwrap()).unwrap();
    assert_eq!((&last["first"], &last["last"]), (&json!(701), &json!(1400)));
    let export = ["log", "export", "--from", "701", "--to", "1400", "segment.zst"];
    let (code, said) = sitelog(&export, &database.url);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(
        sitelog(&export, &database.url).0,
        Some(2),
        "a file that is there is not written over"
    );
    assert_eq!(
        sitelog(&["log", "export", "--to", "9999", "no.zst"], &database.url).0,
        Some(2)
    );
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left of what was refused"
    );
    let root = hex::encode(log.checkpoint(Some(1400)).await.unwrap().head.root);
    let nowhere = "postgres://localhost:1/nowhere";
    let check = |head: &str| sitelog(&["log", "verify-segment", "segment.zst", "--head", head], nowhere);
    let (code, said) = check(&format!("1400:{root}"));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("these events are in that log"), "{said}");
    assert_eq!(check(&format!("1400:{}", "00".repeat(32))).0, Some(1));
    assert_eq!(check(&format!("1399:{root}")).0, Some(2));
}
