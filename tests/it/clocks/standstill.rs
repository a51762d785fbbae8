//! Everything that should make progress and does not is visible: on the Tasks page, in `/readyz?verbose`, in `doctor`
//! and in a metric.

use serde_json::{Value, json};

use super::run;
use crate::support::app::TestApp;

/// What each of the four says: the kinds that `/readyz` and the metrics name, and the texts of `doctor` and the page.
async fn seen(
    app: &TestApp,
) -> (
    Vec<(String, i64)>,
    Vec<(String, i64)>,
    (Option<i32>, Value),
    String,
) {
    let ready = app.get("/readyz?verbose").await.json();
    let mut by_ready: Vec<(String, i64)> = ready["stuck"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["kind"].as_str().unwrap().to_owned(),
                one["count"].as_i64().unwrap(),
            )
        })
        .collect();
    by_ready.sort();
    let metrics = app.get("/metrics").await.text();
    let mut by_metric: Vec<(String, i64)> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("sitelog_stuck{kind=\"")?.split_once("\"} "))
        .map(|(kind, count)| (kind.to_owned(), count.parse().unwrap()))
        .filter(|(_, count)| *count > 0)
        .collect();
    by_metric.sort();
    let doctor = app.command(&["doctor", "--json"]).output().unwrap();
    let report = serde_json::from_slice(&doctor.stdout).unwrap();
    let page = app.get("/tasks").await.text();
    (by_ready, by_metric, (doctor.status.code(), report), page)
}

/// Makes something stuck, and checks that all four report it and nothing else.
async fn is_seen(sql: &str, kinds: &[(&str, i64)], words: &str) {
    let app = TestApp::builder().without_projector().start().await;
    let scan = app.create_scan("secret-customer.com").await;
    run(app.log_pool(), sql).await;
    let (ready, metric, (code, doctor), page) = seen(&app).await;
    let kinds: Vec<(String, i64)> = kinds
        .iter()
        .map(|(kind, count)| ((*kind).to_owned(), *count))
        .collect();
    assert_eq!(ready, kinds, "/readyz, {sql}");
    assert_eq!(metric, kinds, "/metrics, {sql}");
    assert_eq!(code, Some(3), "{doctor}");
    assert_eq!(doctor["stuck"].as_array().unwrap().len(), kinds.len());
    assert!(doctor["problems"].to_string().contains(words), "{doctor}");
    assert!(page.contains(words), "{page}");
    let open_to_all = app.get("/readyz?verbose").await.text();
    assert!(
        !open_to_all.contains(&scan) && !open_to_all.contains("secret"),
        "{open_to_all}"
    );
}

/// A task as `schedule_scans` queues it, long ago.
const QUEUED: &str = "insert into task_tenant (tenant_id) values ('550e8400-e29b-41d4-a716-446655440000'); \
    insert into task_lane (lane_id, tenant_id, max_concurrent) \
    select '550e8400-e29b-41d4-a716-446655440000', '550e8400-e29b-41d4-a716-446655440000', 1000; \
    insert into scan_task (scan_id, tenant_id, lane_id, host, position, queued_at) \
    select aggregate_id::uuid, tenant_id, tenant_id, 'secret-customer.com', 1, now() - interval '1 hour' from events;";

#[tokio::test]
async fn a_quiet_service_is_well() {
    let app = TestApp::start().await;
    let scan = app.create_scan("a.com").await;
    let (ready, metric, (code, doctor), page) = seen(&app).await;
    assert_eq!((ready, metric), (Vec::new(), Vec::new()));
    assert_eq!((code, &doctor["problems"]), (Some(0), &json!([])), "{doctor}");
    assert!(!page.contains("No progress"));
    let plain = app.get("/readyz").await.json();
    assert!(
        plain.get("stuck").is_none(),
        "only who asks is told: {plain} {scan}"
    );
}

#[tokio::test]
async fn a_scan_that_no_worker_takes_is_seen() {
    is_seen(QUEUED, &[("scan", 1)], "no worker processes").await;
}

#[tokio::test]
async fn a_scan_whose_worker_does_not_come_to_an_end_is_seen() {
    let hangs =
        "update scan_task set leased_until = now() + interval '15 s', claimed_at = now() - interval '1 hour'";
    is_seen(&format!("{QUEUED}{hangs}"), &[("scan", 1)], "no worker processes").await;
}

#[tokio::test]
async fn a_scan_whose_lease_ran_out_long_ago_is_seen() {
    let lost = "update scan_task set leased_until = now() - interval '1 hour'";
    is_seen(&format!("{QUEUED}{lost}"), &[("scan", 1)], "no worker processes").await;
}

#[tokio::test]
async fn a_batch_whose_scans_are_lost_is_seen() {
    let lost = "insert into batch_watch (batch_id, tenant_id, round, open, moved_at) \
        values (gen_random_uuid(), gen_random_uuid(), 1, 3, now() - interval '1 hour')";
    is_seen(lost, &[("batch", 1)], "1 batch makes no progress").await;
}

