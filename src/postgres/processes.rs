//! The processes of a cluster: its postmaster, and what a killed postmaster left behind.
//!
//! They are recognised by the cluster's name in their command line, which every user may read, and by their owner. A
//! process id alone proves nothing: after a crash or in a new container it may belong to any process.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::{Instant, sleep};

const POLL: Duration = Duration::from_millis(20);
/// How long orphans may take to end after SIGTERM, and again after SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// Reads the process table on behalf of one cluster.
#[derive(Debug)]
pub(super) struct Processes {
    /// `cluster_name` of the server's settings.
    pub(super) cluster_name: String,
    /// The user of the server process.
    pub(super) uid: u32,
}

impl Processes {
    /// The server's first process, if the cluster's pid file names one that lives and is the server's.
    pub(super) fn postmaster(&self, cluster: &Path) -> Option<Pid> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let pid = Pid::from_raw(text.lines().next()?.trim().parse().ok()?)?;
        let lives = if command_lines_are_readable() {
            self.owns(pid) && is_postmaster(&command_line(pid)?, &self.cluster_name, cluster)
        } else {
            test_kill_process(pid).is_ok()
        };
        lives.then_some(pid)
    }

    /// Ends the processes that a dead postmaster left behind; otherwise a new one refuses to start.
    ///
    /// Nothing is lost: what these had committed is in the write-ahead log, what they had not committed was never
    /// confirmed.
    pub(super) async fn end_orphans(&self) {
        for signal in [Signal::QUIT, Signal::KILL] {
            let deadline = Instant::now() + GRACE;
            self.signal_all(signal);
            while !self.servers().is_empty() && Instant::now() < deadline {
                sleep(POLL).await;
            }
        }
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.servers() {
            tracing::warn!(
                "Ending process {} ({signal:?}), left behind by a PostgreSQL that died",
                pid.as_raw_nonzero()
            );
            let _already_gone = kill_process(pid, signal);
        }
    }

    fn servers(&self) -> Vec<Pid> {
        let ours = |pid: &Pid| {
            self.owns(*pid) && command_line(*pid).is_some_and(|line| is_server(&line, &self.cluster_name))
        };
        pids().filter(ours).collect()
    }

    fn owns(&self, pid: Pid) -> bool {
        fs::metadata(format!("/proc/{pid}")).is_ok_and(|found| found.uid() == self.uid)
    }
}

/// Removes files that name a dead server, once it is certain that it is dead: PostgreSQL itself would believe in a
/// process that merely has the same number.
pub(super) fn remove_pid_files(files: &[&Path]) -> io::Result<()> {
    if !command_lines_are_readable() {
        return Ok(());
    }
    for file in files {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn command_lines_are_readable() -> bool {
    Path::new("/proc/self/cmdline").exists()
}

fn pids() -> impl Iterator<Item = Pid> {
    let names = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?))
}

fn command_line(pid: Pid) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/cmdline")).ok()
}

/// The postmaster keeps its arguments: `…/postgres\0-D\0<cluster>\0…`.
fn is_postmaster(line: &[u8], cluster_name: &str, cluster: &Path) -> bool {
    let mut arguments = line.split(|byte| *byte == 0);
    let is_postgres = arguments
        .next()
        .is_some_and(|program| program.ends_with(b"postgres"));
    let setting = format!("cluster_name={cluster_name}");
    is_postgres
        && arguments.any(|word| word == setting.as_bytes() || word == cluster.as_os_str().as_encoded_bytes())
}

/// Backends write a title over their arguments: `postgres: <cluster name>: sitelog sitelog [local] idle`.
fn is_server(line: &[u8], cluster_name: &str) -> bool {
    let titled = line.starts_with(format!("postgres: {cluster_name}: ").as_bytes());
    titled || is_postmaster(line, cluster_name, Path::new("\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "sitelog-0123456789abcdef";

    #[test]
    fn a_postmaster_is_known_by_its_name_or_its_directory() {
        let cluster = Path::new("/data/postgres");
        let ours =
            format!("/usr/lib/postgresql/15/bin/postgres\0-D\0/data/postgres\0-c\0cluster_name={NAME}\0");
        assert!(is_postmaster(ours.as_bytes(), NAME, cluster));
        assert!(is_postmaster(
            b"/usr/bin/postgres\0-D\0/data/postgres\0",
            NAME,
            cluster
        ));
        assert!(!is_postmaster(b"/usr/bin/postgres\0-D\0/other\0", NAME, cluster));
        assert!(!is_postmaster(b"/usr/bin/vim\0/data/postgres\0", NAME, cluster));
        assert!(!is_postmaster(b"", NAME, cluster), "a zombie has no command line");
    }

    #[test]
    fn a_backend_is_known_by_its_title() {
        assert!(is_server(
            format!("postgres: {NAME}: sitelog sitelog [local] idle\0\0").as_bytes(),
            NAME
        ));
        assert!(!is_server(
            b"postgres: sitelog-fedcba9876543210: checkpointer \0",
            NAME
        ));
        assert!(!is_server(format!("grep\0{NAME}\0").as_bytes(), NAME));
    }
}
