//! Rebuilds are not noticeable: while a batch is scanned and its status is polled, all read models are rebuilt and
//! rolled back, and the next release builds its own beside them. No response fails, and none shows an older state than
//! the one before.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use sitelog::projections::all;
use sitelog::projections::pass::Passes;
use sitelog::projections::registry::AnyProjection;
use sitelog::projections::task::{self, TaskKind, TaskState};
use sitelog::projections::verify::Verification;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::of;
use super::shapes::LaterJobs;
use crate::support::app::{TestApp, wait_for};
use crate::support::call::Answer;
use crate::support::sites::{Gate, SitesOptions};

/// Sites of the batch; one more is asked for beside it.
const SITES: usize = 24;
const POLLERS: u32 = 16;
/// The interval of each poller; together they send 200 requests per second, if the machine is fast enough.
const PACE: Duration = Duration::from_millis(80);

/// The shared state of the pollers.
struct Polled {
    app: TestApp,
    batch: String,
    /// Gates that hold scans of the batch.
    gates: Vec<Gate>,
    /// A scan that is repeatedly cancelled and retried.
    restless: String,
    /// Position of the latest acknowledged append.
    acknowledged: AtomicI64,
    questions: AtomicU64,
    since: Instant,
    stop: CancellationToken,
}

/// What one poller has seen.
struct Seen {
    pace: Interval,
    batch_position: i64,
    ended_of_batch: i64,
    /// Positions of scans and domains.
    positions: HashMap<String, i64>,
    stages: HashMap<String, i64>,
    listed: usize,
}

fn site(number: usize) -> String {
    format!("site{number:05}.sites.test")
}

/// The progress of a scan: it waits for each attempt, runs it, and ends only once.
fn stage(scan: &Value) -> i64 {
    let attempts = scan["attempts"].as_i64().unwrap();
    match scan["status"].as_str().unwrap() {
        "running" => 2 * attempts,
        "pending" => 2 * attempts + 1,
        _ => i64::MAX,
    }
}

/// The position that an `ETag` stands for: that of the last event in the answer.
fn version(answer: &Answer) -> i64 {
    let tag = answer.header("etag").expect("a status has an ETag");
    tag.trim_start_matches("W/").trim_matches('"').parse().unwrap()
}

impl Seen {
    fn nothing() -> Self {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            pace,
            batch_position: 0,
            ended_of_batch: 0,
            positions: HashMap::new(),
            stages: HashMap::new(),
            listed: 0,
        }
    }

    fn look_at_batch(&mut self, answer: &Answer) {
        let (version, batch) = (version(answer), answer.json());
        assert!(
            version >= self.batch_position,
            "{batch} after {}",
            self.batch_position
        );
        self.batch_position = version;
        let ended: i64 = ["completed", "failed", "cancelled"]
            .iter()
            .map(|status| batch[status].as_i64().unwrap())
            .sum();
        assert!(
            ended >= self.ended_of_batch,
            "{batch} after {}",
            self.ended_of_batch
        );
        self.ended_of_batch = ended;
    }

    fn look_at_scan(&mut self, scan: &Value) {
        let id = scan["scan_id"].as_str().unwrap().to_owned();
        let stage = stage(scan);
        let before = self.stages.insert(id, stage);
        assert!(
            before.is_none_or(|before| stage >= before),
            "{scan} after {before:?}"
        );
    }

    fn look_at_version(&mut self, path: &str, answer: &Answer) {
        let version = version(answer);
        let before = self.positions.insert(path.to_owned(), version);
        assert!(
            before.is_none_or(|before| version >= before),
            "{path}: {version} after {before:?}"
        );
    }
}

impl Polled {
    async fn ask(&self, path: &str) -> Answer {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let answer = self.app.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer
    }

