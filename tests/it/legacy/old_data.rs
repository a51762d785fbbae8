//! The predecessor's data: imported, compared with ours, and read through its own tables.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sqlx::PgPool;

use crate::support::postgres::{TestDatabase, make_role};

/// Sizes of a generated database.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) domains: u32,
    pub(super) jobs: u32,
    pub(super) batches: u32,
}

pub(super) const SMALL: Sizes = Sizes {
    domains: 600,
    jobs: 700,
    batches: 50,
};

/// A database of the predecessor, and one of ours. The import uses a role that may only read.
pub(super) struct Both {
    pub(super) ours: TestDatabase,
    _theirs: TestDatabase,
    pub(super) old_url: String,
    pub(super) old: PgPool,
}

/// May read the predecessor's tables, and nothing else.
const OLD_READER: &str = "sitelog_test_old_reader";

impl Both {
    pub(super) async fn new(sizes: Sizes) -> Self {
        let theirs = TestDatabase::new().await;
        let sql = include_str!("data/old_database.sql")
            .replace("{domains}", &sizes.domains.to_string())
            .replace("{jobs}", &sizes.jobs.to_string())
            .replace("{batches}", &sizes.batches.to_string());
        let mut connection = theirs.pool.acquire().await.unwrap();
        sqlx::raw_sql(&sql).execute(&mut *connection).await.unwrap();
        drop(connection);
        make_role(&theirs.pool, OLD_READER).await;
        let grants = format!(
            "grant usage on schema old to {OLD_READER}; grant select on all tables in schema old to {OLD_READER}"
        );
        sqlx::raw_sql(&grants).execute(&theirs.pool).await.unwrap();
        let separator = if theirs.url.contains('?') { '&' } else { '?' };
        Self {
            ours: TestDatabase::new().await,
            old_url: format!(
                "{}{separator}options=-csearch_path%3Dold%20-crole%3D{OLD_READER}",
                theirs.url
            ),
            old: theirs.pool.clone(),
            _theirs: theirs,
        }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sitelog"));
        command
            .args(arguments)
            .env("DATABASE_URL", &self.ours.url)
            .env("SITELOG_DATA_DIR", std::env::temp_dir())
            .stdin(Stdio::null());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(super) fn import(&self, more: &[&str]) -> Value {
        let arguments = [&["legacy", "import", "--json", "--from", &self.old_url], more].concat();
        let output = self.run(&arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(super) fn compare(&self) -> (Option<i32>, Value) {
        let output = self.run(&["legacy", "compare", "--json", "--with", &self.old_url]);
        let read = serde_json::from_slice(&output.stdout);
        let read = read.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), read)
    }

    pub(super) async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.ours.pool).await.unwrap()
    }

    async fn old_count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from old.{table}");
        sqlx::query_scalar(&sql).fetch_one(&self.old).await.unwrap()
    }

    /// The log and the read models hold what they should.
    pub(super) fn assert_sound(&self) {
        for arguments in [&["log", "verify"][..], &["projections", "verify"]] {
            let output = self.run(arguments);
            assert!(
                output.status.success(),
                "{arguments:?}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

/// The rows in a report.
fn rows(tally: &Value) -> i64 {
    let sum = |name: &str| -> i64 {
        tally[name]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, n)| n.as_i64())
            .sum()
    };
    tally["imported"].as_i64().unwrap() + sum("merged") + sum("refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_accounted_for_and_every_difference_has_a_reason() {
    let both = Both::new(SMALL).await;
    let report = both.import(&[]);
    for table in ["domains", "jobs", "batch_jobs", "sitemap_files", "sitemap_urls"] {
        let tally = &report["tables"][table];
        assert_eq!(rows(tally), both.old_count(table).await, "{table}: {tally}");
    }
    let tables = &report["tables"];
    for (table, kind, reason) in [
        ("domains", "refused", "invalid_domain"),
        ("domains", "merged", "same_site"),
        ("domains", "notes", "fabricated_metadata"),
        ("domains", "notes", "batch_missing"),
        ("domains", "notes", "batch_of_other_tenant"),
        ("domains", "notes", "unfinished"),
        ("jobs", "refused", "no_domain"),
        ("jobs", "refused", "unknown_status"),
        ("jobs", "refused", "invalid_domain"),
        ("jobs", "refused", "other_work"),
        ("jobs", "refused", "unreadable"),
        ("jobs", "notes", "job_id_not_uuid"),
        ("jobs", "notes", "job_id_taken"),
        ("jobs", "notes", "domain_of_other_tenant"),
        ("jobs", "notes", "tenant_not_uuid"),
        ("jobs", "notes", "times_out_of_order"),
        ("jobs", "notes", "unfinished"),
        ("batch_jobs", "notes", "batch_id_missing"),
        ("batch_jobs", "notes", "batch_id_taken"),
        ("batch_jobs", "notes", "batch_id_not_uuid"),
        ("batch_jobs", "notes", "unfinished"),
        ("sitemap_files", "merged", "written_again"),
        ("sitemap_files", "refused", "no_domain"),
        ("sitemap_files", "refused", "invalid_url"),
        ("sitemap_files", "notes", "type_missing"),
        ("sitemap_urls", "refused", "invalid_url"),
        ("sitemap_urls", "refused", "no_file"),
        ("sitemap_urls", "merged", "twice_in_file"),
    ] {
        assert!(
            tables[table][kind][reason].as_i64() > Some(0),
            "{table} {kind} {reason}: {}",
            tables[table]
        );
    }
    // Times and ids are the original ones.
    let occurred: String = sqlx::query_scalar(
        "select metadata ->> 'occurred_at' from events where event_type = 'ScanRequested' \
            and aggregate_id = '00000002-0000-4000-8000-000000000001'",
    )
    .fetch_one(&both.ours.pool)
    .await
    .unwrap();
    assert_eq!(occurred, "2025-04-10T00:01:00.000000Z");
    let (code, comparison) = both.compare();
    assert_eq!(
        comparison["unexplained"],
        serde_json::json!([]),
        "{}",
        comparison["tables"]
    );
    assert_eq!(code, Some(0), "{}", comparison["tables"]);
    for (table, counts) in comparison["tables"].as_object().unwrap() {
        for wrong in ["unexplained", "missing", "not_imported"] {
            assert_eq!(counts[wrong], 0, "{table} {wrong}: {counts}");
        }
        // Jobs that name a domain of no row, or of another tenant, make it known here.
        assert!(
            table == "domains" || counts["only_here"] == 0,
            "{table}: {counts}"
        );
    }
    both.assert_sound();
    // A second import changes nothing.
    let head = both.count("select position from log_head").await;
    assert_eq!(both.import(&[]), report);
    assert_eq!(both.count("select position from log_head").await, head);
    // Nothing of it is waiting to be scanned.
    assert_eq!(both.count("select count(*) from scan_task").await, 0);
    assert_eq!(
        both.count("select count(*) from batch_watch where ended_round < round and not cancelled")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_on_either_side_is_a_difference_without_a_reason() {
    let both = Both::new(SMALL).await;
    both.import(&[]);
    sqlx::raw_sql("update old.domains set title = 'changed' where id = old.old_id(1, 13)")
        .execute(&both.old)
        .await
        .unwrap();
    let (code, comparison) = both.compare();
    let differences = comparison["unexplained"].as_array().unwrap();
    assert_eq!((code, differences.len()), (Some(1), 1), "{differences:?}");
    assert_eq!(
        (&differences[0]["column"], &differences[0]["old"]),
        (&"title".into(), &"changed".into())
    );
    sqlx::raw_sql(
        "insert into old.domains (tenant_id, domain) values (gen_random_uuid(), 'new.example.com')",
    )
    .execute(&both.old)
    .await
    .unwrap();
    let (_, comparison) = both.compare();
    assert_eq!(comparison["tables"]["domains"]["not_imported"], 1);
    // The report is one that a person can read and sign.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("report.md");
    let output = both.run(&[
        "legacy",
        "compare",
        "--with",
        &both.old_url,
        "--report",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let report = std::fs::read_to_string(&file).unwrap();
    for part in [
        "| `domains` |",
        "`same_site`",
        "changed",
        "| Checked by | |",
        "Not every row is accounted for",
    ] {
        assert!(report.contains(part), "{part} is not in\n{report}");
    }
}

/// `SITELOG_LEGACY_ROWS=100000,120000,500` makes it as large as the predecessor's database was.
fn sizes() -> Sizes {
    let given = std::env::var("SITELOG_LEGACY_ROWS").unwrap_or_else(|_| "3000,3000,50".to_owned());
    let numbers: Vec<u32> = given
        .split(',')
        .map(|number| number.trim().parse().unwrap())
        .collect();
    Sizes {
        domains: numbers[0],
        jobs: numbers[1],
        batches: numbers[2],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_where_it_stopped() {
    let both = Both::new(sizes()).await;
    let mut child = both
        .command(&["legacy", "import", "--from", &both.old_url])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // As soon as some of it is there and most is not.
    loop {
        let some = both.count("select count(*) from legacy_row").await;
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        if some > 600 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = both
        .count("select count(*) from legacy_row where source_table = 'domains'")
        .await;
    assert!(
        before < i64::from(sizes().domains),
        "it was killed too late to be of use"
    );
    let report = both.import(&[]);
    for table in ["domains", "jobs", "batch_jobs", "sitemap_files", "sitemap_urls"] {
        assert_eq!(
            rows(&report["tables"][table]),
            both.old_count(table).await,
            "{table}"
        );
    }
    let (code, comparison) = both.compare();
    assert_eq!(
        code,
        Some(0),
        "{} {}",
        comparison["tables"],
        comparison["unexplained"]
    );
    let twice = "select count(*) from (select from events where event_type in ('ScanImported', 'BatchImported') \
                 group by aggregate_id having count(*) > 1) e";
    assert_eq!(both.count(twice).await, 0);
    let head = both.count("select position from log_head").await;
    assert_eq!(both.import(&[]), report);
    assert_eq!(both.count("select position from log_head").await, head);
    both.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_work_is_left_or_done_here_if_that_is_wanted() {
    let both = Both::new(SMALL).await;
    let report = both.import(&["--unfinished", "leave"]);
    assert!(report["tables"]["jobs"]["refused"]["unfinished"].as_i64() > Some(0));
    let both = Both::new(SMALL).await;
    both.import(&["--unfinished", "rescan"]);
    assert!(both.count("select count(*) from scan_task").await > 0);
    // Nothing of what was imported is reported as stuck, however long ago that was.
    for table in ["batch_watch set moved_at", "scan_task set queued_at"] {
        let sql = format!("update {table} = now() - interval '1 day'");
        sqlx::raw_sql(&sql).execute(&both.ours.pool).await.unwrap();
    }
    let served = "update task_tenant set served_at = now()";
    sqlx::raw_sql(served).execute(&both.ours.pool).await.unwrap();
    let report = both.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    assert_eq!(report["stuck"], serde_json::json!([]), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_the_predecessors_is_refused() {
    let both = Both::new(SMALL).await;
    let other = TestDatabase::new().await;
    for (url, code) in [
        (other.url.as_str(), 3),
        ("postgres://127.0.0.1:1/x", 3),
        ("rubbish", 2),
    ] {
        let output = both.run(&["legacy", "import", "--from", url]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{url}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(!output.stderr.is_empty());
    }
    assert_eq!(both.count("select position from log_head").await, 0);
}
