//! Figures of several machines, played on one: `cargo bench --bench fleet -- [SECTION…] [--sites N] [--rounds N]`.
//!
//! Sections: `sources` (scans a second of workers over NATS against the same workers on the database), `processes` (the same
//! workers in one, two and four processes) and `failover` (what becomes of a batch while the primary of PostgreSQL is
//! replaced). The engines are those of the tests: `script/bootstrap fleet` installs them.

#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "made for tests, which do more with it"
)]
#[path = "../../tests/it/fleet/cluster.rs"]
mod cluster;
#[expect(clippy::unwrap_used, reason = "made for tests")]
#[path = "../../tests/it/fleet/engines.rs"]
mod engines;
mod failover;
mod machines;
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "made for tests, which do more with it"
)]
#[path = "../../tests/it/fleet/processes.rs"]
mod processes;
mod rates;
#[expect(
    dead_code,
    reason = "made for the bench of the service, which does more with it"
)]
#[path = "../service/processes.rs"]
mod service;
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "made for tests, which do more with it"
)]
#[path = "../../tests/it/support/mod.rs"]
mod support;

use engines::Engines;
use support::sites;

/// The argument with which this program starts itself as the site server.
pub const SERVE_SITES: &str = "--serve-sites";
/// Sites of a batch.
const SITES: usize = 2000;
/// Runs of each side, one after the other.
const ROUNDS: usize = 5;
const SECTIONS: [&str; 3] = ["sources", "processes", "failover"];

/// The options of the benchmark.
struct Wanted {
    sections: Vec<String>,
    sites: usize,
    rounds: usize,
}

impl Wanted {
    fn read(arguments: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            sections: Vec::new(),
            sites: SITES,
            rounds: ROUNDS,
        };
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            let mut number = || {
                let number = left.next().and_then(|number| number.parse().ok());
                number
                    .filter(|number| *number > 0)
                    .ok_or_else(|| format!("{argument} needs a number"))
            };
            match argument.as_str() {
                "--sites" => wanted.sites = number()?,
                "--rounds" => wanted.rounds = number()?,
                section if SECTIONS.contains(&section) => wanted.sections.push(section.to_owned()),
                other => return Err(format!("'{other}' is none of {SECTIONS:?}, --sites and --rounds")),
            }
        }
        Ok(wanted)
    }

    fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if arguments.first().is_some_and(|first| first == SERVE_SITES) {
        runtime.block_on(service::serve_sites(&arguments[1..]));
        return;
    }
    let wanted = match Wanted::read(&arguments) {
        Ok(wanted) => wanted,
        Err(error) => {
            eprintln!("fleet: {error}");
            std::process::exit(2);
        }
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    runtime.block_on(async {
        if wanted.wants("sources") {
            rates::sources(&engines, wanted.sites, wanted.rounds).await;
        }
        if wanted.wants("processes") {
            rates::processes(&engines, wanted.sites, wanted.rounds).await;
        }
        if wanted.wants("failover") {
            failover::run(&engines, wanted.sites).await;
        }
    });
}
