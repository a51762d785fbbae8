//! The source of tasks for a worker without database access: NATS.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::{ObjectMetadata, ObjectStore};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, RequestErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::error::explained;
use super::messages::{
    Answer, BeatAnswer, BeatRequest, BeginRequest, Begun, Claim, ClaimRequest, FENCE, MAX_CLAIMED, OBJECT,
    PROTOCOL, Request, SCAN, ScanResult, encode, pack, unpack,
};
use super::{Cell, FleetError, MAX_RESULT, largest_message};
use crate::tasks::workers::WorkerSighting;
use crate::tasks::{ClaimedTask, Settled};
use crate::values::FailureReason;
use crate::values::report::SiteReport;
use crate::worker::{Begin, Delivery, SourceError, WorkSource};

/// How long the broker may take to store a result.
const STORED_WITHIN: Duration = Duration::from_secs(10);

/// The dispatchers and the stream of results.
#[derive(Clone)]
pub struct NatsSource {
    client: Client,
    jetstream: Context,
    cell: Cell,
    worker: WorkerSighting,
    bucket: Arc<OnceCell<ObjectStore>>,
    refusal: Arc<Refusal>,
}

/// Set when a dispatcher refuses this release.
#[derive(Default)]
struct Refusal {
    error: OnceLock<FleetError>,
    happened: CancellationToken,
}

/// What a remote worker must know of an attempt.
pub struct RemoteAttempt {
    number: u32,
    /// The object with its result, once that is stored. A delivery that is repeated uses it again: a worker may not replace
    /// objects.
    object: OnceCell<String>,
}

impl NatsSource {
    /// The source of a worker.
    pub fn new(client: Client, cell: Cell, worker: WorkerSighting) -> Self {
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(STORED_WITHIN)
            .ack_timeout(STORED_WITHIN)
            .build(client.clone());
        Self {
            client,
            jetstream,
            cell,
            worker,
            bucket: Arc::default(),
            refusal: Arc::default(),
        }
    }

    async fn ask<B: Serialize, A: DeserializeOwned>(
        &self,
        request: &'static str,
        subject: String,
        body: B,
    ) -> Result<A, SourceError> {
        let message = encode(&Request {
            protocol: PROTOCOL,
            worker: self.worker.clone(),
            body,
        });
        let answer = match self.client.request(subject, message.into()).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == RequestErrorKind::NoResponders => {
                return Err(SourceError::temporary(FleetError::NoAnswer { request }));
            }
            Err(error) => return Err(SourceError::temporary(FleetError::broker(request, error))),
        };
        match unpack(&answer.payload).map_err(SourceError::temporary)? {
            Answer::Done(done) => Ok(done),
            Answer::OtherRelease { needed } => {
                let error = FleetError::OtherRelease {
                    needed: needed.clone(),
                };
                let _first = self.refusal.error.set(error);
                self.refusal.happened.cancel();
                Err(SourceError::temporary(FleetError::OtherRelease { needed }))
            }
            Answer::Failed { error, is_transient } => {
                let error = FleetError::Dispatcher { request, error };
                Err(SourceError {
                    error: error.into(),
                    is_transient,
                })
            }
        }
    }

    /// Stores a result that does not fit into a message; returns the name of the object. The name is new for each try,
    /// because a part of the previous object may exist.
    async fn put(&self, task: &ClaimedTask, result: &[u8]) -> Result<String, FleetError> {
        let bucket = self
            .bucket
            .get_or_try_init(async || self.jetstream.get_object_store(self.cell.bucket()).await)
            .await
            .map_err(|error| FleetError::broker("find the bucket of large results", error))?;
        let name = format!("{}:{}:{}", task.scan_id, task.fence, uuid::Uuid::new_v4());
        let object = ObjectMetadata {
            name: name.clone(),
            chunk_size: Some(largest_message(&self.client)),
            ..ObjectMetadata::default()
        };
        let stored = bucket.put(object, &mut &result[..]).await;
        stored.map_err(|error| FleetError::broker("store a large result", error))?;
        Ok(name)
    }

    async fn publish(
        &self,
        task: &ClaimedTask,
        attempt: &RemoteAttempt,
        result: Vec<u8>,
    ) -> Result<(), FleetError> {
        let name = format!("{}:{}", task.scan_id, task.fence);
        let mut message = PublishMessage::build()
            // The broker stores a repetition of the last minutes once.
            .message_id(&name)
            .header(SCAN, task.scan_id.to_string().as_str())
            .header(FENCE, task.fence.to_string().as_str());
        if result.len() > largest_message(&self.client) {
            let stored = attempt.object.get_or_try_init(|| self.put(task, &result)).await?;
            message = message.header(OBJECT, stored.as_str());
        } else {
            message = message.payload(result.into());
        }
        let subject = self.cell.results(&task.tenant.to_string());
        let message = message.outbound_message(subject);
        let sent = jetstream::context::traits::Publisher::publish_message(&self.jetstream, message).await;
        let stored = match sent {
            Ok(sent) => sent.await,
            Err(error) => Err(error),
        };
        stored.map(drop).map_err(|error| match error.kind() {
            PublishErrorKind::StreamNotFound => FleetError::Missing {
                what: format!("the stream {}", self.cell.results_stream()),
            },
            _ => FleetError::broker("store a result", explained(&error)),
        })
    }
}

