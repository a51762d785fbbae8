//! Streams the events of one scan or batch.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::driver::{Source, Step};
use super::end::End;
use super::feed::Page;
use super::slots::StreamSlot;
use super::{Watched, end, frame};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::log::LogEvent;
use crate::log::read::EventFilter;
use crate::values::TenantId;

/// Events read from the log at a time.
const LIMIT: i64 = 500;
/// Positions searched at a time; events in between may belong to other streams.
const WINDOW: i64 = 20_000;
/// How often a cancelled batch is checked for its end.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Where a watcher is, and what it needs to continue.
pub(super) struct Watcher {
    state: ApiState,
    tenant: TenantId,
    watched: Watched,
    pages: broadcast::Receiver<Arc<Page>>,
    /// The position up to which everything was sent.
    sent: i64,
    phase: Phase,
    _slot: StreamSlot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The log may have more than was sent.
    Behind,
    /// Something was sent since the last check for the end.
    Asking,
    /// Waiting for what comes.
    Waiting,
    /// The same, where asking again is the only way to know the end.
    Ending,
}

impl Source for Watcher {
    async fn step(&mut self) -> Result<Step, Problem> {
        match self.phase {
            Phase::Behind => self.read_on().await,
            Phase::Asking => {
                self.phase = match end::end_of(&self.state, self.tenant, &self.watched).await? {
                    End::At(end) if end <= self.sent => return Ok(Step::End),
                    End::At(_) | End::Open => Phase::Waiting,
                    End::Near => Phase::Ending,
                };
                Ok(Step::Continue)
            }
            Phase::Waiting | Phase::Ending => Ok(self.wait().await),
        }
    }

    fn mark(&self, line: &str) -> Bytes {
        format!("{line}\n\n").into()
    }
}

impl Watcher {
    pub(super) fn new(
        state: &ApiState,
        tenant: TenantId,
        watched: Watched,
        sent: i64,
        slot: StreamSlot,
    ) -> Self {
        // Before the log is read for the first time, so that nothing falls between the two.
        let pages = state.watch.feed.subscribe();
        Self {
            state: state.for_long_reads(),
            tenant,
            watched,
            pages,
            sent,
            phase: Phase::Behind,
            _slot: slot,
        }
    }

    /// The next stretch of the log.
    async fn read_on(&mut self) -> Result<Step, Problem> {
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
        Ok(Step::of(text))
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
    async fn wait(&mut self) -> Step {
        let page = tokio::select! {
            page = self.pages.recv() => page,
            () = tokio::time::sleep(POLL_INTERVAL), if self.phase == Phase::Ending => {
                self.phase = Phase::Asking;
                return Step::Continue;
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
                Step::of(bytes)
            }
            // Too slow for the feed, or the feed restarted: the log has what is between.
            Ok(_) | Err(RecvError::Lagged(_) | RecvError::Closed) => {
                self.phase = Phase::Behind;
                Step::Continue
            }
        }
    }
}
