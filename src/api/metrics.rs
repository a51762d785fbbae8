//! `/metrics` in the Prometheus text format.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use super::problem::Problem;
use crate::projections;

/// What operators watch: lag of each read model, tasks by state, appends.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"), (status = 503, body = Problem))
)]
pub(super) async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let head = state.log.head().await?;
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
    for (name, pool) in state.pools.named() {
        let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
        let used = pool.size().saturating_sub(idle);
        metrics::gauge!("sitelog_database_connections", "pool" => name, "state" => "used").set(used);
        metrics::gauge!("sitelog_database_connections", "pool" => name, "state" => "idle").set(idle);
        let most = pool.options().get_max_connections();
        metrics::gauge!("sitelog_database_connections", "pool" => name, "state" => "max").set(most);
    }
    let counts = state.tasks.counts().await?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; counts stay far below 2^53"
    )]
    for (state, count) in [("ready", counts.0), ("delayed", counts.1), ("leased", counts.2)] {
        metrics::gauge!("sitelog_tasks", "state" => state).set(count as f64);
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; positions stay far below 2^53"
    )]
    metrics::gauge!("sitelog_log_position").set(head as f64);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, state.metrics.render()).into_response())
}
