//! Two releases on one log: the newer one builds its tables alongside those of the older one, which continues.

use sitelog::projections::jobs::{JobKey, JobRow, Jobs};
use sitelog::projections::pass::Passes;
use sitelog::projections::status::status;
use sitelog::projections::task::{TaskKind, TaskState};
use sitelog::projections::{Fact, Projection, Subject};
use tokio_util::sync::CancellationToken;

use super::{World, of};
use crate::support::story::StoryOptions;

/// The domain over whose scans the releases that stumble do.
const STUMBLES_OVER: &str = "site-7.example";

/// The read model `jobs` of a release to come: another shape, another column.
macro_rules! release {
    ($name:ident, $shape:expr, $evolve:path) => {
        pub(super) struct $name;

        impl Projection for $name {
            const NAME: &'static str = Jobs::NAME;
            const SHAPE: i32 = $shape;
            const FOLLOWER: sitelog::values::event_type::Follower = Jobs::FOLLOWER;
            const KEY_COLUMNS: &'static [&'static str] = Jobs::KEY_COLUMNS;
            const READS_FINDINGS: bool = Jobs::READS_FINDINGS;

            type Key = JobKey;
            type Row = JobRow;

            fn tables(schema: &str) -> String {
                Jobs::tables(schema) + &format!("alter table {schema}.jobs add column extra int")
            }

            fn indexes(schema: &str) -> String {
                Jobs::indexes(schema)
            }

            fn key(fact: &Fact) -> Option<JobKey> {
                Jobs::key(fact)
            }

            fn key_of(row: &JobRow) -> JobKey {
                Jobs::key_of(row)
            }

            fn subject(key: &JobKey) -> Subject {
                Jobs::subject(key)
            }

            fn evolve(row: Option<JobRow>, fact: &Fact) -> Option<JobRow> {
                $evolve(row, fact)
            }
        }
    };
}

release!(StumblingJobs, 2, stumble);
release!(LaterJobs, 3, Jobs::evolve);
release!(StumblingLaterJobs, 3, stumble);
release!(NextNextJobs, 4, Jobs::evolve);

fn stumble(row: Option<JobRow>, fact: &Fact) -> Option<JobRow> {
    let after = Jobs::evolve(row, fact);
    let stumbles = after
        .as_ref()
        .is_some_and(|row| row.domain == STUMBLES_OVER && row.attempts > 0);
    assert!(!stumbles, "this release stumbles");
    after
}

async fn has_column(world: &World, table: &str) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_attribute where attrelid = $1::regclass and attname = 'extra')",
    )
    .bind(table)
    .fetch_one(&world.database.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_new_shape_builds_itself_beside_the_old_one_which_goes_on() {
    let mut world = World::with_events(400).await;
    of::<LaterJobs>().ensure(&world.database.pool).await.unwrap();
    assert!(!of::<LaterJobs>().exists(&world.database.pool).await.unwrap());
    assert!(!has_column(&world, "public.jobs").await);
    assert!(
        of::<LaterJobs>()
            .work(&world.log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap()
    );
    assert!(of::<LaterJobs>().exists(&world.database.pool).await.unwrap());
    // People see the newest, each release its own; both follow the log.
    assert!(has_column(&world, "public.jobs").await && !has_column(&world, "rm_jobs_s2.jobs").await);
    world.append(200).await;
    world.follow(of::<Jobs>()).await;
    world.follow(of::<LaterJobs>()).await;
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
    assert_eq!(world.verify(of::<LaterJobs>()).await.wrong, 0);
    // The old release builds again without taking the short names back.
    world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    assert!(has_column(&world, "public.jobs").await);
}

#[tokio::test]
async fn the_old_release_started_again_goes_on_where_it_was() {
    let mut world = World::with_events(200).await;
    of::<LaterJobs>().ensure(&world.database.pool).await.unwrap();
    of::<LaterJobs>()
        .work(&world.log, &Passes::default(), &CancellationToken::new())
        .await
        .unwrap();
    world.append(200).await;
    world.follow(of::<LaterJobs>()).await;
    let behind = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert!(behind.lag_events > 0 && behind.lag_seconds > 0.0);
    of::<Jobs>().ensure(&world.database.pool).await.unwrap();
    world.follow(of::<Jobs>()).await;
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
}

#[tokio::test]
async fn only_the_shape_before_is_kept() {
    let world = World::with_events(100).await;
    for projection in [of::<LaterJobs>(), of::<NextNextJobs>()] {
        projection.ensure(&world.database.pool).await.unwrap();
        projection
            .work(&world.log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap();
    }
    let shapes: Vec<i32> = sqlx::query_scalar("select shape from projection where name = 'jobs' order by 1")
        .fetch_all(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(shapes, [3, 4]);
    assert_eq!(world.verify(of::<NextNextJobs>()).await.wrong, 0);
}

#[tokio::test]
async fn a_projection_that_panics_over_some_rows_keeps_all_others_in_step() {
    let mut world = World::new(StoryOptions::default()).await;
    of::<StumblingJobs>().ensure(&world.database.pool).await.unwrap();
    world.append(600).await;
    world.follow(of::<StumblingJobs>()).await;
    let quarantined: Vec<String> =
        sqlx::query_scalar("select error from projection_parked where name = 'jobs' and shape = 2")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    assert!(
        !quarantined.is_empty()
            && quarantined
                .iter()
                .all(|error| error.contains("this release stumbles"))
    );
    let stumbled: i64 = sqlx::query_scalar(
        "select count(distinct aggregate_id) from events where event_type = 'ScanStarted' \
            and payload #>> '{ScanStarted,domain}' = $1",
    )
    .bind(STUMBLES_OVER)
    .fetch_one(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(i64::try_from(quarantined.len()).unwrap(), stumbled);
    let found = world.verify(of::<StumblingJobs>()).await;
    assert_eq!(
        (found.wrong, i64::try_from(found.parked).unwrap()),
        (0, stumbled),
        "{:?}",
        found.findings
    );
}

#[tokio::test]
async fn a_build_that_would_lose_rows_is_refused_and_the_old_tables_stay() {
    let world = World::with_events(600).await;
    of::<LaterJobs>().ensure(&world.database.pool).await.unwrap();
    of::<LaterJobs>()
        .work(&world.log, &Passes::default(), &CancellationToken::new())
        .await
        .unwrap();
    let task = world.perform(of::<StumblingLaterJobs>(), TaskKind::Rebuild).await;
    assert_eq!(task.state, TaskState::Failed);
    assert!(
        task.error
            .unwrap()
            .contains("than in the live tables could not be built")
    );
    let status = status(&world.database.pool, of::<LaterJobs>()).await.unwrap();
    assert_eq!(status.generation, Some(1));
}
