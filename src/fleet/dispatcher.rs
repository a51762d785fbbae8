//! Answers remote workers from the database. Any number of dispatchers share the work; none keeps state that another
//! one would need.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{Client, Message};
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::messages::{
    Answer, BeatAnswer, BeatRequest, BeginRequest, Begun, Claim, ClaimRequest, MAX_CLAIMED, PROTOCOL,
    Request, decode, pack,
};
use super::{Cell, FleetError, largest_message};
use crate::commands::CommandBus;
use crate::tasks::workers::WorkerSighting;
use crate::tasks::{ClaimedTask, ScanTasks, Settled};
use crate::worker::{Begin, DatabaseSource, SourceError, WorkSource};

/// All dispatchers of a cell share the requests.
const GROUP: &str = "dispatchers";
/// Maximum number of requests that are answered concurrently.
const AT_ONCE: usize = 128;
/// After a claim that found nothing, claims return nothing for this long without a query: idle workers claim often.
const NOTHING_DUE: Duration = Duration::from_millis(100);
/// While more results than this wait to be recorded, no worker gets new tasks.
const MAX_WAITING: u64 = 200;

/// Answers claims, starts and beats.
#[derive(Clone)]
pub struct Dispatcher {
    client: Client,
    cell: Cell,
    bus: CommandBus,
    tasks: ScanTasks,
    backlog: Backlog,
    nothing_until: Arc<Mutex<Option<Instant>>>,
}

/// How many results wait to be recorded, as the recorder of this process saw it last. Until its first read no worker gets
/// tasks: after a pause the results of leases that have run out are recorded before their scans are claimed again.
#[derive(Clone, Debug)]
pub struct Backlog(Arc<AtomicU64>);

impl Default for Backlog {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl Backlog {
    pub(super) fn set(&self, waiting: u64) {
        self.0.store(waiting, Ordering::Relaxed);
    }

    fn is_long(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_WAITING
    }
}

/// The request.
#[derive(Clone, Copy)]
enum WorkerRequest {
    Claim,
    Begin,
    Beat,
}

impl Dispatcher {
    /// A dispatcher over a database.
    pub fn new(client: Client, cell: Cell, bus: CommandBus, tasks: ScanTasks, backlog: Backlog) -> Self {
        Self {
            client,
            cell,
            bus,
            tasks,
            backlog,
            nothing_until: Arc::default(),
        }
    }

    /// Answers requests until it is stopped.
    pub async fn run(self, stop: CancellationToken) -> Result<(), FleetError> {
        let subscribe = async |subject: String| {
            let subscribed = self
                .client
                .queue_subscribe(subject.clone(), GROUP.to_owned())
                .await;
            subscribed.map_err(|error| FleetError::broker(format!("listen to {subject}"), error))
        };
        let claims = subscribe(self.cell.claims()).await?;
        let begins = subscribe(self.cell.begins()).await?;
        let beats = subscribe(self.cell.beats()).await?;
        let mut questions = futures::stream::select(
            claims.map(|message| (WorkerRequest::Claim, message)),
            futures::stream::select(
                begins.map(|message| (WorkerRequest::Begin, message)),
                beats.map(|message| (WorkerRequest::Beat, message)),
            ),
        );
        let (room, answering) = (Arc::new(Semaphore::new(AT_ONCE)), TaskTracker::new());
        loop {
            let (question, message) = tokio::select! {
                next = questions.next() => match next {
                    Some(next) => next,
                    None => break,
                },
                () = stop.cancelled() => break,
            };
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                break;
            };
            let dispatcher = self.clone();
            answering.spawn(async move {
                dispatcher.answer(question, message).await;
                drop(permit);
            });
        }
        answering.close();
        answering.wait().await;
        // Responses must be sent before the connection is closed.
        let _closed = self.client.flush().await;
        Ok(())
    }

    async fn answer(&self, question: WorkerRequest, message: Message) {
        let Some(reply) = message.reply else { return };
        let answer = match question {
            WorkerRequest::Claim => self.reply(&message.payload, |request| self.claim(request)).await,
            WorkerRequest::Begin => self.reply(&message.payload, |request| self.begin(request)).await,
            WorkerRequest::Beat => self.reply(&message.payload, |request| self.beat(request)).await,
        };
        if let Err(error) = self.client.publish(reply, answer.into()).await {
            tracing::warn!(%error, "Cannot answer a worker: {error}");
        }
    }

