//! Projections by name, for code that treats them alike. [`all`] lists them.

use std::marker::PhantomData;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{PgConnection, PgPool};
use tokio_util::sync::CancellationToken;

use super::fold::FoldOptions;
use super::pass::Passes;
use super::quarantine::{self, Retried};
use super::task::{Claim, ProjectionTask, TaskKind};
use super::verify::{self, Verification};
use super::{Projection, ProjectionError, all, as_of, build, generation, runner, sample, task};
use crate::log::EventLog;

/// Operations on a projection that do not depend on its rows.
pub trait AnyProjection: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Its shape in this release.
    fn shape(&self) -> i32;
    /// The events it follows.
    fn event_types(&self) -> &'static [&'static str];
    /// Creates it, or requests a build.
    fn ensure<'a>(&'a self, pool: &'a PgPool) -> BoxFuture<'a, Result<(), ProjectionError>>;
    /// Whether it exists.
    fn exists<'a>(&'a self, pool: &'a PgPool) -> BoxFuture<'a, Result<bool, ProjectionError>>;
    /// Follows the log until it is stopped.
    fn run(&self, log: EventLog, stop: CancellationToken) -> BoxFuture<'static, ()>;
    /// Asks for work on it.
    fn request<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        kind: TaskKind,
        requested_by: &'a str,
    ) -> BoxFuture<'a, Result<ProjectionTask, ProjectionError>>;
    /// Runs its open task, if there is one without a lease; returns whether there was. Tasks of several projections that
    /// begin together and have the same `passes` read the log together.
    fn work<'a>(
        &'a self,
        log: &'a EventLog,
        passes: &'a Passes,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<bool, ProjectionError>>;
    /// Compares some rows, and the rows that some events are about, with the log.
    fn sample<'a>(
        &'a self,
        log: &'a EventLog,
        size: i64,
    ) -> BoxFuture<'a, Result<Verification, ProjectionError>>;
    /// Builds its tables as they were at a position, in a separate schema.
    fn build_as_of<'a>(
        &'a self,
        log: &'a EventLog,
        position: i64,
        schema: &'a str,
        options: FoldOptions,
    ) -> BoxFuture<'a, Result<u64, ProjectionError>>;
}

/// One of them by name.
pub fn find(name: &str) -> Option<&'static dyn AnyProjection> {
    all().into_iter().find(|projection| projection.name() == name)
}

/// A projection as a trait object.
pub struct Of<P>(pub PhantomData<P>);

impl<P: Projection> AnyProjection for Of<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn shape(&self) -> i32 {
        P::SHAPE
    }

    fn event_types(&self) -> &'static [&'static str] {
        P::FOLLOWER.event_types()
    }

    fn ensure<'a>(&'a self, pool: &'a PgPool) -> BoxFuture<'a, Result<(), ProjectionError>> {
        generation::ensure::<P>(pool).boxed()
    }

    fn exists<'a>(&'a self, pool: &'a PgPool) -> BoxFuture<'a, Result<bool, ProjectionError>> {
        async { Ok(generation::exists::<P>(pool).await?) }.boxed()
    }

    fn run(&self, log: EventLog, stop: CancellationToken) -> BoxFuture<'static, ()> {
        runner::run::<P>(log, stop).boxed()
    }

    fn request<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        kind: TaskKind,
        requested_by: &'a str,
    ) -> BoxFuture<'a, Result<ProjectionTask, ProjectionError>> {
        task::request::<P>(connection, kind, requested_by).boxed()
    }

    fn work<'a>(
        &'a self,
        log: &'a EventLog,
        passes: &'a Passes,
        stop: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<bool, ProjectionError>> {
        async move {
            let Some(claim) = Claim::take::<P>(log.work_pool()).await? else {
                return Ok(false);
            };
            tokio::select! {
                done = claim.keeping(perform::<P>(log, passes, &claim)) => conclude(&claim, done).await?,
                () = stop.cancelled() => claim.release().await?,
            }
            Ok(true)
        }
        .boxed()
    }

    fn sample<'a>(
        &'a self,
        log: &'a EventLog,
        size: i64,
    ) -> BoxFuture<'a, Result<Verification, ProjectionError>> {
        sample::sample::<P>(log, size).boxed()
    }

    fn build_as_of<'a>(
        &'a self,
        log: &'a EventLog,
        position: i64,
        schema: &'a str,
        options: FoldOptions,
    ) -> BoxFuture<'a, Result<u64, ProjectionError>> {
        as_of::build::<P>(log, position, schema, options).boxed()
    }
}

async fn perform<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    claim: &Claim,
) -> Result<serde_json::Value, ProjectionError> {
    let options = FoldOptions::default();
    match claim.task.kind {
        TaskKind::Rebuild => build::rebuild::<P>(log, passes, claim, options).await,
        TaskKind::Rollback => build::roll_back::<P>(log, passes, claim, options).await,
        TaskKind::Verify => {
            claim.begin(task::TaskPhase::Verifying, log.head().await?).await?;
            to_json(&verify::verify_live::<P>(log, passes, options, Some(claim)).await?)
        }
        TaskKind::Repair => {
            claim.begin(task::TaskPhase::Verifying, log.head().await?).await?;
            to_json(&verify::repair_live::<P>(log, passes, options, Some(claim)).await?)
        }
        TaskKind::RetryParked => to_json::<Retried>(&quarantine::retry::<P>(log).await?),
    }
}

fn to_json<T: serde::Serialize>(result: &T) -> Result<serde_json::Value, ProjectionError> {
    serde_json::to_value(result).map_err(|source| ProjectionError::Row {
        table: "projection_task",
        source,
    })
}

/// Stores the result of a task. While the database is unavailable the task stays open, and is run again.
async fn conclude(
    claim: &Claim,
    done: Result<serde_json::Value, ProjectionError>,
) -> Result<(), ProjectionError> {
    match done {
        Ok(result) => claim.done(result).await,
        Err(ProjectionError::TakenOver) => Ok(()),
        Err(error) if error.is_transient() => {
            claim.release().await?;
            Err(error)
        }
        Err(error) => {
            let words = super::apply::in_full(&error);
            let (kind, name) = (claim.task.kind.as_str(), &claim.task.name);
            if matches!(error, ProjectionError::NothingToRollBackTo(_)) {
                // The request is not possible; there is no error in the data.
                tracing::info!("The {kind} of {name} was refused: {words}");
            } else {
                tracing::error!("The {kind} of {name} failed: {words}");
            }
            claim.failed(&words).await
        }
    }
}
