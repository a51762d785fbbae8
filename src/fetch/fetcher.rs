//! Fetches one URL and follows its redirects. The guard checks each hop.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use reqwest::dns::Resolve;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HOST, HeaderMap, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LOCATION,
};
use tokio::time::{Instant, sleep_until, timeout_at};
use url::{Host, Url};

use super::body::Body;
use super::budget::{Cost, RequestBudget};
use super::certificate::Seen;
use super::error::{FetchError, FetchSetupError, Phase};
use super::guard::{Guard, GuardedResolve};
use super::headers::Headers;
use super::send_error::classify;
use super::settings::FetchSettings;
use super::throttle::Throttle;
use super::tls::{Tls, tls};
use crate::traces;
use crate::values::revisit::{KnownFile, Validators};

const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Fetches URLs. Cheap to clone; all clones share one connection pool and one throttle.
#[derive(Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    inner: Arc<Inner>,
    budget: RequestBudget,
    seen: Arc<Seen>,
}

struct Inner {
    tls: Tls,
    guard: Arc<Guard>,
    /// The only source of addresses for the client.
    addresses: Arc<dyn Resolve>,
    throttle: Throttle,
    settings: FetchSettings,
}

/// The limits of one request.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The deadline, body included.
    pub deadline: Instant,
    /// Redirects followed.
    pub redirects: usize,
}

/// The answer after all redirects.
#[derive(Debug)]
pub struct Answer {
    /// The server.
    pub url: Url,
    /// The URLs that redirected here, in order.
    pub redirected_from: Vec<Url>,
    /// HTTP status.
    pub status: u16,
    /// Whether it is the known file (304, after a conditional request). Then there is no body.
    pub not_modified: bool,
    /// The header of the last answer.
    pub headers: Headers,
    /// Not read yet.
    pub body: Body,
}

impl Fetcher {
    /// A fetcher with the given settings.
    pub fn new(settings: FetchSettings) -> Result<Self, FetchSetupError> {
        let guard = Guard::new(&settings)?;
        Self::guarded_by(guard, settings)
    }

    /// A fetcher behind a guard that was made before.
    pub(super) fn guarded_by(guard: Guard, settings: FetchSettings) -> Result<Self, FetchSetupError> {
        Self::watched(guard, settings, |guarded| Arc::new(guarded))
    }

    /// The same, with something between the guard and the client that sees which addresses are given out.
    pub(super) fn watched(
        guard: Guard,
        settings: FetchSettings,
        watch: impl FnOnce(GuardedResolve) -> Arc<dyn Resolve>,
    ) -> Result<Self, FetchSetupError> {
        let guard = Arc::new(guard);
        let inner = Inner {
            tls: tls(settings.extra_ca.as_deref())?,
            addresses: watch(GuardedResolve(Arc::clone(&guard))),
            guard,
            throttle: Throttle::new(settings.per_host_delay),
            settings,
        };
        let seen = Arc::default();
        Ok(Self {
            client: client(&inner, &seen)?,
            inner: Arc::new(inner),
            budget: RequestBudget::unlimited(),
            seen,
        })
    }

    /// The same with a separate connection pool and budget, for one attempt at a site; its connections close with it.
    /// If they were kept open, the connections of thousands of sites would fill the memory.
    pub fn visit(&self) -> Result<Self, FetchSetupError> {
        let seen = Arc::default();
        Ok(Self {
            client: client(&self.inner, &seen)?,
            inner: Arc::clone(&self.inner),
            budget: RequestBudget::new(&self.inner.settings),
            seen,
        })
    }

    /// The same attempt with a share of its budget, for a part of it.
    #[must_use]
    pub fn with_share(&self, numerator: u64, denominator: u64) -> Self {
        Self {
            budget: self.budget.share(numerator, denominator),
            ..self.clone()
        }
    }

    /// The cost of the attempt so far.
    pub fn cost(&self) -> Cost {
        self.budget.cost()
    }

    /// The settings it was made with.
    pub fn settings(&self) -> &FetchSettings {
        &self.inner.settings
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.inner.guard
    }

    /// Keeps requests to a host further apart than the settings ask for, from the next one on: its `Crawl-delay`.
    pub fn set_delay(&self, host: &str, delay: Duration) {
        self.inner.throttle.set_delay(host, delay);
    }

    /// Whether requests to a host are spaced.
    pub fn has_delay(&self, host: &str) -> bool {
        self.inner.throttle.has_delay(host)
    }

