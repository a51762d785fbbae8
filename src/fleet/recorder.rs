//! Appends the results of remote workers. Each step may be repeated: the attempt's number and fence decide whether a
//! result counts. A result is removed from the broker only when it is in the log.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::{self, AckKind, Context, Message};
use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dispatcher::Backlog;
use super::error::explained;
use super::messages::{FENCE, OBJECT, SCAN, ScanResult, unpack};
use super::{Cell, FleetError, MAX_RESULT, streams};
use crate::commands::CommandBus;
use crate::commands::start_scan::resume_scan;
use crate::tasks::workers::WorkerSighting;
use crate::tasks::{ClaimedTask, ScanTasks};
use crate::values::report::SiteReport;
use crate::values::{FailureReason, ScanId};
use crate::worker::{DatabaseSource, Delivery, SourceError, WorkSource};

/// Maximum number of results that are recorded concurrently.
const AT_ONCE: usize = 32;
/// How long one read of the stream waits for results.
const READ_TIME: Duration = Duration::from_secs(2);
/// Pause after the broker or the database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// If an unreadable result was delivered this often, its scan fails.
const MAX_UNREADABLE: i64 = 5;

/// Records results.
#[derive(Clone)]
pub struct Recorder {
    jetstream: Context,
    cell: Cell,
    bus: CommandBus,
    tasks: ScanTasks,
    backlog: Backlog,
}

/// What becomes of a message.
enum Verdict {
    /// Nothing is left to do.
    Take(&'static str),
    /// It is delivered again.
    Again(String),
}

impl Recorder {
    /// A recorder over a database.
    pub fn new(client: Client, cell: Cell, bus: CommandBus, tasks: ScanTasks, backlog: Backlog) -> Self {
        Self {
            jetstream: jetstream::new(client),
            cell,
            bus,
            tasks,
            backlog,
        }
    }

    /// Records results until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        let (room, recording) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
        while !stop.is_cancelled() {
            let read = tokio::select! {
                read = self.read_results(&room, &recording) => read,
                () = stop.cancelled() => break,
            };
            if let Err(error) = read {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Cannot read results from the NATS server; retrying"
                );
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        recording.close();
        recording.wait().await;
    }

    /// Reads the waiting results, and those that arrive within `READ_TIME`. Longer reads could stall: a stream may
    /// deliver nothing more after a reconnect.
    async fn read_results(&self, room: &Arc<Semaphore>, recording: &TaskTracker) -> Result<(), FleetError> {
        let consumer: PullConsumer = self
            .jetstream
            .get_consumer_from_stream(streams::RECORDER, self.cell.results_stream())
            .await
            .map_err(|error| FleetError::broker("find the results", error))?;
        let info = consumer.cached_info();
        let waiting = info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX);
        self.backlog.set(waiting);
        metrics::gauge!("sitelog_fleet_results_waiting")
            .set(f64::from(u32::try_from(waiting).unwrap_or(u32::MAX)));
        let mut messages = consumer
            .batch()
            .max_messages(4 * AT_ONCE)
            .expires(READ_TIME)
            .messages()
            .await
            .map_err(|error| FleetError::broker("read results", error))?;
        while let Some(message) = messages.next().await {
            let message = message.map_err(|error| FleetError::broker("read a result", error))?;
            let Ok(permit) = Arc::clone(room).acquire_owned().await else {
                return Ok(());
            };
            let recorder = self.clone();
            recording.spawn(async move {
                recorder.handle(message).await;
                drop(permit);
            });
        }
        Ok(())
    }

    async fn handle(&self, message: Message) {
        let acked = match self.record(&message).await {
            Verdict::Take(outcome) => {
                metrics::counter!("sitelog_fleet_results_total", "outcome" => outcome).increment(1);
                // Wait for the broker's confirmation, so that a recorded result is not delivered again.
                message.double_ack().await
            }
            Verdict::Again(error) => {
                metrics::counter!("sitelog_fleet_results_total", "outcome" => "repeated").increment(1);
                tracing::warn!("A result cannot be recorded now: {error}; retrying");
                message.ack_with(AckKind::Nak(Some(PAUSE))).await
            }
        };
        if let Err(error) = acked {
            // It is delivered again, and recognised as a duplicate.
            tracing::debug!(%error, "The NATS server did not confirm a message: {error}");
        }
    }