impl WorkSource for NatsSource {
    type Attempt = RemoteAttempt;

    async fn claim(&self, wanted: usize) -> Result<Vec<ClaimedTask>, SourceError> {
        let request = ClaimRequest {
            // With room for more, it claims again at once.
            wanted: wanted.min(MAX_CLAIMED),
        };
        let claims: Vec<Claim> = self.ask("claim", self.cell.claims(), request).await?;
        Ok(claims.into_iter().map(ClaimedTask::from).collect())
    }

    async fn begin(&self, task: &ClaimedTask) -> Result<Begin<RemoteAttempt>, SourceError> {
        let request = BeginRequest {
            scan_id: task.scan_id,
            fence: task.fence,
        };
        let begun = self.ask("begin", self.cell.begins(), request).await?;
        Ok(match begun {
            Begun::Scan {
                mut job,
                urls,
                attempt,
            } => {
                let kept = job.kept.iter_mut().flat_map(|kept| &mut kept.sitemaps);
                for (sitemap, urls) in kept.zip(urls) {
                    sitemap.urls = urls;
                }
                let attempt = RemoteAttempt {
                    number: attempt,
                    object: OnceCell::new(),
                };
                Begin::Scan(job, attempt)
            }
            Begun::Ended => Begin::Ended,
            Begun::Superseded => Begin::Superseded,
        })
    }

    async fn heartbeat(&self, tasks: &[ClaimedTask]) -> Result<Vec<i64>, SourceError> {
        let request = BeatRequest {
            held: tasks.iter().map(Claim::from).collect(),
            given_back: Vec::new(),
            leaves: false,
        };
        let answer: BeatAnswer = self.ask("beat", self.cell.beats(), request).await?;
        Ok(answer.held)
    }

    /// Returns when the broker has stored the result on most of its nodes; a recorder settles the task.
    async fn deliver(
        &self,
        task: &ClaimedTask,
        attempt: &RemoteAttempt,
        Delivery { report, cooldown }: Delivery<'_>,
    ) -> Result<Option<Settled>, SourceError> {
        let mut result = ScanResult {
            worker: self.worker.clone(),
            attempt: Some(attempt.number),
            took: task.held_for(),
            cooldown,
            report: report.clone(),
        };
        let mut packed = pack(&result);
        if packed.len() > MAX_RESULT {
            let detail = format!(
                "the findings have {} bytes, packed; a worker delivers at most {MAX_RESULT}",
                packed.len()
            );
            tracing::error!(scan.id = %task.scan_id, "Cannot deliver scan {}: {detail}", task.scan_id);
            result.report = SiteReport::failed(FailureReason::TooLarge, detail);
            packed = pack(&result);
        }
        let published = self.publish(task, attempt, packed).await;
        published.map_err(SourceError::temporary)?;
        Ok(None)
    }

    async fn settle(&self, settled: &[(ClaimedTask, Settled)]) -> Result<(), SourceError> {
        // Completed tasks were settled where their completion was found.
        let given_back = settled.iter().filter(|(_, what)| *what != Settled::Done);
        let given_back: Vec<Claim> = given_back.map(|(task, _)| Claim::from(task)).collect();
        if given_back.is_empty() {
            return Ok(());
        }
        let request = BeatRequest {
            held: Vec::new(),
            given_back,
            leaves: false,
        };
        let _: BeatAnswer = self.ask("beat", self.cell.beats(), request).await?;
        Ok(())
    }

    /// The broker does not announce tasks, so workers poll.
    async fn wait_for_news(&self) {
        std::future::pending::<()>().await;
    }

    async fn sign_off(&self) {
        let request = BeatRequest {
            held: Vec::new(),
            given_back: Vec::new(),
            leaves: true,
        };
        let left: Result<BeatAnswer, _> = self.ask("beat", self.cell.beats(), request).await;
        if let Err(error) = left {
            tracing::debug!(%error, "A dispatcher could not be notified that {} stops", self.worker.name);
        }
    }
}

/// Stops a worker whose release the dispatchers refuse; returns why, once it has stopped for that.
pub async fn stop_when_refused(source: &NatsSource, stop: &CancellationToken) -> Option<FleetError> {
    tokio::select! {
        () = source.refusal.happened.cancelled() => stop.cancel(),
        () = stop.cancelled() => {}
    }
    source.refusal.error.get().map(|error| match error {
        FleetError::OtherRelease { needed } => FleetError::OtherRelease {
            needed: needed.clone(),
        },
        other => FleetError::Unreadable(other.to_string()),
    })
}
