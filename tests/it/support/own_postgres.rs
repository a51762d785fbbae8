//! A PostgreSQL as users run it: another superuser, another environment, no password for local users.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::postgres::data_directory;

/// The server; killed when dropped.
pub struct OwnPostgres {
    /// Its database `postgres`, as its superuser.
    pub url: String,
    socket_dir: PathBuf,
    server: Child,
    _dir: TempDir,
}

impl OwnPostgres {
    /// Starts one with this in its environment.
    pub async fn start(environment: &[(&'static str, String)]) -> Self {
        let dir = data_directory("sitelog-own-");
        let account = Account::choose();
        account.give(dir.path());
        let cluster = dir.path().join("cluster");
        let mut initdb = account.command("initdb");
        initdb
            .arg("-D")
            .arg(&cluster)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]);
        let laid = initdb.args(["--locale=C.UTF-8", "-N"]).output().unwrap();
        assert!(laid.status.success(), "{}", String::from_utf8_lossy(&laid.stderr));
        let socket_dir = dir.path().display();
        let mut server = account.command("postgres");
        server
            .arg("-D")
            .arg(&cluster)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c"])
            .arg(format!("unix_socket_directories={socket_dir}"))
            .envs(environment.iter().map(|(name, value)| (*name, value)))
            .stderr(std::fs::File::create(dir.path().join("log")).unwrap());
        let postgres = Self {
            url: format!("postgres://postgres@localhost/postgres?host={socket_dir}&sslmode=disable"),
            socket_dir: dir.path().to_path_buf(),
            server: server.spawn().unwrap(),
            _dir: dir,
        };
        super::app::wait_for("a PostgreSQL of the test's own", async || {
            PgConnection::connect(&postgres.url).await.ok()
        })
        .await
        .close()
        .await
        .unwrap();
        postgres
    }

    /// What the server has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.socket_dir.join("log")).unwrap()
    }

    /// The URL of a database as one of its users sees it.
    pub fn url_of(&self, user: &str, database: &str) -> String {
        let socket_dir = self.socket_dir.display();
        format!("postgres://{user}@localhost/{database}?host={socket_dir}&sslmode=disable")
    }

    /// Runs statements as the superuser.
    pub async fn execute(&self, statements: &[&str]) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        for statement in statements {
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    }

    /// How far its clock is off the right time.
    pub async fn offset(&self) -> Duration {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let now: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (now - chrono::Utc::now()).abs().to_std().unwrap()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        let _gone = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ended = self.server.wait();
    }
}

/// Who PostgreSQL runs as: not root.
pub struct Account(Option<(u32, u32)>);

impl Account {
    pub fn choose() -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self(None);
        }
        let id = |option: &str, user: &str| {
            let output = Command::new("id").args([option, user]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
        };
        let found = ["postgres", "nobody"]
            .iter()
            .find_map(|user| id("-u", user).zip(id("-g", user)));
        Self(Some(found.expect("every system has a user nobody")))
    }

    /// Makes a directory its own.
    pub fn give(&self, dir: &Path) {
        if let Some((uid, gid)) = self.0 {
            chown(dir, Some(uid), Some(gid)).unwrap();
        }
    }

    /// A program of PostgreSQL, run as this account.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(super::postgres::program(program));
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        self.apply(&mut command);
        command
    }

    /// Runs a command as this account.
    pub fn apply(&self, command: &mut Command) {
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
    }
}
