//! The parts of a service that use NATS.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::threads::{BACKGROUND_NICENESS, Threads};
use super::{App, Roles, StartError, this_worker};
use crate::api::v4::views::Event;
use crate::config::Config;
use crate::fetch::Fetcher;
use crate::fleet::{
    Backlog, Dispatcher, FleetError, NatsSettings, NatsSource, NatsUser, Recorder, Relay, check_broker,
    connect_patiently, stop_when_refused,
};
use crate::log::LogEvent;
use crate::scanner::fingerprint_files::technologies;
use crate::scanner::{Scanner, ScannerSettings};
use crate::worker::{self, Worker};

/// Pause after the broker was found to be unusable.
const PAUSE: Duration = Duration::from_secs(5);

impl App {
    /// Starts what serves workers and followers elsewhere. An error of the broker stops nothing else: it is logged, and
    /// the work is retried.
    pub(super) fn spawn_over_nats(
        &self,
        tracker: &TaskTracker,
        roles: Roles,
        broker: NatsSettings,
        stop: &CancellationToken,
    ) {
        if !roles.dispatcher && !roles.relay {
            return;
        }
        let (app, stop) = (self.clone(), stop.clone());
        self.in_background(tracker).spawn(async move {
            while !stop.is_cancelled() {
                if let Err(error) = app.serve_over_nats(roles, &broker, &stop).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "Cannot serve workers and followers over NATS; retrying"
                    );
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        });
    }

    async fn serve_over_nats(
        &self,
        roles: Roles,
        broker: &NatsSettings,
        stop: &CancellationToken,
    ) -> Result<(), FleetError> {
        let Some(client) = connect_patiently(broker, NatsUser::Dispatcher, stop).await? else {
            return Ok(());
        };
        check_broker(&client, &broker.cell).await?;
        let (cell, parts) = (broker.cell.clone(), TaskTracker::new());
        if roles.relay {
            let shown =
                |event: LogEvent| serde_json::to_vec(&Event::from(event)).expect("events are plain data");
            let log = self.log.read_through(self.pools.long_reads.clone());
            let relay = Relay::new(client.clone(), cell.clone(), log, shown);
            parts.spawn(relay.run(stop.clone()));
        }
        if roles.dispatcher {
            let (bus, tasks, backlog) = (self.bus.clone(), self.tasks.clone(), Backlog::default());
            let recorder = Recorder::new(
                client.clone(),
                cell.clone(),
                bus.clone(),
                tasks.clone(),
                backlog.clone(),
            );
            parts.spawn(recorder.run(stop.clone()));
            Dispatcher::new(client.clone(), cell, bus, tasks, backlog)
                .run(stop.clone())
                .await?;
        }
        parts.close();
        parts.wait().await;
        Ok(())
    }
}

/// Scans for a service on another machine until it is stopped, or until its dispatchers need another release.
pub async fn work_over_nats(
    config: &Config,
    broker: &NatsSettings,
    stop: CancellationToken,
    started: impl FnOnce(&str),
) -> Result<(), StartError> {
    let background = Threads::start("sitelog-work", BACKGROUND_NICENESS).map_err(StartError::Threads)?;
    let settings = ScannerSettings {
        technologies: technologies(&config.data_dir)?,
        ..ScannerSettings::default()
    };
    let scanner = Scanner::new(Fetcher::new(config.fetch.clone())?, settings);
    let sighting = this_worker(config.worker_concurrency, true);
    let Some(client) = connect_patiently(broker, NatsUser::Worker, &stop).await? else {
        return Ok(());
    };
    let name = sighting.name.clone();
    started(&name);
    let source = NatsSource::new(client, broker.cell.clone(), sighting);
    let worker = Worker::new(source.clone(), scanner, name, config.worker_concurrency);
    let working = background.handle().spawn(worker.run(stop.clone(), worker::DRAIN));
    let refused = stop_when_refused(&source, &stop).await;
    // A panic in it was logged already.
    let _ended = working.await;
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
