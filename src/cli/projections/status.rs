//! `sitelog projections status`.

use sqlx::PgPool;

use crate::cli::output::Line;
use crate::cli::{print_line, style};
use crate::projections::quarantine;
use crate::projections::status::{ProjectionState, ProjectionStatus, statuses};

/// Quarantined rows that are shown.
const MAX_QUARANTINED: i64 = 100;

/// Shows how the read models are; true if all follow the log and nothing is quarantined.
pub(super) async fn show(pool: &PgPool, json: bool) -> anyhow::Result<bool> {
    let statuses = statuses(pool).await?;
    let quarantined = quarantine::list(pool, MAX_QUARANTINED).await?;
    if json {
        for status in &statuses {
            let mut line = serde_json::to_value(status)?;
            let rows: Vec<_> = quarantined.iter().filter(|row| row.name == status.name).collect();
            line["parked_rows"] = serde_json::to_value(rows)?;
            print_line(&line.to_string())?;
        }
    } else {
        print_line(&format!(
            "{:<11} {:>5} {:>10} {:>10} {:>12} {:>8} {:>8}  {}",
            "name", "shape", "generation", "state", "position", "behind", "seconds", "quarantined"
        ))?;
        for status in &statuses {
            print_line(line(status))?;
            if let Some(error) = &status.error {
                print_line(["  ".into(), style::bad("stopped"), format!(": {error}").into()])?;
            }
            if let Some(task) = status.task.as_ref().filter(|task| task.ended_at.is_none()) {
                print_line(&format!("  {}", super::work::in_words(task)))?;
            }
        }
        for row in &quarantined {
            print_line(&format!(
                "{} {} is quarantined since event {}: {}",
                row.name, row.key, row.position, row.error
            ))?;
        }
    }
    Ok(statuses
        .iter()
        .all(|status| status.state == ProjectionState::Live && status.parked == 0))
}

fn line(status: &ProjectionStatus) -> Line {
    let state = match status.state {
        ProjectionState::Building => "building",
        ProjectionState::Live => "live",
        ProjectionState::Paused => "paused",
    };
    let generation = status
        .generation
        .map_or_else(|| "-".to_owned(), |number| number.to_string());
    let before = format!("{:<11} {:>5} {generation:>10} ", status.name, status.shape);
    let after = format!(
        " {:>12} {:>8} {:>8.1}  {}",
        status.position, status.lag_events, status.lag_seconds, status.parked
    );
    [
        before.into(),
        style::status(&format!("{state:>10}")),
        after.into(),
    ]
    .into()
}
