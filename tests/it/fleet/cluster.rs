//! Three PostgreSQL servers under Patroni, with etcd, and `HAProxy` in front, as docs/several-machines.md describes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::engines::{free_port, on_path};
use super::processes::Node;
use crate::support::PATIENCE;
use crate::support::own_postgres::Account;
use crate::support::postgres::{data_directory, program};

/// The running cluster.
pub struct Cluster {
    nodes: Vec<Postgres>,
    proxy: u16,
    client: reqwest::Client,
    _haproxy: Node,
    _etcd: Node,
    _dir: TempDir,
}

struct Postgres {
    patroni: Node,
    data: PathBuf,
    rest: u16,
}

impl Cluster {
    /// Returns None and prints a message if the engines are not installed.
    pub async fn start() -> Option<Self> {
        let (Some(python), Some(etcd), Some(haproxy)) = (Python::find(), on_path("etcd"), on_path("haproxy"))
        else {
            eprintln!("SKIPPED: Patroni, etcd or HAProxy is missing; 'script/bootstrap fleet' installs them");
            return None;
        };
        let dir = data_directory("sitelog-cluster-");
        let account = Account::choose();
        account.give(dir.path());
        let (etcd, etcd_port) = start_etcd(&etcd, dir.path());
        let ops = Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/cluster");
        // PostgreSQL's user may have no access to the project's directory.
        let conf = dir.path().join("patroni.yml");
        std::fs::copy(ops.join("patroni.yml"), &conf).unwrap();
        let packages = python.copy_packages(dir.path());
        let mut haproxy = Command::new(haproxy);
        let proxy = free_port();
        haproxy
            .args(["-db", "-f"])
            .arg(ops.join("haproxy.cfg"))
            .env("SITELOG_POSTGRES", format!("127.0.0.1:{proxy}"));
        let mut nodes = Vec::new();
        for n in 1..=3 {
            let (port, rest) = (free_port(), free_port());
            let data = dir.path().join(format!("pg{n}"));
            let mut patroni = Command::new(&python.program);
            patroni
                .args(["-m", "patroni"])
                .arg(&conf)
                .current_dir(dir.path())
                .env("PYTHONPATH", &packages)
                .env("PATRONI_NAME", format!("pg{n}"))
                .env("PATRONI_ETCD3_HOSTS", format!("127.0.0.1:{etcd_port}"))
                .env("PATRONI_RESTAPI_LISTEN", format!("127.0.0.1:{rest}"))
                .env("PATRONI_RESTAPI_CONNECT_ADDRESS", format!("127.0.0.1:{rest}"))
                .env("PATRONI_POSTGRESQL_LISTEN", format!("127.0.0.1:{port}"))
                .env("PATRONI_POSTGRESQL_CONNECT_ADDRESS", format!("127.0.0.1:{port}"))
                .env("PATRONI_POSTGRESQL_PGPASS", dir.path().join(format!("pgpass{n}")))
                .env("HOME", dir.path())
                .env("PATRONI_POSTGRESQL_DATA_DIR", &data)
                .env(
                    "PATRONI_POSTGRESQL_BIN_DIR",
                    program("postgres").parent().unwrap(),
                )
                .env("PATRONI_SUPERUSER_USERNAME", "postgres")
                .env("PATRONI_SUPERUSER_PASSWORD", "first")
                .env("PATRONI_REPLICATION_USERNAME", "replicator")
                .env("PATRONI_REPLICATION_PASSWORD", "second");
            account.apply(&mut patroni);
            haproxy
                .env(format!("PG{n}"), format!("127.0.0.1:{port}"))
                .env(format!("PG{n}_PATRONI"), rest.to_string());
            nodes.push(Postgres {
                patroni: Node::start(&format!("pg{n}"), dir.path(), patroni),
                data,
                rest,
            });
        }
        let cluster = Self {
            nodes,
            proxy,
            client: crate::support::server::client(),
            _haproxy: Node::start("haproxy", dir.path(), haproxy),
            _etcd: etcd,
            _dir: dir,
        };
        cluster
            .until(
                "a primary with two standbys, one of which confirms commits",
                async || {
                    let is_whole = cluster.primary().await.is_some()
                        && cluster.count("replica").await == 2
                        && cluster.count("synchronous").await == 1;
                    is_whole.then_some(())
                },
            )
            .await;
        cluster
            .until("a database behind HAProxy", async || {
                let mut connection = PgConnection::connect(&cluster.url("postgres")).await.ok()?;
                sqlx::query("create database sitelog")
                    .execute(&mut connection)
                    .await
                    .ok()
            })
            .await;
        Some(cluster)
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:first@127.0.0.1:{}/{database}?sslmode=disable",
            self.proxy
        )
    }

    /// The URL for sitelog's processes.
    pub fn database_url(&self) -> String {
        self.url("sitelog")
    }

    async fn until<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "waited {PATIENCE:?} for {what}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn is(&self, node: usize, role: &str) -> bool {
        let url = format!("http://127.0.0.1:{}/{role}", self.nodes[node].rest);
        let answer = self.client.get(url).timeout(Duration::from_secs(2)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn primary(&self) -> Option<usize> {
        for node in 0..self.nodes.len() {
            if self.is(node, "primary").await {
                return Some(node);
            }
        }
        None
    }

    async fn count(&self, role: &str) -> usize {
        let mut count = 0;
        for node in 0..self.nodes.len() {
            count += usize::from(self.is(node, role).await);
        }
        count
    }

    /// Kills Patroni and PostgreSQL of the primary (kill -9); returns the number of its node.
    pub async fn kill_primary(&mut self) -> usize {
        let primary = self.until("a primary", async || self.primary().await).await;
        let postmaster = self.nodes[primary].postmaster();
        self.nodes[primary].patroni.kill();
        kill_process(postmaster, Signal::KILL).unwrap();
        primary
    }

    /// Starts the node again.
    pub fn bring_back(&mut self, node: usize) {
        self.nodes[node].patroni.restart();
    }

    /// Waits until it receives what the primary writes, and could become the primary. A node that only runs again may
    /// still have to be rewound, which a primary that fails meanwhile leaves half done.
    pub async fn follows(&self, node: usize) {
        self.until("a standby that is back", async || {
            self.is(node, "readiness").await.then_some(())
        })
        .await;
    }

    /// Freezes all processes of the primary (SIGSTOP); returns the number of its node.
    pub async fn freeze_primary(&self) -> usize {
        let primary = self.until("a primary", async || self.primary().await).await;
        self.nodes[primary].signal(Signal::STOP);
        primary
    }

    /// Waits until another node is the primary.
    pub async fn is_replaced(&self, node: usize) {
        self.until("another primary", async || {
            self.primary().await.filter(|primary| *primary != node)
        })
        .await;
    }

    /// SIGCONT.
    pub fn thaw(&self, node: usize) {
        self.nodes[node].signal(Signal::CONT);
    }
}

