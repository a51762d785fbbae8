//! Background work in addition to following the log: runs open tasks, and continuously compares a random sample of
//! rows with the log.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::all;
use super::pass::Passes;
use super::registry::AnyProjection;
use crate::log::EventLog;

/// How often a process looks for open tasks.
const TASK_POLL: Duration = Duration::from_millis(500);
/// How often a projection's sample is taken.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);
/// Rows, and events, of one sample.
const SAMPLE_SIZE: i64 = 10;

/// Runs open tasks of a projection until it is stopped. Tasks of projections that have the same `passes` and begin
/// together read the log together.
pub async fn work(
    projection: &'static dyn AnyProjection,
    log: EventLog,
    passes: Passes,
    stop: CancellationToken,
) {
    // Loops that were started together look at the same time, so that they find what was requested together.
    let mut look = tokio::time::interval(TASK_POLL);
    look.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while !stop.is_cancelled() {
        match projection.work(&log, &passes, &stop).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A task of {} waits for the database",
                projection.name()
            ),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = look.tick() => {}
        }
    }
}

/// Takes samples of all projections until it is stopped. The counters must stay 0.
pub async fn watch(log: EventLog, stop: CancellationToken) {
    for projection in all() {
        metrics::counter!("sitelog_projection_sample_rows_total", "projection" => projection.name())
            .absolute(0);
        metrics::counter!("sitelog_projection_sample_mismatches_total", "projection" => projection.name())
            .absolute(0);
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
        }
        for projection in all() {
            match projection.sample(&log, SAMPLE_SIZE).await {
                Ok(found) => {
                    let labels = [("projection", projection.name())];
                    metrics::counter!("sitelog_projection_sample_rows_total", &labels).increment(found.rows);
                    metrics::counter!("sitelog_projection_sample_mismatches_total", &labels)
                        .increment(found.wrong);
                    for finding in &found.findings {
                        tracing::error!("A row differs from the log: {finding}");
                    }
                }
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Cannot take a sample of {}",
                    projection.name()
                ),
            }
        }
    }
}
