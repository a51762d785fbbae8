//! Tasks under leases: a process that lost its lease changes nothing, the process that takes over completes the task,
//! and nothing is done twice.

use std::time::Duration;

use sitelog::projections::domains::Domains;
use sitelog::projections::jobs::Jobs;
use sitelog::projections::pass::Passes;
use sitelog::projections::status::status;
use sitelog::projections::task::{self, ProjectionTask, TaskKind, TaskState};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{World, of};
use crate::support::PATIENCE;
use crate::support::app::wait_for;

/// Statements that wait in the database until the test lets them continue.
struct Held {
    connection: PgConnection,
}

impl Held {
    /// Blocks the `nth` process that reaches the statements of the trigger.
    async fn statement(world: &World, trigger: &str, nth: u32) -> Self {
        Self::new(
            world,
            &format!(
                "create function hold() returns trigger language plpgsql as $$ \
                 begin perform wait_if({nth}); return null; end $$; \
                 create trigger hold {trigger} for each statement execute function hold()"
            ),
        )
        .await
    }

    async fn new(world: &World, trigger: &str) -> Self {
        let mut connection = PgConnection::connect(&world.database.url).await.unwrap();
        let sql = format!(
            "create sequence arrivals; \
             create function wait_if(nth int) returns void language plpgsql as $$ begin \
               if nextval('arrivals') = nth then \
                 perform pg_advisory_lock(7); perform pg_advisory_unlock(7); \
               end if; end $$; \
             select pg_advisory_lock(7); {trigger}"
        );
        sqlx::raw_sql(&sql).execute(&mut connection).await.unwrap();
        Self { connection }
    }

    /// Waits until a process is blocked.
    async fn reached(&self, world: &World) {
        wait_for("somebody to be held up", async || {
            let waiting: bool = sqlx::query_scalar(
                "select exists (select from pg_locks where locktype = 'advisory' and not granted and objid = 7 \
                    and database = (select oid from pg_database where datname = current_database()))",
            )
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
            waiting.then_some(())
        })
        .await;
    }

    async fn let_go(mut self) {
        sqlx::query("select pg_advisory_unlock(7)")
            .execute(&mut self.connection)
            .await
            .unwrap();
    }
}

/// What a process does to find a task.
fn process(world: &World) -> JoinHandle<()> {
    let log = world.log.clone();
    tokio::spawn(async move {
        // A process that was overtaken may end with an error; what counts is what the tables say.
        let _ = of::<Jobs>()
            .work(&log, &Passes::default(), &CancellationToken::new())
            .await;
    })
}

async fn ended(process: &mut JoinHandle<()>) {
    tokio::time::timeout(PATIENCE, process)
        .await
        .expect("a process waits for ever")
        .unwrap();
}

async fn request(world: &World, kind: TaskKind) -> ProjectionTask {
    let mut connection = world.database.pool.acquire().await.unwrap();
    of::<Jobs>().request(&mut connection, kind, "test").await.unwrap()
}

/// Lets the lease expire.
async fn expire(world: &World) {
    world
        .meddle(
            "update projection_task set leased_until = clock_timestamp() - interval '1 second' \
              where state = 'running'",
        )
        .await;
}

