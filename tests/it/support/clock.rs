//! Clocks that tests set: processes under libfaketime, whose wall clock a file says, and a PostgreSQL of its own that
//! runs so. Time that passes stays as it is (`FAKETIME_DONT_FAKE_MONOTONIC`), as when somebody sets a machine's clock.
//! `script/test` installs the library; where there is none, the tests that need it say that they are passed over.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

/// A clock that a file says.
pub struct FakeClock {
    library: PathBuf,
    dir: TempDir,
}

impl FakeClock {
    /// A clock that is right so far; `None`, said loudly, where this machine cannot have one.
    pub fn new() -> Option<Self> {
        let Some(library) = library() else {
            eprintln!("SKIPPED: there is no libfaketime here; nothing is run under a wrong clock");
            return None;
        };
        let dir = TempDir::with_prefix("sitelog-clock-").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let clock = Self { library, dir };
        clock.set("+0");
        Some(clock)
    }

    /// Sets it by so much off the right time, as `+3h`, `-600` or `+10y`.
    pub fn set(&self, offset: &str) {
        let new = self.dir.path().join("new");
        fs::write(&new, format!("{offset}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// What a process needs in its environment to go by it.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("offset")
    }
}

/// The library as distributions keep it.
fn library() -> Option<PathBuf> {
    let places = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = places.map(|place| place.path()).collect();
    dirs.extend(["/usr/lib".into(), "/usr/lib64".into()]);
    dirs.iter()
        .map(|dir| dir.join("faketime/libfaketimeMT.so.1"))
        .find(|file| file.is_file())
}

/// A PostgreSQL that goes by a fake clock; killed when dropped.
pub struct ClockedPostgres {
    /// Its database.
    pub url: String,
    server: Child,
    _dir: TempDir,
}

impl ClockedPostgres {
    pub async fn start(clock: &FakeClock) -> Self {
        let dir = TempDir::with_prefix("sitelog-clocked-").unwrap();
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
            .envs(clock.environment());
        let postgres = Self {
            url: format!("postgres://postgres@localhost/postgres?host={socket_dir}&sslmode=disable"),
            server: server.spawn().unwrap(),
            _dir: dir,
        };
        super::app::wait_for("PostgreSQL under a fake clock", async || {
            PgConnection::connect(&postgres.url).await.ok()
        })
        .await
        .close()
        .await
        .unwrap();
        postgres
    }

    /// Its clock minus the right time.
    pub async fn offset(&self) -> Duration {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let now: chrono::DateTime<chrono::Utc> = sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        (now - chrono::Utc::now()).abs().to_std().unwrap()
    }
}

impl Drop for ClockedPostgres {
    fn drop(&mut self) {
        let _gone = kill_process(Pid::from_child(&self.server), Signal::QUIT);
        let _ended = self.server.wait();
    }
}

/// Who PostgreSQL runs as: not root.
struct Account(Option<(u32, u32)>);

impl Account {
    fn choose() -> Self {
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

    fn give(&self, dir: &Path) {
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
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }
}
