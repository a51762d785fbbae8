//! Read models from a large log: building, comparing, and how far they are behind a busy one.
//!
//! `cargo bench --bench projections [-- EVENTS [build|upstream|lag]…]`; a million events and all parts without arguments.

mod build;
mod lag;
#[expect(clippy::unwrap_used, reason = "it is a part of the tests")]
#[path = "../../tests/it/support/story.rs"]
mod story;
mod upstream;

use std::time::{Duration, Instant};

use sitelog::access::{AuthMode, AuthSettings};
use sitelog::api::settings::LegacySettings;
use sitelog::config::Config;
use sitelog::database::Database;
use sitelog::fetch::settings::FetchSettings;
use sitelog::log::EventLog;
use sitelog::projections::status::ensure_all;
use sqlx::PgPool;
use story::{Story, StoryOptions};
use tempfile::TempDir;

/// A private PostgreSQL as the service runs it, migrated.
pub struct World {
    /// Connections.
    pub pool: PgPool,
    /// Its log.
    pub log: EventLog,
    database: Database,
    _data_dir: TempDir,
}

impl World {
    async fn start() -> Self {
        let data_dir = TempDir::with_prefix("sitelog-bench-").expect("a directory");
        let config = Config {
            database_url: None,
            database_connections: None,
            data_dir: data_dir.path().to_owned(),
            bind: ([127, 0, 0, 1], 0).into(),
            worker_concurrency: 1,
            fetch: FetchSettings::default(),
            auth: AuthSettings::of(AuthMode::Off),
            mail: None,
            nats: None,
            telemetry: None,
            legacy: LegacySettings::default(),
        };
        let database = Database::open(&config).await.expect("PostgreSQL starts");
        let pool = database.pools.work.clone();
        ensure_all(&pool).await.expect("read models");
        Self {
            log: EventLog::open(pool.clone()),
            pool,
            database,
            _data_dir: data_dir,
        }
    }

    /// Appends a story of this many events.
    pub async fn append(&self, events: usize) {
        let options = StoryOptions {
            seed: 7,
            tenants: 10,
            domains: (events / 80).max(10),
            at_once: 1000,
            urls: 20,
            text: 4000,
        };
        Story::new(options).append(&self.log, events).await;
        sqlx::Executor::execute(&self.pool, "vacuum analyze")
            .await
            .expect("vacuum");
    }

    async fn stop(self) {
        drop(self.log);
        self.database.close().await;
    }
}

/// How long something takes.
pub async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    (work.await, begun.elapsed())
}

/// Items per second.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub fn rate(count: i64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let events = arguments
        .iter()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(1_000_000);
    let parts: Vec<&String> = arguments
        .iter()
        .filter(|argument| argument.parse::<usize>().is_err())
        .collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    if wanted("build") {
        let world = World::start().await;
        build::run(&world, events).await;
        world.stop().await;
    }
    if wanted("upstream") {
        let world = World::start().await;
        upstream::run(&world, (events / 100).max(500)).await;
        world.stop().await;
    }
    if wanted("lag") {
        let world = World::start().await;
        lag::run(&world).await;
        world.stop().await;
    }
}
