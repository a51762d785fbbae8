//! Object stores (S3) that the operator names: sends the requests of the S3 library with our client. No address guard
//! and no redirects, because they are not sites; with limits.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use super::error::FetchSetupError;
use super::tls;

/// How long a store may be silent during a transfer.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long it takes to reach it.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer: it confirms a part, and is never large.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The client of object stores; clones share its connections.
#[derive(Clone, Debug)]
pub struct StorageClient {
    client: reqwest::Client,
}

/// The response of a store is too large.
#[derive(Debug, thiserror::Error)]
#[error("the response has more than {MAX_ANSWER_BYTES} bytes")]
struct TooLarge;

impl StorageClient {
    /// A client that trusts an additional certificate authority.
    pub fn new(extra_ca: Option<&Path>) -> Result<Self, FetchSetupError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(extra_ca)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(IDLE_TIMEOUT)
            .build()
            .map_err(|error| FetchSetupError::Client(Box::new(error)))?;
        Ok(Self { client })
    }
}

impl HttpConnector for StorageClient {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for StorageClient {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let request = http::Request::from_parts(parts, reqwest::Body::wrap(body));
        let request = request.try_into().map_err(failed)?;
        let answer = self.client.execute(request).await.map_err(failed)?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(failed)?);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(HttpError::new(HttpErrorKind::Decode, TooLarge));
            }
        }
        let response = response.body(body.into());
        response.map_err(|error| HttpError::new(HttpErrorKind::Decode, error))
    }
}

/// What kind of failure it is decides whether the library repeats the request.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_request() || error.is_body() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    // The library names the address itself.
    HttpError::new(kind, error.without_url())
}
