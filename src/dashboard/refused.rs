//! Shows a refused form again: the same page, with the values that the visitor entered and the error beside the field.
//!
//! One mechanism serves all forms. [`admit`](super::entry::admit) keeps the form of a request. If the response is a
//! problem that the visitor can correct, it renders the page of the form again, and the page reads the entered values
//! and the error from [`Visitor::refused`](super::entry::Visitor).

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use maud::{Markup, html};
use tower::ServiceExt;

use super::entry::{Visitor, drop_empty_fields};
use super::form::Form;
use super::{guarded_pages, shell};
use crate::api::ApiState;
use crate::api::problem::Problem;

/// Bytes of a value that is shown again at most: a list that was uploaded is chosen again.
const MAX_VALUE: usize = 64 * 1024;

/// Where a request's form is kept until its outcome is known.
#[derive(Clone, Debug, Default)]
pub(super) struct SentForm(Arc<OnceLock<Form>>);

impl SentForm {
    /// Keeps the form, if this is the first that is read of the request.
    pub(super) fn keep(&self, form: &Form) {
        self.0.get_or_init(|| form.clone());
    }
}

/// What was refused, for the page that shows it again; nothing for a page that is opened.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Option<Arc<Refusal>>);

#[derive(Debug)]
struct Refusal {
    /// The path that the form was sent to.
    action: String,
    form: Form,
    detail: String,
    /// The name of the field that is wrong, if the error names one.
    field: Option<String>,
}

impl Refused {
    /// What was entered into the form of this action; of any other form, nothing.
    pub(super) fn form(&self, action: &str) -> Entered<'_> {
        Entered(self.0.as_deref().filter(|refusal| refusal.action == action))
    }

    /// Whether a page is shown because of it.
    pub(super) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// The error, above the page's content.
    pub(super) fn summary(&self) -> Markup {
        html! {
            @if let Some(refusal) = &self.0 {
                div.panel.bad role="alert" {
                    p { strong { "Nothing was changed: " } (refusal.detail) }
                }
            }
        }
    }
}

/// A form as the visitor filled it in, or an empty one.
#[derive(Clone, Copy)]
pub(super) struct Entered<'a>(Option<&'a Refusal>);

impl Entered<'_> {
    /// Whether this form was refused.
    pub(super) fn is_refused(self) -> bool {
        self.0.is_some()
    }

    /// What the field contains: what was entered, or the default of a new form.
    pub(super) fn value(self, name: &str, default: &str) -> String {
        let entered = self.0.map(|refusal| refusal.form.text(name));
        let shown = entered.filter(|text| text.len() <= MAX_VALUE);
        shown.unwrap_or(default).to_owned()
    }

    /// Whether a box is ticked.
    pub(super) fn is_ticked(self, name: &str, default: bool) -> bool {
        self.0
            .map_or(default, |refusal| !refusal.form.text(name).is_empty())
    }

    /// `aria-invalid` of a field.
    pub(super) fn invalid(self, name: &str) -> Option<&'static str> {
        self.is_wrong(name).then_some("true")
    }

    /// The error beside its field.
    pub(super) fn error(self, name: &str) -> Markup {
        html! {
            @if let Some(refusal) = self.0.filter(|_| self.is_wrong(name)) {
                span.error { (refusal.detail) }
            }
        }
    }

    fn is_wrong(self, name: &str) -> bool {
        self.0
            .is_some_and(|refusal| refusal.field.as_deref() == Some(name))
    }
}

/// The page of a refused form again; `None` if the visitor cannot correct the problem there.
pub(super) async fn shown_again(
    state: &ApiState,
    visitor: &Visitor,
    (action, headers): (&Uri, &HeaderMap),
    sent: &SentForm,
    problem: &Problem,
) -> Option<Response> {
    let is_correctable = matches!(problem.status, 400 | 409 | 413 | 415 | 422);
    if !is_correctable {
        return None;
    }
    let form = sent.0.get().cloned().unwrap_or_default();
    let refused = Refused(Some(Arc::new(Refusal {
        action: action.path().to_owned(),
        field: wrong_field(problem, &form),
        detail: problem.detail.clone(),
        form,
    })));
    for page in pages_of(action, headers) {
        let mut request = Request::get(page).body(Body::empty()).ok()?;
        request.extensions_mut().insert(visitor.caller.clone());
        request.extensions_mut().insert(refused.clone());
        let Ok(mut response) = routes(state).oneshot(request).await;
        let is_page = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(shell::HTML));
        if response.status() == StatusCode::OK && is_page {
            *response.status_mut() = StatusCode::from_u16(problem.status).ok()?;
            return Some(response);
        }
    }
    None
}

/// The pages for admitted visitors.
fn routes(state: &ApiState) -> Router {
    static ROUTES: OnceLock<Router<ApiState>> = OnceLock::new();
    ROUTES
        .get_or_init(guarded_pages)
        .clone()
        .with_state(state.clone())
}

/// The pages that the form may be on: the one that the browser names, the one of the form's own path, and those above.
fn pages_of(action: &Uri, headers: &HeaderMap) -> Vec<Uri> {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let named = referer.and_then(|url| url::Url::parse(url).ok()).and_then(|url| {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let page: Uri = format!("{}{query}", url.path()).parse().ok()?;
        Some(drop_empty_fields(&page).unwrap_or(page))
    });
    let path = action.path();
    let ends = path.match_indices('/').map(|(end, _)| end.max(1)).rev();
    let above = std::iter::once(path.len()).chain(ends);
    named
        .into_iter()
        .chain(above.filter_map(|end| path[..end].parse().ok()))
        .collect()
}

/// The field that an error names: in `field`, or as its first word.
fn wrong_field(problem: &Problem, form: &Form) -> Option<String> {
    let named = problem.more.get("field").and_then(serde_json::Value::as_str);
    let first = problem
        .detail
        .split(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
        .next();
    named.or(first).filter(|name| form.has(name)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_looked_for_on_the_page_that_it_was_sent_from_and_then_above_its_path() {
        let pages = |action: &str, referer: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(referer) = referer {
                headers.insert(header::REFERER, referer.parse().unwrap());
            }
            let pages = pages_of(&action.parse().unwrap(), &headers);
            pages
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(pages("/keys", None), "/keys /");
        assert_eq!(
            pages("/monitors/7/change", None),
            "/monitors/7/change /monitors/7 /monitors /"
        );
        let domains = "http://127.0.0.1:8080/domains?status=failed&contains=";
        assert_eq!(pages("/links", Some(domains)), "/domains?status=failed /links /");
    }
}
