//! The embedded PostgreSQL: created, joined, left, killed, refused. Each test runs its own server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use sitelog::postgres::{EmbeddedPostgres, EmbeddedPostgresError};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::postgres::data_directory;

/// A data directory whose server is stopped even if the test fails.
struct DataDir {
    dir: TempDir,
}

impl DataDir {
    fn new() -> Self {
        Self {
            dir: data_directory("sitelog-"),
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn postmaster(&self) -> Option<String> {
        let text = fs::read_to_string(self.path().join("postgres/postmaster.pid")).ok()?;
        let pid = text.lines().next()?.trim().to_owned();
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0)
            .next()?
            .ends_with(b"postgres")
            .then_some(pid)
    }

    fn kill_postmaster(&self) {
        let pid = self.postmaster().expect("a server that runs");
        assert!(
            Command::new("kill")
                .args(["-9", &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if let Some(pid) = self.postmaster() {
            let _gone = Command::new("kill").args(["-QUIT", &pid]).status();
        }
    }
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn run(url: &str, statement: &str) {
    sqlx::raw_sql(statement)
        .execute(&mut connect(url).await)
        .await
        .unwrap();
}

async fn ask(url: &str, query: &str) -> String {
    sqlx::query_scalar(query)
        .fetch_one(&mut connect(url).await)
        .await
        .unwrap()
}

/// A busy backend does not notice that its postmaster died, and prevents a new one from starting.
async fn spawn_computing_backend(url: &str) -> JoinHandle<Result<(), sqlx::Error>> {
    let mut connection = connect(url).await;
    let query = "select count(*) from generate_series(1, 100000000000) /* computing */";
    let backend = tokio::spawn(async move { sqlx::query(query).execute(&mut connection).await.map(|_| ()) });
    let seen = "select (count(*) > 0)::text from pg_stat_activity where query like '%/* computing */'";
    while ask(url, seen).await == "false" {}
    backend
}

/// A kill takes a moment to have effect, so the first look may find the server alive.
async fn supervise_until_restarted(postgres: &EmbeddedPostgres) {
    while !postgres.ensure_running().await.unwrap() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_new_data_directory_gets_a_database_that_is_durable_private_and_utf8() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("jit", "off"),
        ("lc_collate", "C.UTF-8"),
    ] {
        let query = match setting {
            "lc_collate" => {
                "select datcollate from pg_database where datname = current_database()".to_owned()
            }
            _ => format!("select current_setting('{setting}')"),
        };
        assert_eq!(ask(postgres.url(), &query).await, value, "{setting}");
    }
    assert_eq!(
        ask(
            postgres.url(),
            "select current_user || ' in ' || current_database()"
        )
        .await,
        "sitelog in sitelog"
    );
    assert_eq!(
        ask(
            postgres.url(),
            "select rolsuper::text from pg_roles where rolname = 'sitelog'"
        )
        .await,
        "false"
    );
    postgres.stop().await.unwrap();
    assert_eq!(data_dir.postmaster(), None);
}

#[tokio::test]
async fn data_outlives_the_server() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    run(
        postgres.url(),
        "create table kept (word text); insert into kept values ('kept')",
    )
    .await;
    postgres.stop().await.unwrap();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    assert_eq!(ask(postgres.url(), "select word from kept").await, "kept");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_user_joins_and_the_last_one_out_stops_the_server() {
    let data_dir = DataDir::new();
    let (first, second) = tokio::join!(
        EmbeddedPostgres::start(data_dir.path()),
        EmbeddedPostgres::start(data_dir.path())
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.url(), second.url());
    let server = data_dir.postmaster();
    first.stop().await.unwrap();
    assert_eq!(data_dir.postmaster(), server);
    assert_eq!(ask(second.url(), "select 'served'").await, "served");
    second.stop().await.unwrap();
    assert_eq!(data_dir.postmaster(), None);
}

#[tokio::test]
async fn a_server_whose_user_was_killed_is_joined_by_the_next() {
    let data_dir = DataDir::new();
    drop(EmbeddedPostgres::start(data_dir.path()).await.unwrap());
    let server = data_dir.postmaster();
    assert!(server.is_some());
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    assert_eq!(data_dir.postmaster(), server);
    assert!(!postgres.ensure_running().await.unwrap());
    postgres.stop().await.unwrap();
    assert_eq!(data_dir.postmaster(), None);
}

#[tokio::test]
async fn a_killed_server_is_started_again_with_all_that_was_committed() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    run(
        postgres.url(),
        "create table kept (word text); insert into kept values ('kept')",
    )
    .await;
    let orphan = spawn_computing_backend(postgres.url()).await;
    data_dir.kill_postmaster();
    supervise_until_restarted(&postgres).await;
    assert!(orphan.await.unwrap().is_err());
    assert_eq!(ask(postgres.url(), "select word from kept").await, "kept");
    assert!(!postgres.ensure_running().await.unwrap());
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_some_other_process_is_not_believed() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    data_dir.kill_postmaster();
    let path = data_dir.path().join("postgres/postmaster.pid");
    let text = fs::read_to_string(&path).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&path, format!("{}\n{rest}", std::process::id())).unwrap();
    supervise_until_restarted(&postgres).await;
    assert_eq!(ask(postgres.url(), "select 'served'").await, "served");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_socket_was_deleted_is_restarted() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    fs::remove_dir_all(data_dir.path().join("socket")).unwrap();
    assert!(postgres.ensure_running().await.unwrap());
    assert_eq!(ask(postgres.url(), "select 'served'").await, "served");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_with_spaces_is_no_hindrance() {
    let parent = DataDir::new();
    let long: PathBuf = ["a long name, with spaces and 'quotes' in it"; 4]
        .iter()
        .collect();
    let data_dir = parent.path().join(long);
    open_to_all(parent.path());
    let postgres = EmbeddedPostgres::start(&data_dir).await.unwrap();
    assert_eq!(ask(postgres.url(), "select 'served'").await, "served");
    assert_eq!(postgres.data_dir(), data_dir.canonicalize().unwrap());
    let socket_dir = ask(
        postgres.url(),
        "select current_setting('unix_socket_directories')",
    )
    .await;
    postgres.stop().await.unwrap();
    assert!(socket_dir.starts_with("/tmp/sitelog-"), "{socket_dir}");
    fs::remove_dir_all(socket_dir).unwrap();
}

#[tokio::test]
async fn a_half_laid_cluster_is_laid_anew() {
    let data_dir = DataDir::new();
    for leftover in ["postgres.new-0/base", "postgres/base/1"] {
        fs::create_dir_all(data_dir.path().join(leftover)).unwrap();
    }
    fs::write(data_dir.path().join("postgres/PG_VERSION"), "15\n").unwrap();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    assert_eq!(ask(postgres.url(), "select 'served'").await, "served");
    postgres.stop().await.unwrap();
    assert!(!data_dir.path().join("postgres.new-0").exists());
    assert!(data_dir.path().join("postgres.incomplete-1").exists());
}

#[tokio::test]
async fn data_of_another_version_is_refused_with_the_way_to_upgrade() {
    let data_dir = DataDir::new();
    let cluster = data_dir.path().join("postgres");
    fs::create_dir_all(cluster.join("global")).unwrap();
    fs::write(cluster.join("global/pg_control"), "").unwrap();
    fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let refused = EmbeddedPostgres::start(data_dir.path()).await.unwrap_err();
    assert!(
        matches!(refused, EmbeddedPostgresError::OtherVersion { data: 9, .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("/pg_upgrade -U postgres"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let data_dir = DataDir::new();
    let postgres = EmbeddedPostgres::start(data_dir.path()).await.unwrap();
    postgres.stop().await.unwrap();
    fs::write(
        data_dir.path().join("postgres/postgresql.conf"),
        "shared_buffers = lots\n",
    )
    .unwrap();
    let refused = EmbeddedPostgres::start(data_dir.path()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("invalid value for parameter \"shared_buffers\""),
        "{refused}"
    );
}

fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
}
