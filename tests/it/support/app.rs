//! The service in one test: its own database, the router called without a socket, projections and workers on demand,
//! and functions that act as a worker where a test needs a scan in a certain state.

use std::fmt::Debug;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use chrono::Utc;
use serde_json::Value;
use sitelog::access::{AuthMode, AuthSettings};
use sitelog::api::settings::LegacySettings;
use sitelog::app::App;
use sitelog::commands::CommandContext;
use sitelog::commands::load_previous_scan::load_previous_scan;
use sitelog::commands::record_scan::record_scan;
use sitelog::commands::start_scan::{Start, StartedScan, start_scan};
use sitelog::config::Config;
use sitelog::fetch::settings::FetchSettings;
use sitelog::mail::MailSettings;
use sitelog::pools::Pools;
use sitelog::projections::ReadModels;
use sitelog::values::report::{ScanFailure, SiteReport};
use sitelog::values::{FailureReason, Findings, ScanId, TenantId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::PATIENCE;
use super::call::{Answer, Call};
use super::postgres::TestDatabase;
use super::sites::{Sites, SitesOptions};

/// A running service; it stops when dropped.
pub struct TestApp {
    pub app: App,
    pub router: Router,
    /// The sites that its worker reaches, if it has one.
    pub sites: Option<Sites>,
    stop: CancellationToken,
    tracker: TaskTracker,
    database: TestDatabase,
}

/// The running parts of the service. By default the API and the projections.
#[derive(Default)]
pub struct TestAppBuilder {
    no_projector: bool,
    sites: Option<SitesOptions>,
    auth: Option<AuthSettings>,
    legacy: LegacySettings,
    reaching: Option<String>,
    mail: Option<MailSettings>,
}

impl TestAppBuilder {
    /// Read models and tasks make no progress until `TestApp::start_projector`.
    pub fn without_projector(mut self) -> Self {
        self.no_projector = true;
        self
    }

    /// A worker that can reach only these sites.
    pub fn scanning(mut self, sites: SitesOptions) -> Self {
        self.sites = Some(sites);
        self
    }

    /// Access control is on; by default it is off.
    pub fn guarded(self) -> Self {
        self.with_auth(AuthSettings::of(AuthMode::Required))
    }

    pub fn with_auth(mut self, auth: AuthSettings) -> Self {
        self.auth = Some(auth);
        self
    }

    /// It finds these hosts at this address.
    pub fn reaching(mut self, connect_to: String) -> Self {
        self.reaching = Some(connect_to);
        self
    }

    /// It sends mails.
    pub fn with_mail(mut self, mail: MailSettings) -> Self {
        self.mail = Some(mail);
        self
    }

    pub fn with_legacy(mut self, legacy: LegacySettings) -> Self {
        self.legacy = legacy;
        self
    }

    pub async fn start(self) -> TestApp {
        let database = TestDatabase::new().await;
        let sites = match self.sites {
            Some(options) => Some(Sites::start(options).await.unwrap()),
            None => None,
        };
        let mut fetch = fetch_settings(sites.as_ref());
        fetch
            .connect_to
            .extend(self.reaching.map(|hosts| hosts.parse().unwrap()));
        let config = Config {
            database_url: Some(database.url.clone()),
            database_connections: None,
            data_dir: std::env::temp_dir(),
            bind: ([127, 0, 0, 1], 0).into(),
            worker_concurrency: 8,
            fetch,
            auth: self.auth.unwrap_or_else(|| AuthSettings::of(AuthMode::Off)),
            mail: self.mail,
            nats: None,
            telemetry: None,
            legacy: self.legacy,
        };
        let app = App::build(&config, Pools::one(database.pool.clone()))
            .await
            .unwrap();
        let started = TestApp {
            router: app.routes(),
            app,
            sites,
            stop: CancellationToken::new(),
            tracker: TaskTracker::new(),
            database,
        };
        if !self.no_projector {
            started.start_projector();
        }
        if started.sites.is_some() {
            started
                .app
                .spawn_worker(&started.tracker, &started.stop, Duration::ZERO);
        }
        started
    }
}

fn fetch_settings(sites: Option<&Sites>) -> FetchSettings {
    let Some(sites) = sites else {
        return FetchSettings::default();
    };
    FetchSettings {
        connect_to: vec![sites.connect_to().parse().unwrap()],
        extra_ca: Some(sites.ca_pem().to_owned()),
        ..FetchSettings::default()
    }
}

impl TestApp {
    /// The API and the projections, no worker.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// An app that scans some ordinary sites and the special ones.
    pub async fn scanning() -> Self {
        let few = SitesOptions {
            sites: 4,
            urls_per_sitemap: 3,
            ..SitesOptions::default()
        };
        Self::builder().scanning(few).start().await
    }

    pub fn builder() -> TestAppBuilder {
        TestAppBuilder::default()
    }

    pub fn start_projector(&self) {
        self.app.spawn_projector(&self.tracker, &self.stop);
        self.app.spawn_monitors(&self.tracker, &self.stop);
    }

    /// The log's last position: as long as it stands, nothing was written.
    pub async fn head(&self) -> i64 {
        self.app.log.head().await.unwrap()
    }

    /// The service's read models.
    pub fn models(&self) -> &ReadModels {
        &self.app.models
    }

    /// The service's own connections.
    pub fn log_pool(&self) -> &sqlx::PgPool {
        self.app.log.pool()
    }

    /// A command of the binary on this service's database.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sitelog"));
        command
            .args(arguments)
            // Not what this machine or the working directory has.
            .env("SITELOG_CONFIG", "/dev/null")
            .env("DATABASE_URL", &self.database.url)
            .env("SITELOG_DATA_DIR", std::env::temp_dir().join("sitelog-test-data"))
            .stdin(std::process::Stdio::null());
        command
    }

    /// Disconnects the service from its database.
    pub fn cut_database(&self) {
        // It is closed as soon as it is asked to; what waits for the connections in use is dropped.
        drop(self.app.log.pool().close());
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.call("POST", path).send().await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).json(body).send().await
    }

    pub async fn post_text(&self, path: &str, media_type: &str, body: impl Into<Body>) -> Answer {
        self.call("POST", path).body(media_type, body).send().await
    }

    /// Requests until the response matches; fails if none does.
    pub async fn get_until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(
                Instant::now() < end,
                "timed out waiting for another answer of {path} than {}",
                answer.text()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Requests until the `status` matches.
    pub async fn get_in_status(&self, path: &str, status: &str) -> Value {
        let answer = self
            .get_until(path, |answer| answer.json()["status"] == status)
            .await;
        answer.json()
    }

    /// Requests a scan of v4 and returns its id.
    pub async fn create_scan(&self, domain: &str) -> String {
        let answer = self
            .post_json("/api/v4/scans", &serde_json::json!({ "domain": domain }))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.json()["scan_id"].as_str().unwrap().to_owned()
    }

    /// Requests a batch of v4, waits until each of its scans can be seen, and returns its id.
    pub async fn create_batch(&self, domains: &[&str]) -> String {
        let answer = self
            .post_json("/api/v4/batches", &serde_json::json!({ "domains": domains }))
            .await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let id = answer.json()["batch_id"].as_str().unwrap().to_owned();
        self.scans_of_batch(&id, domains.len()).await;
        id
    }

    /// Waits until a batch has this number of scans; returns them.
    pub async fn scans_of_batch(&self, id: &str, count: usize) -> Vec<Value> {
        let path = format!("/api/v4/batches/{id}/scans");
        let whole = |answer: &Answer| {
            answer.json()["items"]
                .as_array()
                .is_some_and(|items| items.len() == count)
        };
        let answer = self.get_until(&path, whole).await;
        answer.json()["items"].as_array().unwrap().clone()
    }

    /// Acts as a worker that starts a scan.
    pub async fn begin(&self, scan: &str) -> Box<StartedScan> {
        let started = start_scan(&self.app.bus, id_of(scan), 1, Utc::now(), &worker()).await;
        match started.unwrap() {
            Start::Begun(begun) => begun,
            other => panic!("{scan} cannot be begun: {other:?}"),
        }
    }

    /// Acts as a worker that starts a scan and has these findings.
    pub async fn complete(&self, scan: &str, findings: &Findings) {
        Box::pin(self.end(scan, Ok(findings.clone()))).await;
    }

    /// Acts as a worker whose attempt fails for this reason; if the failure is temporary, another attempt follows.
    pub async fn fail(&self, scan: &str, reason: FailureReason, is_transient: bool) {
        let detail = "as the test wants it".to_owned();
        let retry_after = None;
        let failure = ScanFailure {
            reason,
            detail,
            is_transient,
            retry_after,
        };
        Box::pin(self.end(scan, Err(failure))).await;
    }

    /// Starts a scan of the service as its worker does.
    pub async fn previous_scan(&self, scan: &str) -> Box<StartedScan> {
        let mut begun = self.begin(scan).await;
        let previous = Box::pin(load_previous_scan(&self.app.bus, &begun)).await.unwrap();
        begun.compare_with(previous.known);
        begun
    }

    /// Runs a scan of the service as its worker does, with the given report.
    pub async fn record(&self, scan: &str, report: &SiteReport) {
        let begun = self.previous_scan(scan).await;
        Box::pin(record_scan(
            &self.app.bus,
            &begun,
            report,
            Duration::ZERO,
            Utc::now(),
            &worker(),
        ))
        .await
        .unwrap();
    }

    /// Ends a started scan.
    pub async fn record_begun(&self, begun: &StartedScan, outcome: Result<Findings, ScanFailure>) {
        let report = SiteReport {
            robots: None,
            sitemaps: Vec::new(),
            pages: Vec::new(),
            outcome,
            revisit: None,
        };
        Box::pin(record_scan(
            &self.app.bus,
            begun,
            &report,
            Duration::ZERO,
            Utc::now(),
            &worker(),
        ))
        .await
        .unwrap();
    }

    async fn end(&self, scan: &str, outcome: Result<Findings, ScanFailure>) {
        let begun = self.previous_scan(scan).await;
        self.record_begun(&begun, outcome).await;
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The scan that a v4 or v1 id names.
fn id_of(scan: &str) -> ScanId {
    scan.trim_start_matches("scan_").parse().unwrap()
}

fn worker() -> CommandContext {
    CommandContext::internal(TenantId::DEFAULT, "worker:test")
}

/// Repeats the closure until it returns a value, up to a time limit.
pub async fn wait_for<T>(what: impl Debug, ask: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(
            Instant::now() < end,
            "timed out after {PATIENCE:?}, waiting for {what:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