    async fn reply<B: DeserializeOwned, A: Serialize, F>(
        &self,
        payload: &[u8],
        serve: impl FnOnce(Request<B>) -> F,
    ) -> Vec<u8>
    where
        F: Future<Output = Result<A, SourceError>>,
    {
        // Reads only the protocol version first: the rest may be from another release.
        #[derive(serde::Deserialize)]
        struct Spoken {
            protocol: u32,
        }
        match decode::<Spoken>(payload) {
            Ok(Spoken { protocol }) if protocol != PROTOCOL => {
                return pack(&Answer::<A>::OtherRelease {
                    needed: format!(
                        "a release with protocol {PROTOCOL}, such as sitelog {}",
                        env!("CARGO_PKG_VERSION")
                    ),
                });
            }
            _ => {}
        }
        let request = match decode(payload) {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%error, "A worker's request cannot be read: {error}");
                return pack(&Answer::<A>::Failed {
                    error: error.to_string(),
                    is_transient: false,
                });
            }
        };
        pack(&match serve(request).await {
            Ok(done) => Answer::Done(done),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Cannot serve a worker");
                Answer::Failed {
                    error: error.to_string(),
                    is_transient: error.is_transient,
                }
            }
        })
    }

    fn source(&self, worker: WorkerSighting) -> DatabaseSource {
        DatabaseSource::new(self.bus.clone(), self.tasks.clone(), worker)
    }

    async fn claim(&self, request: Request<ClaimRequest>) -> Result<Vec<Claim>, SourceError> {
        let wanted = request.body.wanted;
        if wanted > MAX_CLAIMED {
            let (worker, most) = (request.worker.name, MAX_CLAIMED);
            return Err(SourceError::lasting(FleetError::TooManyClaimed {
                worker,
                wanted,
                most,
            }));
        }
        // One claim at a time runs in the whole database anyway.
        let mut nothing_until = self.nothing_until.lock().await;
        if self.backlog.is_long() || nothing_until.is_some_and(|until| until > Instant::now()) {
            return Ok(Vec::new());
        }
        let claimed = self.source(request.worker).claim(wanted).await?;
        *nothing_until = claimed.is_empty().then(|| Instant::now() + NOTHING_DUE);
        Ok(claimed.iter().map(Claim::from).collect())
    }

    async fn begin(&self, request: Request<BeginRequest>) -> Result<Begun, SourceError> {
        let BeginRequest { scan_id, fence } = request.body;
        // Tenant and host come from the database, not from the worker.
        let Some(task) = self.tasks.held_under(scan_id, fence).await? else {
            return Ok(Begun::Superseded);
        };
        match self.source(request.worker).begin(&task).await? {
            Begin::Scan(job, begun) => {
                let kept = job.kept.iter().flat_map(|kept| &kept.sitemaps);
                let begun = Begun::Scan {
                    urls: kept.map(|sitemap| sitemap.urls.clone()).collect(),
                    attempt: begun.attempt(),
                    job,
                };
                Ok(fitting(begun, largest_message(&self.client), &task.host))
            }
            Begin::Superseded => Ok(Begun::Superseded),
            Begin::Ended => {
                self.tasks.settle(&[(task, Settled::Done)]).await?;
                Ok(Begun::Ended)
            }
        }
    }

    async fn beat(&self, request: Request<BeatRequest>) -> Result<BeatAnswer, SourceError> {
        let source = self.source(request.worker);
        let BeatRequest {
            held,
            given_back,
            leaves,
        } = request.body;
        let given_back: Vec<_> = given_back
            .into_iter()
            .map(|claim| (ClaimedTask::from(claim), Settled::RetryIn(Duration::ZERO)))
            .collect();
        if !given_back.is_empty() {
            source.settle(&given_back).await?;
        }
        if leaves {
            source.sign_off().await;
            return Ok(BeatAnswer { held: Vec::new() });
        }
        let held: Vec<ClaimedTask> = held.into_iter().map(ClaimedTask::from).collect();
        Ok(BeatAnswer {
            held: source.heartbeat(&held).await?,
        })
    }
}

/// The same without what makes it too large for a message: lists of URLs that the last scan kept. Their sitemaps are read
/// again.
fn fitting(mut begun: Begun, largest: usize, host: &str) -> Begun {
    let is_too_large = |begun: &Begun| pack(begun).len() > largest;
    // What has few URLs fits, and need not be packed to see that.
    let may_be_large = matches!(&begun, Begun::Scan { urls, job, .. }
        if urls.iter().map(Vec::len).sum::<usize>() > 2000 || job.kept.as_ref().is_some_and(|kept| kept.sitemaps.len() > 100));
    if !may_be_large || !is_too_large(&begun) {
        return begun;
    }
    tracing::info!("The stored URLs of {host} are too many for a message; its sitemaps are read again");
    if let Begun::Scan { job, urls, .. } = &mut begun {
        urls.clear();
        if let Some(kept) = &mut job.kept {
            kept.sitemaps.clear();
        }
    }
    begun
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::revisit::{KnownFile, KnownSitemap, Revisit};
    use crate::values::sitemap::{SitemapKind, SitemapUrl};
    use crate::worker::Job;

    #[test]
    fn stored_urls_that_fit_into_no_message_are_left_out() {
        let begun = |count: u32| {
            // Hashes do not compress.
            let url = |n| SitemapUrl {
                loc: format!(
                    "https://a.test/{}",
                    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, &u32::to_be_bytes(n))
                ),
                ..SitemapUrl::default()
            };
            let file = KnownFile {
                asked: "https://a.test/sitemap.xml".into(),
                url: "https://a.test/sitemap.xml".into(),
                validators: crate::values::revisit::Validators::default(),
                read_at: chrono::DateTime::UNIX_EPOCH,
                bytes: 0,
            };
            let sitemap = KnownSitemap {
                file,
                kind: SitemapKind::Urlset,
                entries: count.into(),
                problems: Vec::new(),
                repeated: crate::values::revisit::Repeated::default(),
                children: Vec::new(),
                list: None,
                urls: Vec::new(),
            };
            Begun::Scan {
                job: Box::new(Job {
                    domain: "a.test".into(),
                    options: crate::values::ScanOptions::default(),
                    time_left: Duration::from_mins(1),
                    kept: Some(Revisit {
                        sitemaps: vec![sitemap],
                        ..Revisit::default()
                    }),
                }),
                urls: vec![(0..count).map(url).collect()],
                attempt: 1,
            }
        };
        let kept = |begun: Begun| match begun {
            Begun::Scan { job, urls, .. } => (urls.len(), job.kept.unwrap().sitemaps.len()),
            _ => unreachable!(),
        };
        assert_eq!(kept(fitting(begun(3000), 1024 * 1024, "a.test")), (1, 1));
        assert_eq!(kept(fitting(begun(3000), 20 * 1024, "a.test")), (0, 0));
    }
}
