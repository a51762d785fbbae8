//! Runs with a known error: if a guard is disabled, the checks of `checks.rs` find the error that it prevents.
//!
//! Two guards stop a late result. First, the recorder looks the task up by scan *and fence*. Without this guard, a late
//! result would count like one with the current fence, so the test sends the current fence. Second, the scan compares *the
//! number of the attempt*. Without this guard, a late result would count like one without a number, so the test sends no
//! number.

use serde_json::json;
use sitelog::values::FailureReason;
use sitelog::values::report::SiteReport;

use super::by_hand::{ByHand, Sent};
use super::checks::{self, StoredResults};
use super::engines::Engines;
use super::workers::Service;
use crate::support::app::{TestApp, wait_for};
use crate::support::sites::SitesOptions;

struct Control {
    service: Service,
    stored: StoredResults,
    /// The worker whose lease ends while it scans, and the worker that gets its task.
    early: ByHand,
    late: ByHand,
}

/// The report of a worker about a site.
fn report(worker: &str) -> SiteReport {
    SiteReport::failed(FailureReason::TlsFailed, format!("as {worker} saw it"))
}

impl Control {
    async fn request(&self, site: usize) {
        let domain = json!({ "domain": format!("site{site:05}.sites.test") });
        self.service.server.post("/api/v4/scans", &domain).await;
    }

    async fn deliver(&self, worker: &ByHand, sent: &Sent<'_>, report: &SiteReport) -> bool {
        let stored = worker.deliver(sent, report).await;
        wait_for("the recorder", async || {
            (self.stored.waiting().await == 0).then_some(())
        })
        .await;
        stored.duplicate
    }

    /// Sends a late result, with or without guards; returns whose result counted, and the errors of the check.
    async fn late_result(&self, site: usize, (fence, number): (bool, bool)) -> (String, Vec<String>) {
        let database = &self.service.database.pool;
        self.request(site).await;
        let (held, first) = self.early.start().await;
        // The worker does not renew its lease, and another one gets the task.
        sqlx::query("update scan_task set leased_until = clock_timestamp() - interval '1 second'")
            .execute(database)
            .await
            .unwrap();
        let (in_force, second) = self.late.start().await;
        assert_eq!((&in_force.scan, second), (&held.scan, first + 1));
        let of_early = Sent {
            scan: &held.scan,
            fence: if fence { held.fence } else { in_force.fence },
            attempt: number.then_some(first),
            message_id: false,
            object: None,
        };
        self.deliver(&self.early, &of_early, &report("early")).await;
        let of_late = Sent {
            fence: in_force.fence,
            attempt: Some(second),
            ..of_early
        };
        self.deliver(&self.late, &of_late, &report("late")).await;
        let path = format!("/api/v4/scans/{}", held.scan);
        let ended = self
            .service
            .server
            .wait_for(&path, |scan| scan["status"] == "failed")
            .await;
        let mut connection = database.acquire().await.unwrap();
        assert_eq!(checks::not_ended_once(&mut connection).await, NOTHING);
        let found = checks::read_by_another_worker(&mut connection).await;
        let found = found.into_iter().filter(|found| found.contains(&held.scan));
        (ended["error"].as_str().unwrap().to_owned(), found.collect())
    }

    /// the check.
    async fn repeated_result(&self, site: usize, message_id: bool) -> (bool, Vec<String>) {
        self.request(site).await;
        let (held, attempt) = self.early.start().await;
        let sent = Sent {
            scan: &held.scan,
            fence: held.fence,
            attempt: Some(attempt),
            message_id,
            object: None,
        };
        self.deliver(&self.early, &sent, &report("early")).await;
        let is_known = self.deliver(&self.early, &sent, &report("early")).await;
        let twice = self.stored.twice().await;
        let of_this = twice.into_iter().filter(|found| found.contains(&held.scan));
        (is_known, of_this.collect())
    }
}

