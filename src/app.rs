//! Wires everything: the one place that knows all parts.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, ApiKey, AuthMode, keys};
use crate::api::settings::BackendError;
use crate::api::{self, ApiState, Legacy};
use crate::commands::CommandBus;
use crate::config::Config;
use crate::dashboard;
use crate::fetch::{FetchSetupError, Fetcher};
use crate::legacy;
use crate::log::EventLog;
use crate::log::tree::keep_tree;
use crate::policies::{self, CompleteBatches, ExpandBatches, ScheduleScans};
use crate::postgres::{EmbeddedPostgres, EmbeddedPostgresError};
use crate::projections::{self, ProjectionError, ReadModels, maintenance};
use crate::scanner::fingerprint_files::{self, FingerprintFilesError};
use crate::scanner::{Scanner, ScannerSettings};
use crate::tasks::ScanTasks;
use crate::worker::{self, Worker};

/// What a process does; several may share one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Serves HTTP.
    pub api: bool,
    /// Scans sites.
    pub worker: bool,
    /// Keeps read models and tasks in step with the log.
    pub projector: bool,
}

impl Roles {
    /// Everything.
    pub const ALL: Self = Self {
        api: true,
        worker: true,
        projector: true,
    };
}

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The private PostgreSQL.
    #[error(transparent)]
    Embedded(#[from] EmbeddedPostgresError),
    /// The database named by `DATABASE_URL`.
    #[error("the database cannot be reached; check DATABASE_URL")]
    Connect(#[source] sqlx::Error),
    /// It is too old.
    #[error("the database is PostgreSQL {0}; at least 15 is needed")]
    TooOld(String),
    /// The tables cannot be brought up to date.
    #[error("the database cannot be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The read models cannot be made.
    #[error("the read models cannot be prepared")]
    ReadModels(#[from] ProjectionError),
    /// Fetching is set up wrongly.
    #[error(transparent)]
    Fetch(#[from] FetchSetupError),
    /// A set of fingerprints in the data directory cannot be read.
    #[error(transparent)]
    Fingerprints(#[from] FingerprintFilesError),
    /// The first key cannot be made.
    #[error(transparent)]
    FirstKey(#[from] keys::CreateKeyError),
    /// The old backend is set up wrongly.
    #[error("SITELOG_LEGACY__BACKEND_ANSWERS or its kin cannot be used")]
    Backend(#[from] BackendError),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}; set SITELOG_BIND to a free address")]
    Bind(SocketAddr, #[source] std::io::Error),
}

/// The database with what keeps it alive.
pub struct Database {
    /// Connections.
    pub pool: PgPool,
    embedded: Option<EmbeddedPostgres>,
}

/// Connections a process opens at most.
const MAX_CONNECTIONS: u32 = 24;
/// How long a transaction may stand still before PostgreSQL ends it. Each is a few statements in a row; only a process
/// that was frozen or cut off pauses in one, and it must not keep all others from the head of the log or a read model.
const MAX_IDLE_IN_TRANSACTION: &str = "10s";

/// What scans find is kept as jsonb of some kilobytes: lz4, where PostgreSQL has it, packs that in half the time.
const FAST_COMPRESSION: &str = "select set_config('default_toast_compression', 'lz4', false) from pg_settings \
    where name = 'default_toast_compression' and 'lz4' = any(enumvals)";

impl Database {
    /// Connects to the configured database or runs the private one, and migrates it.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let database = Self::connect(config).await?;
        sqlx::migrate!().run(&database.pool).await?;
        Ok(database)
    }

    /// The same without migrating.
    pub async fn connect(config: &Config) -> Result<Self, StartError> {
        let (url, embedded) = if let Some(url) = &config.database_url {
            (url.clone(), None)
        } else {
            let embedded = EmbeddedPostgres::start(&config.data_dir).await?;
            (embedded.url().to_owned(), Some(embedded))
        };
        let options: PgConnectOptions = url.parse().map_err(StartError::Connect)?;
        // Once without the pool, which would only say that it waited in vain.
        PgConnection::connect_with(&options)
            .await
            .map_err(StartError::Connect)?
            .close()
            .await
            .ok();
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(std::time::Duration::from_secs(10))
            // A question to the server before each use would double what small queries cost; a connection that died
            // with its server has been idle at least as long as a restart takes.
            .test_before_acquire(false)
            .after_connect(|connection, _| {
                let sql = format!(
                    "set idle_in_transaction_session_timeout = '{MAX_IDLE_IN_TRANSACTION}'; {FAST_COMPRESSION}"
                );
                Box::pin(async move { connection.execute(sql.as_str()).await.map(drop) })
            })
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    let fresh = meta.idle_for < Duration::from_millis(500);
                    Ok(fresh || connection.ping().await.is_ok())
                })
            })
            .connect_with(options.application_name("sitelog"))
            .await
            .map_err(StartError::Connect)?;
        let (number, version): (i32, String) = sqlx::query_as(
            "select current_setting('server_version_num')::int, current_setting('server_version')",
        )
        .fetch_one(&pool)
        .await
        .map_err(StartError::Connect)?;
        if number < 150_000 {
            return Err(StartError::TooOld(version));
        }
        Ok(Self { pool, embedded })
    }

    /// The URL the database is reached at.
    pub fn url(&self) -> Option<&str> {
        self.embedded.as_ref().map(EmbeddedPostgres::url)
    }

    /// The URL of a user who is shown all rows: the private PostgreSQL's superuser, or who is set.
    pub fn reading_url(&self, config: &Config) -> Option<String> {
        match &self.embedded {
            Some(embedded) => Some(embedded.superuser_url_of_database()),
            None => config.database_url.clone(),
        }
    }

    /// Restarts the private PostgreSQL whenever it dies, until told to stop.
    async fn supervise(&self, stop: CancellationToken) {
        let Some(embedded) = &self.embedded else {
            return stop.cancelled().await;
        };
        while !stop.is_cancelled() {
            match embedded.ensure_running().await {
                Ok(true) => tracing::warn!("PostgreSQL had died and was started again"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "PostgreSQL cannot be started: {error}"
                    );
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            }
        }
    }

    /// Closes the connections; the last process out stops the private PostgreSQL.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(embedded) = self.embedded
            && let Err(error) = embedded.stop().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "PostgreSQL was not stopped: {error}"
            );
        }
    }
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
    concurrency: usize,
}

