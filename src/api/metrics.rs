//! `/metrics` in the Prometheus text format.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::ApiState;
use super::problem::Problem;
use crate::pools::PoolUsage;
use crate::progress::{self, ClockCheck, Kind, Stuck};
use crate::projections::status::{self, ProjectionState, ProjectionStatus};
use crate::tasks::TaskCondition;
use crate::tasks::workers::WorkerRow;

/// Metrics for operators, for example the lag of each read model, tasks by state, and appends.
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain"), (status = 503, body = Problem))
)]
pub(super) async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text(&state).await?).into_response())
}

/// The metrics as text: the counters of this process, and the current values from the database.
pub async fn text(state: &ApiState) -> Result<String, Problem> {
    // From the first reading on: Prometheus does not count the step from no value to 1 as an increase.
    metrics::counter!("sitelog_requests_shed_total").increment(0);
    let now = Now::read(state).await?;
    Ok(state.metrics.render() + &now.text())
}

/// What the database says at this moment. It is rendered apart from the process's counters, so that readings at the same
/// time, also of two services in one process, never mix, and what is gone is not repeated.
struct Now {
    head: i64,
    projections: Vec<ProjectionStatus>,
    connections: Vec<PoolUsage>,
    tasks: [(TaskCondition, i64); 4],
    workers: Vec<WorkerRow>,
    stuck: Vec<Stuck>,
    clock: ClockCheck,
}

impl Now {
    async fn read(state: &ApiState) -> Result<Self, Problem> {
        Ok(Self {
            head: state.log.head().await?,
            projections: status::statuses(&state.models.pool).await?,
            connections: state.pools.usage(),
            tasks: state.tasks.counts().await?,
            workers: state.tasks.workers().list().await?,
            stuck: progress::stuck(&state.models.pool).await?,
            clock: ClockCheck::read(&state.models.pool).await?,
        })
    }

    fn text(&self) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || self.set_gauges());
        recorder.handle().render()
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "gauges are floats; positions and counts stay far below 2^53"
    )]
    fn set_gauges(&self) {
        metrics::gauge!("sitelog_log_position").set(self.head as f64);
        for status in &self.projections {
            let labels = [("projection", status.name)];
            metrics::gauge!("sitelog_projection_lag_events", &labels).set(status.lag_events as f64);
            metrics::gauge!("sitelog_projection_lag_seconds", &labels).set(status.lag_seconds);
            metrics::gauge!("sitelog_projection_parked_rows", &labels).set(status.parked as f64);
            let paused = status.state == ProjectionState::Paused;
            metrics::gauge!("sitelog_projection_paused", &labels).set(f64::from(u8::from(paused)));
        }
        for pool in &self.connections {
            for (state, count) in [("used", pool.used), ("idle", pool.idle), ("max", pool.max)] {
                metrics::gauge!("sitelog_database_connections", "pool" => pool.name, "state" => state)
                    .set(count);
            }
        }
        for (condition, count) in &self.tasks {
            metrics::gauge!("sitelog_tasks", "state" => condition.as_str()).set(*count as f64);
        }
        for (connection, over_nats) in [("database", false), ("nats", true)] {
            for (state, silent) in [("alive", false), ("silent", true)] {
                let count = self
                    .workers
                    .iter()
                    .filter(|worker| worker.over_nats == over_nats && worker.is_silent() == silent)
                    .count();
                metrics::gauge!("sitelog_workers", "connection" => connection, "state" => state)
                    .set(count as f64);
            }
        }
        for kind in Kind::ALL {
            let found = self.stuck.iter().find(|one| one.kind == kind);
            let count = found.map_or(0, |one| one.count);
            metrics::gauge!("sitelog_stuck", "kind" => kind.as_str()).set(count as f64);
        }
        metrics::gauge!("sitelog_clock_offset_seconds").set(self.clock.offset_seconds);
        metrics::gauge!("sitelog_clock_log_ahead_seconds").set(self.clock.log_ahead_seconds);
        metrics::gauge!("sitelog_clock_corrections").set(self.clock.corrections as f64);
    }
}
