//! Runs the whole service inside one command. Scans go through the log and the queue of the database, whether a server
//! runs on it or not.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::config::Config;
use crate::database::Database;
use crate::projections::ProjectionError;
use crate::projections::batch_jobs::BatchJobs;
use crate::projections::domains::Domains;
use crate::projections::jobs::Jobs;
use crate::projections::query::wait_for;
use crate::projections::sitemaps::Sitemaps;
use crate::projections::status::all_exist;

/// How long a command waits at its end for the read models.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A running service without HTTP.
pub(super) struct Local {
    /// Its parts.
    pub(super) app: App,
    database: Database,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Local {
    /// Starts it.
    pub(super) async fn start(config: &Config) -> anyhow::Result<Self> {
        let local = Self::following(config).await?;
        // The work of this command is done when it stops; other claimed tasks return to the queue immediately.
        local
            .app
            .spawn_worker(&local.tracker, &local.stop, Duration::ZERO);
        Ok(local)
    }

    /// Starts what keeps the read models up to date with the log; nothing is scanned.
    pub(super) async fn following(config: &Config) -> anyhow::Result<Self> {
        let database = Database::open(config).await?;
        let app = App::build(config, database.pools.clone()).await?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_projector(&tracker, &stop);
        // On an older release's database they are built first.
        while !all_exist(&database.pools.work).await? {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Self {
            app,
            database,
            tracker,
            stop,
        })
    }

    /// Ends it, once the read models show what the command did: there may be no other process that continues them. What
    /// is not done stays in the queue.
    pub(super) async fn finish(self) {
        if let Err(error) = self.follow_to_the_end().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Cannot wait for the read models; the next process continues to update them"
            );
        }
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        drop(self.app);
        self.database.close().await;
    }

    async fn follow_to_the_end(&self) -> Result<(), ProjectionError> {
        let head = self.app.log.head().await?;
        let models = &self.app.models;
        let (jobs, batches, domains, sitemaps) = tokio::try_join!(
            wait_for::<Jobs>(models, head, WAIT_TIMEOUT),
            wait_for::<BatchJobs>(models, head, WAIT_TIMEOUT),
            wait_for::<Domains>(models, head, WAIT_TIMEOUT),
            wait_for::<Sitemaps>(models, head, WAIT_TIMEOUT),
        )?;
        if !(jobs && batches && domains && sitemaps) {
            tracing::warn!(
                "The read models are not up to date after {} s; the next process continues to update them",
                WAIT_TIMEOUT.as_secs()
            );
        }
        Ok(())
    }
}
