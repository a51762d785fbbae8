//! One watcher.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::end::End;
use super::feed::Page;
use super::places::Place;
use super::{Watched, end, frame};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::log::LogEvent;
use crate::log::read::EventFilter;
use crate::values::TenantId;

/// Events read from the log at a time.
const LIMIT: i64 = 500;
/// Positions looked through at a time: what is between may be others'.
const WINDOW: i64 = 20_000;
/// Something is sent at least so often, so that nothing in between takes the connection for dead.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a cancelled batch is checked for its end.
const ASK: Duration = Duration::from_secs(1);
/// Pause after the database did not answer.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

/// Reconnect after a second, says the stream first of all.
pub(super) const GREETING: &str = "retry: 1000\n\n";

/// Where a watcher is, and what it needs to continue.
pub(super) struct Watcher {
    state: ApiState,
    tenant: TenantId,
    watched: Watched,
    pages: broadcast::Receiver<Arc<Page>>,
    /// The position up to which everything was sent.
    sent: i64,
    phase: Phase,
    heartbeat: Instant,
    _place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was sent.
    Greeting,
    /// The log may have more than was sent.
    Behind,
    /// Something was sent since the last check for the end.
    Asking,
    /// Waiting for what comes.
    Waiting,
    /// The same, where asking again is the only way to know the end.
    Ending,
    /// It has ended.
    Over,
}

impl Watcher {
    pub(super) fn new(state: &ApiState, tenant: TenantId, watched: Watched, sent: i64, place: Place) -> Self {
        // Before the log is read for the first time, so that nothing falls between the two.
        let pages = state.watch.feed.subscribe();
        Self {
            state: state.for_long_reads(),
            tenant,
            watched,
            pages,
            sent,
            phase: Phase::Greeting,
            heartbeat: Instant::now() + HEARTBEAT,
            _place: place,
        }
    }

    /// The body of the answer. It is produced as fast as the client takes it, independent of other watchers.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
        futures::stream::unfold(self, async |mut watcher| {
            let bytes = watcher.next().await?;
            watcher.heartbeat = Instant::now() + HEARTBEAT;
            Some((Ok(bytes), watcher))
        })
    }

    /// What is to be sent next; `None` at the end, also at that of the server.
    async fn next(&mut self) -> Option<Bytes> {
        let stop = self.state.watch.stop.clone();
        let heartbeat = self.heartbeat;
        loop {
            let step = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                step = self.step() => step,
                () = tokio::time::sleep_until(heartbeat) => return Some(Bytes::from_static(b":\n\n")),
            };
            match step {
                Ok(Some(bytes)) => return Some(bytes),
                Ok(None) if self.phase == Phase::Over => return None,
                Ok(None) => {}
                Err(problem) => {
                    tracing::debug!("A watcher waits: {}", problem.detail);
                    tokio::select! {
                        () = stop.cancelled() => return None,
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                }
            }
        }
    }

    /// One step, which may come to nothing to send. Dropped in the middle it has changed nothing.
    async fn step(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.phase {
            Phase::Greeting => {
                self.phase = Phase::Behind;
                Ok(Some(Bytes::from_static(GREETING.as_bytes())))
            }
            Phase::Behind => self.read_on().await,
            Phase::Asking => {
                self.phase = match end::end_of(&self.state, self.tenant, &self.watched).await? {
                    End::At(end) if end <= self.sent => Phase::Over,
                    End::At(_) | End::Open => Phase::Waiting,
                    End::Near => Phase::Ending,
                };
                Ok(None)
            }
            Phase::Waiting | Phase::Ending => Ok(self.wait().await),
            Phase::Over => Ok(None),
        }
    }

    /// The next stretch of the log.
    async fn read_on(&mut self) -> Result<Option<Bytes>, Problem> {
        let _turn = self.state.models.turn(self.tenant).await?;
        let head = self.state.log.head().await?;
        let up_to = head.min(self.sent + WINDOW);
        let events = if up_to > self.sent {
            self.read(up_to).await?
        } else {
            Vec::new()
        };
        let is_full = i64::try_from(events.len()).is_ok_and(|count| count == LIMIT);
        match events.last() {
            Some(last) if is_full => self.sent = last.position,
            _ => {
                // A client may send a position that this log does not have; it gets what comes after it.
                self.sent = self.sent.max(up_to);
                if up_to == head {
                    self.phase = Phase::Asking;
                }
            }
        }
        let text: String = events.into_iter().map(frame).collect();
        Ok((!text.is_empty()).then(|| text.into()))
    }

    async fn read(&self, up_to: i64) -> Result<Vec<LogEvent>, Problem> {
        let log = &self.state.log;
        log.confirm().await?;
        Ok(match &self.watched {
            Watched::Batch(id) => {
                log.events_of_batch(self.tenant, id, (self.sent, up_to), LIMIT)
                    .await?
            }
            Watched::Scan(id) => {
                let filter = EventFilter {
                    tenant: Some(self.tenant),
                    stream: Some((&["domain_scan"], id.clone())),
                    after: self.sent,
                    limit: LIMIT,
                };
                let mut events = log.events(&filter).await?;
                events.retain(|event| event.position <= up_to);
                events
            }
        })
    }

    /// The events of the feed that were not sent yet.
    async fn wait(&mut self) -> Option<Bytes> {
        let page = tokio::select! {
            page = self.pages.recv() => page,
            () = tokio::time::sleep(ASK), if self.phase == Phase::Ending => {
                self.phase = Phase::Asking;
                return None;
            }
        };
        match page {
            Ok(page) if page.after <= self.sent => {
                let mut bytes = Vec::new();
                for event in &page.events {
                    if event.position > self.sent && event.is_about(self.tenant, &self.watched) {
                        bytes.extend_from_slice(&event.frame);
                        if event.may_end(&self.watched) {
                            self.phase = Phase::Asking;
                        }
                    }
                }
                self.sent = self.sent.max(page.up_to);
                (!bytes.is_empty()).then(|| bytes.into())
            }
            // Too slow for the feed, or the feed restarted: the log has what is between.
            Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => {
                self.phase = Phase::Behind;
                None
            }
        }
    }
}
