//! Copies the log to a stream for followers: the sequence of a message is the position of its event. The broker
//! refuses repetitions and gaps, so several relays may run; all but one of them wait.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self, Context};
use tokio_util::sync::CancellationToken;

use super::{Cell, FleetError};
use crate::log::read::EventFilter;
use crate::log::{EventLog, LogEvent};

/// Maximum number of events that are sent to the broker concurrently.
const PAGE: i64 = 500;
/// How long an idle relay waits for a notification before it polls.
const POLL: Duration = Duration::from_secs(1);
/// Pause after a failure, and while another relay copies.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the broker may take to store an event.
const STORED_WITHIN: Duration = Duration::from_secs(10);

/// The header with an event's id.
const EVENT: &str = "Sitelog-Event";

/// Copies the log.
pub struct Relay {
    jetstream: Context,
    cell: Cell,
    log: EventLog,
    /// An event as followers get it.
    shown: fn(LogEvent) -> Vec<u8>,
}

/// Why a relay stops copying for now.
enum Pause {
    /// Another relay is ahead of this one.
    Behind,
    Failed(FleetError),
}

impl<E: Into<FleetError>> From<E> for Pause {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Relay {
    /// A relay of a log.
    pub fn new(client: Client, cell: Cell, log: EventLog, shown: fn(LogEvent) -> Vec<u8>) -> Self {
        let jetstream = jetstream::ContextBuilder::new()
            .timeout(STORED_WITHIN)
            .ack_timeout(STORED_WITHIN)
            .build(client);
        Self {
            jetstream,
            cell,
            log,
            shown,
        }
    }

    /// Copies the log until it is stopped.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let paused = tokio::select! {
                paused = self.copy() => paused,
                () = stop.cancelled() => return,
            };
            match paused {
                Err(Pause::Behind) => tracing::debug!("Another relay copies the log; waiting"),
                Err(Pause::Failed(error)) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Cannot copy the log to the NATS server; retrying"
                ),
                Ok(never) => match never {},
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn copy(&self) -> Result<std::convert::Infallible, Pause> {
        let name = self.cell.log_stream();
        let stream = self.jetstream.get_stream(&name).await;
        let stream = stream.map_err(|error| FleetError::broker(format!("find the stream {name}"), error))?;
        let mut after = i64::try_from(stream.cached_info().state.last_sequence).unwrap_or(i64::MAX);
        self.compare(&stream, &name, after).await?;
        let mut news = self.log.watch();
        loop {
            let events = self.events(after, PAGE).await?;
            if events.is_empty() {
                tokio::select! {
                    _ = news.changed() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
                continue;
            }
            self.log.confirm().await?;
            after = self.publish(events).await?;
            metrics::gauge!("sitelog_relay_position")
                .set(f64::from(u32::try_from(after).unwrap_or(u32::MAX)));
        }
    }

    async fn events(&self, after: i64, limit: i64) -> Result<Vec<LogEvent>, FleetError> {
        let filter = EventFilter {
            tenant: None,
            stream: None,
            after,
            limit,
        };
        Ok(self.log.events(&filter).await?)
    }

    /// Refuses to add to a copy of another log: one that was restored, or a broker that serves two.
    async fn compare(&self, stream: &Stream, name: &str, last: i64) -> Result<(), FleetError> {
        if last == 0 {
            return Ok(());
        }
        let copied = stream.direct_get(u64::try_from(last).unwrap_or_default()).await;
        let copied =
            copied.map_err(|error| FleetError::broker(format!("read event {last} of {name}"), error))?;
        let copied = copied.headers.get(EVENT);
        let ours = self.events(last - 1, 1).await?;
        let ours = ours.first().map(|event| event.event_id.to_string());
        if ours.is_some() && copied.map(async_nats::HeaderValue::as_str) == ours.as_deref() {
            return Ok(());
        }
        Err(FleetError::OtherLog {
            stream: name.to_owned(),
            position: last,
        })
    }

    /// Publishes events in their order; returns the position of the last.
    async fn publish(&self, events: Vec<LogEvent>) -> Result<i64, Pause> {
        use jetstream::context::traits::Publisher;
        let mut sent = Vec::with_capacity(events.len());
        for event in events {
            let position = event.position;
            let before = u64::try_from(position - 1).unwrap_or_default();
            let subject = self.cell.events(&event.tenant_id.to_string());
            // The position is enough to prevent repetitions and gaps.
            let message = PublishMessage::build()
                .header(EVENT, event.event_id.to_string().as_str())
                .expected_last_sequence(before)
                .payload((self.shown)(event).into())
                .outbound_message(subject);
            let stored = self.jetstream.publish_message(message).await.map_err(refused)?;
            sent.push((position, stored));
        }
        let mut last = 0;
        for (position, stored) in sent {
            let stored = stored.await.map_err(refused)?;
            if i64::try_from(stored.sequence) != Ok(position) {
                return Err(Pause::Behind);
            }
            last = position;
        }
        Ok(last)
    }
}

fn refused(error: jetstream::context::PublishError) -> Pause {
    match error.kind() {
        PublishErrorKind::WrongLastSequence => Pause::Behind,
        _ => Pause::Failed(FleetError::broker("copy events", error)),
    }
}