impl App {
    /// Builds all parts over a migrated database; nothing runs yet but the log's group commit.
    pub async fn build(config: &Config, pool: PgPool) -> Result<Self, StartError> {
        let walled = projections::wall::ensure_reader(&pool)
            .await
            .map_err(StartError::Connect)?;
        if !walled {
            tracing::warn!(
                "The database's user may not make the role sitelog_reader: tenants are kept apart by the queries \
                 alone. As a superuser: create role sitelog_reader nologin; grant sitelog_reader to <that user>"
            );
        }
        projections::status::ensure_all(&pool).await?;
        let models = ReadModels::new(pool.clone(), walled);
        let log = EventLog::open(pool.clone());
        let settings = ScannerSettings {
            technologies: fingerprint_files::technologies(&config.data_dir)?,
            ..ScannerSettings::default()
        };
        let scanner = Scanner::new(Fetcher::new(config.fetch.clone())?, settings);
        Ok(Self {
            bus: CommandBus::new(log.clone()),
            log,
            models,
            access: Access::new(pool.clone(), &config.auth),
            tasks: ScanTasks::new(pool),
            legacy: Legacy::new(&config.legacy)?,
            scanner,
            concurrency: config.worker_concurrency,
        })
    }

    /// Starts what keeps read models and tasks in step with the log.
    pub fn spawn_projector(&self, tracker: &TaskTracker, stop: &CancellationToken) {
        let pool = self.log.pool().clone();
        for projection in projections::registry::all() {
            tracker.spawn(projection.run(self.log.clone(), stop.clone()));
            tracker.spawn(maintenance::work(projection, self.log.clone(), stop.clone()));
        }
        tracker.spawn(maintenance::watch(self.log.clone(), stop.clone()));
        tracker.spawn(legacy::tables::keep(self.models.clone(), stop.clone()));
        let schedule = ScheduleScans::new(pool.clone(), self.tasks.clone());
        tracker.spawn(policies::run(schedule, self.log.clone(), stop.clone()));
        let expand = ExpandBatches::new(self.bus.clone());
        tracker.spawn(policies::run(expand, self.log.clone(), stop.clone()));
        let complete = CompleteBatches::new(pool, self.bus.clone());
        tracker.spawn(policies::run(complete, self.log.clone(), stop.clone()));
        tracker.spawn(keep_tree(self.log.clone(), stop.clone()));
    }

