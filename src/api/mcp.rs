//! `/mcp`: the tools of the Model Context Protocol over streamable HTTP. A message is a request with a key or token like
//! any other, and the requests of a tool to the API pass the same admission again, with the same credential. There
//! are no sessions, so any process answers any message.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tower::ServiceExt;

use super::ApiState;
use super::admission::{caller_of_request, credential_in};
use super::problem::Problem;
use crate::access::{AccessError, AuthMode};
use crate::mcp::{Api, ApiAnswer, ApiRequest, ToolServer};

/// Maximum bytes of a message: enough for a thousand domains.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Maximum bytes of a response of the API; lists are requested in short pages.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The API of this process. It requires the caller's credential, as for every client.
pub struct OwnApi {
    /// `/api/v4`.
    routes: Router,
    /// The headers of the caller that are passed on.
    passed: [header::HeaderName; 2],
}

impl OwnApi {
    /// Over the documented routes.
    fn new(routes: Router) -> Self {
        Self {
            routes,
            passed: [
                header::AUTHORIZATION,
                header::HeaderName::from_static("x-tenant-id"),
            ],
        }
    }

    fn request(&self, asked: ApiRequest, caller: Option<&HeaderMap>) -> axum::http::Result<Request> {
        let mut request =
            Request::builder()
                .method(asked.method)
                .uri(format!("{}{}", super::openapi::V4, asked.path));
        let given = self
            .passed
            .iter()
            .filter_map(|name| Some((name, caller?.get(name)?)));
        for (name, value) in given {
            request = request.header(name, value);
        }
        if let Some(seconds) = asked.wait {
            request = request.header("prefer", format!("wait={seconds}"));
        }
        let Some(body) = asked.body else {
            return request.body(Body::empty());
        };
        request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
    }
}

impl Api for OwnApi {
    async fn send(&self, request: ApiRequest, caller: Option<&HeaderMap>) -> Result<ApiAnswer, String> {
        let request = self.request(request, caller);
        let request = request.map_err(|error| {
            format!("sitelog cannot build the request to its API: {error}. Check the arguments of the tool.")
        })?;
        let response = match self.routes.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), MAX_ANSWER).await;
        let body = body
            .map_err(|error| format!("sitelog cannot read the response of its API: {error}. Try again."))?;
        Ok(ApiAnswer { status, body })
    }
}

/// The API of this process, for tools that are not called over HTTP.
pub fn own_api(state: &ApiState) -> OwnApi {
    let (documented, _) = super::openapi::described(Some(state));
    OwnApi::new(documented.with_state(state.clone()))
}

/// `/mcp`, with tools over the documented routes.
pub(super) fn routes(state: &ApiState, documented: Router<ApiState>) -> Router<ApiState> {
    let tools = ToolServer::new(OwnApi::new(documented.with_state(state.clone())));
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_MESSAGE)
        .with_cancellation_token(state.watch.stop())
        // `browser` checks hosts and origins, for every route.
        .disable_allowed_hosts();
    let service = StreamableHttpService::new(
        move || Ok(tools.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    Router::new()
        .route_service("/mcp", service)
        .route_layer(from_fn_with_state(state.clone(), admit))
}

/// Admits a message whose credential may read. Whether it may also use a tool is checked when the tool runs.
async fn admit(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_anonymous = credential_in(headers).is_none();
    // A browser's session is not accepted here: another website could use it.
    let admitted = if is_anonymous && state.access.mode() == AuthMode::Required {
        Err(Problem::from(AccessError::Missing))
    } else {
        caller_of_request(&state, &Method::GET, headers).await.map(|_| ())
    };
    match admitted {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
