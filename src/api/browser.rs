//! Headers for browsers, and refused requests of browsers. No other website can use a response as a script or in a
//! frame. If access control is off, no website can use the service through its visitor's browser.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Problem, ProblemCode};

/// For data: it is never run or shown as a page.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// For our own pages: only our own files, nothing inline, nothing from other hosts.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The headers of every response.
const HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    // Not `no-referrer`: then browsers send `Origin: null` with our own forms (Fetch, "append a request Origin header").
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds what every answer says to browsers. There is no `Access-Control-Allow-Origin`: pages of other origins get
/// nothing (CORS stays closed).
pub(super) async fn protect(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_private = path.starts_with("/api/") || path == "/mcp";
    let mut response = with_headers(next.run(request).await);
    if is_private {
        // One tenant's data: no cache in between stores it, and the browser checks its copy (`ETag`) each time.
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("private, no-cache"));
    }
    response
}

/// The headers of every answer.
pub(super) fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if is_page { PAGE_POLICY } else { DATA_POLICY };
    // A page that needs another policy has set it.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(policy));
    response
}

/// Refuses requests that another website could make a browser send: requests with another origin, and host names that
/// resolve to this machine (DNS rebinding). For services without access control.
pub(super) async fn only_this_machine(request: Request, next: Next) -> Response {
    match foreign(request.uri(), request.headers()) {
        None => next.run(request).await,
        Some(detail) => Problem::of(ProblemCode::ForeignPage, detail).into_response(),
    }
}

fn foreign(uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).or(uri.authority().map(axum::http::uri::Authority::as_str));
    if !host.is_none_or(is_this_machine) {
        return Some(
            "Access control is off, so the host in the URL must be localhost or an IP address, not another name.",
        );
    }
    if text(HeaderName::from_static("sec-fetch-site")) == Some("same-origin") {
        return None;
    }
    let origin = text(header::ORIGIN)?;
    let same = origin
        .split_once("://")
        .is_some_and(|(_, origin)| host.is_some_and(|host| host.eq_ignore_ascii_case(origin)));
    (!same).then_some("Access control is off, so only sitelog's own pages may send requests from a browser. This one came from another web page.")
}

/// Refuses a browser's request that does not come from one of our own pages.
pub(crate) fn require_own_page(headers: &HeaderMap) -> Result<(), Problem> {
    if is_own_page(headers) {
        return Ok(());
    }
    let detail = "A session cookie is valid only for requests from sitelog's own pages; this request did not come from one. \
         Programs must send a key or token.";
    Err(Problem::of(ProblemCode::ForeignPage, detail))
}

/// Whether the browser says that the request comes from a page of this service: by `Sec-Fetch-Site`, which no page can set,
/// or, in older browsers, by an `Origin` with the host of the request.
fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, text(header::HOST)) {
        (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// Whether a `Host` is an address or `localhost`: not a name that another DNS server could resolve.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let literal = name.trim_start_matches('[').trim_end_matches(']');
    literal.parse::<IpAddr>().is_ok() || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        foreign(&Uri::from_static("/"), &headers).is_some()
    }

    #[test]
    fn only_a_page_of_ours_is_our_own() {
        let own = |site: Option<&str>, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "sitelog.test".parse().unwrap());
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            is_own_page(&headers)
        };
        assert!(own(Some("same-origin"), None) && own(None, Some("https://sitelog.test")));
        for site in ["same-site", "cross-site", "none", ""] {
            assert!(!own(Some(site), Some("https://sitelog.test")), "{site}");
        }
        assert!(!own(None, None) && !own(None, Some("https://evil.test")) && !own(None, Some("null")));
    }

    #[test]
    fn pages_of_other_origins_and_other_names_are_refused() {
        for host in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(!refused(host, None), "{host}");
            assert!(!refused(host, Some(&format!("http://{host}"))), "{host}");
            assert!(refused(host, Some("https://evil.test")), "{host}");
            assert!(refused(host, Some("null")), "{host}");
        }
        // One of our own pages, whose browser does not send the origin. Foreign host names are still refused.
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:8080".parse().unwrap());
        headers.insert(header::ORIGIN, "null".parse().unwrap());
        headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
        assert!(foreign(&Uri::from_static("/"), &headers).is_none());
        headers.insert(header::HOST, "evil.test".parse().unwrap());
        assert!(foreign(&Uri::from_static("/"), &headers).is_some());
        for host in [
            "evil.test",
            "evil.test:8080",
            "localhost.evil.test",
            "127.0.0.1.nip.io:8080",
            "",
        ] {
            assert!(refused(host, None), "{host}");
        }
    }
}