    /// Starts scanning; when told to stop, scans under way have `drain` to end.
    pub fn spawn_worker(&self, tracker: &TaskTracker, stop: &CancellationToken, drain: Duration) {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let name = format!("worker:{host}:{}", std::process::id());
        let worker = Worker::new(
            self.bus.clone(),
            self.tasks.clone(),
            self.scanner.clone(),
            name,
            self.concurrency,
        );
        tracker.spawn(worker.run(stop.clone(), drain));
    }

    /// All that is served by HTTP.
    pub fn routes(&self) -> Router {
        self.routes_until(CancellationToken::new())
    }

    /// The same; when told to stop, what is sent for as long as somebody listens ends.
    pub fn routes_until(&self, stop: CancellationToken) -> Router {
        let state = ApiState {
            watch: api::Watch::new(self.log.clone(), stop),
            ..self.api_state()
        };
        let pages = dashboard::router(&state);
        api::router(state, pages)
    }

    /// What the API answers from.
    pub fn api_state(&self) -> ApiState {
        ApiState {
            watch: api::Watch::new(self.log.clone(), CancellationToken::new()),
            bus: self.bus.clone(),
            log: self.log.clone(),
            models: self.models.clone(),
            tasks: self.tasks.clone(),
            access: self.access.clone(),
            limits: api::Limits::default(),
            legacy: self.legacy.clone(),
            metrics: crate::telemetry::metrics(),
        }
    }
}

/// What there is to tell about a server that has started.
pub struct Started<'a> {
    /// Its settings.
    pub config: &'a Config,
    /// Its database.
    pub database: &'a Database,
    /// Where it listens.
    pub address: SocketAddr,
    /// The first key of all, on the first start: this is the only time it can be shown.
    pub first_key: Option<ApiKey>,
}

/// Runs a server until it is told to stop: first no more requests, then no more tasks, then the rest.
pub async fn serve(
    config: &Config,
    roles: Roles,
    stop: CancellationToken,
    ready: impl FnOnce(&Started<'_>),
) -> Result<(), StartError> {
    let mut listener = None;
    if roles.api {
        let bound = TcpListener::bind(config.bind).await;
        listener = Some(bound.map_err(|error| StartError::Bind(config.bind, error))?);
    }
    let database = Database::open(config).await?;
    let app = App::build(config, database.pool.clone()).await?;
    let (scanning, following) = (TaskTracker::new(), TaskTracker::new());
    let stop_following = CancellationToken::new();
    if roles.projector {
        app.spawn_projector(&following, &stop_following);
    }
    if roles.worker {
        app.spawn_worker(&scanning, &stop, worker::DRAIN);
    }
    let address = listener
        .as_ref()
        .and_then(|l| l.local_addr().ok())
        .unwrap_or(config.bind);
    let first_key = match (roles.api, config.auth.mode) {
        (true, AuthMode::Required) => keys::create_first(&database.pool).await?,
        _ => None,
    };
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
        stop_supervision.cancel();
    };
    tokio::join!(work, database.supervise(stop_supervision.clone()));
    drop(app);
    database.close().await;
    Ok(())
}
