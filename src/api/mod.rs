//! HTTP: requests become commands, read models become answers. No second way through the house: v4 and the
//! predecessor's paths call the same commands and queries.

mod admission;
pub mod batch_input;
mod conditional;
mod health;
mod legacy;
mod metrics;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod v4;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::Access;
use crate::commands::CommandBus;
use crate::log::EventLog;
use crate::projections::ReadModels;
use crate::tasks::ScanTasks;
use problem::Problem;

/// What handlers work with.
#[derive(Clone)]
pub struct ApiState {
    /// Commands.
    pub bus: CommandBus,
    /// The log, for reading.
    pub log: EventLog,
    /// Read models.
    pub models: ReadModels,
    /// The queue, for its counts.
    pub tasks: ScanTasks,
    /// Who is let in.
    pub access: Access,
    /// What this process measured.
    pub metrics: PrometheusHandle,
}

/// Bytes of a request's body at most.
pub const MAX_BODY: usize = 32 * 1024 * 1024;

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let (documented, openapi) = openapi::described(Some(&state));
    documented
        .merge(openapi::routes(&openapi))
        .merge(legacy::router(&state))
        .fallback(async || Problem::not_found("path"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(axum::extract::DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .with_state(state)
}

/// Serves until told to stop; requests under way are answered.
pub async fn serve(listener: TcpListener, state: ApiState, stop: CancellationToken) {
    let server =
        axum::serve(listener, router(state)).with_graceful_shutdown(async move { stop.cancelled().await });
    if let Err(error) = server.await {
        tracing::error!(%error, "The HTTP server broke off");
    }
}
