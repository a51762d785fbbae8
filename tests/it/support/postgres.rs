//! A database of its own for each test, in milliseconds: copies of a migrated template on one shared server.
//!
//! The server is a throwaway one in a temporary directory, started by the first test that asks; or the one that
//! `SITELOG_TEST_DATABASE_URL` names (its user must be allowed to create databases), as a CI service would be.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::GzDecoder;
use sitelog::postgres::EmbeddedPostgres;
use sitelog::projections::row_security::READER;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;

/// An empty database with all migrations applied, dropped together with this value.
pub struct TestDatabase {
    /// For the test itself; small, for many tests share the server.
    pub pool: PgPool,
    /// For what connects by itself, such as the binary.
    pub url: String,
    name: String,
}

impl TestDatabase {
    pub async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::shared().await;
        let name = format!(
            "sitelog_test_{}_{}",
            server.run,
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        server
            .execute(&format!(
                "create database {name} template {} strategy file_copy",
                server.template
            ))
            .await;
        let url = server.url_of(&name);
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect(&url)
            .await
            .unwrap();
        Self { pool, url, name }
    }
}

impl TestDatabase {
    /// A database without tables.
    async fn empty() -> Self {
        let database = Self::new().await;
        let empty = "drop schema public cascade; create schema public; \
                     drop schema legacy cascade; drop schema all_tenants cascade";
        sqlx::raw_sql(empty).execute(&database.pool).await.unwrap();
        database
    }

    /// A database with the migrations up to this one.
    pub async fn migrated_to(last: i64) -> Self {
        let database = Self::empty().await;
        let mut earlier = migrator().await;
        earlier
            .migrations
            .to_mut()
            .retain(|migration| migration.version <= last);
        earlier.run(&database.pool).await.unwrap();
        database
    }

    /// A database from a gzipped SQL dump.
    pub async fn restored(dump: &[u8]) -> Self {
        let database = Self::empty().await;
        make_role(&database.pool, READER).await;
        let mut psql = Command::new(program("psql"))
            .args([
                "--quiet",
                "--no-psqlrc",
                "--set=ON_ERROR_STOP=1",
                "--dbname",
                &database.url,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        io::copy(&mut GzDecoder::new(dump), psql.stdin.as_mut().unwrap()).unwrap();
        drop(psql.stdin.take());
        assert!(psql.wait().unwrap().success(), "the dump cannot be restored");
        database
    }

    /// Runs the other migrations.
    pub async fn migrate(&self) {
        migrator().await.run(&self.pool).await.unwrap();
    }
}

/// Creates a role without login; it may exist from another test.
pub async fn make_role(pool: &PgPool, name: &str) {
    let sql = format!(
        "do $$ begin create role {name} nologin; exception when duplicate_object or unique_violation then null; end $$; \
         grant {name} to current_user"
    );
    sqlx::raw_sql(&sql).execute(pool).await.unwrap();
}

async fn migrator() -> Migrator {
    Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"))
        .await
        .unwrap()
}

impl Drop for TestDatabase {
    /// Drops the database in a thread with a runtime of its own, for nobody can await here. It takes 0.1 s, for
    /// the pool is still open, so it is waited for only where the database would outlive the run.
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { Server::shared().await.execute(&statement).await });
        });
        if Server::given().is_some() {
            let _a_failed_test_is_told_already = thread.join();
        }
    }
}

/// The server that all tests of this process share.
struct Server {
    admin_url: Url,
    template: String,
    /// In the names of this process's databases, so that several runs can share a server.
    run: String,
    /// The temporary server; it ends with this process.
    _throwaway: Option<(EmbeddedPostgres, Child)>,
}

