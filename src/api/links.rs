//! `GET /links/{token}`: an export for programs that cannot send a key. The token is the credential. The export was
//! chosen when the link was created.

use std::sync::OnceLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use tower::ServiceExt;

use super::ApiState;
use super::admission::check_rate_limit;
use super::openapi::{V4, unguarded};
use super::problem::{Problem, ProblemCode};
use crate::access::links::{LinkToken, opened};
use crate::access::{Caller, Scope, Scopes};
use crate::export::Format;
use crate::values::TenantId;

/// Bytes of a problem.
const MAX_PROBLEM: usize = 64 * 1024;

/// The one route.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/links/{token}", get(show))
}

async fn show(State(state): State<ApiState>, Path(file): Path<String>) -> Result<Response, Problem> {
    let token = file.split('.').next().unwrap_or_default();
    let found = opened(state.access.pool(), &LinkToken::shown(token)).await?;
    let (tenant, link, path) = found.ok_or_else(|| Problem::not_found("link"))?;
    check_rate_limit(&state, tenant)
        .await
        .map_err(|refusal| refusal.problem)?;
    let mut response = read(&state, tenant, &format!("link:{link}"), &path).await?;
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    Ok(response)
}

/// Checks the path of an export and returns its format. It reads one row to find out whether the export is possible.
pub(crate) async fn check(state: &ApiState, tenant: TenantId, path: &str) -> Result<Format, Problem> {
    let refused = |detail: &str| Problem::of(ProblemCode::InvalidField, format!("path: {detail}."));
    let uri: Option<Uri> = path.parse().ok().filter(|_| path.starts_with('/'));
    let uri = uri.ok_or_else(|| refused("it must be a path below /api/v4, such as /domains?format=csv"))?;
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let pairs: Vec<_> = pairs.into_owned().collect();
    let formats: Vec<_> = pairs.iter().filter(|(name, _)| name == "format").collect();
    let format = match formats[..] {
        [(_, value)] => value.parse::<Format>().ok(),
        _ => None,
    };
    let format = format.ok_or_else(|| {
        refused("it must name the format of the export, once: format=csv, ndjson, xlsx or parquet")
    })?;
    let query = short(&pairs);
    let answer = read(state, tenant, "link", &format!("{}?{query}", uri.path())).await?;
    let status = answer.status();
    if status == StatusCode::OK {
        let kind = answer.headers().get(header::CONTENT_TYPE);
        return if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/csv")) {
            Ok(format)
        } else {
            Err(refused("it is not a list that can be exported"))
        };
    }
    // The problem of that export is the problem of the link.
    let body = to_bytes(answer.into_body(), MAX_PROBLEM)
        .await
        .unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    Err(refused(
        problem["detail"]
            .as_str()
            .unwrap_or("there is no list at this path")
            .trim_end_matches('.'),
    ))
}

/// The query of the same list as CSV, limited to one row unless it has a limit.
fn short(pairs: &[(String, String)]) -> String {
    let others = pairs.iter().filter(|(name, _)| name != "format");
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(others).append_pair("format", "csv");
    if pairs.iter().all(|(name, _)| name != "limit") {
        query.append_pair("limit", "1");
    }
    query.finish()
}

/// Requests a path of the API as a caller with the scope `read` for a tenant.
async fn read(state: &ApiState, tenant: TenantId, actor: &str, path: &str) -> Result<Response, Problem> {
    static ROUTES: OnceLock<Router<ApiState>> = OnceLock::new();
    let routes = ROUTES.get_or_init(unguarded).clone().with_state(state.clone());
    let request = Request::get(format!("{V4}{path}")).body(Body::empty());
    let mut request = request.map_err(|_| Problem::not_found("path"))?;
    request.extensions_mut().insert(Caller {
        tenant,
        actor: actor.to_owned(),
        name: None,
        scopes: Scopes::from_iter([Scope::Read]),
    });
    match routes.oneshot(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
