//! Tasks for read models: requested in the database, run by a server or by this process, and shown until they end.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::cli::{output, print_line, style};
use crate::log::EventLog;
use crate::projections::pass::Passes;
use crate::projections::quarantine::Retried;
use crate::projections::registry::AnyProjection;
use crate::projections::task::{self, ProjectionTask, TaskKind, TaskPhase, TaskState};
use crate::projections::verify::Verification;
use crate::projections::{ProjectionError, maintenance};
use crate::values::amount::counted;

/// How often the tasks are polled.
const POLL: Duration = Duration::from_millis(100);

/// Has some work done on read models, at the same time; true if all of it went well.
pub(in crate::cli) async fn perform(
    log: &EventLog,
    projections: &[&'static dyn AnyProjection],
    kind: TaskKind,
    json: bool,
) -> anyhow::Result<bool> {
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    // All of it is requested before any of it begins: so it reads the log together.
    let mut requested = Vec::with_capacity(projections.len());
    for projection in projections {
        requested.push(request(log, *projection, kind).await?);
    }
    let passes = Passes::default();
    for projection in projections {
        tracker.spawn(maintenance::work(
            *projection,
            log.clone(),
            passes.clone(),
            stop.clone(),
        ));
    }
    let mut all_well = true;
    for (projection, task) in projections.iter().zip(requested) {
        let task = ended(log, *projection, kind, task).await?;
        all_well &= report(&task, json)?;
    }
    stop.cancel();
    tracker.close();
    tracker.wait().await;
    Ok(all_well)
}

/// Requests a task; if the read model has an open one already, that is what is returned.
async fn request(
    log: &EventLog,
    projection: &'static dyn AnyProjection,
    kind: TaskKind,
) -> anyhow::Result<ProjectionTask> {
    let mut connection = log.pool().acquire().await.map_err(ProjectionError::from)?;
    Ok(projection.request(&mut connection, kind, "cli").await?)
}

/// Waits for the end of a task of the wanted kind: while the open one is of another kind, requests again after it.
async fn ended(
    log: &EventLog,
    projection: &'static dyn AnyProjection,
    kind: TaskKind,
    mut requested: ProjectionTask,
) -> anyhow::Result<ProjectionTask> {
    loop {
        let ended = watch(log, requested.task_id).await?;
        if ended.kind == kind {
            return Ok(ended);
        }
        requested = request(log, projection, kind).await?;
    }
}

async fn watch(log: &EventLog, task_id: Uuid) -> anyhow::Result<ProjectionTask> {
    let bar = if output::is_watched() {
        ProgressBar::new(0)
    } else {
        ProgressBar::hidden()
    };
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}")?);
    loop {
        let task = task::find(log.pool(), task_id).await?;
        let Some(task) = task else {
            anyhow::bail!("the task {task_id} was removed from the table projection_task");
        };
        bar.set_length(u64::try_from(task.target).unwrap_or(0));
        bar.set_position(u64::try_from(task.done).unwrap_or(0));
        bar.set_message(in_words(&task));
        if matches!(task.state, TaskState::Done | TaskState::Failed) {
            bar.finish_and_clear();
            return Ok(task);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The state of a task.
pub(super) fn in_words(task: &ProjectionTask) -> String {
    let phase = match task.phase {
        None => "waiting",
        Some(TaskPhase::Folding) => "reading the log",
        Some(TaskPhase::Indexing) => "creating indexes",
        Some(TaskPhase::CatchingUp) => "catching up",
        Some(TaskPhase::Verifying) => "comparing with the log",
        Some(TaskPhase::Promoting) => "switching",
    };
    let left = task
        .eta_seconds
        .map(|seconds| format!(", about {seconds:.0} s left"));
    format!(
        "{} of {}: {phase}{}",
        task.kind.as_str(),
        task.name,
        left.unwrap_or_default()
    )
}

/// Prints the result of a task; true if it succeeded.
fn report(task: &ProjectionTask, json: bool) -> anyhow::Result<bool> {
    let result = task.result.clone().unwrap_or_default();
    if json {
        print_line(&json!(task).to_string())?;
    }
    if let Some(error) = &task.error {
        if !json {
            let failed = style::bad(&format!("{} failed", task.kind.as_str()));
            print_line([
                format!("{}: ", task.name).into(),
                failed,
                format!(": {error}").into(),
            ])?;
        }
        return Ok(false);
    }
    match task.kind {
        TaskKind::Rebuild | TaskKind::Rollback => {
            if !json {
                print_line(&format!(
                    "{}: generation {} with {} is live and matches the log",
                    task.name,
                    result["generation"],
                    counted(result["rows"].as_i64().unwrap_or_default(), "row")
                ))?;
            }
            Ok(true)
        }
        TaskKind::Verify | TaskKind::Repair => {
            let found: Verification = serde_json::from_value(result)?;
            if !json {
                print_verification(&task.name, &found)?;
            }
            Ok(found.wrong == 0 && found.parked == 0)
        }
        TaskKind::RetryParked => {
            let retried: Retried = serde_json::from_value(result)?;
            if !json {
                print_line(&format!(
                    "{}: {} released, {} still quarantined",
                    task.name,
                    counted(retried.released, "row"),
                    retried.still_parked
                ))?;
            }
            Ok(retried.still_parked == 0)
        }
    }
}

fn print_verification(name: &str, found: &Verification) -> std::io::Result<()> {
    for finding in &found.findings {
        print_line(&finding.to_string())?;
    }
    if found.parked > 0 {
        print_line(&format!(
            "{name}: not compared: {}",
            counted(found.parked, "quarantined row")
        ))?;
    }
    let (rows, position) = (found.rows, found.position);
    match (found.wrong, found.repaired) {
        (0, _) => print_line(&format!(
            "{name}: {} compared with the log at position {position}, no differences",
            counted(rows, "row")
        )),
        (wrong, 0) => print_line(style::bad(&format!(
            "{name}: {wrong} of {} differ from the log",
            counted(rows, "row")
        ))),
        (wrong, repaired) => print_line(&format!(
            "{name}: {repaired} of {} repaired",
            counted(wrong, "differing row")
        )),
    }
}
