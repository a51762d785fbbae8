//! Streams changes of domains as they are found.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::broadcast;

use super::driver::{Source, Step, drive};
use super::feed::Page;
use super::slots::StreamSlot;
use super::{event_stream, frame_of, last_event_id};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::v4::list_changes::changes_of;
use crate::log::changes::ChangeFilter;
use crate::values::{EventType, TenantId};

/// Changes read from the log at a time.
const LIMIT: i64 = 100;
/// Positions searched at a time; events in between may be of any type.
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
    let slot = state.watch.slots.take(tenant)?;
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
        phase: Phase::Behind,
        _slot: slot,
    };
    Ok(event_stream(drive(watcher, state.watch.stop())))
}

struct ChangeWatcher {
    state: ApiState,
    tenant: TenantId,
    filter: ChangeFilter,
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
    /// Waiting for what comes.
    Waiting,
}

impl Source for ChangeWatcher {
    async fn step(&mut self) -> Result<Step, Problem> {
        if self.phase == Phase::Behind {
            return self.read_on().await;
        }
        match self.pages.recv().await {
            Ok(page) if page.after <= self.sent && !page.has_change_of(self.tenant, self.sent) => {
                self.sent = self.sent.max(page.up_to);
            }
            // A change, or too slow for the feed: the log has it.
            _ => self.phase = Phase::Behind,
        }
        Ok(Step::Continue)
    }

    /// With the position of the stream: a client that reconnects before the first change, or long after the last one,
    /// continues there.
    fn mark(&self, line: &str) -> Bytes {
        format!("id: {}\n{line}\n\n", self.sent).into()
    }

    /// Reads the log for what may have come between two pages of the feed.
    fn interrupted(&mut self) {
        self.phase = Phase::Behind;
    }
}

impl ChangeWatcher {
    async fn read_on(&mut self) -> Result<Step, Problem> {
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
        Ok(Step::of(text))
    }
}
