//! The stable codes of failures, used everywhere from the network code to the pages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every code there is, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code on the wire and in the tables.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownCode;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|known| known.as_str() == code).ok_or_else(|| UnknownCode(code.to_owned()))
            }
        }
    };
}

pub(super) use codes;

/// A code this release does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a known code")]
pub struct UnknownCode(pub String);

codes! {
    /// The reason why a scan failed. Codes are never renamed; new ones may be added.
    FailureReason {
        /// The text is not a domain name.
        InvalidDomain => "invalid_domain",
        /// DNS has no address for the name.
        NameNotResolved => "name_not_resolved",
        /// The TCP connection failed, or it was closed before a response.
        ConnectFailed => "connect_failed",
        /// The TLS handshake failed, and plain HTTP did not work either.
        TlsFailed => "tls_failed",
        /// Connecting, the first byte, the body or the whole attempt took too long.
        Timeout => "timeout",
        /// The name or a redirect points to an address that is not public, or to a forbidden port.
        ForbiddenAddress => "forbidden_address",
        /// A rule of the site's robots.txt disallows the home page.
        BlockedByRobots => "blocked_by_robots",
        /// The site returned an error status.
        HttpStatus => "http_status",
        /// Too many redirects, or a redirect loop.
        RedirectLimit => "redirect_limit",
        /// The site has no usable content within the size limit.
        TooLarge => "too_large",
        /// The home page is not HTML.
        NotHtml => "not_html",
        /// The home page has no content.
        EmptyBody => "empty_body",
        /// robots.txt could not be read, for a reason without a separate code.
        RobotsUnavailable => "robots_unavailable",
        /// The time limit of the whole scan, over all attempts, was reached.
        Deadline => "deadline",
        /// The response is not valid HTTP (RFC 9110, 9112).
        ProtocolError => "protocol_error",
        /// The workers that ran the scan crashed repeatedly.
        Abandoned => "abandoned",
        /// The scan failed in the predecessor, which did not record the reason.
        Imported => "imported",
        /// An internal error of sitelog; the log of the server has the cause.
        Internal => "internal",
    }
}

impl FailureReason {
    /// A label of a few words, for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::InvalidDomain => "Not a domain name",
            Self::NameNotResolved => "Domain not found in DNS",
            Self::ConnectFailed => "No connection to the site",
            Self::TlsFailed => "No secure connection (TLS)",
            Self::Timeout => "Site too slow",
            Self::ForbiddenAddress => "Address is not public",
            Self::BlockedByRobots => "Disallowed by robots.txt",
            Self::HttpStatus => "Site returned an error",
            Self::RedirectLimit => "Too many redirects",
            Self::TooLarge => "Size limit exceeded",
            Self::NotHtml => "Home page is not HTML",
            Self::EmptyBody => "Home page is empty",
            Self::RobotsUnavailable => "robots.txt could not be read",
            Self::Deadline => "Time limit reached",
            Self::ProtocolError => "Invalid HTTP response",
            Self::Abandoned => "Workers crashed",
            Self::Imported => "Failed in the predecessor",
            Self::Internal => "Internal error",
        }
    }

    /// Whether it says something of the site, and not of us or of how the scan came about.
    pub fn is_the_sites(self) -> bool {
        !matches!(
            self,
            Self::InvalidDomain | Self::Abandoned | Self::Imported | Self::Internal
        )
    }
}

/// A problem that did not make the scan fail, such as a truncated sitemap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A stable code, e.g. `too_large`, `tls_failed`, `truncated`.
    pub code: String,
    /// The message, with the file or page concerned.
    pub detail: String,
    /// Byte offset in the decoded document, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl Problem {
    /// A problem without a place in a document.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
            offset: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_text_and_json() {
        for reason in FailureReason::ALL {
            assert_eq!(reason.as_str().parse::<FailureReason>().as_ref(), Ok(reason));
            let json = serde_json::to_string(reason).unwrap();
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<FailureReason>(&json).unwrap(), *reason);
        }
    }
}