/// The task came to an end, one generation counts and is what the log says, and the next build leaves no other.
async fn assert_whole(world: &World, asked: &ProjectionTask) {
    let task = task::find(&world.database.pool, asked.task_id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((task.state, task.error), (TaskState::Done, None));
    let live: i64 =
        sqlx::query_scalar("select count(*) from projection where name = 'jobs' and state = 'live'")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
    assert_eq!(live, 1);
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
    world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    assert_eq!(world.verify(of::<Jobs>()).await.wrong, 0);
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    let (live, before) = (status.generation.unwrap(), status.rollback_to.unwrap());
    let mut wanted = vec![
        "rm_jobs_s2".to_owned(),
        format!("rm_jobs_s2_g{before}"),
        format!("rm_jobs_s2_g{live}"),
    ];
    wanted.sort();
    let schemas: Vec<String> =
        sqlx::query_scalar("select nspname::text from pg_namespace where nspname like 'rm\\_jobs\\_%'")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    let mut schemas = schemas;
    schemas.sort();
    assert_eq!(schemas, wanted, "nothing is left behind");
}

#[tokio::test]
async fn who_comes_back_late_commits_nothing_and_held_nobody_up() {
    // Before the new tables are made, and at each fence on the way to them: making them, copying rows, moving the
    // checkpoint.
    let points = [
        ("before delete on projection", 1),
        ("before update of generation on projection_task", 1),
        ("before update of generation on projection_task", 2),
        ("before update of generation on projection_task", 3),
        ("before update of generation on projection_task", 4),
    ];
    for (trigger, nth) in points {
        eprintln!("held up {trigger}, number {nth}");
        let world = World::with_events(300).await;
        let asked = request(&world, TaskKind::Rebuild).await;
        let held = Held::statement(&world, trigger, nth).await;
        let mut late = process(&world);
        held.reached(&world).await;
        expire(&world).await;
        let mut other = process(&world);
        if nth == 1 {
            // It must get by without the sleeper. (At the first fence of all both make the same schema.)
            let _waits = tokio::time::timeout(Duration::from_secs(2), &mut other).await;
        } else {
            ended(&mut other).await;
        }
        held.let_go().await;
        ended(&mut late).await;
        if !other.is_finished() {
            ended(&mut other).await;
        }
        assert_whole(&world, &asked).await;
    }
}

#[tokio::test]
async fn of_two_that_make_the_same_indexes_only_the_holder_of_the_lease_does() {
    let world = World::with_events(300).await;
    let asked = request(&world, TaskKind::Rebuild).await;
    let phase = "before update of phase on projection_task";
    // The second phase is that of the indexes.
    let held = Held::statement(&world, phase, 2).await;
    let mut late = process(&world);
    held.reached(&world).await;
    let mut blocker = PgConnection::connect(&world.database.url).await.unwrap();
    let mut tx = blocker.begin().await.unwrap();
    sqlx::query("lock table rm_jobs_s2_g2.jobs in row exclusive mode")
        .execute(&mut *tx)
        .await
        .unwrap();
    held.let_go().await;
    waiting_for_tables(&world, 1).await;
    expire(&world).await;
    let mut other = process(&world);
    waiting_for_tables(&world, 2).await;
    tx.rollback().await.unwrap();
    ended(&mut late).await;
    ended(&mut other).await;
    assert_whole(&world, &asked).await;
}

/// Waits until this many wait for a lock on a table.
async fn waiting_for_tables(world: &World, count: i64) {
    wait_for("the indexes to be waited for", async || {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_locks where locktype = 'relation' and not granted \
                and database = (select oid from pg_database where datname = current_database())",
        )
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
        (waiting >= count).then_some(())
    })
    .await;
}

/// The result of a task cannot be written down the first time, as if the process died right before.
async fn forget_the_first_result(world: &World) {
    world
        .meddle(
            "create sequence results; \
             create function forget() returns trigger language plpgsql as $$ begin \
               if nextval('results') = 1 then raise exception 'killed'; end if; return new; end $$; \
             create trigger forget before update of state on projection_task \
                for each row when (new.state = 'done') execute function forget()",
        )
        .await;
}

#[tokio::test]
async fn a_rollback_that_was_done_but_not_noted_is_not_turned_back() {
    let world = World::with_events(200).await;
    world.perform(of::<Jobs>(), TaskKind::Rebuild).await;
    let asked = request(&world, TaskKind::Rollback).await;
    forget_the_first_result(&world).await;
    ended(&mut process(&world)).await;
    expire(&world).await;
    ended(&mut process(&world)).await;
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert_eq!((status.generation, status.rollback_to), (Some(1), Some(2)));
    assert_whole(&world, &asked).await;
}

#[tokio::test]
async fn a_build_that_was_switched_to_but_not_noted_is_not_built_again() {
    let world = World::with_events(200).await;
    let asked = request(&world, TaskKind::Rebuild).await;
    forget_the_first_result(&world).await;
    ended(&mut process(&world)).await;
    expire(&world).await;
    ended(&mut process(&world)).await;
    let status = status(&world.database.pool, of::<Jobs>()).await.unwrap();
    assert_eq!((status.generation, status.rollback_to), (Some(2), Some(1)));
    let rows = world.digest("jobs").await.0;
    assert_eq!(status.task.unwrap().result.unwrap()["rows"], rows);
    assert_whole(&world, &asked).await;
}

#[tokio::test]
async fn the_lease_is_prolonged_beside_the_work_that_locks_its_row() {
    let world = World::with_events(100).await;
    // A fence that takes longer than the pause between two prolongations: one of them meets the row locked.
    world
        .meddle(
            "create sequence fences; \
             create function slow() returns trigger language plpgsql as $$ begin \
               if nextval('fences') = 1 then perform pg_sleep(5.5); end if; return null; end $$; \
             create trigger slow after update of generation on projection_task \
                for each row when (new.phase = 'folding') execute function slow()",
        )
        .await;
    let task = tokio::time::timeout(PATIENCE, world.perform(of::<Domains>(), TaskKind::Rebuild))
        .await
        .expect("the work and its lease wait for each other");
    assert_eq!((task.state, task.error), (TaskState::Done, None));
}
