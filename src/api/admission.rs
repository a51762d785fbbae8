//! Admission: each request below `/api/v4` needs a key or token with the scope for its method, acts for one tenant,
//! and counts against that tenant's rate limit. The handlers get a [`Caller`]; without one they refuse to answer.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ApiState;
use super::browser;
use super::problem::{Problem, ProblemCode};
use super::recheck::run_while_admitted;
use super::request::idempotency_key_in;
use crate::access::{AccessError, Admission, AuthMode, Caller, RateLimitStatus, Scope};
use crate::values::TenantId;

/// Passes a request to its handler, or refuses it.
pub(super) async fn admit(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let caller = match caller_of_request(&state, request.method(), request.headers()).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let rate_limit = match check_rate_limit(&state, caller.tenant).await {
        Ok(rate_limit) => rate_limit,
        Err(refusal) => return refusal.into_response(),
    };
    // Checked here for all routes: idempotent routes do not use the key, and still refuse an invalid one.
    if let Err(problem) = idempotency_key_in(request.headers()) {
        return problem.into_response();
    }
    request.extensions_mut().insert(caller.clone());
    let response = run_while_admitted(&state, &caller, request, next).await;
    let mut response = response.unwrap_or_else(Problem::into_response);
    add_rate_limit_headers(rate_limit, response.headers_mut());
    response
}

/// The same for resources that only operators may read.
pub(super) async fn admit_operator(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match caller_of_request(&state, request.method(), request.headers()).await {
        Ok(caller) if caller.may(Scope::Operator) => next.run(request).await,
        Ok(_) => Problem::insufficient_scope(Scope::Operator).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// The caller, with the tenant that it acts for and a scope that covers the method.
pub(crate) async fn caller_of_request(
    state: &ApiState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    if state.access.mode() == AuthMode::Off {
        return Ok(Caller::anyone(tenant_in(headers)?.unwrap_or(TenantId::DEFAULT)));
    }
    let mut caller = match (credential_in(headers), session_in(headers)) {
        (Some(credential), _) => state.access.identify(credential).await?,
        (None, Some(token)) => {
            require_own_page(method, headers)?;
            state.access.identify_session(token).await?
        }
        (None, None) => return Err(AccessError::Missing.into()),
    };
    if let Some(named) = tenant_in(headers)? {
        if !caller.may_act_for(named) {
            let detail = "The header X-Tenant-Id names a tenant other than that of the key or token.";
            return Err(Problem::of(ProblemCode::WrongTenant, detail));
        }
        caller.tenant = named;
    }
    let wanted = match *method {
        Method::GET | Method::HEAD => Scope::Read,
        _ => Scope::Write,
    };
    if caller.may(wanted) {
        Ok(caller)
    } else {
        Err(Problem::insufficient_scope(wanted))
    }
}

/// The tenant in the header `X-Tenant-Id`, if present.
pub(super) fn tenant_in(headers: &HeaderMap) -> Result<Option<TenantId>, Problem> {
    let Some(value) = headers.get("x-tenant-id") else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        Problem::of(
            ProblemCode::InvalidTenant,
            "The header X-Tenant-Id must be a UUID.",
        )
    })
}

/// The cookie of a browser in which a user has signed in.
pub const SESSION_COOKIE: &str = "sitelog_session";

/// The session's token, if a browser sends one.
pub fn session_in(headers: &HeaderMap) -> Option<&str> {
    cookie_in(headers, SESSION_COOKIE)
}

/// What a browser keeps under a name (RFC 6265, 5.4).
pub(crate) fn cookie_in<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let mut named = pairs.filter_map(|pair| pair.trim().split_once('='));
    named.find_map(|(name, value)| (name == wanted).then_some(value))
}

/// A browser sends its cookie with requests from any page. So a request that changes something must come from our own pages.
fn require_own_page(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    browser::require_own_page(headers)
}

/// The credential in `Authorization: Bearer`, if the header is present; with another scheme it is empty and invalid.
pub(super) fn credential_in(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, credential) = value.trim().split_once(' ').unwrap_or((value, ""));
    Some(if scheme.eq_ignore_ascii_case("bearer") {
        credential.trim()
    } else {
        ""
    })
}

/// A request that is not admitted, with the state of its rate limit.
pub(crate) struct Refusal {
    /// The answer.
    pub(crate) problem: Problem,
    rate_limit: Option<RateLimitStatus>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.problem.into_response();
        if let Some(rate_limit) = self.rate_limit {
            add_rate_limit_headers(rate_limit, response.headers_mut());
        }
        response
    }
}

/// Counts one request against a tenant's rate limit.
pub(crate) async fn check_rate_limit(state: &ApiState, tenant: TenantId) -> Result<RateLimitStatus, Refusal> {
    let admission = state
        .access
        .tenants()
        .admit(tenant)
        .await
        .map_err(|error| Refusal {
            problem: error.into(),
            rate_limit: None,
        })?;
    match admission {
        Admission::Granted(rate_limit) => Ok(rate_limit),
        Admission::Refused(rate_limit, seconds) => Err(Refusal {
            problem: Problem::too_many_requests(u32::try_from(seconds).unwrap_or(u32::MAX)),
            rate_limit: Some(rate_limit),
        }),
    }
}

/// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn add_rate_limit_headers(rate_limit: RateLimitStatus, headers: &mut HeaderMap) {
    let RateLimitStatus {
        limit,
        remaining,
        reset,
    } = rate_limit;
    let said = [
        ("ratelimit-policy", format!("\"requests\";q={limit};w=60")),
        ("ratelimit", format!("\"requests\";r={remaining};t={reset}")),
    ];
    for (name, value) in said {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The admitted caller. Without one the routes are misconfigured, and the response is an internal error.
pub(crate) fn admitted(extensions: &Extensions) -> Result<&Caller, Problem> {
    extensions.get::<Caller>().ok_or_else(|| {
        tracing::error!("A route lacks the authentication layer");
        Problem::internal()
    })
}

/// A caller who may manage the tenant's keys.
pub struct Administrator(pub Caller);

impl<S: Sync> FromRequestParts<S> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = admitted(&parts.extensions)?;
        if !caller.may(Scope::Admin) {
            return Err(Problem::insufficient_scope(Scope::Admin));
        }
        Ok(Self(caller.clone()))
    }
}

/// A caller who may operate the service.
pub struct Operator(pub Caller);

impl<S: Sync> FromRequestParts<S> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = admitted(&parts.extensions)?;
        if !caller.may(Scope::Operator) {
            return Err(Problem::insufficient_scope(Scope::Operator));
        }
        Ok(Self(caller.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_stands_behind_bearer() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            credential_in(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc").as_deref(), Some(""));
        assert_eq!(of("Bearer").as_deref(), Some(""));
        assert_eq!(credential_in(&HeaderMap::new()), None);
    }
}
