//! Forwards to the old backend: the routes and services that the settings name, and ids that only the old backend
//! knows.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::error::LegacyError;
use super::settings::BackendSettings;
use crate::api::ApiState;
use crate::fetch::Forwarder;

/// Parts of the service that can be handed back to the old backend as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// The scan engine: single scans are requested.
    Scans,
    /// Lists are requested.
    Batches,
    /// The progress of scans and lists.
    Statuses,
    /// The known domains.
    Domains,
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        match name {
            "scans" => Some(Self::Scans),
            "batches" => Some(Self::Batches),
            "statuses" => Some(Self::Statuses),
            "domains" => Some(Self::Domains),
            _ => None,
        }
    }
}

/// Every route that can be handed back to the old backend, and the service it belongs to.
#[rustfmt::skip]
const ROUTES: [(&str, Service); 32] = [
    ("POST /api/v1/scrapersky", Service::Scans),
    ("GET /api/v1/status/{job_id}", Service::Statuses),
    ("POST /api/v1/batch", Service::Batches),
    ("GET /api/v1/batch/status/{batch_id}", Service::Statuses),
    ("GET /api/v1/batch/{batch_id}/status", Service::Statuses),
    ("POST /api/v1/sitemap/scrapersky", Service::Scans),
    ("POST /api/v1/sitemap/scan", Service::Scans),
    ("GET /api/v1/sitemap/status/{job_id}", Service::Statuses),
    ("POST /api/v1/sitemap/batch", Service::Batches),
    ("GET /api/v1/sitemap/batch/{batch_id}/status", Service::Statuses),
    ("GET /api/v1/sitemap/batch/status/{batch_id}", Service::Statuses),
    ("POST /api/v2/page_scraper/scan", Service::Scans),
    ("GET /api/v2/page_scraper/status/{job_id}", Service::Statuses),
    ("POST /api/v2/page_scraper/batch", Service::Batches),
    ("GET /api/v2/page_scraper/batch/{batch_id}/status", Service::Statuses),
    ("POST /api/v3/modernized_page_scraper/scan", Service::Scans),
    ("POST /api/v3/modernized_page_scraper/batch", Service::Batches),
    ("GET /api/v3/modernized_page_scraper/status/{job_id}", Service::Statuses),
    ("GET /api/v3/modernized_page_scraper/batch/{batch_id}/status", Service::Statuses),
    ("POST /api/v3/batch_page_scraper/scan", Service::Scans),
    ("POST /api/v3/batch_page_scraper/batch", Service::Batches),
    ("GET /api/v3/batch_page_scraper/status/{job_id}", Service::Statuses),
    ("GET /api/v3/batch_page_scraper/batch/{batch_id}/status", Service::Statuses),
    ("POST /api/v3/sitemap/scan", Service::Scans),
    ("GET /api/v3/sitemap/status/{job_id}", Service::Statuses),
    ("POST /api/v3/sitemap/batch/create", Service::Batches),
    ("GET /api/v3/sitemap/batch/status/{batch_id}", Service::Statuses),
    ("GET /api/v3/domains", Service::Domains),
    ("POST /api/v3/domains/direct-submit", Service::Domains),
    ("POST /api/v3/domains/import-csv", Service::Domains),
    ("GET /api/v3/batch_page_scraper/health", Service::Statuses),
    ("GET /api/v3/batch_page_scraper/test_background_task", Service::Statuses),
];

/// Marks a response that says that the id is unknown here.
#[derive(Clone, Copy, Debug)]
pub(in crate::api::legacy) struct UnknownHere;

/// The old backend, and the requests that it answers.
#[derive(Debug)]
pub(in crate::api::legacy) struct Backend {
    forwarder: Forwarder,
    token: Option<HeaderValue>,
    routes: HashSet<&'static str>,
}

/// Why the old backend cannot be used; the message names the error.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// A word names neither a route nor a service.
    #[error(
        "'{0}' is neither a service (scans, batches, statuses, domains) nor a route such as 'POST /api/v1/batch'"
    )]
    NoSuchRoute(String),
    /// The token cannot be in a header.
    #[error("the token has characters that a header cannot contain")]
    Token,
    /// The client cannot be made.
    #[error(transparent)]
    Client(#[from] crate::fetch::FetchSetupError),
}