const NOTHING: Vec<String> = Vec::new();

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_fence_or_the_message_id_the_checks_of_the_fleet_fail() {
    let Some(engines) = Engines::find_or_skip() else {
        return;
    };
    let service = Service::start(&engines, SitesOptions::default(), "").await;
    let control = Control {
        stored: StoredResults::watch(&service.nats, 1).await,
        early: ByHand::connect(&service.nats, "early").await,
        late: ByHand::connect(&service.nats, "late").await,
        service,
    };
    control.early.wait_for_dispatcher().await;
    // Each guard alone stops a late result.
    for (site, guards) in [(1, (true, true)), (2, (false, true)), (3, (true, false))] {
        let (counts, found) = control.late_result(site, guards).await;
        assert_eq!(
            (counts.as_str(), found),
            ("as late saw it", NOTHING),
            "{guards:?}"
        );
    }
    let (counts, found) = control.late_result(4, (false, false)).await;
    assert_eq!(counts, "as early saw it");
    assert!(
        found.len() == 1 && found[0].ends_with("was started by late, and read by early"),
        "{found:?}"
    );
    let (is_known, found) = control.repeated_result(5, true).await;
    assert_eq!((is_known, found), (true, NOTHING));
    let (is_known, found) = control.repeated_result(6, false).await;
    assert!(
        !is_known && found.len() == 1 && found[0].contains("is stored 2 times"),
        "{found:?}"
    );
    // Because of the fence, the second result does not count.
    let mut database = control.service.database.pool.acquire().await.unwrap();
    assert_eq!(checks::not_ended_once(&mut database).await, NOTHING);
}

/// Creates errors by hand that no message can cause.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_check_of_the_log_and_the_queue_finds_what_it_is_made_for() {
    let app = TestApp::start().await;
    let pool = app.log_pool();
    let scans = [
        app.create_scan("a.sites.test").await,
        app.create_scan("a.sites.test").await,
    ];
    wait_for("two tasks", async || {
        let tasks = "select count(*) from scan_task";
        let tasks: i64 = sqlx::query_scalar(tasks).fetch_one(pool).await.unwrap();
        (tasks == 2).then_some(())
    })
    .await;
    let database = &mut pool.acquire().await.unwrap();
    assert_eq!(checks::leased_twice(database).await.unwrap(), NOTHING);
    sqlx::query("update scan_task set leased_until = clock_timestamp() + interval '1 hour'")
        .execute(&mut **database)
        .await
        .unwrap();
    assert_eq!(
        checks::leased_twice(database).await.unwrap(),
        ["a.sites.test is under two leases"]
    );
    app.fail(&scans[0], FailureReason::TlsFailed, false).await;
    assert_eq!(checks::gaps(database).await, NOTHING);
    assert_eq!(checks::not_in_the_log(database, &scans).await, NOTHING);
    assert_eq!(
        checks::not_ended_once(database).await,
        [format!("scan {} has 0 ending events", scans[1])]
    );
    app.fail(&scans[1], FailureReason::TlsFailed, false).await;
    assert_eq!(checks::not_ended_once(database).await, NOTHING);

    let second_end = "insert into events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
                             metadata, position, event_id, recorded_at, tenant_id, leaf) \
         select aggregate_type, aggregate_id, sequence + 1, event_type, event_version, payload, metadata, \
                (select max(position) + 2 from events), gen_random_uuid(), recorded_at, tenant_id, leaf \
           from events where event_type = 'ScanFailed' and aggregate_id = $1 returning position";
    let position: i64 = sqlx::query_scalar(second_end)
        .bind(&scans[0])
        .fetch_one(&mut **database)
        .await
        .unwrap();
    assert_eq!(
        checks::not_ended_once(database).await,
        [format!("scan {} has 2 ending events", scans[0])]
    );
    assert_eq!(
        checks::gaps(database).await,
        [format!("no event has the position {}", position - 1)]
    );
    let unknown = uuid::Uuid::nil().to_string();
    assert_eq!(
        checks::not_in_the_log(database, std::slice::from_ref(&unknown)).await,
        [format!("scan {unknown} was acknowledged, and is not in the log")]
    );
}
