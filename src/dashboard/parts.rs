//! What several pages show: numbers, times, statuses, lists with several pages.

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use uuid::Uuid;

use super::form::REQUEST_KEY;
use super::sign_in::is_encrypted;
use crate::values::FailureReason;
pub(super) use crate::values::amount::{counted, number};

/// A time, to the second, in UTC.
pub(super) fn time(at: Option<DateTime<Utc>>) -> Markup {
    html! {
        @match at {
            Some(at) => time.nowrap datetime=(at.to_rfc3339()) { (at.format("%Y-%m-%d %H:%M:%S")) },
            None => span.muted { "–" },
        }
    }
}

/// A length of time in seconds.
#[expect(clippy::cast_precision_loss, reason = "it is told to people")]
pub(super) fn seconds(length: chrono::TimeDelta) -> f64 {
    length.num_milliseconds() as f64 / 1000.0
}

/// A length of time in words that are short and exact enough.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "it is cut for people")]
    let whole = seconds.max(0.0).round() as i64;
    match whole {
        0 if seconds < 0.95 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86400, whole % 86400 / 3600),
    }
}

/// A short time: `37 ms`; longer ones as in [`duration`].
pub(super) fn milliseconds(length: u64) -> String {
    if length < 1000 {
        format!("{length} ms")
    } else {
        duration(std::time::Duration::from_millis(length).as_secs_f64())
    }
}

/// A status, by word and colour.
pub(super) fn badge(status: &str) -> Markup {
    badge_of(status, status)
}

/// The same in other words, in the colour of a status.
pub(super) fn badge_of(status: &str, text: &str) -> Markup {
    html! { span class={ "badge " (status) } { (text) } }
}

/// Why a scan failed, as text with its code.
pub(super) fn reason(reason: FailureReason) -> Markup {
    html! { (reason.label()) " " code.small.muted { (reason) } }
}

/// The text for the code of a reason; an unknown code is shown as it is.
pub(super) fn reason_label(code: &str) -> &str {
    code.parse().map_or(code, |reason: FailureReason| reason.label())
}

/// A link to another site, which does not get our URL. Plain text if browsers must not follow it.
pub(super) fn outward(url: &str) -> Markup {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    html! {
        @if is_web { a href=(url) rel="noopener noreferrer nofollow" { (url) } } @else { (url) }
    }
}

/// The path of a page with these query parameters; those without a value are left out.
pub(super) fn link(path: &str, query: &[(&str, &str)]) -> String {
    let given: Vec<_> = query.iter().filter(|(_, value)| !value.is_empty()).collect();
    if given.is_empty() {
        return path.to_owned();
    }
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(given);
    format!("{path}?{}", text.finish())
}

/// The link to the next page of a list, if there is one; `here` is its address without a cursor.
pub(super) fn pager(next: Option<&String>, here: &str, is_first: bool) -> Markup {
    let separator = if here.contains('?') { '&' } else { '?' };
    html! {
        div.pager {
            @if let Some(next) = next {
                a.button rel="next" href={ (here) (separator) "cursor=" (next) } { "Show more" }
            }
            @if !is_first { a href=(here) { "Back to the beginning" } }
        }
    }
}

/// Redirects to the page of a thing as of a log position or later, so that the visitor sees what they have just done.
pub(super) fn seen_from(page: &str, id: impl std::fmt::Display, position: i64) -> Response {
    Redirect::to(&format!("{page}/{id}?at_least={position}")).into_response()
}

/// A path as an absolute URL for other programs, with the host of the browser's request.
pub(super) fn public_url(headers: &HeaderMap, path: &str) -> String {
    let scheme = if is_encrypted(headers) { "https" } else { "http" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.map_or_else(|| path.to_owned(), |host| format!("{scheme}://{host}{path}"))
}

/// What makes a form count once.
pub(super) fn request_key() -> Markup {
    html! { input type="hidden" name=(REQUEST_KEY) value=(Uuid::new_v4()); }
}

/// A button that runs an action immediately.
pub(super) fn action(path: &str, name: &str, class: &str) -> Markup {
    html! {
        form method="post" action=(path) { button type="submit" class=(class) { (name) } }
    }
}

/// One of several choices in a filter.
pub(super) fn choice(value: &str, name: &str, chosen: &str) -> Markup {
    html! { option value=(value) selected[value == chosen] { (name) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(
            [0.31, 59.2, 61.0, 3700.0, 90_000.0].map(duration),
            ["0.3 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
        );
        assert_eq!([37, 2400].map(milliseconds), ["37 ms", "2 s"]);
    }

    #[test]
    fn a_link_carries_what_is_given_and_escapes_it() {
        assert_eq!(
            link("/domains", &[("contains", ""), ("status", "failed")]),
            "/domains?status=failed"
        );
        assert_eq!(
            link("/domains", &[("contains", "a&b=c")]),
            "/domains?contains=a%26b%3Dc"
        );
        assert_eq!(link("/domains", &[]), "/domains");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert!(outward("https://a.test/").into_string().contains("<a "));
        let other = outward("javascript:alert(1)\"<").into_string();
        assert_eq!(other, "javascript:alert(1)&quot;&lt;");
    }
}
