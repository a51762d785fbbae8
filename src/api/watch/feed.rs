//! The end of the log, read once for all watchers of the process and passed on page by page. It reads only while there
//! are watchers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::broadcast;

use super::end::may_end;
use super::{Watched, frame};
use crate::log::read::EventFilter;
use crate::log::{EventLog, LogError, LogEvent};
use crate::values::EventType;
use crate::values::TenantId;

/// Events of a page at most.
const PAGE: i64 = 500;
/// Number of pages kept for slow watchers; slower ones read the log.
const PAGES: usize = 32;
/// How long an idle feed waits for a notification before it polls.
const POLL: Duration = Duration::from_millis(500);
/// Pause after a page that was not full, so that the following events make one page instead of many.
const BATCH_DELAY: Duration = Duration::from_millis(50);
/// Pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// A stretch of the log without gaps.
#[derive(Debug)]
pub(super) struct Page {
    /// It begins after this position.
    pub(super) after: i64,
    /// It ends with this one.
    pub(super) up_to: i64,
    /// The events in between.
    pub(super) events: Vec<FeedEvent>,
}

impl Page {
    /// Whether a domain of the tenant changed after a position.
    pub(super) fn has_change_of(&self, tenant: TenantId, after: i64) -> bool {
        let mut events = self.events.iter();
        events.any(|event| event.is_change && event.tenant == tenant && event.position > after)
    }
}

/// An event, ready to be sent.
#[derive(Debug)]
pub(super) struct FeedEvent {
    /// Its position.
    pub(super) position: i64,
    tenant: TenantId,
    stream: String,
    batch: Option<String>,
    may_end: bool,
    is_change: bool,
    /// As the stream has it.
    pub(super) frame: Bytes,
}

impl FeedEvent {
    /// Whether a watcher of this gets it.
    pub(super) fn is_about(&self, tenant: TenantId, watched: &Watched) -> bool {
        self.tenant == tenant
            && match watched {
                Watched::Scan(id) => self.stream == *id,
                Watched::Batch(id) => self.stream == *id || self.batch.as_ref() == Some(id),
            }
    }
}

impl FeedEvent {
    /// Whether what is watched may have ended with it.
    pub(super) fn may_end(&self, watched: &Watched) -> bool {
        let (_, id) = watched.stream();
        self.may_end && self.stream == id
    }
}

impl From<LogEvent> for FeedEvent {
    fn from(event: LogEvent) -> Self {
        Self {
            position: event.position,
            tenant: event.tenant_id,
            stream: event.aggregate_id.clone(),
            batch: batch_of(&event),
            may_end: may_end(&event.event_type),
            is_change: event.event_type == EventType::DomainChanged.as_str(),
            frame: frame(event).into(),
        }
    }
}

/// The batch that an event's payload names.
fn batch_of(event: &LogEvent) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        batch_id: Option<String>,
    }
    let mut tagged: HashMap<String, Named> = serde_json::from_str(event.payload.get()).ok()?;
    tagged.remove(&event.event_type)?.batch_id
}

/// Reads the end of the log for all watchers; clones share it.
#[derive(Clone)]
pub(super) struct Feed {
    log: EventLog,
    pages: broadcast::Sender<Arc<Page>>,
    is_running: Arc<Mutex<bool>>,
}

impl Feed {
    /// The feed of a log; it reads nothing yet.
    pub(super) fn new(log: EventLog) -> Self {
        Self {
            log,
            pages: broadcast::Sender::new(PAGES),
            is_running: Arc::default(),
        }
    }

    /// The pages from some position on: whatever is before the first of them is in the log already.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Page>> {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = self.pages.subscribe();
        if !*is_running {
            *is_running = true;
            tokio::spawn(self.clone().run());
        }
        pages
    }

    async fn run(self) {
        let mut news = self.log.watch();
        let mut after = None;
        while !self.is_over() {
            let pause = match self.next(&mut after).await {
                Ok(true) => continue,
                Ok(false) => BATCH_DELAY,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "Cannot read the log for event streams; retrying"
                    );
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
            let _whether_there_are_news_or_not = tokio::time::timeout(POLL, news.changed()).await;
        }
    }

    /// Passes the next page on; true if more is known to follow.
    async fn next(&self, after: &mut Option<i64>) -> Result<bool, LogError> {
        let from = match *after {
            Some(position) => position,
            None => self.log.head().await?,
        };
        *after = Some(from);
        let events = self
            .log
            .events(&EventFilter {
                after: from,
                limit: PAGE,
                ..EventFilter::default()
            })
            .await?;
        let Some(last) = events.last() else {
            return Ok(false);
        };
        self.log.confirm().await?;
        let up_to = last.position;
        let is_full = i64::try_from(events.len()).is_ok_and(|count| count == PAGE);
        let page = Page {
            after: from,
            up_to,
            events: events.into_iter().map(FeedEvent::from).collect(),
        };
        *after = Some(up_to);
        // The end without watchers is handled below.
        let _watchers = self.pages.send(Arc::new(page));
        Ok(is_full)
    }

    /// Whether there are no watchers left; the next one starts a new reader.
    fn is_over(&self) -> bool {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        *is_running = self.pages.receiver_count() > 0;
        !*is_running
    }
}
