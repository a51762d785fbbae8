//! Scans a second: over NATS against the database, and in more processes.

use crate::engines::Engines;
use crate::machines::{Machines, ROOM, Source};
use crate::service::{SitesProcess, host};

/// Two workers over NATS, two on the database; one after the other, several times.
pub async fn sources(engines: &Engines, sites: usize, rounds: usize) {
    println!(
        "sources: {sites} domains, one page each, {ROOM} at once in two worker processes, {rounds} rounds"
    );
    let farm = SitesProcess::start(sites, 60);
    let (mut database, mut nats, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let on_database = run(engines, &farm, (Source::Database, 2), sites).await;
        let over_nats = run(engines, &farm, (Source::Nats, 2), sites).await;
        database.push(on_database);
        nats.push(over_nats);
        ratios.push(over_nats / on_database);
    }
    println!(
        "  workers on the database {:>6.0} scans/s, over NATS {:>6.0} scans/s   ratio {:.2} ({:.2} to {:.2})",
        median(&mut database),
        median(&mut nats),
        median(&mut ratios),
        ratios.first().copied().unwrap_or_default(),
        ratios.last().copied().unwrap_or_default(),
    );
}

/// The same concurrency in one, two and four processes.
pub async fn processes(engines: &Engines, sites: usize, rounds: usize) {
    println!("processes: {sites} domains, one page each, {ROOM} at once in all workers over NATS together");
    let farm = SitesProcess::start(sites, 60);
    let mut rates = [(1, Vec::new()), (2, Vec::new()), (4, Vec::new())];
    for _ in 0..rounds {
        for (workers, rates) in &mut rates {
            rates.push(run(engines, &farm, (Source::Nats, *workers), sites).await);
        }
    }
    for (workers, mut rates) in rates {
        println!("  {workers} worker processes {:>6.0} scans/s", median(&mut rates));
    }
}

/// Scans a second of one batch on a new database.
async fn run(
    engines: &Engines,
    farm: &SitesProcess,
    (source, workers): (Source, usize),
    sites: usize,
) -> f64 {
    let machines = Machines::start(engines, farm, (source, workers), (None, 1)).await;
    let domains: Vec<String> = (0..sites).map(host).collect();
    let before = machines.processor_time();
    let (batch, took) = machines.service.scan(&domains, 1).await;
    assert_eq!(batch["completed"], sites, "{batch}");
    let after = machines.processor_time();
    let [service, working, nats, all] = std::array::from_fn(|part| after[part] - before[part]);
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let rate = sites as f64 / took.as_secs_f64();
    println!(
        "  {source:?}, {workers} worker processes: {rate:>6.0} scans/s; processor seconds: service {service:.1}, workers \
         {working:.1}, NATS {nats:.1}, all else (PostgreSQL, sites) {:.1}; there were {:.1}",
        all - service - working - nats,
        took.as_secs_f64() * processors(),
    );
    rate
}

fn processors() -> f64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    f64::from(u32::try_from(processors).unwrap_or(u32::MAX))
}

/// The median; sorts the values.
fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
