//! `sitelog backup` and `sitelog restore`: everything is restored, also for another user on another server, or
//! nothing.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use crate::support::own_postgres::OwnPostgres;
use crate::support::postgres::data_directory;
use crate::support::server::Server;
use crate::support::sites::{Gate, Sites, SitesOptions};

/// The binary with only these settings.
fn sitelog(settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitelog"));
    command
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env("SITELOG_AUTH__MODE", "off")
        .envs(settings.iter().copied());
    command
}

fn said(output: &Output) -> String {
    let said = [output.stdout.clone(), output.stderr.clone()].concat();
    String::from_utf8_lossy(&said).into_owned()
}

/// Runs a command that must exit with this code; returns its output.
fn run(code: i32, command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    said
}

/// Each table with its rows, which must be equal in a copy. Leases belong to the original only.
async fn contents(url: &str) -> Vec<(String, i64, String)> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace \
          where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
            and c.relname not in ('policy', 'projection', 'projection_task', 'scan_task', 'log_tree_node', 'legacy_row') \
          order by 1",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    let mut contents = Vec::new();
    for table in tables {
        let sql = format!(
            "select count(*), coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {table} t"
        );
        let (rows, digest) = sqlx::query_as(&sql).fetch_one(&mut connection).await.unwrap();
        contents.push((table, rows, digest));
    }
    contents
}

