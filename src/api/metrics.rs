//! `/metrics` in the Prometheus text format.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use super::problem::Problem;
use crate::progress::{self, Clock, Kind};
use crate::projections;

/// Metrics for operators, for example the lag of each read model, tasks by state, and appends.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"), (status = 503, body = Problem))
)]
pub(super) async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text(&state).await?).into_response())
}

/// The same as text, with what has to be asked for first.
pub async fn text(state: &ApiState) -> Result<String, Problem> {
    let head = state.log.head().await?;
    // From the first reading on: an increase from nothing to one is none for Prometheus.
    metrics::counter!("sitelog_requests_shed_total").increment(0);
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; positions stay far below 2^53"
    )]
    for status in projections::status::statuses(&state.models.pool).await? {
        let labels = [("projection", status.name)];
        metrics::gauge!("sitelog_projection_lag_events", &labels).set(status.lag_events as f64);
        metrics::gauge!("sitelog_projection_lag_seconds", &labels).set(status.lag_seconds);
        metrics::gauge!("sitelog_projection_parked_rows", &labels).set(status.parked as f64);
        let stands = status.state == projections::status::ProjectionState::Paused;
        metrics::gauge!("sitelog_projection_paused", &labels).set(f64::from(u8::from(stands)));
    }
    for pool in state.pools.usage() {
        for (state, count) in [("used", pool.used), ("idle", pool.idle), ("max", pool.max)] {
            metrics::gauge!("sitelog_database_connections", "pool" => pool.name, "state" => state).set(count);
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; counts stay far below 2^53"
    )]
    for (condition, count) in state.tasks.counts().await? {
        metrics::gauge!("sitelog_tasks", "state" => condition.as_str()).set(count as f64);
    }
    let workers = state.tasks.workers().list().await?;
    for (connection, over_nats) in [("database", false), ("nats", true)] {
        let of_kind = workers.iter().filter(|worker| worker.over_nats == over_nats);
        let (silent, alive): (Vec<_>, Vec<_>) = of_kind.partition(|worker| worker.is_silent());
        for (state, workers) in [("alive", alive), ("silent", silent)] {
            metrics::gauge!("sitelog_workers", "connection" => connection, "state" => state)
                .set(f64::from(u32::try_from(workers.len()).unwrap_or(u32::MAX)));
        }
    }
    tell_progress(state).await?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; positions stay far below 2^53"
    )]
    metrics::gauge!("sitelog_log_position").set(head as f64);
    Ok(state.metrics.render())
}

/// What makes no progress, and the state of the clocks.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floats; counts stay far below 2^53"
)]
async fn tell_progress(state: &ApiState) -> Result<(), Problem> {
    let stuck = progress::stuck(&state.models.pool).await?;
    for kind in Kind::ALL {
        let found = stuck.iter().find(|one| one.kind == kind);
        let count = found.map_or(0, |one| one.count);
        metrics::gauge!("sitelog_stuck", "kind" => kind.as_str()).set(count as f64);
    }
    let clock = Clock::read(&state.models.pool).await?;
    metrics::gauge!("sitelog_clock_offset_seconds").set(clock.offset_seconds);
    metrics::gauge!("sitelog_clock_log_ahead_seconds").set(clock.log_ahead_seconds);
    metrics::gauge!("sitelog_clock_corrections").set(clock.corrections as f64);
    Ok(())
}