    /// One round of requests.
    async fn look(&self, seen: &mut Seen) {
        let batch = format!("/api/v4/batches/{}", self.batch);
        seen.look_at_batch(&self.ask(&batch).await);
        seen.pace.tick().await;
        let scans = self.ask(&format!("{batch}/scans")).await.json();
        let scans = scans["items"].as_array().unwrap().clone();
        assert!(
            scans.len() >= seen.listed,
            "{} scans after {}",
            scans.len(),
            seen.listed
        );
        seen.listed = scans.len();
        for scan in &scans {
            seen.look_at_scan(scan);
        }
        seen.pace.tick().await;
        for scan in scans.iter().take(2) {
            let path = format!("/api/v4/scans/{}", scan["scan_id"].as_str().unwrap());
            let answer = self.ask(&path).await;
            seen.look_at_version(&path, &answer);
            seen.look_at_scan(&answer.json());
            seen.pace.tick().await;
        }
        for list in ["/api/v4/scans?limit=50", "/api/v4/domains?limit=50"] {
            self.ask(list).await;
            seen.pace.tick().await;
        }
        if let Some(done) = scans.iter().find(|scan| scan["status"] == "completed") {
            let domain = done["domain"].as_str().unwrap();
            // What a scan's row says of its end may be seen before the domain's row does.
            let head = self.app.head().await;
            for part in ["", "/urls"] {
                let path = format!("/api/v4/domains/{domain}{part}?at_least={head}");
                let answer = self.ask(&path).await;
                if part.is_empty() {
                    assert_eq!(answer.json()["status"], "completed");
                } else {
                    assert!(!answer.json()["items"].as_array().unwrap().is_empty(), "{path}");
                }
                seen.pace.tick().await;
            }
        }
    }

    /// What happens to the restless scan: an event each time.
    async fn disturb(&self) {
        for done in ["cancel", "retry"] {
            let answer = self
                .app
                .post(&format!("/api/v4/scans/{}/{done}", self.restless))
                .await;
            assert!(answer.status < 500, "{done}: {}", answer.text());
            tokio::time::sleep(PACE / 4).await;
        }
    }

