//! Runs a stream of server-sent events: the first bytes, the source's steps, heartbeats, pauses after failures, and
//! the end when the server stops. The source provides the events. `api/serving.rs` disconnects clients that read
//! nothing.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::api::problem::Problem;

/// The interval of heartbeats, so that no proxy considers the connection dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Pause after an error of the database.
const PAUSE: Duration = Duration::from_secs(1);

/// The first line of a stream: a client reconnects after a second.
pub(super) const GREETING: &str = "retry: 1000";

/// The result of a step of a source.
pub(super) enum Step {
    /// Send these bytes.
    Send(Bytes),
    /// There is nothing to send yet; the next step continues.
    Continue,
    /// The stream ends.
    End,
}

impl Step {
    /// Sends the text, unless it is empty.
    pub(super) fn of(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() {
            Self::Continue
        } else {
            Self::Send(bytes)
        }
    }
}

/// Where the bytes of a stream come from.
pub(super) trait Source: Send + 'static {
    /// The next step. If it is dropped before it completes, it has changed nothing.
    fn step(&mut self) -> impl Future<Output = Result<Step, Problem>> + Send;

    /// A message without an event; `line` is a comment or a field.
    fn mark(&self, line: &str) -> Bytes;

    /// Called when a heartbeat interrupts a step.
    fn interrupted(&mut self) {}
}

/// The body of the answer. It is produced as fast as the client takes it, independent of other streams. It ends with the
/// source, or when the server stops.
pub(super) fn drive(
    source: impl Source,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold((source, stop, true), async |(mut source, stop, is_first)| {
        let bytes = if is_first {
            source.mark(GREETING)
        } else {
            next(&mut source, &stop).await?
        };
        Some((Ok(bytes), (source, stop, false)))
    })
}

/// The next bytes to send; `None` at the end.
async fn next(source: &mut impl Source, stop: &CancellationToken) -> Option<Bytes> {
    let heartbeat = Instant::now() + HEARTBEAT;
    loop {
        let step = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            step = source.step() => step,
            () = tokio::time::sleep_until(heartbeat) => {
                source.interrupted();
                return Some(source.mark(":"));
            }
        };
        match step {
            Ok(Step::Send(bytes)) => return Some(bytes),
            Ok(Step::Continue) => {}
            Ok(Step::End) => return None,
            Err(problem) => {
                tracing::debug!("An event stream is interrupted; retrying: {}", problem.detail);
                tokio::select! {
                    () = stop.cancelled() => return None,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        }
    }
}