    /// Fetches a URL. Any status that is not a redirect is a response, 500 as well as 200.
    pub async fn get(&self, url: &Url, limits: Limits) -> Result<Answer, FetchError> {
        self.get_if_changed(url, limits, None).await
    }

    /// The same for a file that may be known: a server that says that it is still the same (304) sends no content.
    ///
    /// The validators go to the URL that they came from and to no other, so a redirect to elsewhere is read as what it
    /// is. A 304 for another `ETag` than that of the request (RFC 9110, 15.4.5) is not believed, and the file is
    /// requested again without condition; a 304 without a condition is an answer without content like any other.
    pub async fn get_if_changed(
        &self,
        url: &Url,
        limits: Limits,
        known: Option<&KnownFile>,
    ) -> Result<Answer, FetchError> {
        let mut here = bare(url.clone());
        let mut redirected_from = Vec::new();
        loop {
            let condition = known
                .filter(|known| known.url == here.as_str())
                .map(|known| &known.validators);
            let mut response = self.send(&here, limits.deadline, condition).await?;
            let is_304 = response.status() == reqwest::StatusCode::NOT_MODIFIED;
            let mut not_modified = false;
            if let (Some(condition), true) = (condition, is_304) {
                not_modified = is_about(&response, condition);
                if !not_modified {
                    response = self.send(&here, limits.deadline, None).await?;
                }
            }
            let Some(next) = redirect_target(&response, &here) else {
                let answer = self.answer(response, here, redirected_from, limits.deadline);
                return Ok(Answer {
                    not_modified,
                    ..answer.await?
                });
            };
            redirected_from.push(here);
            let fault = |how: String| FetchError::Redirects {
                url: url.to_string(),
                how,
            };
            if redirected_from.contains(&next) {
                return Err(fault(format!("in a loop, back to {next}")));
            }
            if redirected_from.len() > limits.redirects {
                return Err(fault(format!("more than {} times", limits.redirects)));
            }
            here = next;
        }
    }

