//! The metadata that a provider publishes: fetched at the first sign-in, then cached for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use openidconnect::core::CoreProviderMetadata;
use openidconnect::{AsyncHttpClient, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl};
use tokio::time::Instant;

use super::SignInError;
use crate::fetch::{Direct, DirectError};

/// How long the metadata of a provider is cached.
const CACHE_TTL: Duration = Duration::from_mins(10);
/// Pause between two requests, however many people sign in.
const PAUSE: Duration = Duration::from_secs(10);

/// Sends the library's requests: no guard, as the settings name the provider, and no redirects, as the library demands.
pub(super) struct Client(Direct);

impl<'c> AsyncHttpClient<'c> for Client {
    type Error = DirectError;
    type Future = BoxFuture<'c, Result<HttpResponse, DirectError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.0.send(request).boxed()
    }
}

/// A provider; its metadata is fetched once for all sign-ins.
pub(super) struct Provider {
    issuer: String,
    client: Client,
    kept: Mutex<Kept>,
    /// One request at a time; concurrent callers share its result.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    published: Option<Arc<CoreProviderMetadata>>,
    fetched: Option<Instant>,
    /// When the last request ended, and what went wrong with it.
    asked: Option<(Instant, Option<String>)>,
}

impl Provider {
    pub(super) fn new(issuer: String, direct: Direct) -> Self {
        Self {
            issuer,
            client: Client(direct),
            kept: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
        }
    }

    /// What sends requests to it.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What it publishes: its addresses and its keys.
    pub(super) async fn published(&self) -> Result<Arc<CoreProviderMetadata>, SignInError> {
        let fresh = |kept: &Kept| {
            let is_fresh = kept.fetched.is_some_and(|at| at.elapsed() < CACHE_TTL);
            kept.published.clone().filter(|_| is_fresh)
        };
        let found = fresh(&self.kept());
        match found {
            Some(published) => Ok(published),
            None => self.refresh().await,
        }
    }

    /// The same, read again unless that was done just now: a token names a key that is not known.
    pub(super) async fn refresh(&self) -> Result<Arc<CoreProviderMetadata>, SignInError> {
        let _flight = self.flight.lock().await;
        if self.may_ask() {
            let result = self.discover().await;
            let mut kept = self.kept();
            let now = Instant::now();
            match result {
                Ok(published) => {
                    kept.published = Some(Arc::new(published));
                    kept.fetched = Some(now);
                    kept.asked = Some((now, None));
                }
                Err(reason) => {
                    tracing::warn!(
                        "Cannot read the metadata of the identity provider at {}: {reason}",
                        self.issuer
                    );
                    kept.asked = Some((now, Some(reason)));
                }
            }
        }
        let kept = self.kept();
        // Known metadata stays valid, so users can sign in while the provider's metadata is unavailable.
        kept.published.clone().ok_or_else(|| {
            let reason = kept.asked.as_ref().and_then(|(_, reason)| reason.clone());
            self.unavailable(reason.unwrap_or_default())
        })
    }

    pub(super) fn unavailable(&self, reason: String) -> SignInError {
        let issuer = self.issuer.clone();
        SignInError::Unavailable { issuer, reason }
    }

    async fn discover(&self) -> Result<CoreProviderMetadata, String> {
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| error.to_string())?;
        let published = CoreProviderMetadata::discover_async(issuer, &self.client).await;
        let published = published.map_err(|error| match error {
            DiscoveryError::Request(error) => unanswered(&self.issuer, &error),
            DiscoveryError::Response(status, ..) => format!("it answers HTTP {}", status.as_u16()),
            DiscoveryError::Parse(error) => format!("it does not return its configuration: {error}"),
            DiscoveryError::Validation(text) => {
                format!("{text}; SITELOG_OIDC__ISSUER must be exactly the issuer that the provider publishes")
            }
            other => other.to_string(),
        })?;
        if published.token_endpoint().is_none() {
            return Err("it publishes no token endpoint, so it does not offer the code flow".to_owned());
        }
        Ok(published)
    }

    fn may_ask(&self) -> bool {
        let kept = self.kept();
        let asked = kept.asked.as_ref();
        asked.is_none_or(|(at, _)| at.elapsed() >= PAUSE)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with what caused it.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The message for visitors about a request without a response; the log has the details.
pub(super) fn unanswered(issuer: &str, error: &DirectError) -> String {
    tracing::warn!(
        "The identity provider at {issuer} does not respond: {}",
        causes(error)
    );
    error.to_string()
}
