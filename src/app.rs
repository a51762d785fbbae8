//! Connects all parts of the program. Only this module knows all of them.

mod over_nats;
mod threads;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::first_key::{self, FirstKey, FirstKeyDestination, FirstKeyError};
use crate::access::{Access, AuthMode};
use crate::api::settings::BackendError;
use crate::api::{self, ApiState, Legacy, LongReads};
use crate::commands::CommandBus;
use crate::commands::change_access::{ChangeAccessError, create_first_key};
use crate::config::Config;
use crate::dashboard;
use crate::database::Database;
use crate::fetch::{Direct, FetchSetupError, Fetcher};
use crate::fleet::FleetError;
use crate::legacy;
use crate::log::EventLog;
use crate::log::tree::keep_tree;
use crate::mail::{MailSettings, Mailer};
use crate::metric_export::MetricExport;
use crate::monitors::{self, Monitors};
use crate::policies::{
    self, CompleteBatches, ExpandBatches, FollowMonitors, FollowWebhooks, QueueMails, ScheduleScans,
};
use crate::pools::Pools;
use crate::postgres::EmbeddedPostgresError;
use crate::projections::pass::Passes;
use crate::projections::{self, ProjectionError, ReadModels, maintenance};
use crate::scanner::fingerprint_files::{self, FingerprintFilesError};
use crate::scanner::{Scanner, ScannerSettings};
use crate::tasks::ScanTasks;
use crate::tasks::workers::WorkerSighting;
use crate::trace_export;
use crate::traces::Sampled;
use crate::webhooks::{Deliverer, Webhooks};
use crate::worker::{self, DatabaseSource, Worker};
pub use over_nats::work_over_nats;
use threads::{BACKGROUND_NICENESS, Background, Threads};

/// The roles of a process; several processes may share one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a process has any of them")]
pub struct Roles {
    /// Serves HTTP.
    pub api: bool,
    /// Scans sites.
    pub worker: bool,
    /// Keeps read models and tasks up to date with the log.
    pub projector: bool,
    /// Serves workers on other machines, over NATS.
    pub dispatcher: bool,
    /// Copies the log to NATS.
    pub relay: bool,
}

