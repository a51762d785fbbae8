//! Checks the caller again during a request and its response, however long they take: meanwhile a key may be revoked,
//! a token may expire, a user may sign out, or a tenant may lose access.
//!
//! Every admission passes its bodies through here. So this covers slow uploads, event streams, exports and responses
//! that wait. The check has its own timer, because a busy stream sends no heartbeats.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep_until};

use super::ApiState;
use super::admission::caller_of_request;
use super::problem::Problem;
use crate::access::{AccessError, Caller};

/// Runs an admitted request and returns its answer, both only while the caller has access. Returns a problem if the
/// caller lost access before the answer was ready.
pub(crate) async fn run_while_admitted(
    state: &ApiState,
    caller: &Caller,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let admitted = Arc::new(AdmittedRequest {
        state: state.clone(),
        method: request.method().clone(),
        headers: request.headers().clone(),
        caller: caller.clone(),
    });
    let due = Instant::now() + admitted.every();
    let request = request.map(|body| match body.size_hint().exact() {
        Some(0) => body,
        _ => kept(body, Arc::clone(&admitted), false),
    });
    let response = next.run(request).await;
    if Instant::now() >= due {
        admitted.check().await?;
    }
    let is_whole_anywhere = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    Ok(response.map(|body| match body.size_hint().exact() {
        // It is in memory already.
        Some(_) => body,
        None => kept(body, admitted, is_whole_anywhere),
    }))
}

/// The admitted caller with its credentials, so that it can be checked again.
struct AdmittedRequest {
    state: ApiState,
    method: Method,
    headers: HeaderMap,
    caller: Caller,
}

impl AdmittedRequest {
    fn every(&self) -> Duration {
        self.state.access.recheck_every()
    }

    /// Whether the caller still has access. If that cannot be checked now, the answer is yes.
    async fn check(&self) -> Result<(), Problem> {
        match caller_of_request(&self.state, &self.method, &self.headers).await {
            Ok(caller) if caller == self.caller => Ok(()),
            Ok(_) => Err(AccessError::Invalid.into()),
            Err(problem) if problem.status >= 500 => Ok(()),
            Err(problem) => Err(problem),
        }
    }
}

/// A body that ends when its caller loses access.
fn kept(body: Body, admitted: Arc<AdmittedRequest>, is_whole_anywhere: bool) -> Body {
    let kept = Kept {
        due: Instant::now() + admitted.every(),
        admitted,
        is_whole_anywhere,
        frames: body.into_data_stream(),
    };
    // Compression polls again after the end.
    Body::from_stream(stream::unfold(Some(kept), async |kept| kept?.next().await).fuse())
}

/// A body that is being sent or received.
struct Kept {
    admitted: Arc<AdmittedRequest>,
    due: Instant,
    /// Whether it is complete wherever it ends. Any other body must not look complete when it is cut.
    is_whole_anywhere: bool,
    frames: BodyDataStream,
}

impl Kept {
    /// The next element, and the rest.
    async fn next(mut self) -> Option<(Result<Bytes, axum::Error>, Option<Self>)> {
        loop {
            if Instant::now() >= self.due {
                if let Err(problem) = self.admitted.check().await {
                    return self.cut(problem);
                }
                self.due = Instant::now() + self.admitted.every();
            }
            tokio::select! {
                frame = self.frames.next() => return frame.map(|frame| (frame, Some(self))),
                () = sleep_until(self.due) => {}
            }
        }
    }

    fn cut(self, problem: Problem) -> Option<(Result<Bytes, axum::Error>, Option<Self>)> {
        let caller = &self.admitted.caller.actor;
        tracing::info!("Aborted a response to {caller}: {}", problem.detail);
        if self.is_whole_anywhere {
            return None;
        }
        Some((Err(axum::Error::new(io::Error::other(problem.detail))), None))
    }
}
