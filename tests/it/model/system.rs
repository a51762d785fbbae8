//! The real system: a database, and processes on it that can be killed.

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Value, json};
use sitelog::aggregates::{BatchEvent, ScanEvent};
use sitelog::log::body::Body;
use sitelog::log::read::read_page;
use sitelog::log::{AppendUnit, Appended, EventLog, IdempotencyKey, LogError, NewEvent, StreamAppend};
use sitelog::projections::all;
use sitelog::projections::fold::FoldOptions;
use sitelog::projections::pass::Passes;
use sitelog::projections::registry::AnyProjection;
use sitelog::projections::status::{ensure_all, status};
use sitelog::projections::task::{self, ProjectionTask, TaskKind, TaskState};
use sitelog::projections::verify::Verification;
use sitelog::values::{BatchOptions, BodyRef, Findings, TenantId};
use sqlx::postgres::PgPoolOptions;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::reference::{Fate, Model, Outcome, Sent, Transition, Work};
use super::{SCANS, batch_id, domain, scan_id, title};
use crate::support::app::wait_for;
use crate::support::postgres::TestDatabase;

/// Events that a follower asks for at once.
const PAGE: i64 = 3;
const TYPES: [&str; 8] = [
    "ScanRequested",
    "ScanStarted",
    "ScanAbandoned",
    "ScanAttemptFailed",
    "ScanCompleted",
    "ScanFailed",
    "ScanCancelled",
    "ScanRetried",
];
const TABLES: [&str; 6] = [
    "jobs",
    "batch_jobs",
    "domains",
    "sitemaps",
    "sitemap_files",
    "sitemap_url_chunks",
];

/// A database with a process, and a direct connection.
pub(super) struct System {
    process: Option<Process>,
    /// Numbers of the generations of each read model, in the order in which they were built.
    numbers: [Vec<i32>; 4],
    /// What a follower has read page by page: positions, streams and payloads.
    seen: RefCell<Vec<(i64, String, Value)>>,
    interrupted: u32,
    database: TestDatabase,
    hand: Runtime,
}

/// What a killed process loses: its tasks and its connections.
struct Process {
    runtime: Runtime,
    log: EventLog,
}

impl Process {
    fn start(url: &str) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let log = runtime.block_on(async {
            let pool = PgPoolOptions::new().max_connections(8).connect(url).await;
            EventLog::open(pool.unwrap())
        });
        Self { runtime, log }
    }

    fn kill(self) {
        self.runtime.shutdown_background();
    }
}

impl System {
    pub(super) fn start() -> Self {
        let hand = Builder::new_current_thread().enable_all().build().unwrap();
        let database = hand.block_on(async {
            let database = TestDatabase::new().await;
            ensure_all(&database.pool).await.unwrap();
            database
        });
        let process = Process::start(&database.url);
        process.runtime.block_on(request_batch(&process.log));
        Self {
            process: Some(process),
            numbers: std::array::from_fn(|_| vec![1]),
            seen: RefCell::default(),
            interrupted: 0,
            database,
            hand,
        }
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("one runs but while it is exchanged")
    }

    fn log(&self) -> &EventLog {
        &self.process().log
    }

    /// Kills the process and starts another.
    fn exchange(&mut self) {
        self.process.take().expect("one runs").kill();
        self.process = Some(Process::start(&self.database.url));
    }

    pub(super) fn apply(&mut self, model: &Model, transition: &Transition) {
        match *transition {
            Transition::Append(_) => self.append(&model.sent),
            Transition::Interrupted { after, .. } => self.interrupt(&model.sent[0], after),
            Transition::Follow => {
                self.follow();
                self.check_rows(model);
            }
            Transition::Task {
                projection,
                work,
                fate,
            } => self.work(projection, work, fate),
        }
    }

    /// Lets the process work for some microseconds.
    fn pause(&self, micros: u64) {
        let pause = Duration::from_micros(micros);
        self.hand.block_on(async { tokio::time::sleep(pause).await });
    }

