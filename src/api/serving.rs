//! Accepts connections, up to a maximum, and closes those that stay idle for too long.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::browser;
use super::problem::{Problem, ProblemCode};

/// The limits of connections.
#[derive(Clone, Copy, Debug)]
pub struct ServerLimits {
    /// Maximum number of connections; more wait in the system's queue.
    pub connections: usize,
    /// For the head of a request, from when the connection is ready for it: also how long an idle one is kept.
    pub header_read_timeout: Duration,
    /// The time in which a client must read a part of the response.
    pub write_timeout: Duration,
    /// The time for running requests when the server is stopped.
    pub shutdown_grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_read_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(30),
        }
    }
}

/// Bytes of a request's head, and of what is read ahead.
const MAX_HEAD: usize = 64 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 100;
/// Pause after a connection could not be accepted: the process may have no free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until it is stopped; running requests are answered.
pub async fn serve(listener: TcpListener, router: Router, serving: ServerLimits, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(serving.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let router = router.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let router = router.clone();
            async move {
                if let Some(fault) = ambiguity(request.headers(), request.version()) {
                    return Ok::<_, Infallible>(refused(fault));
                }
                let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
                let answer = router.oneshot(request.map(Body::new)).await;
                let mut answer = answer.unwrap_or_else(never);
                if is_chunked {
                    // The parser silently removes a Content-Length that follows it, so this connection is closed.
                    let close = HeaderValue::from_static("close");
                    answer.headers_mut().insert(header::CONNECTION, close);
                }
                Ok(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(serving.header_read_timeout)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(
                TokioIo::new(Box::pin(timed(stream, serving.write_timeout))),
                service,
            );
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Errors of a connection concern only its client.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "A connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(serving.shutdown_grace, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            "Aborting requests that did not end within {} s",
            serving.shutdown_grace.as_secs()
        );
    }
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, slot))
}

/// What makes a request's head ambiguous: if sitelog and a proxy in front of it read it differently, the proxy may take
/// for one request what sitelog takes for two (RFC 9112, 3.2 and 6.3).
fn ambiguity(headers: &HeaderMap, version: Version) -> Option<&'static str> {
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        return Some("A request must have exactly one header Host.");
    }
    let both =
        headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH);
    both.then_some("A request must have Transfer-Encoding or Content-Length, not both.")
}

/// 400, and the end of the connection: what follows on it cannot be assigned to a request.
fn refused(fault: &'static str) -> Response {
    let close = [(header::CONNECTION, "close")];
    browser::with_headers((close, Problem::of(ProblemCode::AmbiguousRequest, fault)).into_response())
}

fn timed(stream: TcpStream, write: Duration) -> TimeoutStream<TcpStream> {
    // Without it small answers wait for the client's acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "Cannot set TCP_NODELAY");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write));
    stream
}

fn never<T>(impossible: Infallible) -> T {
    match impossible {}
}