    /// One request, no redirect followed, with its span.
    async fn send(
        &self,
        url: &Url,
        deadline: Instant,
        condition: Option<&Validators>,
    ) -> Result<reqwest::Response, FetchError> {
        let traced = traces::fetch();
        let answered = self.send_once(url, deadline, condition).await;
        if let Some(traced) = traced {
            let mut attributes = vec![KeyValue::new("url.full", url.to_string())];
            let error = match &answered {
                Ok(response) => {
                    let status = i64::from(response.status().as_u16());
                    attributes.push(KeyValue::new("http.response.status_code", status));
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            traced.end(attributes, error);
        }
        answered
    }

    async fn send_once(
        &self,
        url: &Url,
        deadline: Instant,
        condition: Option<&Validators>,
    ) -> Result<reqwest::Response, FetchError> {
        let Inner {
            throttle, settings, ..
        } = &*self.inner;
        let too_slow = |_| FetchError::Timeout {
            url: url.to_string(),
            phase: Phase::FirstByte,
        };
        timeout_at(deadline, self.check(url)).await.map_err(too_slow)??;
        self.budget.take_request(url.as_str())?;
        // Do not wait for a turn that comes too late.
        let turn = throttle.reserve(url.host_str().unwrap_or_default(), Instant::now(), deadline);
        sleep_until(turn.ok_or_else(|| FetchError::Timeout {
            url: url.to_string(),
            phase: Phase::Turn,
        })?)
        .await;
        let mut request = self.client.get(url.clone());
        if let Some((bare, host)) = self.without_port_if_pinned(url) {
            request = self.client.get(bare).header(HOST, host);
        }
        for (name, value) in [
            (IF_NONE_MATCH, condition.and_then(|known| known.etag.as_ref())),
            (
                IF_MODIFIED_SINCE,
                condition.and_then(|known| known.last_modified.as_ref()),
            ),
        ] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let first_byte = deadline.min(Instant::now() + settings.first_byte_timeout);
        timeout_at(first_byte, request.send())
            .await
            .map_err(too_slow)?
            .map_err(|error| classify(url.as_str(), &error.without_url(), Phase::FirstByte))
    }

    /// Sends a request once; redirects are not followed.
    pub async fn post(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: bytes::Bytes,
        deadline: Instant,
    ) -> Result<Answer, FetchError> {
        let url = bare(url.clone());
        let too_slow = |_| FetchError::Timeout {
            url: url.to_string(),
            phase: Phase::FirstByte,
        };
        timeout_at(deadline, self.check(&url)).await.map_err(too_slow)??;
        let mut request = self.client.post(url.clone());
        if let Some((bare, host)) = self.without_port_if_pinned(&url) {
            request = self.client.post(bare).header(HOST, host);
        }
        request = request
            .header(ACCEPT, "*/*")
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = timeout_at(deadline, request.body(body).send())
            .await
            .map_err(too_slow)?
            .map_err(|error| classify(url.as_str(), &error.without_url(), Phase::FirstByte))?;
        self.answer(response, url, Vec::new(), deadline).await
    }

    /// Whether a URL may be requested. Without a proxy its addresses are checked as the client gets them; through one,
    /// before.
    async fn check(&self, url: &Url) -> Result<(), FetchError> {
        let Inner { guard, settings, .. } = &*self.inner;
        guard.check(url).await?;
        if let Some(proxy) = &settings.proxy
            && !settings.proxy_resolves
            && let Some(Host::Domain(name)) = url.host()
        {
            guard.check_through(proxy, name).await?;
        }
        Ok(())
    }

    async fn answer(
        &self,
        response: reqwest::Response,
        url: Url,
        redirected_from: Vec<Url>,
        deadline: Instant,
    ) -> Result<Answer, FetchError> {
        let headers = Headers::from(response.headers());
        self.budget.note_bytes(headers.bytes());
        let encodings: Vec<&str> = headers
            .iter()
            .filter(|(name, _)| *name == "content-encoding")
            .map(|(_, value)| value)
            .collect();
        Ok(Answer {
            status: response.status().as_u16(),
            not_modified: false,
            body: Body::of(response, &encodings.join(","), deadline, self.budget.clone()).await?,
            headers,
            url,
            redirected_from,
        })
    }

    /// The client prefers the port of a URL to that of the resolver, so a pinned host is requested without it.
    fn without_port_if_pinned(&self, url: &Url) -> Option<(Url, String)> {
        let (host, port) = (url.host_str()?, url.port()?);
        self.inner.guard.pinned(host)?;
        let mut bare = url.clone();
        bare.set_port(None).ok()?;
        Some((bare, format!("{host}:{port}")))
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

fn client(inner: &Inner, seen: &Arc<Seen>) -> Result<reqwest::Client, FetchSetupError> {
    let settings = &inner.settings;
    let mut headers = HeaderMap::new();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    );
    headers.insert(
        ACCEPT_ENCODING,
        HeaderValue::from_static("gzip, br, zstd, deflate"),
    );
    // Never the proxy of the environment.
    let mut builder = reqwest::Client::builder().no_proxy();
    if let Some(proxy) = &settings.proxy {
        let (guard, proxy) = (Arc::clone(&inner.guard), proxy.url().clone());
        builder = builder.proxy(reqwest::Proxy::custom(move |url| {
            let is_pinned = url.host_str().is_some_and(|host| guard.pinned(host).is_some());
            (!is_pinned).then(|| proxy.clone())
        }));
    }
    builder
        .user_agent(&settings.user_agent)
        .default_headers(headers)
        .tls_backend_preconfigured(inner.tls.watched(Arc::clone(seen)))
        .dns_resolver(Arc::clone(&inner.addresses))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(settings.connect_timeout)
        .pool_max_idle_per_host(1)
        .pool_idle_timeout(Duration::from_secs(10))
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http1_max_headers(200)
        .http1_ignore_invalid_headers_in_responses(true)
        .build()
        .map_err(|error| FetchSetupError::Client(error.into()))
}

/// Whether a 304 refers to the file of the conditional request: it names no `ETag`, or the same one by weak comparison
/// (RFC 9110, 8.8.3.2).
fn is_about(response: &reqwest::Response, asked_by: &Validators) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let received = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok());
    match (received, &asked_by.etag) {
        (Some(received), Some(asked)) => opaque(received) == opaque(asked),
        _ => true,
    }
}

/// The target of a redirect, if the response is one and its URL can be parsed.
fn redirect_target(response: &reqwest::Response, here: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    here.join(location.trim()).ok().map(bare)
}

/// A URL as it is requested: without a fragment, and without a name and password, which would be sent along.
fn bare(mut url: Url) -> Url {
    url.set_fragment(None);
    // Refused only for URLs without a host, which the guard refuses.
    let (_no_host, _no_host_either) = (url.set_username(""), url.set_password(None));
    url
}