#[tokio::test]
async fn a_batch_that_is_never_completed_is_seen() {
    let due = "insert into batch_watch (batch_id, tenant_id, round, moved_at) \
        values (gen_random_uuid(), gen_random_uuid(), 1, now() - interval '1 hour')";
    is_seen(due, &[("batch", 1)], "1 batch makes no progress").await;
}

#[tokio::test]
async fn a_monitor_that_is_due_and_does_not_run_is_seen() {
    let due = "insert into monitor (monitor_id, tenant_id, settings, status, created_at, position, changed_at, last, next_run) \
        values (gen_random_uuid(), gen_random_uuid(), '{}', 'active', now(), 1, 1, now() - interval '1 day', \
                now() - interval '1 hour')";
    is_seen(due, &[("monitor", 1)], "1 monitor is due and does not run").await;
}

#[tokio::test]
async fn a_policy_that_does_not_follow_is_seen() {
    let behind = "insert into policy (name, updated_at) values ('schedule_scans', now() - interval '1 hour')";
    let old = "alter table events disable trigger events_append_only; \
        update events set recorded_at = recorded_at - interval '1 hour'; \
        update projection set position = 1, caught_up_at = now();";
    is_seen(&format!("{old}{behind}"), &[("policy", 1)], "schedule_scans").await;
}

#[tokio::test]
async fn a_read_model_that_does_not_follow_is_seen() {
    let behind = "alter table events disable trigger events_append_only; \
        update events set recorded_at = recorded_at - interval '1 hour'; \
        update projection set updated_at = now() - interval '1 hour'; \
        update projection set position = 1 where name <> 'domains';";
    is_seen(behind, &[("projection", 1)], "domains").await;
}

#[tokio::test]
async fn work_on_a_read_model_that_nobody_does_is_seen() {
    let asked = "insert into projection_task (task_id, name, shape, kind, requested_at) \
        select gen_random_uuid(), name, shape, 'verify', now() - interval '1 hour' \
          from projection where name = 'jobs'";
    is_seen(asked, &[("projection_task", 1)], "verify of jobs").await;
}

#[tokio::test]
async fn quarantined_rows_and_events_are_seen() {
    let quarantined = "insert into policy (name, position) values ('schedule_scans', 1); \
        insert into policy_parked (name, position, event_type, aggregate_type, aggregate_id, error) \
        values ('schedule_scans', 1, 'ScanRequested', 'domain_scan', 'x', 'why'); \
        insert into projection_parked (name, shape, generation, key, position, error) \
        select name, shape, generation, '{}', 1, 'why' from projection where name = 'jobs'";
    is_seen(quarantined, &[("set_aside", 2)], "a row of jobs at event 1").await;
}

#[tokio::test]
async fn what_waits_for_good_reason_is_not_stuck() {
    for reason in [
        // Its turn has not come: others are served.
        "update task_tenant set served_at = now() - interval '1 minute'",
        // Its host rests, or is visited.
        "insert into host_rest values ('secret-customer.com', now() + interval '4 minutes')",
        "insert into scan_task (scan_id, tenant_id, lane_id, host, position, leased_until, claimed_at) \
         select gen_random_uuid(), tenant_id, lane_id, host, 2, now() + interval '15 s', now() from scan_task",
        // Another attempt follows.
        "update scan_task set due_at = now() + interval '4 minutes'",
        // A worker has it.
        "update scan_task set leased_until = now() + interval '15 s', claimed_at = now() - interval '4 minutes'",
        // The clock was set back by an hour while a worker had it.
        "update scan_task set leased_until = now() + interval '15 s', claimed_at = now() + interval '1 hour'",
    ] {
        let app = TestApp::builder().without_projector().start().await;
        app.create_scan("secret-customer.com").await;
        run(app.log_pool(), QUEUED).await;
        run(app.log_pool(), reason).await;
        let (ready, ..) = seen(&app).await;
        assert_eq!(ready, [], "{reason}");
    }
}

#[tokio::test]
async fn a_clock_that_is_or_was_wrong_is_told() {
    let app = TestApp::start().await;
    app.create_scan("a.com").await;
    run(
        app.log_pool(),
        "update log_head set recorded_at = now() + interval '10 years'",
    )
    .await;
    let (_, _, (code, doctor), page) = seen(&app).await;
    let words = "days ahead of the database's clock";
    assert_eq!(code, Some(3));
    assert!(doctor["problems"].to_string().contains(words), "{doctor}");
    assert!(
        page.contains("days ahead of the database&#39;s clock") || page.contains(words),
        "{page}"
    );
    assert!(
        app.get("/metrics")
            .await
            .text()
            .contains("sitelog_clock_log_ahead_seconds 31")
    );
    assert!(
        app.get("/readyz?verbose").await.json()["clock"]["log_ahead_seconds"]
            .as_f64()
            .unwrap()
            > 3e8
    );
    // From the next event on it is only reported as past.
    app.create_scan("b.com").await;
    let (_, _, (code, doctor), page) = seen(&app).await;
    assert_eq!(code, Some(0), "{doctor}");
    assert!(
        doctor["notes"]
            .to_string()
            .contains("at event 2 recorded times go back"),
        "{doctor}"
    );
    assert!(page.contains("at event 2 recorded times go back"));
}
