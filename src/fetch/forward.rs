//! Forwards a request to one server that the settings name, and returns its response: without address guard, redirects
//! and decoding. For servers of the operator, not for sites.

use std::time::Duration;

use futures::Stream;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};

use super::body::Bytes;
use super::error::FetchSetupError;
use super::tls;

/// How long the server may take to begin its answer; the predecessor's slowest answers took about as long.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Headers of one connection, not of a message (RFC 9110, 7.6.1), and those that the next connection sets itself.
const OF_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A forwarder to one server.
#[derive(Clone, Debug)]
pub struct Forwarder {
    client: reqwest::Client,
    base: String,
}

/// The server's response; its body is still being received.
pub struct Forwarded {
    /// Its status.
    pub status: StatusCode,
    /// Its headers, without those of the connection.
    pub headers: HeaderMap,
    response: reqwest::Response,
}

/// The server did not respond.
#[derive(Debug, thiserror::Error)]
#[error("the server to which the request is forwarded does not respond")]
pub struct ForwardError(#[from] reqwest::Error);

impl Forwarder {
    /// A forwarder to a server such as `http://10.0.0.5:8000`.
    pub fn new(base: &str) -> Result<Self, FetchSetupError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(None)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .read_timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| FetchSetupError::Client(Box::new(error)))?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Passes a request on; `path` includes the query.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Forwarded, ForwardError> {
        let mut passed = of_message(headers);
        passed.insert(
            HeaderName::from_static("via"),
            HeaderValue::from_static("1.1 sitelog"),
        );
        let response = self
            .client
            .request(method, format!("{}{path}", self.base))
            .headers(passed)
            .body(body)
            .send()
            .await?;
        Ok(Forwarded {
            status: response.status(),
            headers: of_message(response.headers()),
            response,
        })
    }
}

impl Forwarded {
    /// The body as it comes.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, ForwardError>> + Send + 'static {
        use futures::TryStreamExt;
        self.response.bytes_stream().map_err(ForwardError::from)
    }
}

/// The headers that belong to the message.
fn of_message(headers: &HeaderMap) -> HeaderMap {
    let mut kept = headers.clone();
    for name in OF_CONNECTION {
        kept.remove(name);
    }
    kept
}
