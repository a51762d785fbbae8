//! The programs for the tests: NATS, PostgreSQL under Patroni, etcd, `HAProxy`. `script/bootstrap fleet` installs them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::processes::Node;
use crate::support::app::wait_for;

/// The paths of the programs.
pub struct Engines {
    nats: PathBuf,
}

impl Engines {
    /// Returns None if they are not installed; the test is then skipped.
    pub fn find() -> Option<Self> {
        let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fleet/bin/nats-server");
        let nats = if installed.exists() {
            installed
        } else {
            on_path("nats-server")?
        };
        Some(Self { nats })
    }

    /// The same, and prints a message if they are not installed.
    pub fn find_or_skip() -> Option<Self> {
        let found = Self::find();
        if found.is_none() {
            eprintln!("SKIPPED: nats-server is missing; 'script/bootstrap fleet' installs it");
        }
        found
    }
}

/// A program on `PATH`.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let sbin = [PathBuf::from("/usr/sbin")];
    let mut places = std::env::split_paths(&path)
        .chain(sbin)
        .map(|place| place.join(program));
    places.find(|file| file.is_file())
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// NATS: one server or a cluster, with the users of `sitelog nats accounts`.
pub struct Nats {
    pub nodes: Vec<Node>,
    ports: Vec<u16>,
    /// The directory with the keys of the users. It is the last field, because the nodes write into it until they end.
    pub dir: TempDir,
}

impl Nats {
    /// Starts servers; `more` is added to their configuration.
    pub fn start(engines: &Engines, servers: usize, more: &str) -> Self {
        let dir = TempDir::with_prefix("sitelog-nats-").unwrap();
        let accounts = Command::new(env!("CARGO_BIN_EXE_sitelog"))
            .args(["nats", "accounts"])
            .arg(dir.path())
            .output()
            .unwrap();
        assert!(accounts.status.success(), "{accounts:?}");
        let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/cluster/nats.conf");
        let mut conf = std::fs::read_to_string(conf).unwrap();
        if servers == 1 {
            // A server with a cluster section would wait for other nodes.
            conf = conf.replace("cluster: { name: sitelog }\n", "");
        }
        std::fs::write(dir.path().join("nats.conf"), format!("{conf}{more}\n")).unwrap();
        let ports: Vec<u16> = (0..servers).map(|_| free_port()).collect();
        let routes: Vec<u16> = (0..servers).map(|_| free_port()).collect();
        let all: Vec<String> = routes
            .iter()
            .map(|port| format!("nats://127.0.0.1:{port}"))
            .collect();
        let node = |n: usize| {
            let mut command = Command::new(&engines.nats);
            command
                .arg("-c")
                .arg(dir.path().join("nats.conf"))
                .args([
                    "-n",
                    &format!("n{n}"),
                    "-a",
                    "127.0.0.1",
                    "-p",
                    &ports[n].to_string(),
                ])
                .arg("-sd")
                .arg(dir.path().join(format!("data{n}")));
            if servers > 1 {
                command.args(["--cluster", &all[n], "--routes", &all.join(",")]);
            }
            Node::start(&format!("nats{n}"), dir.path(), command)
        };
        let nodes = (0..servers).map(node).collect();
        Self { nodes, ports, dir }
    }

    fn urls(&self) -> Vec<String> {
        let url = |port| format!("nats://127.0.0.1:{port}");
        self.ports.iter().map(url).collect()
    }

    /// The addresses of the servers.
    pub fn url(&self) -> String {
        self.urls().join(",")
    }

    /// The file with the key of a user.
    pub fn key(&self, user: &str) -> String {
        self.dir.path().join(format!("{user}.nk")).display().to_string()
    }

    /// Creates the streams.
    pub async fn prepare(&self, arguments: &[&str]) {
        let (url, key) = (self.url(), self.key("admin"));
        wait_for("NATS with its streams", async || {
            let init = tokio::process::Command::new(env!("CARGO_BIN_EXE_sitelog"))
                .args(["nats", "init", "--nats", &url, "--creds", &key])
                // The disk may be small.
                .args(["--results-mb", "64", "--log-mb", "64"])
                .args(arguments)
                .output()
                .await
                .unwrap();
            init.status.success().then_some(())
        })
        .await;
    }

    /// A client of the broker as one of its users.
    pub async fn client(&self, user: &str) -> async_nats::Client {
        let seed = std::fs::read_to_string(self.key(user)).unwrap();
        let options = async_nats::ConnectOptions::with_nkey(seed.trim().to_owned())
            .custom_inbox_prefix(format!("_INBOX_{user}"))
            .request_timeout(Some(std::time::Duration::from_secs(2)));
        options.connect(self.urls()).await.unwrap()
    }

    /// The settings of a process that connects as one of its users.
    pub fn settings(&self, user: &str) -> [(&'static str, String); 2] {
        [
            ("SITELOG_NATS__URL", self.url()),
            ("SITELOG_NATS__CREDENTIALS", self.key(user)),
        ]
    }
}