impl Postgres {
    fn postmaster(&self) -> Pid {
        let file = std::fs::read_to_string(self.data.join("postmaster.pid")).unwrap();
        let pid = file.lines().next().unwrap().trim().parse().unwrap();
        Pid::from_raw(pid).unwrap()
    }

    fn signal(&self, signal: Signal) {
        match signal {
            Signal::STOP => self.patroni.freeze(),
            _ => self.patroni.thaw(),
        }
        let postmaster = self.postmaster();
        for process in with_children(postmaster) {
            // The process may have ended meanwhile.
            let _sent = kill_process(process, signal);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in &self.nodes {
            if node.data.join("postmaster.pid").exists() {
                let _gone = kill_process(node.postmaster(), Signal::KILL);
            }
        }
    }
}

fn with_children(parent: Pid) -> Vec<Pid> {
    let number = parent.as_raw_nonzero().get();
    let children =
        std::fs::read_to_string(format!("/proc/{number}/task/{number}/children")).unwrap_or_default();
    let children = children
        .split_whitespace()
        .filter_map(|pid| Pid::from_raw(pid.parse().ok()?));
    std::iter::once(parent).chain(children).collect()
}

fn start_etcd(program: &Path, dir: &Path) -> (Node, u16) {
    let (port, peers) = (free_port(), free_port());
    let (client, peer) = (
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{peers}"),
    );
    let mut etcd = Command::new(program);
    etcd.args(["--name", "etcd1", "--data-dir"])
        .arg(dir.join("etcd"))
        .args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ])
        .args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ])
        .args(["--initial-cluster", &format!("etcd1={peer}")]);
    (Node::start("etcd", dir, etcd), port)
}

/// A Python interpreter with Patroni.
struct Python {
    program: PathBuf,
    packages: PathBuf,
}

impl Python {
    fn find() -> Option<Self> {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fleet");
        let lib = std::fs::read_dir(home.join("lib")).ok()?;
        let packages = lib.filter_map(|entry| Some(entry.ok()?.path().join("site-packages")));
        Some(Self {
            // The target of the link, because PostgreSQL's user may have no access to the directory of the link.
            program: std::fs::canonicalize(home.join("bin/python3")).ok()?,
            packages: packages.into_iter().find(|path| path.join("patroni").exists())?,
        })
    }

    fn copy_packages(&self, dir: &Path) -> PathBuf {
        let copy = dir.join("packages");
        let copied = Command::new("cp")
            .arg("-r")
            .args([&self.packages, &copy])
            .status()
            .unwrap();
        assert!(copied.success());
        copy
    }
}