impl Server {
    async fn shared() -> &'static Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER.get_or_init(Self::prepare).await
    }

    async fn prepare() -> Self {
        let (admin_url, throwaway) = match Self::given() {
            Some(url) => (url, None),
            None => start_throwaway().await,
        };
        let migrator = migrator().await;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let server = Self {
            admin_url: Url::parse(&admin_url).unwrap(),
            template: template_name(&migrator),
            run: format!("{seconds}_{}", std::process::id()),
            _throwaway: throwaway,
        };
        server.make_template(&migrator).await;
        server
    }

    fn given() -> Option<String> {
        std::env::var("SITELOG_TEST_DATABASE_URL").ok()
    }

    fn url_of(&self, database: &str) -> String {
        let mut url = self.admin_url.clone();
        url.set_path(database);
        url.into()
    }

    async fn execute(&self, statement: &str) {
        let mut connection = PgConnection::connect(self.admin_url.as_str()).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Migrates once; renaming makes it all or nothing, the lock keeps two runs on one server apart.
    async fn make_template(&self, migrator: &Migrator) {
        let mut admin = PgConnection::connect(self.admin_url.as_str()).await.unwrap();
        sqlx::raw_sql("select pg_advisory_lock(5117106)")
            .execute(&mut admin)
            .await
            .unwrap();
        let query = "select exists (select from pg_database where datname = $1)";
        let exists: bool = sqlx::query_scalar(query)
            .bind(&self.template)
            .fetch_one(&mut admin)
            .await
            .unwrap();
        if !exists {
            let making = format!("{}_making", self.template);
            for statement in [
                format!("drop database if exists {making}"),
                format!("create database {making}"),
            ] {
                sqlx::raw_sql(&statement).execute(&mut admin).await.unwrap();
            }
            let mut connection = PgConnection::connect(&self.url_of(&making)).await.unwrap();
            migrator.run_direct(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            let rename = format!("alter database {making} rename to {}", self.template);
            sqlx::raw_sql(&rename).execute(&mut admin).await.unwrap();
        }
        admin.close().await.unwrap();
    }
}

/// A program of the newest PostgreSQL on this machine.
pub fn program(name: &str) -> PathBuf {
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = installed
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

/// Another set of migrations is another template, should the server live longer than this run.
fn template_name(migrator: &Migrator) -> String {
    let checksums: Vec<u8> = migrator
        .iter()
        .flat_map(|migration| migration.checksum.iter().copied())
        .collect();
    let fingerprint = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &checksums);
    format!("sitelog_template_{}", fingerprint.simple())
}

/// A temporary server needs no durability.
const THROWAWAY_SETTINGS: [&str; 4] = [
    "alter system set fsync = off",
    "alter system set full_page_writes = off",
    "alter system set max_wal_size = '128MB'",
    "alter system set max_connections = 1000",
];

async fn start_throwaway() -> (String, Option<(EmbeddedPostgres, Child)>) {
    let data_dir = data_directory("sitelog-tests-").keep();
    let reaper = spawn_reaper(&data_dir).unwrap();
    let postgres = EmbeddedPostgres::start(&data_dir).await.unwrap();
    let mut connection = PgConnection::connect(&postgres.superuser_url()).await.unwrap();
    for setting in THROWAWAY_SETTINGS {
        sqlx::raw_sql(setting).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    postgres.stop().await.unwrap();
    let postgres = EmbeddedPostgres::start(&data_dir).await.unwrap();
    (postgres.url().to_owned(), Some((postgres, reaper)))
}

/// The file system in memory, where there is one with room: creating a database there takes 15 ms instead of 150.
/// (A container's is often too small.)
fn roomy_memory() -> Option<PathBuf> {
    const ENOUGH_BYTES: u64 = 2 << 30;
    let found = rustix::fs::statvfs("/dev/shm").ok()?;
    (found.f_bavail * found.f_frsize >= ENOUGH_BYTES).then(|| PathBuf::from("/dev/shm"))
}

/// A directory for data of servers: in memory where there is room. Processes are killed in tests, not machines: what was
/// written to memory is still there.
pub fn data_directory(prefix: &str) -> TempDir {
    let parent = roomy_memory().unwrap_or_else(std::env::temp_dir);
    TempDir::with_prefix_in(prefix, parent).unwrap()
}

/// Tests end by `exit`, a panic or a kill, and run no code of ours then. A shell that waits for the end of its
/// input notices each of these; it stops the server and removes the directory.
fn spawn_reaper(data_dir: &Path) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    const SCRIPT: &str = r#"
        cat >/dev/null
        pid=$(head -n 1 "$1/postgres/postmaster.pid") && kill -QUIT "$pid"
        while [ -e "$1/postgres/postmaster.pid" ] && kill -0 "$pid"; do sleep 0.1; done
        rm -rf "$1"
    "#;
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", SCRIPT, "reaper"])
        .arg(data_dir)
        .stdin(Stdio::piped());
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let (one, other) = tokio::join!(TestDatabase::new(), TestDatabase::new());
    sqlx::raw_sql("create table only_here ()")
        .execute(&one.pool)
        .await
        .unwrap();
    let query = "select count(*) from pg_tables where tablename in ('only_here', 'events')";
    for (database, tables) in [(&one, 2), (&other, 1)] {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        let found: i64 = sqlx::query_scalar(query)
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(found, tables);
    }
}
