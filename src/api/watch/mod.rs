//! Streams of scans, batches and changes to domains, as server-sent events (WHATWG HTML, 9.2): the events of the log,
//! in its order, each exactly once, from any position on.
//!
//! Each watcher reads past events from the log. New events come from [`feed`], one reader for all watchers of the
//! process. Positions are dense, so a watcher knows whether a page of the feed follows what it sent; otherwise it
//! reads the log itself. So nothing is missed, sent twice or buffered for slow watchers.

pub(super) mod changes;
mod driver;
mod end;
mod feed;
mod slots;
mod watcher;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;

use super::ApiState;
use super::at_least::log_position;
use super::problem::{Problem, ProblemCode};
use crate::log::{EventLog, LogEvent};
use crate::values::TenantId;
use driver::drive;
use end::End;
use feed::Feed;
use slots::StreamSlots;
use watcher::Watcher;

/// The shared state of all watchers of this process.
#[derive(Clone)]
pub struct Watch {
    feed: Feed,
    slots: StreamSlots,
    /// When it is cancelled, all streams end.
    stop: CancellationToken,
}

impl Watch {
    /// When this is cancelled, the server stops.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Watches a log until it is stopped.
    pub fn new(log: EventLog, stop: CancellationToken) -> Self {
        Self {
            feed: Feed::new(log),
            slots: StreamSlots::default(),
            stop,
        }
    }

    /// Waits for the end: the position of the event that something ended with. `None` if the server stops before.
    pub(super) async fn end_of(
        &self,
        state: &ApiState,
        tenant: TenantId,
        watched: &Watched,
    ) -> Result<Option<i64>, Problem> {
        let mut pages = self.feed.subscribe();
        loop {
            if let End::At(end) = end::end_of(state, tenant, watched).await? {
                return Ok(Some(end));
            }
            let ending = async {
                loop {
                    match pages.recv().await {
                        Ok(page) if !page.events.iter().any(|event| event.may_end(watched)) => {}
                        // It may have ended in what was missed.
                        _ => return,
                    }
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return Ok(None),
                () = ending => {}
            }
        }
    }
}

/// The scan or batch that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// One scan: all that happens to it.
    Scan(String),
    /// A batch: what happens to it, and the life of its scans, without the files and pages that each of them reads.
    Batch(String),
}

impl Watched {
    /// Its stream in the log.
    fn stream(&self) -> (&'static str, &str) {
        match self {
            Self::Scan(id) => ("domain_scan", id),
            Self::Batch(id) => ("batch_scan", id),
        }
    }
}

/// From where an event stream continues.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WatchQuery {
    /// Only events after this log position, for the first connection; reconnects send the header `Last-Event-ID`, which
    /// overrides it. Without either, the stream starts at the first event.
    #[serde(default, deserialize_with = "log_position")]
    after: Option<i64>,
}

/// Opens the event stream of a tenant's scan or batch. 204, which stops an `EventSource`, for a client that reconnects
/// to a stream that has ended.
pub(super) async fn open(
    state: &ApiState,
    tenant: TenantId,
    watched: Watched,
    query: WatchQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let after = last_event_id(headers)?.or(query.after);
    let (stream, id) = watched.stream();
    let start = state.log.stream_start(tenant, stream, id).await?;
    let start = start.ok_or_else(|| {
        Problem::not_found(match watched {
            Watched::Scan(_) => "scan",
            Watched::Batch(_) => "batch",
        })
    })?;
    if let Some(after) = after
        && let End::At(end) = end::end_of(state, tenant, &watched).await?
        && end <= after
    {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let slot = state.watch.slots.take(tenant)?;
    let sent = after.unwrap_or(0).max(start - 1);
    let watcher = Watcher::new(state, tenant, watched, sent, slot);
    Ok(event_stream(drive(watcher, state.watch.stop())))
}

/// The response that streams events.
fn event_stream(events: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let mut response = Body::from_stream(events).into_response();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // nginx would otherwise buffer events before it passes them on.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The position that `Last-Event-ID` names; an empty one is that of a new client.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let position = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    position
        .filter(|position: &i64| *position >= 0)
        .map(Some)
        .ok_or_else(|| {
            let detail =
                "The header Last-Event-ID must be a log position: the `id` of an event that you received.";
            Problem::of(ProblemCode::InvalidLastEventId, detail)
        })
}

/// An event as the stream has it.
fn frame(event: LogEvent) -> String {
    let (position, kind) = (event.position, event.event_type.clone());
    frame_of(position, &kind, &super::v4::views::Event::from(event))
}

fn frame_of(position: i64, kind: &str, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("it is plain data");
    format!("id: {position}\nevent: {kind}\ndata: {data}\n\n")
}
