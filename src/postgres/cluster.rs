//! The server of one cluster: whether it runs, starting it, stopping it, and its log.
//!
//! A process that starts or stops the server holds a lock (`lock::take_turn`). `init` creates the cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, timeout};

use super::account::{Account, run};
use super::binaries::Binaries;
use super::child::Command;
use super::layout::{Layout, PORT, socket_in};
use super::processes::{Processes, remove_pid_files};
use super::provision::SUPERUSER;
use super::{EmbeddedPostgresError, access, init};

/// Seconds that `pg_ctl` waits for a start; crash recovery of a busy server takes up to a minute.
const START_SECONDS: &str = "300";
/// Seconds that `pg_ctl` waits for a stop, which ends with a checkpoint.
const STOP_SECONDS: &str = "120";
/// How long to wait for a server that is starting or stopping.
const SETTLING: Duration = Duration::from_mins(5);
const POLL: Duration = Duration::from_millis(50);
const ANSWER: Duration = Duration::from_secs(5);
/// SQLSTATE `cannot_connect_now`: starting, recovering or shutting down.
const CANNOT_CONNECT_NOW: &str = "57P03";
/// Log files that stay, of at most 10 MB each; one more is being written.
const LOG_FILES_KEPT: usize = 5;

/// A cluster that exists or can be created, and the programs to run it with.
#[derive(Debug)]
pub(super) struct Cluster {
    layout: Layout,
    account: Account,
    binaries: Binaries,
    socket_dir: PathBuf,
    processes: Processes,
}

impl Cluster {
    /// Refuses data that these programs cannot read.
    pub(super) fn new(
        layout: Layout,
        account: Account,
        binaries: Binaries,
    ) -> Result<Self, EmbeddedPostgresError> {
        init::refuse_other_version(&layout, &account, &binaries)?;
        let socket_dir = layout.socket_dir(account.uid);
        let processes = Processes {
            cluster_name: layout.cluster_name(),
            uid: account.uid,
        };
        Ok(Self {
            layout,
            account,
            binaries,
            socket_dir,
            processes,
        })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn data_dir(&self) -> &Path {
        self.layout.data_dir()
    }

    /// A URL that sqlx and psql understand; the socket's path has no character that would need quoting.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        let socket_dir = self.socket_dir.display();
        format!("postgres://{role}@localhost:{PORT}/{database}?host={socket_dir}&sslmode=disable")
    }

    /// Whether a server of this cluster runs and can be reached, without asking it.
    ///
    /// The process table answers first, being cheap; the socket answers for servers of another container that
    /// shares the directory, and where there is no `/proc`.
    pub(super) async fn is_up(&self) -> bool {
        if access::fault_of(&self.socket_dir, self.account.uid).is_some() {
            return false;
        }
        let socket = socket_in(&self.socket_dir);
        if self.processes.postmaster(&self.layout.cluster()).is_some() {
            return socket.exists();
        }
        timeout(ANSWER, UnixStream::connect(socket))
            .await
            .is_ok_and(|connected| connected.is_ok())
    }

    /// Joins the running server or starts it, creating the cluster first if there is none; returns whether it started it.
    pub(super) async fn join_or_start(&self) -> Result<bool, EmbeddedPostgresError> {
        if self.serves().await? {
            return Ok(false);
        }
        init::create_if_missing(&self.layout, &self.account, &self.binaries).await?;
        access::write_rules(&self.layout, &self.account)?;
        access::prepare_socket_dir(&self.socket_dir, &self.account)?;
        self.remove_leftovers().await?;
        self.start().await?;
        Ok(true)
    }

    /// Stops the server, connections or not; nothing committed is lost.
    pub(super) async fn shut_down(&self) -> Result<(), EmbeddedPostgresError> {
        if self.processes.postmaster(&self.layout.cluster()).is_none() {
            self.processes.end_orphans().await;
            return Ok(());
        }
        let output = run(self.pg_ctl("stop").args(["-m", "fast", "-t", STOP_SECONDS])).await?;
        if output.status.success() {
            tracing::info!("PostgreSQL in {} stopped", self.data_dir().display());
            return Ok(());
        }
        Err(EmbeddedPostgresError::StopFailed {
            cluster: self.layout.cluster(),
            output: printed(&output),
        })
    }

    /// Whether a server accepts connections; waits while one is starting or stopping.
    async fn serves(&self) -> Result<bool, EmbeddedPostgresError> {
        let deadline = Instant::now() + SETTLING;
        while self.is_up().await {
            match self.try_connecting().await {
                Ok(()) => return Ok(true),
                Err(error) if Instant::now() > deadline => return Err(self.not_serving(error)),
                Err(_) => sleep(POLL).await,
            }
        }
        Ok(false)
    }

