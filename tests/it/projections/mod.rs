//! Read models on a real PostgreSQL: following, rebuilding, comparing, quarantining, earlier states.

mod build;
mod downtime;
mod leases;
mod look_back;
mod quarantine;
mod shapes;
mod upgrade;
mod verify;

use std::marker::PhantomData;

use sitelog::log::EventLog;
use sitelog::projections::Projection;
use sitelog::projections::all;
use sitelog::projections::pass::Passes;
use sitelog::projections::registry::{AnyProjection, Of};
use sitelog::projections::status::{ensure_all, status};
use sitelog::projections::task::{self, ProjectionTask, TaskKind};
use sitelog::projections::verify::Verification;
use tokio_util::sync::CancellationToken;

use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;
use crate::support::story::{Story, StoryOptions};

/// A log with read models that follow it only when the test says so.
struct World {
    log: EventLog,
    database: TestDatabase,
    story: Story,
}

impl World {
    async fn new(options: StoryOptions) -> Self {
        let database = TestDatabase::new().await;
        ensure_all(&database.pool).await.unwrap();
        Self {
            log: EventLog::open(database.pool.clone()),
            story: Story::new(options),
            database,
        }
    }

    /// Events, and read models that have followed them.
    async fn with_events(events: usize) -> Self {
        let mut world = Self::new(StoryOptions::default()).await;
        world.append(events).await;
        for projection in all() {
            world.follow(projection).await;
        }
        world
    }

    async fn append(&mut self, events: usize) {
        self.story.append(&self.log, events).await;
    }

    /// Lets a read model follow the log to its present end.
    async fn follow(&self, projection: &'static dyn AnyProjection) {
        let stop = CancellationToken::new();
        let running = tokio::spawn(projection.run(self.log.clone(), stop.clone()));
        let head = self.log.head().await.unwrap();
        wait_for("the read model to follow", async || {
            let status = status(&self.database.pool, projection).await.unwrap();
            (status.position >= head).then_some(())
        })
        .await;
        stop.cancel();
        running.await.unwrap();
    }

    async fn perform(&self, projection: &dyn AnyProjection, kind: TaskKind) -> ProjectionTask {
        let mut connection = self.database.pool.acquire().await.unwrap();
        let asked = projection.request(&mut connection, kind, "test").await.unwrap();
        assert_eq!(asked.kind, kind);
        assert!(
            projection
                .work(&self.log, &Passes::default(), &CancellationToken::new())
                .await
                .unwrap()
        );
        task::find(&self.database.pool, asked.task_id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn verify(&self, projection: &dyn AnyProjection) -> Verification {
        let task = self.perform(projection, TaskKind::Verify).await;
        assert_eq!(task.error, None);
        serde_json::from_value(task.result.unwrap()).unwrap()
    }

    /// Number and digest of a table's rows, without what a view adds.
    async fn digest(&self, table: &str) -> (i64, Option<String>) {
        let sql = format!(
            "select count(*), sum(hashtextextended((to_jsonb(t) - 'result_data')::text, 0))::text from {table} t"
        );
        sqlx::query_as(&sql).fetch_one(&self.database.pool).await.unwrap()
    }

    /// A manual change with psql: without triggers and our code.
    async fn meddle(&self, sql: &str) {
        let mut connection = self.database.pool.acquire().await.unwrap();
        sqlx::Executor::execute(&mut *connection, sql).await.unwrap();
    }
}

/// The main table and those derived from it.
const TABLES: &[&str] = &[
    "jobs",
    "batch_jobs",
    "domains",
    "sitemaps",
    "sitemap_files",
    "sitemap_url_chunks",
];

fn of<P: Projection>() -> &'static dyn AnyProjection {
    const { &Of::<P>(PhantomData) }
}
