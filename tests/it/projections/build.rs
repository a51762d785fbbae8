//! Building alongside the live tables, and the switch.

use futures::future::join_all;
use sitelog::log::EventLog;
use sitelog::projections::all;
use sitelog::projections::domains::Domains;
use sitelog::projections::fold::FoldOptions;
use sitelog::projections::jobs::Jobs;
use sitelog::projections::pass::Passes;
use sitelog::projections::status::{ensure_all, status};
use sitelog::projections::task::{self, TaskKind, TaskState};
use sitelog::projections::{Projection, as_of};
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;

use super::{TABLES, World, of};
use crate::support::postgres::TestDatabase;

#[tokio::test]
async fn what_is_built_from_the_log_is_what_following_it_came_to() {
    let world = World::with_events(1500).await;
    let mut followed = Vec::new();
    for table in TABLES {
        followed.push(world.digest(table).await);
    }
    assert!(followed.iter().all(|(rows, _)| *rows > 0), "{followed:?}");
    for projection in all() {
        let task = world.perform(projection, TaskKind::Rebuild).await;
        assert_eq!((task.state, task.error), (TaskState::Done, None));
        let status = status(&world.database.pool, projection).await.unwrap();
        assert_eq!((status.generation, status.rollback_to), (Some(2), Some(1)));
    }
    for (table, followed) in TABLES.iter().zip(followed) {
        assert_eq!(world.digest(table).await, followed, "{table}");
    }
}

#[tokio::test]
async fn what_is_built_at_once_over_few_connections_is_what_each_is_alone() {
    let world = World::with_events(1500).await;
    let few = PgPoolOptions::new().max_connections(2);
    let log = EventLog::open(few.connect(&world.database.url).await.unwrap());
    let mut alone = Vec::new();
    for table in TABLES {
        alone.push(world.digest(table).await);
    }
    for kind in [TaskKind::Rebuild, TaskKind::Verify] {
        let (passes, stop) = (Passes::default(), CancellationToken::new());
        let mut asked = Vec::new();
        for projection in all() {
            let mut connection = world.database.pool.acquire().await.unwrap();
            asked.push(projection.request(&mut connection, kind, "test").await.unwrap());
        }
        let work = all()
            .into_iter()
            .map(|projection| async { projection.work(&log, &passes, &stop).await.unwrap() });
        assert_eq!(join_all(work).await, [true; 4]);
        for asked in asked {
            let ended = task::find(&world.database.pool, asked.task_id)
                .await
                .unwrap()
                .unwrap();
            assert_eq!((ended.state, ended.error), (TaskState::Done, None));
            let result = ended.result.unwrap();
            assert_eq!(result["wrong"].as_i64().unwrap_or(0), 0, "{result}");
            assert_eq!(result["rechecked"].as_i64().unwrap_or(0), 0, "{result}");
        }
    }
    for (table, alone) in TABLES.iter().zip(alone) {
        assert_eq!(world.digest(table).await, alone, "{table}");
    }
}

#[tokio::test]
async fn the_result_does_not_depend_on_pages_shards_or_memory() {
    let world = World::with_events(700).await;
    let head = world.log.head().await.unwrap();
    let ways = [
        (1, 1, usize::MAX),
        (7, 3, usize::MAX),
        (5000, 8, usize::MAX),
        (100, 2, 20_000),
    ];
    for (number, (page, shards, memory)) in ways.into_iter().enumerate() {
        let options = FoldOptions { page, shards, memory };
        let schema = format!("way_{number}");
        build_all(&world.log, head, &schema, options).await;
        for table in TABLES {
            assert_eq!(
                world.digest(&format!("{schema}.{table}")).await,
                world.digest(table).await,
                "{table} by pages of {page}, {shards} shards, {memory} bytes"
            );
        }
    }
}

async fn build_all(log: &EventLog, position: i64, schema: &str, options: FoldOptions) {
    use sitelog::projections::batch_jobs::BatchJobs;
    use sitelog::projections::sitemaps::Sitemaps;
    async fn one<P: Projection>(log: &EventLog, position: i64, schema: &str, options: FoldOptions) {
        as_of::build::<P>(log, position, schema, options).await.unwrap();
    }
    one::<Jobs>(log, position, schema, options).await;
    one::<BatchJobs>(log, position, schema, options).await;
    one::<Domains>(log, position, schema, options).await;
    one::<Sitemaps>(log, position, schema, options).await;
}

