//! Building each read model from the whole log, compared with reading the events by COPY; the URLs of sitemaps,
//! compared with inserting the same rows by COPY; comparing with the log.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use futures::future::join_all;
use sitelog::projections::all;
use sitelog::projections::pass::Passes;
use sitelog::projections::registry::AnyProjection;
use sitelog::projections::task::{self, ProjectionTask, TaskKind, TaskPhase};
use sqlx::PgPool;
use sqlx::postgres::{PgPoolCopyExt, PgPoolOptions};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{World, rate, timed};

pub async fn run(world: &World, events: usize) {
    let ((), appending) = timed(world.append(events)).await;
    let count = world.log.head().await.expect("a head");
    println!("{count} events appended in {:.1} s", appending.as_secs_f64());
    let (bytes, copy) = timed(copy_out(&world.pool, "events")).await;
    println!(
        "COPY of the events out: {:.2} s, {} MB",
        copy.as_secs_f64(),
        bytes >> 20
    );
    let (bodies, with_bodies) = timed(copy_out(&world.pool, "event_body")).await;
    println!(
        "COPY of the bodies out: {:.2} s, {} MB",
        with_bodies.as_secs_f64(),
        bodies >> 20
    );
    let mut three = Duration::ZERO;
    for projection in all() {
        let built = build(world, projection, &Passes::default()).await;
        println!(
            "{:<11} built in {:.2} s ({:.0} events/s), with comparison and switch {:.2} s, {} rows ({})",
            projection.name(),
            built.built.as_secs_f64(),
            rate(count, built.built),
            built.whole.as_secs_f64(),
            built.task.result.expect("done")["rows"],
            built.phases.join(", "),
        );
        if projection.name() == "sitemaps" {
            urls(world, built.built).await;
        } else {
            three += built.built;
        }
    }
    let times = |took: Duration| {
        format!(
            "{:.2} s, {:.1} times the COPY of the events ({:.1} times with the bodies)",
            took.as_secs_f64(),
            took.as_secs_f64() / copy.as_secs_f64(),
            took.as_secs_f64() / (copy + with_bodies).as_secs_f64(),
        )
    };
    println!(
        "domains, jobs and batch_jobs, one after the other: {}",
        times(three)
    );
    let together = Passes::default();
    let three = all()
        .into_iter()
        .filter(|projection| projection.name() != "sitemaps");
    let built = join_all(three.map(|projection| build(world, projection, &together))).await;
    for (number, phases) in built.iter().map(|built| &built.phases).enumerate() {
        println!("{number}: {}", phases.join(", "));
    }
    let last = built.iter().map(|built| built.built).max().unwrap_or_default();
    let whole = built.iter().map(|built| built.whole).max().unwrap_or_default();
    println!(
        "the same at once: {}, with comparison and switch {:.2} s",
        times(last),
        whole.as_secs_f64()
    );
    for projection in all() {
        let asked = request(world, projection, TaskKind::Verify).await;
        let (task, took) = timed(perform(world, projection, &Passes::default(), asked)).await;
        let result = task.result.expect("done");
        assert_eq!(result["wrong"], 0, "{result}");
        let rows = result["rows"].as_i64().unwrap_or(0);
        println!(
            "{:<11} {rows} rows compared with the log in {:.2} s: {:.0} rows/s",
            projection.name(),
            took.as_secs_f64(),
            rate(rows, took)
        );
    }
    let (verified, took) = timed(world.log.verify()).await;
    let verified = verified.expect("verified");
    assert!(verified.holds(), "{:?}", verified.findings);
    println!(
        "log verify: {count} events in {:.2} s: {:.0} events/s",
        took.as_secs_f64(),
        rate(count, took)
    );
}

struct Built {
    task: ProjectionTask,
    /// Until it had caught up with the log.
    built: Duration,
    whole: Duration,
    /// Each phase and when it began.
    phases: Vec<String>,
}

/// As an operator does it; the phases are observed through the table of tasks.
async fn build(world: &World, projection: &'static dyn AnyProjection, passes: &Passes) -> Built {
    // Connections of its own, so that watching waits for nobody.
    let watching = PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*world.pool.connect_options()).clone())
        .await
        .expect("a connection");
    let begun = Instant::now();
    let asked = request(world, projection, TaskKind::Rebuild).await;
    let work = perform(world, projection, passes, asked);
    let watch = async {
        let mut phases = Vec::new();
        let mut last = None;
        loop {
            let task = task::find(&watching, asked).await.expect("read").expect("there");
            if task.phase != last
                && let Some(phase) = task.phase
            {
                phases.push(format!(
                    "{} from {:.2} s",
                    phase.as_str(),
                    begun.elapsed().as_secs_f64()
                ));
            }
            // On a short log a phase may be over before it is looked for.
            if matches!(task.phase, Some(TaskPhase::Verifying | TaskPhase::Promoting)) {
                return (begun.elapsed(), phases);
            }
            last = task.phase;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (task, (built, phases)) = tokio::join!(work, watch);
    Built {
        task,
        built,
        whole: begun.elapsed(),
        phases,
    }
}

async fn request(world: &World, projection: &'static dyn AnyProjection, kind: TaskKind) -> Uuid {
    let mut connection = world.pool.acquire().await.expect("a connection");
    let asked = projection.request(&mut connection, kind, "bench").await;
    asked.expect("asked").task_id
}

async fn perform(
    world: &World,
    projection: &'static dyn AnyProjection,
    passes: &Passes,
    asked: Uuid,
) -> ProjectionTask {
    projection
        .work(&world.log, passes, &CancellationToken::new())
        .await
        .expect("done");
    let task = task::find(&world.pool, asked)
        .await
        .expect("read")
        .expect("there");
    assert_eq!(task.error, None);
    task
}

async fn copy_out(pool: &PgPool, table: &str) -> usize {
    let stream = pool
        .copy_out_raw(&format!("copy {table} to stdout"))
        .await
        .expect("COPY");
    stream
        .try_fold(0, |total, chunk| async move { Ok(total + chunk.len()) })
        .await
        .expect("COPY")
}

/// The same rows out of the built table and into one like it, its key made afterwards.
async fn urls(world: &World, built: Duration) {
    let mut out = Vec::new();
    let mut stream = world
        .pool
        .copy_out_raw("copy (select * from sitemap_url_chunks) to stdout")
        .await
        .expect("COPY");
    while let Some(chunk) = stream.try_next().await.expect("COPY") {
        out.push(chunk);
    }
    drop(stream);
    let run = |sql: &'static str| sqlx::Executor::execute(&world.pool, sql);
    run("create table plain_urls (like rm_sitemaps_s2.sitemap_url_chunks)")
        .await
        .expect("a table");
    let begun = Instant::now();
    let mut copy = world
        .pool
        .copy_in_raw("copy plain_urls from stdin")
        .await
        .expect("COPY");
    for chunk in out {
        copy.send(chunk).await.expect("sent");
    }
    let rows = copy.finish().await.expect("COPY");
    run("alter table plain_urls add primary key (sitemap_id, first)")
        .await
        .expect("a key");
    let plain = begun.elapsed();
    println!(
        "sitemap URLs: {rows} rows; COPY FROM of the same rows with its key {:.2} s; the whole read model {:.1} times that",
        plain.as_secs_f64(),
        built.as_secs_f64() / plain.as_secs_f64()
    );
}
