//! Wrong clocks. This file: times in the database that were written under another clock, each with the rule that
//! limits its effect. `processes`: real processes under changing clocks. `standstill`: missing progress is visible.

mod processes;
mod standstill;

use std::time::Duration;

use serde_json::json;
use sitelog::projections::as_of::{self, Point};
use sitelog::tasks::{LEASE, NewTask, ScanTasks, Settled, drop_past_rests, enqueue};
use sitelog::values::{Findings, ScanId, TenantId};
use sqlx::PgPool;
use uuid::Uuid;

use crate::support::app::TestApp;
use crate::support::postgres::TestDatabase;

async fn run(pool: &PgPool, sql: &str) {
    sqlx::raw_sql(sql).execute(pool).await.unwrap();
}

/// A queue with a task for each of these hosts.
async fn queue(database: &TestDatabase, hosts: &[&str]) -> ScanTasks {
    let task = |(host, position): (&&str, i64)| NewTask {
        scan_id: ScanId(Uuid::new_v4()),
        tenant: TenantId::DEFAULT,
        batch: None,
        max_concurrent: None,
        host: (*host).to_owned(),
        position,
    };
    let tasks: Vec<NewTask> = hosts.iter().zip(1..).map(task).collect();
    enqueue(&mut database.pool.acquire().await.unwrap(), &tasks)
        .await
        .unwrap();
    ScanTasks::new(database.pool.clone())
}

