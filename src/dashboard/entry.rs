//! Admits visitors to pages. Others see the sign-in page, or an error page.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::html;

use super::refused::{Refused, SentForm, shown_again};
use super::shell::{Page, Section};
use crate::access::{AuthMode, Caller, Scope};
use crate::api::ApiState;
use crate::api::admission::{admitted, caller_of_request, check_rate_limit};
use crate::api::problem::Problem;
use crate::api::recheck::run_while_admitted;
use crate::values::TenantId;

/// The visitor of a page.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    /// Whether the visitor can sign out.
    pub(super) has_session: bool,
    /// The form that was refused, if the page shows it again.
    pub(super) refused: Refused,
}

impl Visitor {
    pub(super) fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    pub(super) fn may(&self, scope: Scope) -> bool {
        self.caller.may(scope)
    }

    /// Refuses a visitor without the scope.
    pub(super) fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.may(scope) {
            return Ok(());
        }
        Err(Problem::insufficient_scope(scope))
    }
}

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        Ok(Self {
            caller: admitted(&parts.extensions)?.clone(),
            has_session: state.access.mode() == AuthMode::Required,
            refused: parts.extensions.get::<Refused>().cloned().unwrap_or_default(),
        })
    }
}

/// A browser sends every field of a form, also those that were left empty: they mean nothing.
pub(super) fn drop_empty_fields(uri: &Uri) -> Option<Uri> {
    let query = uri.query()?;
    let given: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.ends_with('='))
        .collect();
    let separator = if given.is_empty() { "" } else { "?" };
    format!("{}{separator}{}", uri.path(), given.join("&"))
        .parse()
        .ok()
}

/// Passes a request to its page, or redirects it to the sign-in page.
pub(super) async fn admit(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let caller = match caller_of_request(&state, request.method(), request.headers()).await {
        Ok(caller) => caller,
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
            // A form cannot be sent again by a link.
            let wanted = if is_read {
                request.uri()
            } else {
                &Uri::from_static("/")
            };
            return Redirect::to(&sign_in_for(wanted)).into_response();
        }
        Err(problem) => return problem_page(&problem, None, is_read),
    };
    if let Err(refusal) = check_rate_limit(&state, caller.tenant).await {
        return problem_page(&refusal.problem, None, is_read);
    }
    let visitor = Visitor {
        caller: caller.clone(),
        has_session: state.access.mode() == AuthMode::Required,
        refused: Refused::default(),
    };
    let sent = SentForm::default();
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(sent.clone());
    if let Some(uri) = drop_empty_fields(request.uri()) {
        *request.uri_mut() = uri;
    }
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let response = run_while_admitted(&state, &caller, request, next).await;
    let mut response = response.unwrap_or_else(|problem| problem_page(&problem, None, is_read));
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let form = if is_read {
            None
        } else {
            shown_again(&state, &visitor, (&uri, &headers), &sent, &problem).await
        };
        response = form.unwrap_or_else(|| problem_page(&problem, Some(&visitor), is_read));
    }
    // One tenant's data: no cache in between stores it.
    let kept = HeaderValue::from_static("private, no-cache");
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(kept);
    response
}

/// The same for pages that everybody may see.
pub(super) async fn in_words(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem_page(&problem, None, false),
        None => response,
    }
}

/// The answer for a path that does not exist: a page for a browser, otherwise a problem.
pub(super) async fn nothing_here(State(state): State<ApiState>, request: Request) -> Response {
    let problem = Problem::not_found("path");
    let accept = request.headers().get(header::ACCEPT);
    let wants_page =
        accept.is_some_and(|accept| accept.to_str().is_ok_and(|kinds| kinds.contains("text/html")));
    if !wants_page || request.uri().path().starts_with("/api/") {
        return problem.into_response();
    }
    let caller = caller_of_request(&state, request.method(), request.headers()).await;
    let visitor = caller.ok().map(|caller| Visitor {
        caller,
        has_session: state.access.mode() == AuthMode::Required,
        refused: Refused::default(),
    });
    problem_page(&problem, visitor.as_ref(), false)
}

/// The URL of the sign-in page that leads back to a page.
fn sign_in_for(uri: &Uri) -> String {
    let wanted = uri.path_and_query().map_or("/", |path| path.as_str());
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("next", wanted)
        .finish();
    format!("/sign-in?{query}")
}

/// A problem as a page. A page that was opened by a link reloads itself where that may help.
fn problem_page(problem: &Problem, visitor: Option<&Visitor>, is_read: bool) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = html! {
        h1 { (problem.title) }
        div.panel.bad {
            p { (problem.detail) }
            p.small.muted { "HTTP " (problem.status) " · " code { (problem.code) } " · "
                a href={ "/docs/problems/" (problem.code) } { "about this error" } }
        }
        p { a href="/" { "Back to Overview" } }
    };
    let page = Page::new(problem.title, Section::None);
    let page = if is_read && status == StatusCode::SERVICE_UNAVAILABLE {
        page.retried()
    } else {
        page
    };
    (status, Html(page.render(visitor, &content).into_string())).into_response()
}