    /// Requests the scan that was just accepted.
    async fn look_at_what_was_acknowledged(&self) {
        let answer = self
            .app
            .post_json("/api/v4/scans", &serde_json::json!({ "domain": site(SITES) }))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let body = answer.json();
        let position = body["position"].as_i64().unwrap();
        self.acknowledged.fetch_max(position, Ordering::SeqCst);
        let id = body["scan_id"].as_str().unwrap();
        let path = format!("/api/v4/scans/{id}?at_least={position}");
        assert!(version(&self.ask(&path).await) >= position, "{path}");
        let listed = format!("/api/v4/scans?limit=1000&at_least={position}");
        let listed = self.ask(&listed).await.json();
        assert!(
            listed["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|scan| scan["scan_id"] == id),
            "{id} is listed once it was acknowledged"
        );
        let batch = format!(
            "/api/v4/batches/{}?at_least={}",
            self.batch,
            self.acknowledged.load(Ordering::SeqCst)
        );
        self.ask(&batch).await;
    }
}

fn pollers(polled: &Arc<Polled>) -> Vec<JoinHandle<()>> {
    let mut running = Vec::new();
    for number in 0..POLLERS {
        let polled = Arc::clone(polled);
        running.push(tokio::spawn(async move {
            let mut seen = Seen::nothing();
            while !polled.stop.is_cancelled() {
                if number.is_multiple_of(2) {
                    polled.look(&mut seen).await;
                } else {
                    let path = format!("/api/v4/scans/{}", polled.restless);
                    let answer = polled.ask(&path).await;
                    seen.look_at_version(&path, &answer);
                    seen.pace.tick().await;
                }
            }
        }));
    }
    let disturbed = Arc::clone(polled);
    running.push(tokio::spawn(async move {
        while !disturbed.stop.is_cancelled() {
            disturbed.disturb().await;
        }
    }));
    let polled = Arc::clone(polled);
    running.push(tokio::spawn(async move {
        while !polled.stop.is_cancelled() {
            polled.look_at_what_was_acknowledged().await;
            tokio::time::sleep(PACE * 3).await;
        }
    }));
    running
}

/// Requests a task that the service runs, as an operator does.
async fn operate(polled: &Polled, projection: &dyn AnyProjection, kind: TaskKind) -> Value {
    let pool = polled.app.log_pool();
    let asked = {
        let mut connection = pool.acquire().await.unwrap();
        projection.request(&mut connection, kind, "test").await.unwrap()
    };
    let before = polled.questions.load(Ordering::Relaxed);
    let ended = wait_for(projection.name(), async || {
        let task = task::find(pool, asked.task_id).await.unwrap().unwrap();
        matches!(task.state, TaskState::Done | TaskState::Failed).then_some(task)
    })
    .await;
    assert_eq!((ended.state, ended.error.as_deref()), (TaskState::Done, None));
    eprintln!(
        "{} of {}: {} questions meanwhile",
        kind.as_str(),
        projection.name(),
        polled.questions.load(Ordering::Relaxed) - before
    );
    ended.result.unwrap()
}

async fn verify(polled: &Polled, projection: &dyn AnyProjection) {
    let found: Verification =
        serde_json::from_value(operate(polled, projection, TaskKind::Verify).await).unwrap();
    assert_eq!((found.wrong, found.parked), (0, 0), "{:?}", found.findings);
}

async fn scanning() -> Arc<Polled> {
    let sites = SitesOptions {
        sites: SITES + 1,
        urls_per_sitemap: 20,
        ..SitesOptions::default()
    };
    let app = TestApp::builder().scanning(sites).start().await;
    let names: Vec<String> = (0..SITES).map(site).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let held = [SITES / 2, SITES - 1, SITES];
    let gates = held
        .map(|number| app.sites.as_ref().unwrap().hold(&site(number), "/"))
        .into();
    let batch = app.create_batch(&names).await;
    let restless = app.create_scan(&site(SITES)).await;
    // Time passes, and things happen, between a generation's last look at the log and the switch to it.
    sqlx::raw_sql(
        "create function linger() returns trigger language plpgsql as $$ \
         begin perform pg_sleep(0.3); return new; end $$; \
         create trigger linger before update of phase on projection_task \
            for each row when (new.phase = 'promoting') execute function linger()",
    )
    .execute(app.log_pool())
    .await
    .unwrap();
    Arc::new(Polled {
        app,
        batch,
        restless,
        gates,
        acknowledged: AtomicI64::new(0),
        questions: AtomicU64::new(0),
        since: Instant::now(),
        stop: CancellationToken::new(),
    })
}

async fn finish(polled: &Polled, pollers: Vec<JoinHandle<()>>) {
    let path = format!("/api/v4/batches/{}", polled.batch);
    polled.app.get_in_status(&path, "completed").await;
    polled.stop.cancel();
    for poller in pollers {
        poller.await.unwrap();
    }
    let questions = polled.questions.load(Ordering::Relaxed);
    eprintln!(
        "{questions} questions were answered in {:?}",
        polled.since.elapsed()
    );
    assert!(questions > 100, "{questions} questions");
    for projection in all() {
        verify(polled, projection).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_and_a_rollback_of_everything_are_noticed_by_nobody() {
    let polled = scanning().await;
    let pollers = pollers(&polled);
    // Each round meets a batch that is not through.
    for (held, kind) in (0..).zip([TaskKind::Rebuild, TaskKind::Rollback]) {
        for projection in all() {
            operate(&polled, projection, kind).await;
        }
        polled.gates[held].open();
    }
    finish(&polled, pollers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_release_builds_its_own_beside_and_nobody_notices() {
    let polled = scanning().await;
    let pollers = pollers(&polled);
    let (log, pool) = (polled.app.app.log.clone(), polled.app.log_pool().clone());
    let later = of::<LaterJobs>();
    later.ensure(&pool).await.unwrap();
    // The next release's own process: it builds what it misses and follows from then on.
    let stop = CancellationToken::new();
    assert!(later.work(&log, &Passes::default(), &stop).await.unwrap());
    let following = tokio::spawn(later.run(log.clone(), stop.clone()));
    // Both do their own work side by side.
    let other = {
        let (log, pool, stop) = (log.clone(), pool.clone(), stop.clone());
        tokio::spawn(async move {
            for kind in [TaskKind::Rebuild, TaskKind::Rollback] {
                let mut connection = pool.acquire().await.unwrap();
                later.request(&mut connection, kind, "test").await.unwrap();
                drop(connection);
                assert!(later.work(&log, &Passes::default(), &stop).await.unwrap());
            }
        })
    };
    for projection in all() {
        operate(&polled, projection, TaskKind::Rebuild).await;
    }
    other.await.unwrap();
    polled.gates.iter().for_each(Gate::open);
    finish(&polled, pollers).await;
    stop.cancel();
    following.await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let asked = later
        .request(&mut connection, TaskKind::Verify, "test")
        .await
        .unwrap();
    assert!(
        later
            .work(&log, &Passes::default(), &CancellationToken::new())
            .await
            .unwrap()
    );
    let ended = task::find(&pool, asked.task_id).await.unwrap().unwrap();
    let found: Verification = serde_json::from_value(ended.result.unwrap()).unwrap();
    assert_eq!((found.wrong, found.parked), (0, 0), "{:?}", found.findings);
}