impl Backend {
    pub(in crate::api::legacy) fn new(settings: &BackendSettings) -> Result<Self, BackendError> {
        let mut routes = HashSet::new();
        for word in &settings.answers {
            let service = Service::named(word);
            let named = |(route, of): &&(&'static str, Service)| *route == word || service == Some(*of);
            let before = routes.len();
            routes.extend(ROUTES.iter().filter(named).map(|(route, _)| *route));
            if routes.len() == before && service.is_none() && !routes.contains(word.as_str()) {
                return Err(BackendError::NoSuchRoute(word.clone()));
            }
        }
        let token = settings.token.as_ref().map(|token| {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| BackendError::Token)?;
            value.set_sensitive(true);
            Ok::<_, BackendError>(value)
        });
        Ok(Self {
            forwarder: Forwarder::new(&settings.url)?,
            token: token.transpose()?,
            routes,
        })
    }

    fn answers(&self, method: &Method, template: &str) -> bool {
        // What was mounted twice is one route.
        let template = template.replacen("/api/v3/api/v3/", "/api/v3/", 1);
        self.routes.contains(format!("{method} {template}").as_str())
    }

    async fn forward(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: bytes::Bytes,
    ) -> Response {
        if let Some(token) = &self.token {
            headers.insert(header::AUTHORIZATION, token.clone());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        match self.forwarder.send(method, path, &headers, body).await {
            Ok(answer) => {
                let (status, headers) = (answer.status, answer.headers.clone());
                let mut response = Response::new(Body::from_stream(answer.into_stream()));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "The old backend does not answer"
                );
                LegacyError::new(StatusCode::BAD_GATEWAY, "The old backend does not answer").into_response()
            }
        }
    }
}

/// Forwards these routes to the old backend if the settings say so. The caller was admitted before.
pub(in crate::api::legacy) fn switchable(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    match &state.legacy.backend {
        None => routes,
        Some(backend) => routes.route_layer(from_fn_with_state((state.clone(), Arc::clone(backend)), switch)),
    }
}

async fn switch(
    State((state, backend)): State<(ApiState, Arc<Backend>)>,
    matched: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    // The whole path, also within a nest.
    let uri = request
        .extensions()
        .get::<axum::extract::OriginalUri>()
        .map_or_else(|| request.uri().clone(), |original| original.0.clone());
    if backend.answers(&method, matched.as_str()) {
        return match state.limits.bodies.read(&headers, request.into_body()).await {
            Ok(body) => backend.forward(method, &uri, headers, body.bytes.clone()).await,
            Err(problem) => LegacyError::from(problem).into_response(),
        };
    }
    let is_status = method == Method::GET && matched.as_str().contains("/status");
    let answer = next.run(request).await;
    if is_status
        && (answer.status() == StatusCode::NOT_FOUND || answer.extensions().get::<UnknownHere>().is_some())
    {
        // Started there before the switch.
        return backend.forward(method, &uri, headers, bytes::Bytes::new()).await;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(answers: &[&str]) -> Result<Backend, BackendError> {
        Backend::new(&BackendSettings {
            url: "http://127.0.0.1:1".into(),
            token: None,
            answers: answers.iter().map(|word| (*word).to_owned()).collect(),
        })
    }

    #[test]
    fn a_service_is_all_its_routes_and_a_route_is_itself_under_both_prefixes() {
        let set = backend(&["batches", "GET /api/v3/sitemap/status/{job_id}"]).unwrap();
        assert!(set.answers(&Method::POST, "/api/v1/batch"));
        assert!(set.answers(&Method::POST, "/api/v3/api/v3/sitemap/batch/create"));
        assert!(set.answers(&Method::GET, "/api/v3/sitemap/status/{job_id}"));
        assert!(!set.answers(&Method::POST, "/api/v1/scrapersky"));
        assert!(!set.answers(&Method::GET, "/api/v1/status/{job_id}"));
    }

    #[test]
    fn a_word_that_names_nothing_is_refused() {
        assert!(matches!(
            backend(&["scans", "POST /api/v1/bach"]),
            Err(BackendError::NoSuchRoute(word)) if word == "POST /api/v1/bach"
        ));
    }
}
