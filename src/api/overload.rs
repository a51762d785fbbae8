//! Limits concurrent requests: further ones wait briefly and are then refused, before memory grows.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::problem::Problem;

/// Maximum number of concurrent requests. Each may wait for one of a few database connections, so more would only wait.
const AT_ONCE: usize = 256;
/// How long a request may wait.
const SLOT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a request, including a slow body.
const LONGEST: Duration = Duration::from_secs(150);

/// The limit of concurrent requests; clones share it.
#[derive(Clone, Debug)]
pub struct RequestSlots(Arc<Semaphore>);

impl Default for RequestSlots {
    fn default() -> Self {
        Self::new(AT_ONCE)
    }
}

impl RequestSlots {
    /// This many places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }
}

/// Gives a request a place, or refuses it.
pub(super) async fn shed(State(places): State<RequestSlots>, request: Request, next: Next) -> Response {
    // A busy process still reports that it is alive.
    if request.uri().path() == "/livez" {
        return next.run(request).await;
    }
    let Ok(Ok(_place)) = timeout(SLOT_TIMEOUT, places.0.acquire()).await else {
        metrics::counter!("sitelog_requests_shed_total").increment(1);
        return Problem::overloaded().into_response();
    };
    match timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("The request took too long. Try again later.").into_response(),
    }
}
