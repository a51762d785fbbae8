//! The end of the log in memory: the followers of a process share the events that one of them has read. A follower
//! that is further behind reads from the database.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use sqlx::PgConnection;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::read::{COLUMNS, Page, event_of, read_page};
use super::{LogError, LogEvent};
use crate::turns::Steps;

/// Events of one read.
const READ: i64 = 2000;
/// Events that are kept: those that a follower may be behind the others.
const MAX_EVENTS: usize = 8192;
/// Bytes of events that are kept, about.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How long a follower waits for what another one reads. A connection that hangs delays only its own follower.
const SHARED_READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The last events that a follower has read; clones share them.
#[derive(Clone, Default)]
pub struct Tail(Arc<Mutex<Window>>);

/// Events in the order of the log, without a gap.
#[derive(Default)]
struct Window {
    /// The position before the first; `None` before the first read.
    after: Option<i64>,
    /// The position of the last.
    up_to: i64,
    events: VecDeque<Arc<LogEvent>>,
    bytes: usize,
}

impl Tail {
    /// Reads the events of some types after a position, up to `limit` of them, and the position that is covered with
    /// them. What commits later has a higher position, so what is in memory is all there is up to its end.
    pub async fn page(
        &self,
        connection: &mut PgConnection,
        after: i64,
        types: &[&str],
        limit: i64,
    ) -> Result<Page, LogError> {
        // Held while one reads, so that the others wait for what it reads instead of reading the same.
        if let Ok(mut window) = timeout(SHARED_READ_TIMEOUT, self.0.lock()).await {
            let more = after >= window.up_to && window.extend(&mut *connection).await?;
            if window.after.is_some_and(|first| first <= after) && (after < window.up_to || !more) {
                return Ok(window.page(after, types, limit, more));
            }
        }
        read_page(connection, after, types, limit).await
    }

    /// Reads everything again. A follower that failed calls this: if the database came back from an earlier state, it
    /// may not hold every event that is in memory.
    pub async fn forget(&self) {
        if let Ok(mut window) = timeout(SHARED_READ_TIMEOUT, self.0.lock()).await {
            *window = Window::default();
        }
    }
}

impl Window {
    /// Reads on; true if more is likely to follow. The first read begins at the head.
    async fn extend(&mut self, connection: &mut PgConnection) -> Result<bool, LogError> {
        if self.after.is_none() {
            let head: i64 = sqlx::query_scalar("select position from log_head")
                .fetch_one(&mut *connection)
                .await?;
            (self.after, self.up_to) = (Some(head), head);
        }
        let rows = sqlx::query(&format!(
            "select {COLUMNS} from events where position > $1 order by position limit $2"
        ))
        .bind(self.up_to)
        .bind(READ)
        .fetch_all(connection)
        .await?;
        let mut steps = Steps::default();
        for row in &rows {
            let event = event_of(row)?;
            let size = size_of(&event);
            self.up_to = event.position;
            self.bytes += size;
            self.events.push_back(Arc::new(event));
            steps.did(size).await;
        }
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else {
                break;
            };
            self.bytes -= size_of(&oldest);
            self.after = Some(oldest.position);
        }
        Ok(i64::try_from(rows.len()).is_ok_and(|count| count == READ))
    }

    fn page(&self, after: i64, types: &[&str], limit: i64, more: bool) -> Page {
        let first = self.events.partition_point(|event| event.position <= after);
        let limit = usize::try_from(limit).unwrap_or(0);
        let wanted = self.events.iter().skip(first);
        let events: Vec<Arc<LogEvent>> = wanted
            .filter(|event| types.contains(&event.event_type.as_str()))
            .take(limit)
            .cloned()
            .collect();
        let full = events.len() == limit;
        let last = events.last().map(|event| event.position);
        Page {
            position: last.filter(|_| full).unwrap_or(self.up_to.max(after)),
            events,
            more: full || more,
        }
    }
}

fn size_of(event: &LogEvent) -> usize {
    std::mem::size_of::<LogEvent>()
        + event.payload.get().len()
        + event.metadata.get().len()
        + event.aggregate_id.len()
        + event.event_type.len()
}
