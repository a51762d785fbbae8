//! What changes in domains, as it is found.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use tokio::sync::broadcast;
use tokio::time::Instant;

use super::feed::Page;
use super::places::Place;
use super::watcher::{GREETING, HEARTBEAT, PAUSE};
use super::{event_stream, frame_of, last_event_id};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::v4::list_changes::changes_of;
use crate::log::changes::ChangeFilter;
use crate::values::EventType;
use crate::values::TenantId;
use axum::http::HeaderMap;
use axum::response::Response;

/// Changes read from the log at a time.
const LIMIT: i64 = 100;
/// Positions looked through at a time: what is between may be anything.
const WINDOW: i64 = 100_000;

/// Opens the stream of the changes that a filter matches: those after the position that `Last-Event-ID` or `since` names,
/// or from now on.
pub(in crate::api) async fn open(
    state: &ApiState,
    tenant: TenantId,
    filter: ChangeFilter,
    since: Option<i64>,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let place = state.watch.places.take(tenant)?;
    let named = last_event_id(headers)?.or(since);
    // Before the head is read, so that nothing falls between the two.
    let pages = state.watch.feed.subscribe();
    let watcher = ChangeWatcher {
        sent: match named {
            Some(position) => position,
            None => state.log.head().await?,
        },
        state: state.for_long_reads(),
        tenant,
        filter,
        pages,
        phase: Phase::Greeting,
        heartbeat: Instant::now() + HEARTBEAT,
        _place: place,
    };
    Ok(event_stream(watcher.into_stream()))
}

struct ChangeWatcher {
    state: ApiState,
    tenant: TenantId,
    filter: ChangeFilter,
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
    /// Waiting for what comes.
    Waiting,
}

impl ChangeWatcher {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        futures::stream::unfold(self, async |mut watcher| {
            let bytes = watcher.next().await?;
            watcher.heartbeat = Instant::now() + HEARTBEAT;
            Some((Ok(bytes), watcher))
        })
    }

    /// What is to be sent next; `None` when the server stops.
    async fn next(&mut self) -> Option<Bytes> {
        let stop = self.state.watch.stop.clone();
        let heartbeat = self.heartbeat;
        loop {
            let step = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                step = self.step() => step,
                () = tokio::time::sleep_until(heartbeat) => {
                    // What may have come between the two looks when it began is looked for now.
                    self.phase = Phase::Behind;
                    return Some(self.mark(":"));
                }
            };
            match step {
                Ok(Some(bytes)) => return Some(bytes),
                Ok(None) => {}
                Err(problem) => {
                    tracing::debug!("A watcher of changes waits: {}", problem.detail);
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
                Ok(Some(self.mark(GREETING.trim_end())))
            }
            Phase::Behind => self.read_on().await,
            Phase::Waiting => {
                let page = self.pages.recv().await;
                match page {
                    Ok(page) if page.after <= self.sent && !page.has_change_of(self.tenant, self.sent) => {
                        self.sent = self.sent.max(page.up_to);
                    }
                    // A change, or too slow for the feed: the log has it.
                    _ => self.phase = Phase::Behind,
                }
                Ok(None)
            }
        }
    }

    /// A message without a change, with the position of the stream: so a client that reconnects before the first change, or long
    /// after the last one, continues there.
    fn mark(&self, line: &str) -> Bytes {
        format!("id: {}\n{line}\n\n", self.sent).into()
    }

    async fn read_on(&mut self) -> Result<Option<Bytes>, Problem> {
        let _turn = self.state.models.turn(self.tenant).await?;
        let head = self.state.log.head().await?;
        let up_to = head.min(self.sent.saturating_add(WINDOW));
        let filter = ChangeFilter {
            since: self.sent,
            up_to: Some(up_to),
            newest_first: false,
            after: None,
            limit: LIMIT,
            ..self.filter.clone()
        };
        let events = self.state.log.domain_changes(&filter).await?;
        let is_full = i64::try_from(events.len()).is_ok_and(|count| count == LIMIT);
        let mut text = String::new();
        for change in changes_of(&self.state, &events).await? {
            text.push_str(&frame_of(
                change.position,
                EventType::DomainChanged.as_str(),
                &change,
            ));
        }
        match events.last() {
            Some(last) if is_full => self.sent = last.position,
            _ => {
                // A client may send a position that this log does not have; it gets what comes after it.
                self.sent = self.sent.max(up_to);
                if up_to == head {
                    self.phase = Phase::Waiting;
                }
            }
        }
        Ok((!text.is_empty()).then(|| text.into()))
    }
}
