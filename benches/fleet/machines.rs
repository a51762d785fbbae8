//! The machines of a benchmark: the service on its database, and workers on the database or over NATS.

use std::time::Duration;

use tempfile::TempDir;

use crate::engines::{Engines, Nats};
use crate::processes::{Node, sitelog};
use crate::service::{Service, SitesProcess};

/// Concurrent scans of all workers together.
pub const ROOM: usize = 64;

/// Where workers get their tasks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Database,
    Nats,
}

/// A service and its workers, each as a separate process.
pub struct Machines {
    pub service: Service,
    pub workers: Vec<Node>,
    pub nats: Option<Nats>,
    // Last, as the processes write into it to their end.
    _dir: TempDir,
}

impl Machines {
    /// Starts them on a database of their own, or on this one.
    pub async fn start(
        engines: &Engines,
        sites: &SitesProcess,
        (source, workers): (Source, usize),
        (database, brokers): (Option<&str>, usize),
    ) -> Self {
        let dir = TempDir::with_prefix("sitelog-bench-").expect("a directory");
        let nats = match source {
            Source::Database => None,
            Source::Nats => Some(Nats::start(engines, brokers, "")),
        };
        let mut settings: Vec<(&'static str, String)> = Vec::new();
        settings.extend(database.map(|url| ("DATABASE_URL", url.to_owned())));
        let roles = match &nats {
            None => "api,projector",
            Some(nats) => {
                nats.prepare(&["--replicas", &brokers.to_string()]).await;
                settings.extend(nats.settings("dispatcher"));
                "api,projector,dispatcher"
            }
        };
        let service = Service::start_with(sites, &["--roles", roles], &settings);
        let mut settings = vec![
            ("SITELOG_FETCH__CONNECT_TO", sites.connect_to.clone()),
            ("SITELOG_FETCH__EXTRA_CA", sites.ca.clone()),
            ("SITELOG_WORKER__CONCURRENCY", (ROOM / workers).to_string()),
        ];
        let arguments = match &nats {
            None => {
                let own = || service.database_url();
                settings.push(("DATABASE_URL", database.map_or_else(own, str::to_owned)));
                &["serve", "--roles", "worker"][..]
            }
            Some(nats) => {
                settings.extend(nats.settings("worker"));
                &["worker"]
            }
        };
        let start = |n| {
            let command = sitelog(arguments, dir.path(), &settings);
            Node::start(&format!("worker{n}"), dir.path(), command)
        };
        let machines = Self {
            workers: (0..workers).map(start).collect(),
            service,
            nats,
            _dir: dir,
        };
        while machines.seen().await < workers {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        machines
    }

    /// Workers that the service knows.
    async fn seen(&self) -> usize {
        let workers = self.service.get("/api/v4/workers").await;
        workers["items"].as_array().map_or(0, Vec::len)
    }

    /// Seconds of processor time so far: the service, its workers, NATS, and all that runs on this machine.
    pub fn processor_time(&self) -> [f64; 4] {
        let nodes = |nodes: &[Node]| nodes.iter().map(|node| of_process(node.id())).sum();
        let nats = self.nats.as_ref().map_or(0.0, |nats| nodes(&nats.nodes));
        [
            of_process(self.service.id()),
            nodes(&self.workers),
            nats,
            of_all(),
        ]
    }
}

/// What `/proc` counts in: `USER_HZ`, a hundred a second on all of Linux's common platforms (proc(5)).
const TICKS: f64 = 100.0;

/// User and system time of a process: fields 14 and 15 of `/proc/PID/stat`.
fn of_process(id: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    // The name may hold blanks; it ends with the last parenthesis, before the third field.
    let fields = stat.rsplit_once(')').expect("a name").1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// User, nice and system time of all processors.
fn of_all() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").expect("Linux");
    let ticks = stat.split_whitespace().skip(1).take(3);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}
