//! How long it takes until an acknowledged event is visible in each read model, while 5,000 events per second are
//! appended.

use std::time::{Duration, Instant};

use sitelog::projections::all;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::World;
use crate::story::{Story, StoryOptions};

/// Events a second.
const PACE: u32 = 5_000;
/// Seconds of it.
const LASTS: u32 = 30;

pub async fn run(world: &World) {
    let stop = CancellationToken::new();
    for projection in all() {
        tokio::spawn(projection.run(world.log.clone(), stop.clone()));
    }
    let mut watchers = Vec::new();
    let mut acknowledged = Vec::new();
    for projection in all() {
        let (sender, heard) = mpsc::unbounded_channel();
        acknowledged.push(sender);
        watchers.push((
            projection.name(),
            tokio::spawn(watch(world.pool.clone(), projection.name(), heard)),
        ));
    }
    let mut story = Story::new(StoryOptions {
        seed: 9,
        tenants: 10,
        domains: 2_000,
        at_once: 200,
        urls: 20,
        text: 4000,
    });
    let begun = Instant::now();
    let mut appended = 0;
    while begun.elapsed() < Duration::from_secs(LASTS.into()) {
        appended += story.append(&world.log, 100).await;
        let head = world.log.head().await.expect("a head");
        for sender in &acknowledged {
            let _ = sender.send((head, Instant::now()));
        }
        let due =
            Duration::from_secs_f64(f64::from(u32::try_from(appended).unwrap_or(u32::MAX)) / f64::from(PACE));
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
    }
    let took = begun.elapsed();
    drop(acknowledged);
    println!("{appended} events appended in {:.1} s", took.as_secs_f64());
    for (name, watcher) in watchers {
        let mut lags = watcher.await.expect("watched");
        lags.sort();
        let at = |part: usize| lags[(lags.len() - 1) * part / 100];
        println!(
            "{name:<11} visible after: p50 {:.0} ms, p99 {:.0} ms, at most {:.0} ms",
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
            at(100).as_secs_f64() * 1e3
        );
    }
    stop.cancel();
}

/// Checks the position of a read model every two milliseconds.
async fn watch(
    pool: sqlx::PgPool,
    name: &'static str,
    mut heard: mpsc::UnboundedReceiver<(i64, Instant)>,
) -> Vec<Duration> {
    let mut lags = Vec::new();
    while let Some((position, since)) = heard.recv().await {
        loop {
            let at: i64 =
                sqlx::query_scalar("select position from projection where name = $1 and state = 'live'")
                    .bind(name)
                    .fetch_one(&pool)
                    .await
                    .expect("a position");
            if at >= position {
                lags.push(since.elapsed());
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    lags
}
