//! The headers that mark old paths as deprecated: RFC 9745 (`Deprecation`), RFC 8594 (`Sunset`) and RFC 8288 (`Link`).
//! Old clients do not read them, but their maintainers can.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;

use crate::api::ApiState;

/// RFC 9745: 1 March 2025, when the predecessor itself began to call its first paths deprecated.
const DEPRECATED_SINCE: &str = "@1740787200";

/// The successor of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api::legacy) enum Successor {
    /// Single scans.
    Scans,
    /// Lists of domains.
    Batches,
    /// The known domains.
    Domains,
}

impl Successor {
    fn link(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Scans => r#"</api/v4/scans>; rel="successor-version""#,
            Self::Batches => r#"</api/v4/batches>; rel="successor-version""#,
            Self::Domains => r#"</api/v4/domains>; rel="successor-version""#,
        })
    }
}

/// Adds them to all responses of these routes.
pub(in crate::api::legacy) fn deprecated(
    routes: Router<ApiState>,
    successor: Successor,
    state: &ApiState,
) -> Router<ApiState> {
    let said = [
        (
            HeaderName::from_static("deprecation"),
            HeaderValue::from_static(DEPRECATED_SINCE),
        ),
        (HeaderName::from_static("sunset"), state.legacy.sunset.clone()),
        (header::LINK, successor.link()),
    ];
    routes.layer(map_response(move |mut answer: Response| {
        answer.headers_mut().extend(said.clone());
        async { answer }
    }))
}
