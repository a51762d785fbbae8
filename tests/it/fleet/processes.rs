//! Processes that the tests kill and freeze.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::support::sites::Sites;

/// A process and its children; killed when dropped.
pub struct Node {
    name: String,
    command: Command,
    child: Option<Child>,
    log: PathBuf,
}

impl Node {
    /// Starts the process; its output goes into a file in the directory.
    pub fn start(name: &str, dir: &Path, mut command: Command) -> Self {
        let log = dir.join(format!("{name}.log"));
        command.stdin(Stdio::null()).process_group(0);
        let mut node = Self {
            name: name.to_owned(),
            command,
            child: None,
            log,
        };
        node.restart();
        node
    }

    /// Starts the process again.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "{} still runs", self.name);
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let command = self.command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// Kills the process and its children (kill -9).
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.take().unwrap().wait().unwrap();
    }

    /// Whether it has exited; it can then be started again.
    pub fn has_failed(&mut self) -> bool {
        let ended = self
            .child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_some());
        if ended {
            self.child = None;
        }
        ended
    }

    /// Freezes the process (SIGSTOP).
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it continue (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends SIGTERM; returns the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.take().unwrap().wait().unwrap().code()
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill_process_group(Pid::from_child(child), signal).unwrap();
    }

    /// The process ID.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Its output.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ended = child.wait();
        }
        if std::thread::panicking() {
            let said = self.said();
            let lines: Vec<&str> = said.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            eprintln!("--- {} ---\n{}", self.name, last.join("\n"));
        }
    }
}

/// The binary with only these settings, none of this machine's.
pub fn sitelog(arguments: &[&str], dir: &Path, settings: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitelog"));
    command
        .args(arguments)
        .env_remove("DATABASE_URL")
        .env("SITELOG_CONFIG", "/dev/null")
        .env("SITELOG_DATA_DIR", dir.join("none"))
        .env("SITELOG_AUTH__MODE", "off")
        .envs(settings.iter().map(|(name, value)| (*name, value)));
    command
}

/// The settings with which a worker reaches the test sites.
pub fn to_sites(sites: &Sites) -> [(&'static str, String); 2] {
    [
        ("SITELOG_FETCH__CONNECT_TO", sites.connect_to()),
        ("SITELOG_FETCH__EXTRA_CA", sites.ca_pem().display().to_string()),
    ]
}