    /// An error means that it is worth trying again; a refusal for other reasons shows that the server serves.
    async fn try_connecting(&self) -> Result<(), sqlx::Error> {
        let url = self.url(SUPERUSER, SUPERUSER);
        let connecting = timeout(ANSWER, PgConnection::connect(&url)).await;
        match connecting.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(connection) => connection.close().await,
            Err(sqlx::Error::Database(refusal)) if refusal.code().as_deref() != Some(CANNOT_CONNECT_NOW) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Removes what would keep a new server from starting.
    async fn remove_leftovers(&self) -> Result<(), EmbeddedPostgresError> {
        let cluster = self.layout.cluster();
        if self.processes.postmaster(&cluster).is_some() {
            tracing::warn!(
                "PostgreSQL in {} runs, but its socket is missing; restarting it",
                cluster.display()
            );
            self.shut_down().await?;
        }
        self.processes.end_orphans().await;
        let socket = socket_in(&self.socket_dir);
        let stale = [
            &cluster.join("postmaster.pid"),
            &socket.with_extension(format!("{PORT}.lock")),
            &socket,
        ];
        remove_pid_files(&stale.map(PathBuf::as_path))
            .map_err(|source| EmbeddedPostgresError::file("clear", &cluster, source))
    }

    async fn start(&self) -> Result<(), EmbeddedPostgresError> {
        let log_dir = self.layout.log_dir();
        self.account
            .make_private_dir(&log_dir)
            .map_err(|source| EmbeddedPostgresError::file("make", &log_dir, source))?;
        let _none_yet = fs::remove_file(self.layout.start_log());
        let mut pg_ctl = self.pg_ctl("start");
        pg_ctl
            .args(["-t", START_SECONDS, "-o", &self.settings(), "-l"])
            .arg(self.layout.start_log());
        let output = run(&mut pg_ctl).await?;
        if !output.status.success() {
            return Err(self.start_failure(&output));
        }
        tracing::info!(
            "PostgreSQL {} started in {}",
            self.binaries.major,
            self.data_dir().display()
        );
        Ok(())
    }

    /// `pg_ctl` starts the server in a new session; `current_dir` is for the relative paths in `settings`.
    fn pg_ctl(&self, action: &str) -> Command {
        let mut command = self.account.command(self.binaries.program("pg_ctl"));
        command
            .current_dir(self.data_dir())
            .args([action, "-s", "-w", "-D"])
            .arg(self.layout.cluster());
        command
    }

    /// Settings that override the cluster's own files. `pg_ctl` passes them to a shell: no value needs quoting.
    fn settings(&self) -> String {
        let socket_dir = self.socket_dir.display();
        let cluster_name = &self.processes.cluster_name;
        let settings = [
            "listen_addresses=''".to_owned(),
            format!("port={PORT}"),
            format!("unix_socket_directories={socket_dir}"),
            "unix_socket_permissions=0700".to_owned(),
            format!("cluster_name={cluster_name}"),
            "hba_file=postgres-hba.conf".to_owned(),
            "ident_file=postgres-ident.conf".to_owned(),
            "logging_collector=on".to_owned(),
            "log_directory=../postgres-log".to_owned(),
            "log_filename=postgres-%Y%m%d-%H%M%S.log".to_owned(),
            "log_rotation_size=10MB".to_owned(),
            "log_rotation_age=0".to_owned(),
        ];
        settings.map(|setting| format!("-c {setting}")).join(" ")
    }

    /// Removes all but the newest log files; PostgreSQL rotates by size but never deletes.
    pub(super) fn prune_logs(&self) {
        prune(&self.layout.log_dir());
    }

    fn start_failure(&self, output: &Output) -> EmbeddedPostgresError {
        let log_dir = self.layout.log_dir();
        let newest = log_files(&log_dir).pop();
        let logs = newest.into_iter().chain([self.layout.start_log()]);
        // The account writes there: through a link, it or a reader of our log could see files that only root may read.
        let is_file = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        let texts: Vec<String> = logs
            .filter(is_file)
            .filter_map(|file| fs::read_to_string(file).ok())
            .collect();
        if texts
            .iter()
            .any(|text| last_lines(text).contains("No space left on device"))
        {
            return EmbeddedPostgresError::DiskFull {
                path: self.layout.cluster(),
            };
        }
        let mut parts = vec![printed(output)];
        parts.extend(texts.iter().map(|text| last_lines(text)));
        EmbeddedPostgresError::StartFailed {
            cluster: self.layout.cluster(),
            log_dir,
            output: parts.join("\n"),
        }
    }

    pub(super) fn not_serving(&self, source: sqlx::Error) -> EmbeddedPostgresError {
        let (cluster, log_dir) = (self.layout.cluster(), self.layout.log_dir());
        EmbeddedPostgresError::NotServing {
            cluster,
            log_dir,
            source,
        }
    }
}

fn prune(log_dir: &Path) {
    for file in log_files(log_dir).into_iter().rev().skip(LOG_FILES_KEPT + 1) {
        let _another_process_was_faster = fs::remove_file(file);
    }
}

/// The server's log files, oldest first: their names are their times.
fn log_files(log_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(log_dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    let is_log = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("postgres-"))
    };
    let mut files: Vec<PathBuf> = entries.filter(is_log).collect();
    files.sort();
    files
}

fn printed(output: &Output) -> String {
    let printed =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned());
    printed.join("\n").trim().to_owned()
}

fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().rev().take(6).collect();
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_log_files_stay() {
        let dir = tempfile::tempdir().unwrap();
        for hour in 10..20 {
            fs::write(dir.path().join(format!("postgres-20250101-{hour}0000.log")), "").unwrap();
        }
        fs::write(dir.path().join("start.log"), "").unwrap();
        prune(dir.path());
        let left = log_files(dir.path());
        assert_eq!(left.len(), LOG_FILES_KEPT + 1);
        assert!(left[0].ends_with("postgres-20250101-140000.log"), "{left:?}");
        assert!(dir.path().join("start.log").exists());
    }

    #[test]
    fn the_end_of_a_log_is_what_is_told() {
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6\n7\n"), "2\n3\n4\n5\n6\n7");
    }
}
