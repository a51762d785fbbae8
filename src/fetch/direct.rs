//! Requests to servers that the settings name, such as the issuer of tokens: without address guard and redirects, with
//! limits. For servers of the operator, not for sites.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use http::{Request, Response};

use super::error::FetchSetupError;
use super::tls;

/// The time limit of a response.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum bytes of a response.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// A client for servers of the settings; clones share its connections.
#[derive(Clone, Debug)]
pub struct Direct {
    client: reqwest::Client,
}

/// There is no usable response.
#[derive(Debug, thiserror::Error)]
pub enum DirectError {
    /// The server did not respond.
    #[error("the server does not respond")]
    NoAnswer(#[from] reqwest::Error),
    /// The response is too large.
    #[error("the response has more than {MAX_ANSWER_BYTES} bytes")]
    TooLarge,
    /// The request is invalid.
    #[error("the request is invalid")]
    Request(#[from] http::Error),
}

impl Direct {
    /// A client that trusts an additional certificate authority.
    pub fn new(extra_ca: Option<&Path>) -> Result<Self, FetchSetupError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(extra_ca)?)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| FetchSetupError::Client(Box::new(error)))?;
        Ok(Self { client })
    }

    /// Sends a request, and reads the whole response, whatever its status.
    pub async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, DirectError> {
        let answer = self.client.execute(request.try_into()?).await?;
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece?);
            if body.len() > MAX_ANSWER_BYTES {
                return Err(DirectError::TooLarge);
            }
        }
        Ok(response.body(body)?)
    }
}
