//! The icon and the logo of a site. They come from the log, never from the site, so that the site cannot see who
//! visits a page.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::domain::readable;
use super::entry::Visitor;
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::api::request::PathOf;
use crate::projections::RawJson;
use crate::projections::domains::pictures;
use crate::values::DomainName;
use crate::values::picture::{Picture, PictureKind};

/// If a picture is opened directly, it has no script, no origin and no external content (CSP 3, sandbox).
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
/// A day in the visitor's browser, and in no cache in between: it is one tenant's data. The address changes with the
/// picture.
const KEPT: &str = "private, max-age=86400";

pub(super) async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    headers: HeaderMap,
    PathOf((domain, kind)): PathOf<(String, PictureKind)>,
) -> Result<Response, Problem> {
    let domain = DomainName::parse(&domain).map_err(|_| Problem::not_found("domain"))?;
    let found = pictures::find(&state.models, visitor.tenant(), &domain, kind).await?;
    let found = found.ok_or_else(|| Problem::not_found("image"))?;
    let tag = format!("\"{}\"", found.digest);
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let kind = [(header::CONTENT_TYPE, found.media_type.as_str())];
        (kind, found.content).into_response()
    };
    let said = response.headers_mut();
    said.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    said.insert(header::CACHE_CONTROL, HeaderValue::from_static(KEPT));
    said.insert(
        header::VARY,
        HeaderValue::from_static("cookie, authorization, x-tenant-id"),
    );
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        said.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// A picture of a domain, if a scan read it. The text beside it says what it shows, so it has none itself.
pub(super) fn of(domain: &str, kind: PictureKind, picture: Option<&Picture>) -> Markup {
    let body = picture.and_then(|picture| picture.body.as_ref());
    html! {
        @if let (Some(picture), Some(body)) = (picture, body) {
            @let version = body.digest.get(..16).unwrap_or_default();
            img class=(kind.as_str()) src={ "/domains/" (domain) "/pictures/" (kind.as_str()) "?v=" (version) } alt=""
                width=[picture.width.filter(|_| kind == PictureKind::Logo)]
                height=[picture.height.filter(|_| kind == PictureKind::Logo)] loading="lazy" decoding="async";
        }
    }
}

/// The name of a domain behind its icon, if a scan read one.
pub(super) fn with_icon(domain: &str, icon: Option<&Picture>) -> Markup {
    html! { span.with-icon { (of(domain, PictureKind::Icon, icon)) span { (readable(domain)) } } }
}

/// The same in a list.
pub(super) fn name_in_list(domain: &str, known: &RawJson) -> Markup {
    /// The rest of what is known is not read.
    #[derive(Default, Deserialize)]
    struct WithIcon {
        icon: Option<Picture>,
    }
    let known: WithIcon = known.read().unwrap_or_default();
    with_icon(domain, known.icon.as_ref())
}