impl Roles {
    /// Everything on one machine.
    pub const ALL: Self = Self {
        api: true,
        worker: true,
        projector: true,
        dispatcher: false,
        relay: false,
    };
}

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The private PostgreSQL.
    #[error(transparent)]
    Embedded(#[from] EmbeddedPostgresError),
    /// The database named by `DATABASE_URL`.
    #[error("cannot reach the database; check DATABASE_URL")]
    Connect(#[source] sqlx::Error),
    /// It is too old.
    #[error("the database is PostgreSQL {0}; version 15 or newer is required")]
    TooOld(String),
    /// It gives too few connections.
    #[error(
        "the database offers {offered} connections, but {wanted} are required: raise max_connections of PostgreSQL, or lower \
         SITELOG_DATABASE__CONNECTIONS"
    )]
    TooFewConnections {
        /// The maximum that this process opens.
        wanted: u32,
        /// The maximum of the server.
        offered: u32,
    },
    /// The migrations failed.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The read models cannot be made.
    #[error("cannot prepare the read models")]
    ReadModels(#[from] ProjectionError),
    /// Fetching is set up wrongly.
    #[error(transparent)]
    Fetch(#[from] FetchSetupError),
    /// Traces cannot be sent.
    #[error("cannot send traces; check SITELOG_TELEMETRY__OTLP_ENDPOINT")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// A set of fingerprints in the data directory cannot be read.
    #[error(transparent)]
    Fingerprints(#[from] FingerprintFilesError),
    /// The first key cannot be created or shown.
    #[error(transparent)]
    FirstKey(#[from] FirstKeyError<ChangeAccessError>),
    /// The old backend is set up wrongly.
    #[error("the settings SITELOG_LEGACY__BACKEND_… are invalid")]
    Backend(#[from] BackendError),
    /// A role needs NATS.
    #[error("the roles dispatcher and relay need NATS: set SITELOG_NATS__URL")]
    NoBroker,
    /// NATS does not accept this worker.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The threads that work cannot be started.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
    /// The address is in use, or does not belong to this machine.
    #[error("cannot listen on {0}; set SITELOG_BIND to a free address")]
    Bind(SocketAddr, #[source] std::io::Error),
}

/// The parts of a running process.
#[derive(Clone)]
pub struct App {
    /// Commands.
    pub bus: CommandBus,
    /// The log.
    pub log: EventLog,
    /// Read models.
    pub models: ReadModels,
    access: Access,
    tasks: ScanTasks,
    legacy: Legacy,
    scanner: Scanner,
    fetcher: Fetcher,
    concurrency: usize,
    pools: Pools,
    long_reads: LongReads,
    /// Where scans, policies and maintenance run.
    background: Handle,
    /// The runtime on which read models follow the log, so that no request waits behind one of their pages.
    followers: Handle,
    monitors: Monitors,
    mail: Option<MailSettings>,
}

impl App {
    /// Builds all parts over a migrated database. Only the log's group commit runs yet.
    pub async fn build(config: &Config, pools: Pools) -> Result<Self, StartError> {
        let row_security = projections::row_security::ensure_reader(&pools.work)
            .await
            .map_err(StartError::Connect)?;
        if !row_security {
            tracing::warn!(
                "The database user is not allowed to create the role sitelog_reader, so there is no row-level security: only \
                 the queries separate tenants. As a superuser, run: create role sitelog_reader nologin; grant \
                 sitelog_reader to <that user>"
            );
        }
        projections::status::ensure_all(&pools.work).await?;
        let log = EventLog::appending_through(pools.work.clone(), pools.appends.clone());
        let settings = ScannerSettings {
            technologies: fingerprint_files::technologies(&config.data_dir)?,
            ..ScannerSettings::default()
        };
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let scanner = Scanner::new(fetcher.clone(), settings);
        let direct = Direct::new(config.fetch.extra_ca.as_deref())?;
        let access = Access::new(pools.access.clone(), &config.auth, &direct);
        let bus = CommandBus::new(log.clone());
        let for_long_reads = ReadModels::for_long_reads(pools.long_reads.clone(), row_security);
        Ok(Self {
            monitors: Monitors::new(
                pools.work.clone(),
                bus.clone(),
                for_long_reads.clone(),
                access.tenants().clone(),
            ),
            bus,
            models: ReadModels::new(pools.reads.clone(), row_security),
            long_reads: LongReads::new(&log, for_long_reads),
            log,
            access,
            tasks: ScanTasks::new(pools.work.clone()),
            legacy: Legacy::new(&config.legacy)?,
            scanner,
            fetcher,
            concurrency: config.worker_concurrency,
            mail: config.mail.clone(),
            pools,
            background: Handle::current(),
            followers: Handle::current(),
        })
    }

    /// Starts what keeps read models and tasks up to date with the log.
    pub fn spawn_projector(&self, tracker: &TaskTracker, stop: &CancellationToken) {
        let background = self.in_background(tracker);
        let pool = self.pools.work.clone();
        let following = self.log.read_through(self.pools.projections.clone());
        let maintaining = self.log.read_through(self.pools.maintenance.clone());
        let passes = Passes::default();
        for projection in projections::all() {
            // A client that reads what it has just requested waits for it.
            tracker.spawn_on(projection.run(following.clone(), stop.clone()), &self.followers);
            let work = maintenance::work(projection, maintaining.clone(), passes.clone(), stop.clone());
            background.spawn(work);
        }
        background.spawn(maintenance::watch(maintaining.clone(), stop.clone()));
        background.spawn(legacy::tables::keep(self.models.clone(), stop.clone()));
        let schedule = ScheduleScans::new(pool.clone(), self.tasks.clone());
        background.spawn(policies::run(schedule, self.log.clone(), stop.clone()));
        let expand = ExpandBatches::new(self.bus.clone());
        background.spawn(policies::run(expand, self.log.clone(), stop.clone()));
        let complete = CompleteBatches::new(pool, self.bus.clone());
        background.spawn(policies::run(complete, self.log.clone(), stop.clone()));
        background.spawn(policies::run(FollowWebhooks, self.log.clone(), stop.clone()));
        background.spawn(policies::run(FollowMonitors, self.log.clone(), stop.clone()));
        background.spawn(policies::run(QueueMails, self.log.clone(), stop.clone()));
        let mailer = self.mail.clone().and_then(Mailer::new);
        background.spawn(monitors::send_mails(self.monitors.clone(), mailer, stop.clone()));
        let deliverer = Deliverer::new(self.bus.clone(), self.fetcher.clone());
        background.spawn(deliverer.run(stop.clone()));
        background.spawn(keep_tree(maintaining, stop.clone()));
    }

    /// Starts to run due monitors. Only a server does that, never a command.
    pub fn spawn_monitors(&self, tracker: &TaskTracker, stop: &CancellationToken) {
        self.in_background(tracker)
            .spawn(monitors::watch(self.monitors.clone(), stop.clone()));
    }

    /// Starts scanning. After a stop, running scans have `drain` to end.
    pub fn spawn_worker(&self, tracker: &TaskTracker, stop: &CancellationToken, drain: Duration) {
        let sighting = this_worker(self.concurrency, false);
        let name = sighting.name.clone();
        let source = DatabaseSource::new(self.bus.clone(), self.tasks.clone(), sighting);
        let worker = Worker::new(source, self.scanner.clone(), name, self.concurrency);
        self.in_background(tracker).spawn(worker.run(stop.clone(), drain));
    }

    /// Starts to send metrics, if that is configured; the future ends after the last ones.
    fn send_metrics(
        &self,
        export: Option<MetricExport>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let state = self.api_state();
        let task = export.map(|export| {
            self.background.spawn(async move {
                let read = || {
                    let state = state.clone();
                    async move { api::metrics::text(&state).await.map_err(|problem| problem.detail) }.boxed()
                };
                export.run(read, stop).await;
            })
        });
        async {
            if let Some(task) = task
                && let Err(error) = task.await
            {
                tracing::warn!(%error, "Sending metrics ended with an error");
            }
        }
    }

    fn in_background<'a>(&'a self, tracker: &'a TaskTracker) -> Background<'a> {
        Background {
            threads: &self.background,
            tracker,
        }
    }

    /// All HTTP routes.
    pub fn routes(&self) -> Router {
        self.routes_until(CancellationToken::new())
    }

    /// The same; after a stop, event streams end.
    pub fn routes_until(&self, stop: CancellationToken) -> Router {
        let state = ApiState {
            watch: api::Watch::new(self.watched_log(), stop),
            ..self.api_state()
        };
        let pages = dashboard::router(&state);
        api::router(state, pages)
    }

    /// The state of the API.
    pub fn api_state(&self) -> ApiState {
        let log = self.log.read_through(self.pools.reads.clone());
        ApiState {
            watch: api::Watch::new(self.watched_log(), CancellationToken::new()),
            bus: CommandBus::new(log.clone()),
            monitors: self
                .monitors
                .through(self.pools.access.clone(), CommandBus::new(log.clone())),
            log,
            models: self.models.clone(),
            long_reads: self.long_reads.clone(),
            pools: self.pools.clone(),
            tasks: self.tasks.clone(),
            webhooks: Webhooks::new(self.pools.access.clone()),
            sends_mails: self.mail.is_some(),
            access: self.access.clone(),
            limits: api::Limits::default(),
            legacy: self.legacy.clone(),
            metrics: crate::telemetry::metrics(),
        }
    }
}

/// The worker that this process is.
fn this_worker(concurrency: usize, over_nats: bool) -> WorkerSighting {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    WorkerSighting {
        name: format!("worker:{host}:{}", std::process::id()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        concurrency: u32::try_from(concurrency).unwrap_or(u32::MAX),
        over_nats,
    }
}

impl App {
    fn watched_log(&self) -> EventLog {
        self.log.read_through(self.pools.long_reads.clone())
    }
}

/// Information about a started server.
pub struct Started<'a> {
    /// Its settings.
    pub config: &'a Config,
    /// Its database.
    pub database: &'a Database,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the first key was written.
    pub first_key: FirstKey,
}

/// Runs a server until it is stopped: first it accepts no more requests, then no more tasks, then the rest stops.
pub async fn serve(
    config: &Config,
    roles: Roles,
    first_key: &FirstKeyDestination,
    stop: CancellationToken,
    ready: impl FnOnce(&Started<'_>),
) -> Result<(), StartError> {
    let broker = match &config.nats {
        None if roles.dispatcher || roles.relay => return Err(StartError::NoBroker),
        broker => broker.clone(),
    };
    let mut listener = None;
    if roles.api {
        let bound = TcpListener::bind(config.bind).await;
        listener = Some(bound.map_err(|error| StartError::Bind(config.bind, error))?);
    }
    let background = Threads::start("sitelog-work", BACKGROUND_NICENESS).map_err(StartError::Threads)?;
    let followers = Threads::start("sitelog-follow", 0).map_err(StartError::Threads)?;
    let mut exporting = None;
    let mut metrics = None;
    if let Some(telemetry) = &config.telemetry {
        let direct = Direct::new(config.fetch.extra_ca.as_deref())?;
        if let Some(every) = telemetry.metrics_every {
            metrics = Some(MetricExport::new(&telemetry.endpoint, every, direct.clone()));
        }
        let sampled = Sampled::ratio(telemetry.trace_sample);
        exporting = Some(trace_export::start(&telemetry.endpoint, sampled, direct)?);
    }
    let database = Database::open(config).await?;
    let app = App {
        background: background.handle(),
        followers: followers.handle(),
        ..App::build(config, database.pools.clone()).await?
    };
    // Before anything runs, so that an error of the file stops nothing that has started.
    let first_key = match (roles.api, config.auth.mode) {
        (true, AuthMode::Required) => {
            let make = async || create_first_key(&app.bus).await;
            first_key::provide(&database.pools.access, first_key, make).await
        }
        _ => Ok(FirstKey::NotNeeded),
    };
    let first_key = match first_key {
        Ok(first_key) => first_key,
        Err(error) => {
            drop(app);
            database.close().await;
            return Err(error.into());
        }
    };
    let (scanning, following) = (TaskTracker::new(), TaskTracker::new());
    let stop_following = CancellationToken::new();
    if roles.projector {
        app.spawn_projector(&following, &stop_following);
        // It stops first, so that what it requested is completed.
        app.spawn_monitors(&following, &stop);
    }
    if roles.worker {
        app.spawn_worker(&scanning, &stop, worker::DRAIN);
    }
    if let Some(broker) = broker {
        app.spawn_over_nats(&scanning, roles, broker, &stop);
    }
    let stop_metrics = CancellationToken::new();
    let sending_metrics = app.send_metrics(metrics, stop_metrics.clone());
    let address = listener
        .as_ref()
        .and_then(|l| l.local_addr().ok())
        .unwrap_or(config.bind);
    ready(&Started {
        config,
        database: &database,
        address,
        first_key,
    });
    let serving = async {
        match listener {
            Some(listener) => api::serve(listener, app.routes_until(stop.clone()), stop.clone()).await,
            None => stop.cancelled().await,
        }
    };
    let stop_supervision = CancellationToken::new();
    let work = async {
        serving.await;
        scanning.close();
        scanning.wait().await;
        stop_following.cancel();
        following.close();
        following.wait().await;
        // Last, so that it includes what all others did.
        stop_metrics.cancel();
        sending_metrics.await;
        stop_supervision.cancel();
    };
    tokio::join!(work, database.supervise(stop_supervision.clone()));
    drop(app);
    database.close().await;
    if let Some(exporting) = exporting {
        exporting.shut_down().await;
    }
    Ok(())
}
