//! Sign-in with a provider (OpenID Connect): the browser goes to the provider and returns with a code. The state of
//! the sign-in, and the page to show afterwards, are in a separate cookie.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use maud::html;

use super::sign_in::{Wanted, form, is_encrypted, own_path, set_cookie, signed_in};
use crate::access::oidc::{AuthorizationResponse, PendingSignIn};
use crate::access::{AuthMode, SignIn, SignInError, sessions};
use crate::api::ApiState;
use crate::api::admission::cookie_in;
use crate::api::problem::Problem;

/// Where a sign-in begins.
pub(super) const PROVIDER_PATH: &str = "/sign-in/oidc";
/// The cookie that a browser keeps meanwhile.
const COOKIE: &str = "sitelog_sign_in";
/// The maximum time at the provider, in seconds.
const MAX_AGE_SECONDS: u64 = 600;
/// Characters of the path afterwards at most; a longer one is forgotten.
const MAX_NEXT: usize = 1000;

/// Sends the browser to the provider.
pub(super) async fn begin(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    if state.access.mode() == AuthMode::Off {
        return Ok(Redirect::to("/").into_response());
    }
    let provider = provider(&state)?;
    let next = own_path(wanted.next.as_deref());
    match provider.begin().await {
        Ok((address, begun)) => {
            let path = if next.len() > MAX_NEXT { "/" } else { next.as_str() };
            let kept = format!("{}.{}", begun.to_cookie(), URL_SAFE_NO_PAD.encode(path));
            let mut response = Redirect::to(address.as_str()).into_response();
            keep(&mut response, &kept, MAX_AGE_SECONDS, provider, &headers);
            Ok(response)
        }
        Err(error) => Ok(error_page(&state, &next, &error)),
    }
}

/// Handles the provider's response and creates a session.
pub(super) async fn complete(
    State(state): State<ApiState>,
    headers: HeaderMap,
    returned: Result<Query<AuthorizationResponse>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let provider = provider(&state)?;
    let kept = cookie_in(&headers, COOKIE).and_then(|kept| kept.rsplit_once('.'));
    let next = kept.and_then(|(_, next)| String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok());
    let next = own_path(next.as_deref());
    let Query(returned) = returned.unwrap_or_default();
    let begun = kept.and_then(|(begun, _)| PendingSignIn::from_cookie(begun));
    let mut response = match open(&state, provider, begun, &returned).await {
        Ok(token) => {
            let lifetime = sessions::LIFETIME_OF_PEOPLE.as_secs();
            let is_encrypted = provider.is_encrypted() || is_encrypted(&headers);
            signed_in(&next, &token, lifetime, is_encrypted)
        }
        Err(SignInError::Access(error)) => return Err(error.into()),
        Err(error) => error_page(&state, &next, &error),
    };
    // The cookie is used only once.
    keep(&mut response, "", 0, provider, &headers);
    Ok(response)
}

async fn open(
    state: &ApiState,
    provider: &SignIn,
    begun: Option<PendingSignIn>,
    returned: &AuthorizationResponse,
) -> Result<sessions::SessionToken, SignInError> {
    let person = provider.complete(begun, returned).await?;
    sessions::open_for(state.access.pool(), &person).await
}

fn provider(state: &ApiState) -> Result<&SignIn, Problem> {
    state.access.sign_in().ok_or_else(|| Problem::not_found("path"))
}

fn keep(response: &mut Response, value: &str, max_age: u64, provider: &SignIn, headers: &HeaderMap) {
    let is_encrypted = provider.is_encrypted() || is_encrypted(headers);
    set_cookie(response, COOKIE, value, "/sign-in", max_age, is_encrypted);
}

/// The page on which one signs in, with what went wrong and what to do.
fn error_page(state: &ApiState, next: &str, error: &SignInError) -> Response {
    tracing::info!("A sign-in with the provider failed: {error}");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let fault = html! {
        p { strong { "You are not signed in. " } (error.to_string()) }
        p { (error.advice()) }
    };
    let page = form(state, next, Some(&fault));
    (status, [(header::CACHE_CONTROL, "no-store")], page).into_response()
}