    fn append(&self, sent: &[Sent]) {
        let log = self.log().clone();
        let outcomes = self.process().runtime.block_on(async {
            let mut units = Vec::new();
            for one in sent {
                units.push(unit(&log, one, one.key.map(key)).await);
            }
            log.append_all(units).await
        });
        for (one, outcome) in sent.iter().zip(outcomes) {
            let outcome = match outcome {
                Ok(Appended::Committed(position)) => Outcome::Committed(position.unwrap()),
                Ok(Appended::Repeated { result, position }) => Outcome::Repeated {
                    scan: usize::try_from(result["scan"].as_u64().unwrap()).unwrap(),
                    position,
                },
                Err(LogError::KeyReused) => Outcome::KeyReused,
                Err(LogError::Conflict) => Outcome::Conflict,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(outcome, one.outcome, "{one:?}");
        }
    }

    /// Whether the killed process had written it or not: after the repeat it is there once.
    fn interrupt(&mut self, sent: &Sent, after: u64) {
        self.interrupted += 1;
        let mut key = key((0, 0));
        key.key = format!("interrupted {}", self.interrupted);
        key.result = json!({ "scan": sent.scan });
        let log = self.log().clone();
        let first = self
            .process()
            .runtime
            .block_on(unit(&log, sent, Some(key.clone())));
        let unanswered = self
            .process()
            .runtime
            .spawn(async move { log.append(first).await });
        self.pause(after);
        self.exchange();
        drop(unanswered);
        let log = self.log().clone();
        let again = self.process().runtime.block_on(async {
            loop {
                let again = unit(&log, sent, Some(key.clone())).await;
                match log.append(again).await {
                    // The first one was committed just now, with a salt of its own: whoever commands seals again.
                    Err(LogError::SaltChanged) => {}
                    done => return done,
                }
            }
        });
        let position = match again.unwrap() {
            Appended::Committed(position) => position.unwrap(),
            Appended::Repeated { position, .. } => position,
        };
        assert_eq!(Outcome::Committed(position), sent.outcome);
    }

    /// All read models go to the end of the log.
    fn follow(&self) {
        let (log, pool) = (self.log().clone(), self.database.pool.clone());
        let stop = CancellationToken::new();
        let running: Vec<_> = all()
            .iter()
            .map(|projection| {
                self.process()
                    .runtime
                    .spawn(projection.run(log.clone(), stop.clone()))
            })
            .collect();
        self.hand.block_on(async {
            let head: i64 = sqlx::query_scalar("select position from log_head")
                .fetch_one(&pool)
                .await
                .unwrap();
            for projection in all() {
                wait_for("a read model to follow", async || {
                    (status(&pool, projection).await.unwrap().position >= head).then_some(())
                })
                .await;
            }
            stop.cancel();
            for one in running {
                one.await.unwrap();
            }
        });
    }

    fn work(&mut self, projection: usize, work: Work, fate: Fate) {
        let of = all()[projection];
        let before = self.status_numbers(of);
        let kind = match work {
            Work::Rebuild => TaskKind::Rebuild,
            Work::Rollback => TaskKind::Rollback,
        };
        let asked = self.request(of, kind);
        match fate {
            Fate::Nothing => {}
            Fate::Killed { after } => {
                drop(self.begin_work(of));
                self.pause(after);
                self.exchange();
                self.expire_leases();
            }
            Fate::Overtaken { after } => {
                let other = Process::start(&self.database.url);
                let log = other.log.clone();
                let late = self.begin_work(of);
                self.pause(after);
                self.expire_leases();
                let taken = other.runtime.block_on(work_on(of, &log));
                // Both are through, whoever was first.
                let was_late = self.hand.block_on(late).unwrap();
                eprintln!("overtaken: the other {taken}, the late one {was_late}");
                other.kill();
            }
        }
        let ended = self.end(of, &asked);
        let nothing_to_go_back_to = work == Work::Rollback && before.1.is_none();
        let wanted = if nothing_to_go_back_to {
            TaskState::Failed
        } else {
            TaskState::Done
        };
        assert_eq!(ended.state, wanted, "{ended:?}");
        if work == Work::Rebuild {
            self.numbers[projection].push(self.status_numbers(of).0.unwrap());
        }
    }

    /// Takes the task up until it has ended.
    fn end(&self, of: &'static dyn AnyProjection, asked: &ProjectionTask) -> ProjectionTask {
        for _ in 0..5 {
            let found = self
                .hand
                .block_on(task::find(&self.database.pool, asked.task_id))
                .unwrap()
                .unwrap();
            if matches!(found.state, TaskState::Done | TaskState::Failed) {
                return found;
            }
            self.expire_leases();
            self.process().runtime.block_on(work_on(of, self.log()));
        }
        panic!("the task does not end");
    }

    fn request(&self, of: &'static dyn AnyProjection, kind: TaskKind) -> ProjectionTask {
        self.hand.block_on(async {
            let mut connection = self.database.pool.acquire().await.unwrap();
            of.request(&mut connection, kind, "model").await.unwrap()
        })
    }

    fn begin_work(&self, of: &'static dyn AnyProjection) -> tokio::task::JoinHandle<String> {
        let log = self.log().clone();
        self.process()
            .runtime
            .spawn(async move { work_on(of, &log).await })
    }

    fn expire_leases(&self) {
        let sql = "update projection_task set leased_until = clock_timestamp() - interval '1 second' \
                    where state = 'running'";
        self.hand
            .block_on(sqlx::query(sql).execute(&self.database.pool))
            .unwrap();
    }

    /// The live generation, and the one before.
    fn status_numbers(&self, of: &'static dyn AnyProjection) -> (Option<i32>, Option<i32>) {
        let status = self.hand.block_on(status(&self.database.pool, of)).unwrap();
        (status.generation, status.rollback_to)
    }

    /// The conditions that hold after each transition.
    pub(super) fn check(&self, model: &Model) {
        self.check_log(model);
        for (number, projection) in all().into_iter().enumerate() {
            let generations = &model.generations[number];
            let wanted = |built: usize| self.numbers[number][built];
            assert_eq!(
                self.status_numbers(projection),
                (Some(wanted(generations.live)), generations.before.map(wanted)),
                "{} live and before",
                projection.name()
            );
        }
    }

    /// The log equals the model's list, and a follower has read exactly that.
    fn check_log(&self, model: &Model) {
        let mut seen = self.seen.borrow_mut();
        self.hand.block_on(async {
            let mut connection = self.database.pool.acquire().await.unwrap();
            let mut cursor = seen.last().map_or(0, |(position, ..)| *position);
            loop {
                let page = read_page(&mut connection, cursor, &TYPES, PAGE).await.unwrap();
                if page.position == cursor {
                    break;
                }
                cursor = page.position;
                seen.extend(page.events.into_iter().map(|event| {
                    assert_eq!(event.aggregate_type, "domain_scan");
                    (
                        event.position,
                        event.aggregate_id.clone(),
                        without_salt(event.payload()),
                    )
                }));
            }
        });
        let wanted: Vec<_> = (2..)
            .zip(&model.log)
            .map(|(position, (scan, event))| {
                let payload = serde_json::to_value(event).unwrap();
                (position, scan_id(*scan).0.to_string(), without_salt(payload))
            })
            .collect();
        assert_eq!(*seen, wanted);
    }

    /// The tables are the model's plain folds.
    fn check_rows(&self, model: &Model) {
        self.hand.block_on(async {
            let pool = &self.database.pool;
            let jobs: Vec<(Uuid, String, i32)> =
                sqlx::query_as("select scan_id, status, attempts from jobs order by scan_id")
                    .fetch_all(pool)
                    .await
                    .unwrap();
            let wanted: Vec<_> = model
                .jobs()
                .into_iter()
                .map(|(scan, status, attempts)| (scan_id(scan).0, status.to_owned(), attempts))
                .collect();
            assert_eq!(jobs, wanted);
            let batch: (i32, i32, i32) =
                sqlx::query_as("select completed_domains, failed_domains, cancelled_domains from batch_jobs")
                    .fetch_one(pool)
                    .await
                    .unwrap();
            assert_eq!([batch.0, batch.1, batch.2], model.batch());
            let domains: Vec<(String, Option<String>, i32, Uuid)> = sqlx::query_as(
                "select domain, title, error_count, last_scan_id from domains order by domain",
            )
            .fetch_all(pool)
            .await
            .unwrap();
            let wanted: Vec<_> = model
                .domains()
                .into_iter()
                .map(|(domain, title, failures, scan)| (domain, title, failures, scan_id(scan).0))
                .collect();
            assert_eq!(domains, wanted);
        });
    }

    /// Followed to the end, the tables are the model's folds, verify says so too, and folding the log in any other way
    /// comes to the same.
    pub(super) fn check_at_the_end(self, model: &Model) {
        self.follow();
        self.check_rows(model);
        for projection in all() {
            let asked = self.request(projection, TaskKind::Verify);
            let ended = self.end(projection, &asked);
            let found: Verification = serde_json::from_value(ended.result.unwrap()).unwrap();
            assert_eq!((found.wrong, found.parked), (0, 0), "{:?}", found.findings);
        }
        let log = self.log().clone();
        let pool = self.database.pool.clone();
        let found = self.process().runtime.block_on(log.verify()).unwrap();
        assert!(found.holds(), "{found:?}");
        let head = self.process().runtime.block_on(log.head()).unwrap();
        for (page, shards, memory) in [(1, 1, usize::MAX), (7, 3, 3_000), (5000, 8, usize::MAX)] {
            let schema = format!("by_{page}");
            let options = FoldOptions { page, shards, memory };
            for projection in all() {
                let built = projection.build_as_of(&log, head, &schema, options);
                self.process().runtime.block_on(built).unwrap();
            }
            for table in TABLES {
                let (live, replayed) = self.hand.block_on(async {
                    (
                        digest(&pool, table).await,
                        digest(&pool, &format!("{schema}.{table}")).await,
                    )
                });
                assert_eq!(live, replayed, "{table} by pages of {page} and {shards} shards");
            }
        }
        self.check_leftovers();
        self.process.expect("one runs").kill();
    }

    /// After one more build of each there is nothing but the views, the live generation and the one before.
    fn check_leftovers(&self) {
        for projection in all() {
            let asked = self.request(projection, TaskKind::Rebuild);
            self.end(projection, &asked);
        }
        let left: Vec<String> = self.hand.block_on(async {
            sqlx::query_scalar(
                "select nspname::text from pg_namespace where nspname like 'rm\\_%\\_g%' and nspname not in \
                   (select 'rm_' || name || '_s' || shape || '_g' || generation from projection \
                     where state in ('live', 'retired'))",
            )
            .fetch_all(&self.database.pool)
            .await
            .unwrap()
        });
        assert_eq!(left, Vec::<String>::new());
    }
}

async fn work_on(of: &'static dyn AnyProjection, log: &EventLog) -> String {
    match of.work(log, &Passes::default(), &CancellationToken::new()).await {
        Ok(true) => "worked".to_owned(),
        Ok(false) => "found nothing to do".to_owned(),
        Err(error) => format!("was stopped: {error}"),
    }
}

async fn digest(pool: &sqlx::PgPool, table: &str) -> (i64, Option<String>) {
    let sql = format!(
        "select count(*), sum(hashtextextended((to_jsonb(t) - 'result_data')::text, 0))::text from {table} t"
    );
    sqlx::query_as(&sql).fetch_one(pool).await.unwrap()
}

/// The findings' digest holds a salt, which the model does not know.
fn without_salt(mut payload: Value) -> Value {
    if let Some(findings) = payload.pointer_mut("/ScanCompleted/findings") {
        *findings = json!(findings["items"]);
    }
    payload
}

fn key((name, body): (u8, u8)) -> IdempotencyKey {
    IdempotencyKey {
        route: "POST /model".into(),
        key: name.to_string(),
        body_hash: [body; 32],
        result: Value::Null,
    }
}

async fn unit(log: &EventLog, sent: &Sent, key: Option<IdempotencyKey>) -> AppendUnit {
    let mut bodies = Vec::new();
    let mut events = Vec::new();
    for event in &sent.events {
        let event = sealed(log, sent.scan, event.clone(), &mut bodies).await;
        events.push(NewEvent {
            event_id: Uuid::new_v4(),
            event_type: cqrs_es::DomainEvent::event_type(&event),
            event_version: cqrs_es::DomainEvent::event_version(&event),
            payload: serde_json::to_value(&event).unwrap(),
            metadata: json!({ "tenant_id": TenantId::DEFAULT, "actor": "model" }),
        });
    }
    AppendUnit {
        tenant: TenantId::DEFAULT,
        streams: vec![StreamAppend {
            aggregate_type: "domain_scan",
            aggregate_id: scan_id(sent.scan).0.to_string(),
            expected: sent.expected,
            events,
        }],
        bodies,
        key: key.map(|key| IdempotencyKey {
            result: json!({ "scan": sent.scan }),
            ..key
        }),
    }
}

/// With what was found put into a body.
async fn sealed(log: &EventLog, scan: usize, mut event: ScanEvent, bodies: &mut Vec<Body>) -> ScanEvent {
    if let ScanEvent::ScanCompleted { findings, .. } = &mut event {
        let found = Findings {
            title: Some(title(scan, findings.items)),
            ..Findings::default()
        };
        let salt = log.salt(TenantId::DEFAULT, &domain(scan)).await.unwrap();
        let (reference, body) = salt.seal_object(&serde_json::to_string(&found).unwrap());
        // The model distinguishes attempts by the number of items.
        *findings = BodyRef {
            items: findings.items,
            ..reference
        };
        bodies.push(body);
    }
    event
}

/// The first event of all: a batch that half of the scans belong to.
async fn request_batch(log: &EventLog) {
    let salt = log.salt(TenantId::DEFAULT, "batch").await.unwrap();
    let (items, body) = salt.seal(b"{}", 1);
    let event = BatchEvent::BatchRequested {
        total: u32::try_from(SCANS / 2).unwrap(),
        options: BatchOptions::new(None, None),
        items,
        monitor_id: None,
    };
    let event = NewEvent {
        event_id: Uuid::new_v4(),
        event_type: cqrs_es::DomainEvent::event_type(&event),
        event_version: cqrs_es::DomainEvent::event_version(&event),
        payload: serde_json::to_value(&event).unwrap(),
        metadata: json!({ "tenant_id": TenantId::DEFAULT, "actor": "model" }),
    };
    let unit = AppendUnit {
        tenant: TenantId::DEFAULT,
        streams: vec![StreamAppend {
            aggregate_type: "batch_scan",
            aggregate_id: batch_id().0.to_string(),
            expected: 0,
            events: vec![event],
        }],
        bodies: vec![body],
        key: None,
    };
    log.append(unit).await.unwrap();
}
