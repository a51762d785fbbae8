//! HTTP: requests become commands, and read models become responses. v4 and the predecessor's paths call the same
//! commands and queries.

pub(crate) mod admission;
pub mod at_least;
pub mod batch_input;
mod body;
pub(crate) mod browser;
mod compression;
mod conditional;
mod docs;
pub(crate) mod example;
pub mod export;
mod feed;
mod fresh;
mod health;
pub(crate) mod json_error;
mod known_names;
mod legacy;
pub(crate) mod links;
pub(crate) mod list_quotas;
mod long_reads;
pub mod mcp;
mod measure;
pub mod metrics;
pub mod openapi;
mod outage;
mod overload;
pub mod problem;
mod problem_code;
pub(crate) mod recheck;
pub mod request;
pub mod serving;
pub mod v4;
mod wait;
mod watch;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::{Access, AuthMode};
use crate::commands::CommandBus;
use crate::log::EventLog;
use crate::monitors::Monitors;
use crate::pools::Pools;
use crate::projections::ReadModels;
use crate::tasks::ScanTasks;
use crate::webhooks::Webhooks;
pub use body::BodyRoom;
pub use export::ExportSlots;
pub use legacy::settings::{self, Legacy};
pub use long_reads::LongReads;
pub use overload::RequestSlots;
use problem::Problem;
use serving::ServerLimits;
pub use wait::WaitSlots;
pub use watch::Watch;

/// The state of the handlers.
#[derive(Clone)]
pub struct ApiState {
    /// Commands.
    pub bus: CommandBus,
    /// The log, for reading.
    pub log: EventLog,
    /// Read models.
    pub models: ReadModels,
    /// The log and the read models for long reads.
    pub long_reads: LongReads,
    /// All connections, for their metrics.
    pub pools: Pools,
    /// The queue, for its counts.
    pub tasks: ScanTasks,
    /// Endpoints that events are sent to.
    pub webhooks: Webhooks,
    /// Domains that are scanned on a schedule.
    pub monitors: Monitors,
    /// Whether emails can be sent.
    pub sends_mails: bool,
    /// Admission of callers.
    pub access: Access,
    /// Event streams of scans and batches.
    pub watch: Watch,
    /// Limits of concurrent work.
    pub limits: Limits,
    /// The state of the predecessor's paths.
    pub legacy: Legacy,
    /// The metrics of this process.
    pub metrics: PrometheusHandle,
}

/// Limits of concurrent work; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// For bodies of requests.
    pub bodies: BodyRoom,
    /// For requests.
    pub requests: RequestSlots,
    /// For workbooks and Parquet files that are being built.
    pub files: ExportSlots,
    /// For responses that wait.
    pub waits: WaitSlots,
}

/// Maximum bytes of a request's body.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// The whole API and the pages, under the same protection. The pages bring the answer for paths that do not exist: a page
/// for a browser, otherwise a problem.
pub fn router(state: ApiState, pages: Router<ApiState>) -> Router {
    let (documented, openapi) = openapi::described(Some(&state));
    let is_open = state.access.mode() == AuthMode::Off;
    let tools = mcp::routes(&state, documented.clone());
    let routes = documented
        .merge(tools)
        .merge(docs::routes(&openapi))
        .merge(openapi::routes(openapi))
        .merge(legacy::router(&state))
        .merge(feed::routes())
        .merge(links::routes())
        .merge(pages)
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn_with_state(state.limits.requests.clone(), overload::shed))
        .layer(from_fn(measure::measure));
    let routes = if is_open {
        routes.layer(from_fn(browser::only_this_machine))
    } else {
        routes
    };
    routes
        .layer(compression::layer())
        .layer(from_fn(browser::protect))
        .with_state(state)
}

/// Serves until it is stopped; running requests are answered.
pub async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) {
    serving::serve(listener, routes, ServerLimits::default(), stop).await;
}