#[tokio::test]
async fn a_log_that_is_ten_years_ahead_keeps_nothing_waiting() {
    let app = TestApp::scanning().await;
    let pool = app.log_pool();
    app.create_scan("site00000.sites.test").await;
    run(
        pool,
        "update log_head set recorded_at = now() + interval '10 years'",
    )
    .await;
    let scan = app.create_scan("site00001.sites.test").await;
    app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    let batch = app
        .create_batch(&["site00002.sites.test", "site00003.sites.test"])
        .await;
    app.get_in_status(&format!("/api/v4/batches/{batch}"), "completed")
        .await;
    // Its times are right again, and the place where they go back is known.
    let (ahead, corrections): (bool, i64) = sqlx::query_as(
        "select recorded_at > now() + interval '1 minute', (select count(*) from clock_correction) from log_head",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert_eq!((ahead, corrections), (false, 1));
    assert!(app.app.log.verify().await.unwrap().holds());
}

#[tokio::test]
async fn a_clock_that_is_set_back_a_little_does_not_turn_recorded_times_around() {
    let app = TestApp::start().await;
    app.create_scan("a.com").await;
    let ahead = "update log_head set recorded_at = now() + interval '50 s' returning recorded_at::text";
    let ahead: String = sqlx::query_scalar(ahead).fetch_one(app.log_pool()).await.unwrap();
    app.create_scan("b.com").await;
    let next: String = sqlx::query_scalar("select max(recorded_at)::text from events")
        .fetch_one(app.log_pool())
        .await
        .unwrap();
    assert_eq!(next, ahead);
}

#[tokio::test]
async fn the_stock_library_writes_under_a_corrected_clock_too() {
    let database = TestDatabase::new().await;
    let insert = |n: i32| {
        format!(
            "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
             values ('t', 'a', {n}, 'Happened', '1', '{{}}', '{{}}')"
        )
    };
    run(&database.pool, &insert(1)).await;
    run(
        &database.pool,
        "update log_head set recorded_at = now() + interval '1 day'",
    )
    .await;
    run(&database.pool, &insert(2)).await;
    let (position, ahead): (i64, bool) =
        sqlx::query_as("select position, became > now() from clock_correction")
            .fetch_one(&database.pool)
            .await
            .unwrap();
    assert_eq!((position, ahead), (2, false));
}

#[tokio::test]
async fn a_time_stands_for_the_last_event_by_then_although_times_went_back() {
    let app = TestApp::builder().without_projector().start().await;
    let pool = app.log_pool();
    for domain in ["a.com", "b.com", "c.com", "d.com", "e.com"] {
        app.create_scan(domain).await;
    }
    // The second and the third were written under a clock that was ten years ahead.
    let history = "alter table events disable trigger events_append_only; \
        update events set recorded_at = recorded_at + interval '10 years' where position in (2, 3); \
        insert into clock_correction select 4, max(recorded_at), min(recorded_at) from events";
    run(pool, history).await;
    let last_by = async |time: &str| {
        let sql = format!("select {time} from events where position = 1");
        let time = sqlx::query_scalar(&sql);
        let time = Point::Time(time.fetch_one(pool).await.unwrap());
        as_of::position(pool, time).await
    };
    assert_eq!(last_by("recorded_at - interval '1 day'").await.unwrap(), 0);
    assert_eq!(last_by("recorded_at").await.unwrap(), 1);
    assert_eq!(last_by("now()").await.unwrap(), 5);
    let future = last_by("now() + interval '20 years'").await.unwrap_err();
    assert!(future.to_string().contains("in the future"), "{future}");
}

#[tokio::test]
async fn a_queue_that_an_earlier_release_filled_under_a_clock_ahead_is_worked_off() {
    let database = TestDatabase::migrated_to(10).await;
    let filled = "with t as (insert into task_tenant (tenant_id) values (gen_random_uuid()) returning tenant_id), \
        l as (insert into task_lane select gen_random_uuid(), tenant_id, 10 from t returning lane_id, tenant_id) \
        insert into scan_task (scan_id, tenant_id, lane_id, host, due_at, position, leased_until) \
        select gen_random_uuid(), l.tenant_id, l.lane_id, host, now() + interval '10 years', 1, leased_until \
          from l, (values ('a.test', null), ('b.test', now() + interval '10 years')) v (host, leased_until); \
        insert into host_rest values ('a.test', now() + interval '10 years')";
    run(&database.pool, filled).await;
    database.migrate().await;
    let tasks = ScanTasks::new(database.pool.clone());
    assert_eq!(tasks.claim("w", 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_lease_that_ends_later_than_any_may_is_over() {
    let database = TestDatabase::new().await;
    let tasks = queue(&database, &["a.test"]).await;
    let lost = tasks.claim("dead", 1).await.unwrap();
    let leased =
        |ahead: &'static str| format!("update scan_task set leased_until = now() + interval '{ahead}'");
    run(&database.pool, &leased("15 s")).await;
    assert!(tasks.claim("w", 1).await.unwrap().is_empty(), "it is held");
    for ahead in ["3 hours", "10 years", "-1 s"] {
        run(&database.pool, &leased(ahead)).await;
        let taken = tasks.claim("w", 1).await.unwrap();
        assert_eq!(taken.len(), 1, "{ahead}");
        assert!(taken[0].fence > lost[0].fence);
    }
}

#[tokio::test]
async fn an_attempt_that_is_due_later_than_any_may_be_is_due() {
    let database = TestDatabase::new().await;
    let tasks = queue(&database, &["a.test"]).await;
    let due = |ahead: &'static str| {
        format!("update scan_task set leased_until = null, due_at = now() + interval '{ahead}'")
    };
    run(&database.pool, &due("1 minute")).await;
    assert!(tasks.claim("w", 1).await.unwrap().is_empty(), "it is not due");
    for ahead in ["3 hours", "10 years"] {
        run(&database.pool, &due(ahead)).await;
        assert_eq!(tasks.claim("w", 1).await.unwrap().len(), 1, "{ahead}");
    }
}

#[tokio::test]
async fn a_host_does_not_rest_longer_than_any_may() {
    let database = TestDatabase::new().await;
    let tasks = queue(&database, &["a.test"]).await;
    let minute = Duration::from_mins(1);
    tasks.set_cooldown("a.test", minute).await.unwrap();
    assert!(tasks.claim("w", 1).await.unwrap().is_empty(), "it rests");
    run(
        &database.pool,
        "update host_rest set rest_until = now() + interval '3 hours'",
    )
    .await;
    let taken = tasks.claim("w", 1).await.unwrap();
    assert_eq!(taken.len(), 1);
    // A rest from another clock does not swallow the one that is asked for now.
    tasks.set_cooldown("a.test", minute).await.unwrap();
    tasks
        .settle(&[(taken[0].clone(), Settled::RetryIn(Duration::ZERO))])
        .await
        .unwrap();
    assert!(tasks.claim("w", 1).await.unwrap().is_empty(), "it rests again");
    run(
        &database.pool,
        "update host_rest set rest_until = now() + interval '10 years'",
    )
    .await;
    assert_eq!(drop_past_rests(&database.pool).await.unwrap(), 1);
}

#[tokio::test]
async fn nobody_waits_longer_than_the_longest_wait_whatever_was_asked_for() {
    let database = TestDatabase::new().await;
    let tasks = queue(&database, &["a.test"]).await;
    let taken = tasks.claim("w", 1).await.unwrap();
    let day = Duration::from_hours(24);
    tasks.set_cooldown("a.test", day).await.unwrap();
    tasks
        .settle(&[(taken[0].clone(), Settled::RetryIn(day))])
        .await
        .unwrap();
    let (due, rest): (f64, f64) = sqlx::query_as(
        "select extract(epoch from t.due_at - now())::float8, extract(epoch from r.rest_until - now())::float8 \
           from scan_task t join host_rest r using (host)",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert!(
        (1.0..=300.0).contains(&due) && (1.0..=300.0).contains(&rest),
        "{due} {rest}"
    );
    let longest: f64 = sqlx::query_scalar("select extract(epoch from longest_lease())::float8")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert!(longest > LEASE.as_secs_f64(), "a lease as it is given is legal");
}

#[tokio::test]
async fn a_policy_and_a_task_on_a_read_model_are_taken_from_a_holder_of_another_time() {
    let app = TestApp::builder().without_projector().start().await;
    let scan = app.create_scan("a.com").await;
    for policy in ["schedule_scans", "expand_batches", "complete_batches"] {
        let held = format!(
            "insert into policy (name, holder, leased_until) \
             values ('{policy}', gen_random_uuid(), now() + interval '3 hours')"
        );
        run(app.log_pool(), &held).await;
    }
    let task = Uuid::new_v4();
    let held = format!(
        "insert into projection_task (task_id, name, shape, kind, state, holder, leased_until) \
         select '{task}', name, shape, 'verify', 'running', gen_random_uuid(), now() + interval '3 hours' \
           from projection where name = 'jobs'"
    );
    run(app.log_pool(), &held).await;
    app.start_projector();
    let is = async |sql: String| {
        sqlx::query_scalar::<_, bool>(&sql)
            .fetch_one(app.log_pool())
            .await
            .unwrap()
    };
    for (what, condition) in [
        (
            "the task is queued",
            format!("select exists (select from scan_task where scan_id = '{scan}')"),
        ),
        (
            "the comparison is done",
            format!("select state = 'done' from projection_task where task_id = '{task}'"),
        ),
        (
            "all are held anew",
            "select bool_and(leased_until < now() + interval '1 minute') from policy".to_owned(),
        ),
    ] {
        crate::support::app::wait_for(what, async || is(condition.clone()).await.then_some(())).await;
    }
}

#[tokio::test]
async fn a_scan_of_the_future_is_not_used_again() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    app.complete(&scan, &Findings::default()).await;
    app.get_in_status(&format!("/api/v4/scans/{scan}"), "completed")
        .await;
    let asked = json!({ "domain": "a.com", "max_age_days": 30 });
    let again = async || app.post_json("/api/v4/scans", &asked).await.json()["scan_id"].clone();
    assert_eq!(again().await, json!(scan));
    run(
        app.log_pool(),
        "update rm_jobs_s2.jobs set completed_at = now() + interval '10 years'",
    )
    .await;
    assert_ne!(again().await, json!(scan));
}