#[tokio::test]
async fn what_is_appended_during_a_build_is_in_it() {
    let mut world = World::with_events(600).await;
    let (log, pool) = (world.log.clone(), world.database.pool.clone());
    let working = tokio::spawn(async move {
        let mut connection = pool.acquire().await.unwrap();
        of::<Jobs>()
            .request(&mut connection, TaskKind::Rebuild, "test")
            .await
            .unwrap();
        of::<Jobs>()
            .work(&log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap()
    });
    world.append(600).await;
    assert!(working.await.unwrap());
    world.follow(of::<Jobs>()).await;
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert_eq!((status.generation, status.lag_events), (Some(2), 0));
}

#[tokio::test]
async fn a_build_whose_tables_are_not_what_was_written_is_refused() {
    for (spoil, wanted) in [
        (
            "update rm_jobs_s2_g2.jobs t set attempts = attempts + 1",
            "attempts is ",
        ),
        ("delete from rm_jobs_s2_g2.jobs t", "the row is missing"),
    ] {
        let world = World::with_events(200).await;
        // When all rows have been written, one of them changes or is lost.
        world
            .meddle(&format!(
                "create function spoil() returns trigger language plpgsql as $$ begin \
                   {spoil} where t.scan_id = (select scan_id from rm_jobs_s2_g1.jobs order by requested_position limit 1); \
                   return null; end $$; \
                 create trigger spoil after update on projection_task for each row \
                   when (new.phase = 'indexing' and old.phase <> 'indexing') execute function spoil();"
            ))
            .await;
        let task = world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
        let error = task.error.unwrap_or_default();
        assert!(
            error.starts_with("the rebuilt tables differ from the log: jobs ") && error.contains(wanted),
            "{error}"
        );
        let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
        assert_eq!((task.state, status.generation), (TaskState::Failed, Some(1)));
    }
}

#[tokio::test]
async fn going_back_is_one_task_and_the_generation_catches_up_first() {
    let mut world = World::with_events(300).await;
    world.perform(of::<Domains>(), TaskKind::Rebuild).await;
    world.append(300).await;
    world.follow(of::<Domains>()).await;
    let before = world.digest("domains").await;
    let task = world.perform(of::<Domains>(), TaskKind::Rollback).await;
    assert_eq!((task.state, task.error), (TaskState::Done, None));
    let status = status(&world.database.pool, of::<Domains>()).await.unwrap();
    assert_eq!((status.generation, status.rollback_to), (Some(1), Some(2)));
    assert_eq!(world.digest("domains").await, before);
    assert_eq!(status.position, world.log.head().await.unwrap());
}

#[tokio::test]
async fn without_an_earlier_generation_going_back_fails_and_says_so() {
    let world = World::with_events(50).await;
    let task = world.perform(of::<Jobs>(), TaskKind::Rollback).await;
    assert_eq!(task.state, TaskState::Failed);
    assert_eq!(
        task.error.as_deref(),
        Some("there is no earlier generation of jobs")
    );
}

#[tokio::test]
async fn of_the_generations_only_the_one_before_is_kept() {
    let world = World::with_events(100).await;
    for _ in 0..3 {
        world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    }
    let schemas: Vec<String> = sqlx::query_scalar(
        "select nspname::text from pg_namespace where nspname like 'rm\\_jobs\\_%' order by 1",
    )
    .fetch_all(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(schemas, ["rm_jobs_s2", "rm_jobs_s2_g3", "rm_jobs_s2_g4"]);
}

#[tokio::test]
async fn a_second_request_joins_the_work_under_way() {
    let world = World::with_events(50).await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    let first = of::<Jobs>()
        .request(&mut connection, TaskKind::Rebuild, "one")
        .await
        .unwrap();
    let second = of::<Jobs>()
        .request(&mut connection, TaskKind::Rebuild, "two")
        .await
        .unwrap();
    assert_eq!(first.task_id, second.task_id);
}

#[tokio::test]
async fn a_build_that_lost_its_process_begins_anew_and_leaves_nothing_behind() {
    let world = World::with_events(400).await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    of::<Jobs>()
        .request(&mut connection, TaskKind::Rebuild, "test")
        .await
        .unwrap();
    // What a process that was killed in the middle leaves: a lease that runs out and half-filled tables.
    world
        .meddle(
            "create schema rm_jobs_s2_g2; create table rm_jobs_s2_g2.jobs (like rm_jobs_s2_g1.jobs); \
             insert into rm_jobs_s2_g2.jobs select * from rm_jobs_s2_g1.jobs limit 5; \
             insert into projection (name, shape, generation, state) values ('jobs', 2, 2, 'building'); \
             update projection_task set state = 'running', generation = 2, phase = 'folding', \
                    holder = gen_random_uuid(), leased_until = clock_timestamp() - interval '1 second'",
        )
        .await;
    assert!(
        of::<Jobs>()
            .work(&world.log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap()
    );
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert_eq!((status.generation, status.task.unwrap().error), (Some(2), None));
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
}

#[tokio::test]
async fn a_task_under_a_lease_is_not_taken_by_another() {
    let world = World::with_events(50).await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    of::<Jobs>()
        .request(&mut connection, TaskKind::Rebuild, "test")
        .await
        .unwrap();
    world
        .meddle(
            "update projection_task set state = 'running', holder = gen_random_uuid(), \
                    leased_until = clock_timestamp() + interval '25 seconds'",
        )
        .await;
    assert!(
        !of::<Jobs>()
            .work(&world.log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_build_that_is_told_to_stop_is_handed_back_and_done_by_the_next() {
    let world = World::with_events(400).await;
    let mut connection = world.database.pool.acquire().await.unwrap();
    of::<Jobs>()
        .request(&mut connection, TaskKind::Rebuild, "test")
        .await
        .unwrap();
    let stopped = CancellationToken::new();
    stopped.cancel();
    // Whichever of the two is first, the second call has nothing or all to do, and it is done once.
    of::<Jobs>()
        .work(&world.log, &Passes::default(), &stopped)
        .await
        .unwrap();
    of::<Jobs>()
        .work(&world.log, &Passes::default(), &CancellationToken::new())
        .await
        .unwrap();
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert_eq!(
        (status.task.unwrap().state, status.generation),
        (TaskState::Done, Some(2))
    );
}

#[tokio::test]
async fn on_an_empty_log_the_read_models_are_there_at_once() {
    let database = TestDatabase::new().await;
    ensure_all(&database.pool).await.unwrap();
    ensure_all(&database.pool).await.unwrap();
    for projection in all() {
        let status = status(&database.pool, projection).await.unwrap();
        assert_eq!((status.generation, status.task.is_none()), (Some(1), true));
    }
}
