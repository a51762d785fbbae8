//! Sign-in with a key, or with a provider (`sign_in_by_provider.rs`). The browser gets a session.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use tokio::time::timeout;

use super::shell::{Page, Section};
use super::sign_in_by_provider::PROVIDER_PATH;
use crate::access::sessions::{self, SessionToken};
use crate::access::{AccessError, ApiKey, AuthMode};
use crate::api::ApiState;
use crate::api::admission::{SESSION_COOKIE, session_in};
use crate::api::browser::require_own_page;
use crate::api::problem::{Problem, ProblemCode};

/// Bytes of the form at most.
const MAX_FORM: usize = 16 * 1024;
/// For the form: the visitor is not signed in yet.
const SLOT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    pub(super) next: Option<String>,
}

pub(super) async fn show(State(state): State<ApiState>, Query(wanted): Query<Wanted>) -> Response {
    if state.access.mode() == AuthMode::Off {
        return Redirect::to("/").into_response();
    }
    form(&state, &own_path(wanted.next.as_deref()), None).into_response()
}

/// Exchanges a key for a session.
pub(super) async fn sign_in(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, Problem> {
    // Otherwise another site could sign visitors in to an account that is not theirs.
    require_own_page(&headers)?;
    let unreadable = || Problem::of(ProblemCode::InvalidForm, "The form cannot be read.");
    let content = timeout(SLOT_TIMEOUT, axum::body::to_bytes(body, MAX_FORM))
        .await
        .map_err(|_| unreadable())?
        .map_err(|_| unreadable())?;
    let field = |wanted: &str| {
        let mut fields = url::form_urlencoded::parse(&content);
        let value = fields.find_map(|(name, value)| (name == wanted).then_some(value));
        value.unwrap_or_default().trim().to_owned()
    };
    let next = own_path(Some(&field("next")));
    let refused = "The key is unknown, expired or revoked.";
    let Some(key) = ApiKey::parse(&field("key")) else {
        return Ok((
            StatusCode::UNPROCESSABLE_ENTITY,
            form(&state, &next, Some(&html! { p { (refused) } })),
        )
            .into_response());
    };
    let token = match sessions::open(state.access.pool(), &key).await {
        Ok(token) => token,
        Err(AccessError::Invalid) => {
            return Ok((
                StatusCode::UNPROCESSABLE_ENTITY,
                form(&state, &next, Some(&html! { p { (refused) } })),
            )
                .into_response());
        }
        Err(error) => return Err(error.into()),
    };
    let lifetime = sessions::LIFETIME.as_secs();
    Ok(signed_in(&next, &token, lifetime, is_encrypted(&headers)))
}

/// Ends the session.
pub(super) async fn sign_out(State(state): State<ApiState>, headers: HeaderMap) -> Result<Response, Problem> {
    require_own_page(&headers)?;
    let token = session_in(&headers).and_then(SessionToken::parse);
    if let Some(token) = token {
        sessions::close(state.access.pool(), &token).await?;
    }
    let mut response = Redirect::to("/sign-in").into_response();
    set_cookie(&mut response, SESSION_COOKIE, "", "/", 0, is_encrypted(&headers));
    let forget = HeaderValue::from_static("\"cache\"");
    response.headers_mut().insert("clear-site-data", forget);
    Ok(response)
}

/// Only a path on this server, so that nobody is redirected to another site.
pub(super) fn own_path(wanted: Option<&str>) -> String {
    let is_own = |path: &&str| {
        path.starts_with('/')
            && !path[1..].starts_with(['/', '\\'])
            && path.bytes().all(|byte| byte.is_ascii_graphic())
    };
    wanted.filter(is_own).unwrap_or("/").to_owned()
}

/// Whether the browser uses TLS, which a reverse proxy terminates.
pub(super) fn is_encrypted(headers: &HeaderMap) -> bool {
    headers
        .get("x-forwarded-proto")
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"https"))
}

/// Redirects with a session.
pub(super) fn signed_in(next: &str, token: &SessionToken, max_age: u64, is_encrypted: bool) -> Response {
    let mut response = Redirect::to(next).into_response();
    set_cookie(
        &mut response,
        SESSION_COOKIE,
        token.reveal(),
        "/",
        max_age,
        is_encrypted,
    );
    response
}

/// RFC 6265; scripts cannot read it, and other sites' forms do not send it.
pub(super) fn set_cookie(
    response: &mut Response,
    name: &str,
    value: &str,
    path: &str,
    max_age: u64,
    is_encrypted: bool,
) {
    let secure = if is_encrypted { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The page on which one signs in, with what went wrong before.
pub(super) fn form(state: &ApiState, next: &str, fault: Option<&Markup>) -> Markup {
    let by_provider = state.access.sign_in();
    let content = html! {
        h1 { "Sign in" }
        @if let Some(fault) = fault { div.panel.bad role="alert" { (fault) } }
        @if let Some(provider) = by_provider {
            p { a.button.primary href={ (PROVIDER_PATH) "?" (with_next(next)) } { (provider.label()) } }
            h2 { "Sign in with a key" }
        }
        p { "Your first key is in " code { "/var/lib/sitelog/first-key" } " (package, container) or in the output of the first "
            code { "sitelog serve" } ". Create more keys with "
            code { "sitelog key create" } " or on the page Keys." }
        form method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            p { label for="key" { "API key" }
                input id="key" name="key" type="password" size="60" required autocomplete="current-password"
                    autofocus[by_provider.is_none()]; }
            p { button.primary[by_provider.is_none()] type="submit" { "Sign in" @if by_provider.is_some() { " with the key" } } }
        }
    };
    Page::new("Sign in", Section::None).render(None, &content)
}

fn with_next(next: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", next)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_after_signing_in() {
        assert_eq!(own_path(Some("/domains?status=failed")), "/domains?status=failed");
        for foreign in [
            "https://evil.test/",
            "//evil.test",
            "/\\evil.test",
            "/a\r\nx: y",
            "",
            "evil",
        ] {
            assert_eq!(own_path(Some(foreign)), "/", "{foreign}");
        }
        assert_eq!(own_path(None), "/");
    }
}
