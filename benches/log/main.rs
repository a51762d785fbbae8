//! Figures of the event log on a PostgreSQL of its own, durability on: `cargo bench --bench log -- [SECTION…] [OPTION…]`.
//!
//! Sections: `append` (events per second against upstream postgres-es and a raw multi-row insert), `growth` (what an
//! append costs in a log of 10k, 1M and 5M events), `verify` (events per second), `proof` (a proof's time).
//!
//! `--seconds N` measures each cell for so long (5); `--events N` is the longest log that is made (5,000,000).
//! `SITELOG_BENCH_DATABASE_URL` names a server to use instead; its user must be allowed to create databases.

mod append;
mod database;
mod growth;
mod load;

use std::time::Duration;

/// The options of the benchmark.
#[derive(Clone, Copy)]
pub struct Options {
    /// Of each cell.
    pub time: Duration,
    /// Of the longest log.
    pub events: i64,
}

fn main() {
    let (sections, options) = arguments();
    let wants = |section: &str| sections.is_empty() || sections.iter().any(|wanted| wanted == section);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let server = database::Server::start().await;
        if wants("append") {
            append::run(&server, options).await;
        }
        if wants("growth") || wants("verify") || wants("proof") {
            growth::run(&server, options, &wants).await;
        }
        server.stop().await;
    });
}

fn arguments() -> (Vec<String>, Options) {
    let mut options = Options {
        time: Duration::from_secs(5),
        events: 5_000_000,
    };
    let mut sections = Vec::new();
    let mut given = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = given.next() {
        let mut number = || {
            given
                .next()
                .and_then(|text| text.parse::<i64>().ok())
                .expect("a number behind the option")
        };
        match argument.as_str() {
            "--seconds" => options.time = Duration::from_secs(number().unsigned_abs()),
            "--events" => options.events = number(),
            _ => sections.push(argument),
        }
    }
    (sections, options)
}