/// A server with a life behind it: read models that are filled and were built again, a domain that was forgotten, and a
/// batch that is under way until the gates open.
async fn lived(sites: &Sites, settings: &[(&'static str, &str)]) -> (Server, String, Vec<Gate>) {
    let server = Server::start(sites, settings);
    let first: Vec<String> = (0..4).map(|n| format!("site{n:05}.sites.test")).collect();
    let batch = server.request_batch(&first).await;
    let ended = |answer: &serde_json::Value| answer["status"] == "completed";
    server.wait_for(&format!("/api/v4/batches/{batch}"), ended).await;
    let (code, said) = server.run(&["forget", "--yes", "site00003.sites.test"]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = server.run(&["projections", "rebuild", "jobs"]).await;
    assert_eq!(code, Some(0), "{said}");
    let gates: Vec<Gate> = (4..8)
        .map(|n| sites.hold(&format!("site{n:05}.sites.test"), "/"))
        .collect();
    let second: Vec<String> = (4..12).map(|n| format!("site{n:05}.sites.test")).collect();
    let under_way = server.request_batch(&second).await;
    for gate in &gates {
        gate.reached_by(1).await;
    }
    (server, under_way, gates)
}

fn owned(file: &Path) -> &str {
    file.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_database_comes_back_on_a_server_of_another_user_and_from_there() {
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let (mut server, batch, gates) = lived(&sites, &[]).await;
    let dir = data_directory("sitelog-backup-");
    let (file, second) = (dir.path().join("one.backup"), dir.path().join("two.backup"));
    let (code, printed) = server.run(&["backup", owned(&file)]).await;
    assert_eq!(code, Some(0), "{printed}");
    server.kill();

    // Into a database of Alice's, who is no superuser and is not called like the owner of the original.
    let own = OwnPostgres::start(&[]).await;
    own.execute(&[
        "create role alice login createrole",
        "create database scans owner alice",
    ])
    .await;
    let url = own.url_of("alice", "scans");
    let printed = run(
        0,
        sitelog(
            &[("SITELOG_DATA_DIR", owned(dir.path()))],
            &["restore", owned(&file), "--into", &url],
        )
        .env_remove("PGUSER"),
    );
    for part in [
        "the given head matches the first",
        "compared with the log at position",
        "bodies erased",
        "is restored",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    let printed = run(3, &mut sitelog(&[], &["restore", owned(&file), "--into", &url]));
    assert!(printed.contains("scans is not empty"), "{printed}");

    // And from there into a private one again, of which each row is what it was.
    let alices = [("DATABASE_URL", url.as_str())];
    run(0, &mut sitelog(&alices, &["backup", owned(&second)]));
    let again = dir.path().join("again");
    let privately = [("SITELOG_DATA_DIR", owned(&again))];
    run(0, &mut sitelog(&privately, &["restore", owned(&second)]));

    // The batch that was under way continues there immediately, and what was forgotten stays forgotten.
    drop(gates);
    let mut copy = Server::start(&sites, &privately);
    let ended = |answer: &serde_json::Value| answer["status"] == "completed";
    let ended = copy.wait_for(&format!("/api/v4/batches/{batch}"), ended).await;
    assert_eq!(ended["completed"], json!(8));
    let (code, printed) = copy.run(&["projections", "verify"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let (code, printed) = copy.run(&["doctor"]).await;
    assert_eq!(code, Some(0), "{printed}");
    let forgotten = copy.get("/api/v4/domains/site00003.sites.test").await;
    assert_eq!(forgotten["title"], json!(null), "{forgotten}");
    // Each tenant sees its own rows alone there, too.
    let (code, printed) = copy
        .run(&[
            "export",
            "domains",
            "--tenant",
            "00000000-0000-4000-8000-000000000001",
        ])
        .await;
    assert!(code == Some(0) && !printed.contains("site0000"), "{printed}");
    // The last process out stops its PostgreSQL.
    copy.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_is_the_same_in_a_copy_and_roles_come_with_it() {
    let sites = Sites::start(SitesOptions::default()).await.unwrap();
    let own = OwnPostgres::start(&[]).await;
    own.execute(&[
        "create role alice login createrole",
        "create database scans owner alice",
        "create database copy",
    ])
    .await;
    let url = own.url_of("alice", "scans");
    let (mut server, _, gates) = lived(&sites, &[("DATABASE_URL", &url)]).await;
    server.kill();
    drop(gates);
    own.execute(&["create role \"odd \"\"reader\"\"\" login"]).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("grant usage on schema legacy to \"odd \"\"reader\"\"\"; grant select on legacy.jobs to \"odd \"\"reader\"\"\"")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let dir = data_directory("sitelog-backup-");
    let file = dir.path().join("all.backup");
    run(
        0,
        &mut sitelog(&[("DATABASE_URL", &url)], &["backup", owned(&file)]),
    );

    let elsewhere = OwnPostgres::start(&[]).await;
    let copy = elsewhere.url.clone();
    run(
        0,
        &mut sitelog(&[("DATABASE_URL", &copy)], &["restore", owned(&file)]),
    );
    assert_eq!(contents(&copy).await, contents(&url).await);
    let mut connection = PgConnection::connect(&copy).await.unwrap();
    let (may_read, may_log_in): (bool, bool) = sqlx::query_as(
        "select has_table_privilege(oid, 'legacy.jobs', 'select'), rolcanlogin from pg_roles where rolname = 'odd \"reader\"'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!((may_read, may_log_in), (true, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_fails_leaves_the_database_as_empty_as_it_was() {
    let own = OwnPostgres::start(&[]).await;
    own.execute(&[
        "create database source",
        "create database target",
        "create role bob login",
        "create database bobs owner bob",
    ])
    .await;
    let [source, target] = ["source", "target"].map(|name| own.url_of("postgres", name));
    let at = |url: &str, arguments: &[&str]| {
        let mut command = sitelog(&[], arguments);
        command.env("DATABASE_URL", url);
        command
    };
    let dir = data_directory("sitelog-backup-");
    let (file, broken) = (dir.path().join("x.backup"), dir.path().join("broken.backup"));
    let printed = run(3, &mut at(&source, &["backup", owned(&file)]));
    assert!(printed.contains("nothing to back up"), "{printed}");
    assert!(!file.exists());
    run(0, &mut at(&source, &["projections", "status"]));
    run(0, &mut at(&source, &["backup", owned(&file)]));

    // Bytes of the list of contents and of the data that are others: what comes before them must not stay.
    let bytes = std::fs::read(&file).unwrap();
    for place in [bytes.len() / 2, bytes.len() - 2500] {
        let mut bytes = bytes.clone();
        bytes[place..place + 500].fill(0xff);
        std::fs::write(&broken, &bytes).unwrap();
        let printed = run(3, &mut at(&target, &["restore", owned(&broken)]));
        assert!(
            printed.contains("pg_restore failed; nothing was restored"),
            "{printed}"
        );
        assert_eq!(contents(&target).await, []);
    }
    let printed = run(3, &mut at(&target, &["restore", "/etc/hostname"]));
    assert!(printed.contains("is not a backup of sitelog"), "{printed}");
    run(0, &mut at(&target, &["restore", owned(&file)]));
    run(3, &mut at(&target, &["restore", owned(&file)]));

    // Who is not shown all rows makes no backup that looks like one.
    own.execute(&["grant pg_read_all_data to bob"]).await;
    let printed = run(
        3,
        &mut at(
            &own.url_of("bob", "source"),
            &["backup", owned(&dir.path().join("bobs.backup"))],
        ),
    );
    assert!(printed.contains("does not own"), "{printed}");
    assert!(!dir.path().join("bobs.backup").exists());
    let printed = run(3, &mut at(&source, &["backup", "/no/such/place/x.backup"]));
    assert!(
        printed.contains("/no/such/place/x.backup.partial cannot be written"),
        "{printed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_is_missing_and_may_not_be_made_is_named_with_the_command() {
    let (own, elsewhere) = (OwnPostgres::start(&[]).await, OwnPostgres::start(&[]).await);
    elsewhere
        .execute(&["create role bob login", "create database bobs owner bob"])
        .await;
    let bobs = elsewhere.url_of("bob", "bobs");
    let dir = data_directory("sitelog-backup-");
    let file = dir.path().join("x.backup");
    let source = [("DATABASE_URL", own.url.as_str())];
    run(0, &mut sitelog(&source, &["projections", "status"]));
    run(0, &mut sitelog(&source, &["backup", owned(&file)]));
    let restore = ["restore", owned(&file), "--into", &bobs];
    let printed = run(3, &mut sitelog(&[], &restore));
    let command = "create role \"sitelog_reader\" nologin";
    assert!(
        printed.contains(&format!("as a superuser, run: {command}")),
        "{printed}"
    );
    assert_eq!(contents(&bobs).await, []);
    elsewhere.execute(&[command]).await;
    run(0, &mut sitelog(&[], &restore));
}

/// The commands of docs/operations.md, exactly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_commands_do_what_they_say() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).unwrap();
    let section = page
        .split("## Backup and restore")
        .nth(1)
        .unwrap()
        .split("\n## ")
        .next()
        .unwrap();
    let commands: String = section
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect();
    assert!(commands.matches("sitelog ").count() >= 4, "{commands}");
    let own = OwnPostgres::start(&[]).await;
    own.execute(&[
        "create role alice login createrole",
        "create database scans owner alice",
    ])
    .await;
    let dir = TempDir::with_prefix("sitelog-docs-").unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_sitelog")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    run(
        0,
        Command::new("sh")
            .args(["-eux", "-c", &format!("sitelog migrate\n{commands}")])
            .current_dir(dir.path())
            .env_remove("DATABASE_URL")
            .env("PATH", path)
            .env("SITELOG_DATA_DIR", dir.path().join("data"))
            .env("URL", own.url_of("alice", "scans")),
    );
}
