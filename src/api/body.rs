//! Reads the bodies of requests within limits: of size, of time, and of memory for all bodies together. A request that
//! does not fit is refused before its body is read completely.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::MAX_BODY;
use super::problem::{Problem, ProblemCode};

/// Maximum bytes of all bodies in memory. Reading a list briefly needs a few times its size.
const ROOM: usize = 128 * 1024 * 1024;
/// Room is counted in pieces of this many bytes.
const PIECE: usize = 1024;
/// How long the client may send nothing.
const IDLE: Duration = Duration::from_secs(10);
/// The time limit for the whole body: 32 MB at 2 Mbit/s.
const WHOLE: Duration = Duration::from_mins(2);

/// The memory for bodies; clones share it.
#[derive(Clone, Debug)]
pub struct BodyRoom(Arc<Semaphore>);

impl Default for BodyRoom {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM / PIECE)))
    }
}

/// A body, with its share of the memory until it is dropped.
#[derive(Clone, Debug)]
pub(super) struct HeldBody {
    pub(super) bytes: Bytes,
    _room: Option<Arc<OwnedSemaphorePermit>>,
}

impl BodyRoom {
    /// Reads a body to its end.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<HeldBody, Problem> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > MAX_BODY) {
            return Err(too_large());
        }
        let mut chunks = body.into_data_stream();
        let (mut bytes, mut room) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        let end = Instant::now() + WHOLE;
        while let Some(chunk) = timeout_at(end, timeout(IDLE, chunks.next()))
            .await
            .map_err(|_| too_slow())?
            .map_err(|_| too_slow())?
        {
            let chunk = chunk.map_err(|error| {
                let detail = format!("The request body is incomplete: {error}.");
                Problem::of(ProblemCode::BodyUnreadable, detail)
            })?;
            if bytes.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            let held = room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let needed = (bytes.len() + chunk.len()).div_ceil(PIECE) - held;
            let taken = self.take(needed)?;
            match &mut room {
                Some(room) => room.merge(taken),
                None => room = Some(taken),
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(HeldBody {
            bytes: bytes.freeze(),
            _room: room.map(Arc::new),
        })
    }

    /// Memory for a response until it is sent.
    pub(crate) fn hold(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        self.take(bytes.div_ceil(PIECE))
    }

    fn take(&self, pieces: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let pieces = u32::try_from(pieces).unwrap_or(u32::MAX);
        Arc::clone(&self.0)
            .try_acquire_many_owned(pieces)
            .map_err(|_| Problem::overloaded())
    }
}

fn too_large() -> Problem {
    let detail = format!(
        "The request body is larger than {} MB; split it into several requests.",
        MAX_BODY >> 20
    );
    Problem::of(ProblemCode::BodyTooLarge, detail)
}

fn too_slow() -> Problem {
    Problem::of(
        ProblemCode::RequestTimeout,
        "The request body did not arrive in time. Try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: Vec<Bytes>) -> Body {
        let chunks = chunks.into_iter().map(Ok::<_, std::convert::Infallible>);
        Body::from_stream(futures::stream::iter(chunks))
    }

    #[tokio::test]
    async fn room_is_taken_as_bytes_come_and_given_back_with_the_body() {
        let room = BodyRoom(Arc::new(Semaphore::new(4)));
        let headers = HeaderMap::new();
        let three = vec![Bytes::from(vec![b'a'; PIECE]), Bytes::from(vec![b'a'; PIECE + 1])];
        let held = room.read(&headers, body(three.clone())).await.unwrap();
        assert_eq!((held.bytes.len(), room.0.available_permits()), (2 * PIECE + 1, 1));
        let refused = room.read(&headers, body(three.clone())).await.unwrap_err();
        assert_eq!((refused.status, refused.code), (503, ProblemCode::Overloaded));
        assert_eq!(room.0.available_permits(), 1, "what was refused keeps nothing");
        drop(held);
        assert!(room.read(&headers, body(three)).await.is_ok());
        assert_eq!(room.0.available_permits(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stands_still_or_drips_is_refused() {
        let room = BodyRoom::default();
        let still = Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>());
        let drip = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"a")), ()))
        });
        for slow in [still, Body::from_stream(drip)] {
            let refused = room.read(&HeaderMap::new(), slow).await.unwrap_err();
            assert_eq!((refused.status, refused.code), (408, ProblemCode::RequestTimeout));
        }
    }

    #[tokio::test]
    async fn a_body_that_announces_too_much_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, (MAX_BODY + 1).into());
        let never = Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>());
        let refused = BodyRoom::default().read(&headers, never).await.unwrap_err();
        assert_eq!(refused.status, 413);
    }
}
