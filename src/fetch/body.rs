//! The body of a response: a stream that counts the bytes received and the decoded bytes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
pub use bytes::Bytes;
use bytes::BytesMut;
use futures::TryStreamExt;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::time::{Instant, timeout_at};
use tokio_util::io::StreamReader;

use super::budget::RequestBudget;
use super::error::{FetchError, Phase};
use super::send_error::classify;

const CHUNK: usize = 64 * 1024;

/// Inflation is judged once this much was decoded; honest text may be very repetitive.
const INFLATION_FREE: u64 = 10 * 1024 * 1024;

/// Decoded bytes per byte on the wire that no honest document reaches.
const MAX_INFLATION: u64 = 200;

/// Binary logarithm of the memory that a zstd frame may ask for: 8 MiB, all that HTTP allows (RFC 9659). The library
/// would allow 128 MiB.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

type Reader = Pin<Box<dyn AsyncBufRead + Send>>;

/// The body of a response, decoded according to `Content-Encoding`, until the deadline at most.
pub struct Body {
    url: String,
    deadline: Instant,
    reader: Reader,
    wire: Arc<AtomicU64>,
    decoded: u64,
    budget: RequestBudget,
}

/// A body that was read into memory.
#[derive(Debug)]
pub struct ReadBody {
    /// Decoded, up to the requested limit.
    pub bytes: Vec<u8>,
    /// Whether there was more.
    pub truncated: bool,
    /// Why the body is incomplete, if it is.
    pub broke: Option<FetchError>,
}

impl Body {
    pub(super) async fn of(
        response: reqwest::Response,
        encodings: &str,
        deadline: Instant,
        budget: RequestBudget,
    ) -> Result<Self, FetchError> {
        let url = response.url().to_string();
        let wire = Arc::new(AtomicU64::new(0));
        let (counter, spent) = (Arc::clone(&wire), budget.clone());
        let stream = response
            .bytes_stream()
            .inspect_ok(move |chunk| {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                spent.note_bytes(chunk.len() as u64);
            })
            .map_err(io::Error::other);
        let mut reader: Reader = Box::pin(StreamReader::new(stream));
        for encoding in encodings.rsplit(',').take(3) {
            let decoding = decoder(reader, encoding.trim());
            reader = timeout_at(deadline, decoding)
                .await
                .map_err(|_| too_slow(&url))?
                .map_err(|error| broken(&url, &error))?;
        }
        Ok(Self {
            url,
            deadline,
            reader,
            wire,
            decoded: 0,
            budget,
        })
    }

    /// The next piece, up to 64 KiB; `None` at the end.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        self.budget.check_bytes(&self.url)?;
        let mut chunk = BytesMut::with_capacity(CHUNK);
        let read = timeout_at(self.deadline, self.reader.read_buf(&mut chunk))
            .await
            .map_err(|_| too_slow(&self.url))?
            .map_err(|error| broken(&self.url, &error))?;
        self.decoded += read as u64;
        let wire = self.wire_bytes();
        if self.decoded > INFLATION_FREE && self.decoded > MAX_INFLATION.saturating_mul(wire) {
            return Err(FetchError::Inflation {
                url: self.url.clone(),
                decoded: self.decoded,
                wire,
            });
        }
        Ok((read > 0).then(|| chunk.freeze()))
    }

    /// Reads up to `limit` decoded bytes; what came before a break is kept.
    pub async fn read_up_to(mut self, limit: u64) -> ReadBody {
        let mut bytes = Vec::new();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        loop {
            match self.next_chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                end => {
                    let broke = end.err();
                    return ReadBody {
                        bytes,
                        truncated: false,
                        broke,
                    };
                }
            }
            if bytes.len() > limit {
                bytes.truncate(limit);
                return ReadBody {
                    bytes,
                    truncated: true,
                    broke: None,
                };
            }
        }
    }

    /// Number of received bytes, before decoding.
    pub fn wire_bytes(&self) -> u64 {
        self.wire.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Wraps a reader in the decoder of one content coding; a body that is not gzip, whatever its header says, is
/// passed on as it is.
async fn decoder(mut reader: Reader, encoding: &str) -> io::Result<Reader> {
    Ok(match encoding.to_ascii_lowercase().as_str() {
        "gzip" | "x-gzip" if reader.fill_buf().await?.starts_with(&[0x1f, 0x8b]) => {
            let mut decoder = GzipDecoder::new(reader);
            decoder.multiple_members(true);
            buffered(decoder)
        }
        // RFC 9110, 8.4.1.2 means zlib; some servers send what the name says.
        "deflate" if is_zlib(reader.fill_buf().await?) => buffered(ZlibDecoder::new(reader)),
        "deflate" => buffered(DeflateDecoder::new(reader)),
        "br" => buffered(BrotliDecoder::new(reader)),
        "zstd" => buffered(ZstdDecoder::with_params(
            reader,
            &[DParameter::window_log_max(MAX_ZSTD_WINDOW_LOG)],
        )),
        _ => reader,
    })
}

/// RFC 1950, 2.2: method 8, and a checksum over the first two bytes.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) * 256 + u16::from(*flags)).is_multiple_of(31))
}

fn buffered(reader: impl AsyncRead + Send + 'static) -> Reader {
    Box::pin(BufReader::with_capacity(CHUNK, reader))
}

fn too_slow(url: &str) -> FetchError {
    FetchError::Timeout {
        url: url.to_owned(),
        phase: Phase::Body,
    }
}

fn broken(url: &str, error: &io::Error) -> FetchError {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<reqwest::Error>())
    {
        Some(inner) => classify(url, inner, Phase::Body),
        None => FetchError::Protocol {
            url: url.to_owned(),
            cause: format!("the content encoding is invalid: {error}"),
        },
    }
}