    async fn record(&self, message: &Message) -> Verdict {
        let Some((scan_id, fence)) = named(message) else {
            tracing::error!(
                subject = %message.subject,
                "A result on {} names no scan; it is dropped, and its scan is repeated when its lease ends",
                message.subject
            );
            return Verdict::Take("unreadable");
        };
        let held = match self.tasks.held_under(scan_id, fence).await {
            Ok(held) => held,
            Err(error) => return Verdict::Again(explained(&error)),
        };
        let object = header(message, OBJECT);
        // Recorded before, cancelled, or under another lease meanwhile.
        let Some(task) = held else {
            self.delete(object).await;
            return Verdict::Take("late");
        };
        let result = match self.read(message, object).await {
            Ok(result) => result,
            Err(error @ FleetError::Unreadable(_)) if deliveries(message) >= MAX_UNREADABLE => {
                tracing::error!(scan.id = %scan_id, "The result of scan {scan_id} cannot be read: {error}; the scan fails");
                unreadable(&task, &error)
            }
            // A broker that does not give it out may do so later. If it does not, the lease ends, and the scan is repeated.
            Err(error) => return Verdict::Again(error.to_string()),
        };
        let verdict = match self.append(&task, &result).await {
            Ok(outcome) => Verdict::Take(outcome),
            Err(error) if error.is_transient => Verdict::Again(explained(&error)),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    scan.id = %scan_id,
                    "The result of scan {scan_id} cannot be recorded; it is repeated when its lease ends"
                );
                Verdict::Take("refused")
            }
        };
        if matches!(verdict, Verdict::Take(_)) {
            self.delete(object).await;
        }
        verdict
    }

    async fn read(&self, message: &Message, object: Option<&str>) -> Result<ScanResult, FleetError> {
        let Some(name) = object else {
            return unpack(&message.payload);
        };
        let cannot = |error: &dyn std::fmt::Display| {
            FleetError::broker(format!("read the large result {name}"), error)
        };
        let bucket = self.bucket().await?;
        let object = bucket.get(name).await.map_err(|error| cannot(&error))?;
        let mut bytes = Vec::new();
        // Its digest is checked at the end.
        let limit = u64::try_from(MAX_RESULT).unwrap_or(u64::MAX);
        let read = object.take(limit + 1).read_to_end(&mut bytes).await;
        if read.map_err(|error| cannot(&error))? > MAX_RESULT {
            return Err(FleetError::Unreadable(format!(
                "it has more than {MAX_RESULT} bytes"
            )));
        }
        #[expect(clippy::disallowed_methods, reason = "no more than AT_ONCE run at a time")]
        let unpacked = tokio::task::spawn_blocking(move || unpack(&bytes)).await;
        unpacked.map_err(|error| FleetError::Unreadable(error.to_string()))?
    }

    /// Appends a result and settles its task.
    async fn append(&self, task: &ClaimedTask, result: &ScanResult) -> Result<&'static str, SourceError> {
        let worker = result.worker.clone();
        // The time by the attempt's own clock, regardless of how long the result waited and how clocks were set
        // meanwhile.
        let task = task.at(result.took);
        let source = DatabaseSource::new(self.bus.clone(), self.tasks.clone(), worker.clone());
        let resumed = resume_scan(&self.bus, task.scan_id, task.tenant).await?;
        let Some(begun) =
            resumed.filter(|begun| result.attempt.is_none_or(|attempt| begun.attempt() == attempt))
        else {
            return Ok("late");
        };
        let begun = source.load_previous_into(begun, &task.host).await;
        let delivery = Delivery {
            report: &result.report,
            cooldown: result.cooldown,
        };
        if let Some(settled) = source.deliver(&task, &begun, delivery).await? {
            source.settle(&[(task, settled)]).await?;
        }
        Ok("recorded")
    }

    async fn bucket(&self) -> Result<ObjectStore, FleetError> {
        let bucket = self.jetstream.get_object_store(self.cell.bucket()).await;
        bucket.map_err(|error| FleetError::broker("find the bucket of large results", error))
    }

    async fn delete(&self, object: Option<&str>) {
        let Some(name) = object else { return };
        let deleted = match self.bucket().await {
            Ok(bucket) => bucket.delete(name).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = deleted {
            // The broker deletes it within an hour.
            tracing::debug!(%error, "The large result {name} is not deleted: {error}");
        }
    }
}

/// Stands for a result that cannot be read.
fn unreadable(task: &ClaimedTask, error: &FleetError) -> ScanResult {
    ScanResult {
        worker: WorkerSighting {
            name: "recorder".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            concurrency: 0,
            over_nats: true,
        },
        attempt: None,
        took: task.held_for(),
        cooldown: Duration::ZERO,
        report: SiteReport::failed(
            FailureReason::Internal,
            format!("the worker's result cannot be read: {error}"),
        ),
    }
}

fn header<'a>(message: &'a Message, name: &'static str) -> Option<&'a str> {
    let headers = message.headers.as_ref()?;
    headers.get(name).map(async_nats::HeaderValue::as_str)
}

fn named(message: &Message) -> Option<(ScanId, i64)> {
    let scan_id = header(message, SCAN)?.parse().ok()?;
    let fence = header(message, FENCE)?.parse().ok()?;
    Some((scan_id, fence))
}

fn deliveries(message: &Message) -> i64 {
    message.info().map_or(1, |info| info.delivered)
}
