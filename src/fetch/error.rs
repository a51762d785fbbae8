//! Errors between sitelog and a server, classified where they occur.

use std::path::PathBuf;

use crate::values::FailureReason;
use crate::values::findings::Bound;

/// The phase in which the time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A turn at the host, whose requests are kept apart.
    Turn,
    /// TCP or TLS.
    Connect,
    /// The first byte of the answer.
    FirstByte,
    /// The rest of the answer.
    Body,
}

/// Why a URL could not be read; messages are for people and name the URL or host.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// DNS says that there is no such name, or no address for it.
    #[error("DNS has no address for {host}")]
    NameUnknown {
        /// The requested name.
        host: String,
    },
    /// DNS did not answer.
    #[error("the name servers did not answer for {host} ({cause})")]
    ResolverSilent {
        /// The requested name.
        host: String,
        /// The error of the resolver.
        cause: String,
    },
    /// The guard refused; nothing was connected to.
    #[error("{url} is not allowed: {why}")]
    Forbidden {
        /// URL or host.
        url: String,
        /// The reason.
        why: String,
    },
    /// No connection, or it was closed before a response.
    #[error("no connection to {url} ({cause})")]
    Connect {
        /// The requested URL.
        url: String,
        /// The error of the system.
        cause: String,
    },
    /// The handshake failed.
    #[error("TLS with {url} failed ({cause})")]
    Tls {
        /// The requested URL.
        url: String,
        /// The problem.
        cause: String,
        /// Whether the connection broke off, rather than a certificate being refused.
        interrupted: bool,
    },
    /// Too slow.
    #[error("{url} was too slow: {}", match .phase {
        Phase::Turn => "the delay between requests to the site left no time for it",
        Phase::Connect => "no connection in time",
        Phase::FirstByte => "no response in time",
        Phase::Body => "the response did not end in time",
    })]
    Timeout {
        /// The requested URL.
        url: String,
        /// The phase.
        phase: Phase,
    },
    /// Too many redirects, or one that leads back.
    #[error("{url} redirects {how}")]
    Redirects {
        /// Where it began.
        url: String,
        /// `in a loop`, `more than 10 times` …
        how: String,
    },
    /// A compression bomb.
    #[error("{url} exceeds the decompression limit: {decoded} bytes from {wire}")]
    Inflation {
        /// The requested URL.
        url: String,
        /// Number of decoded bytes.
        decoded: u64,
        /// Bytes received for them.
        wire: u64,
    },
    /// The visit has used up its budget.
    #[error("{url} was not read completely: the scan has {}", match .bound {
        Bound::Requests => "used its budget of requests",
        Bound::Bytes => "used its budget of bytes",
        Bound::Time => "used its budget of time",
    })]
    Budget {
        /// The requested URL.
        url: String,
        /// The limit that was reached.
        bound: Bound,
    },
    /// The response is not valid HTTP.
    #[error("{url} sent an invalid HTTP response ({cause})")]
    Protocol {
        /// The requested URL.
        url: String,
        /// The problem.
        cause: String,
    },
}

impl FetchError {
    /// The stable code.
    pub fn reason(&self) -> FailureReason {
        match self {
            Self::NameUnknown { .. } | Self::ResolverSilent { .. } => FailureReason::NameNotResolved,
            Self::Forbidden { .. } => FailureReason::ForbiddenAddress,
            Self::Connect { .. } => FailureReason::ConnectFailed,
            Self::Tls { .. } => FailureReason::TlsFailed,
            Self::Timeout { .. }
            | Self::Budget {
                bound: Bound::Time, ..
            } => FailureReason::Timeout,
            // Before a home page was read, only redirects can have made this many requests.
            Self::Redirects { .. }
            | Self::Budget {
                bound: Bound::Requests,
                ..
            } => FailureReason::RedirectLimit,
            Self::Inflation { .. }
            | Self::Budget {
                bound: Bound::Bytes, ..
            } => FailureReason::TooLarge,
            Self::Protocol { .. } => FailureReason::ProtocolError,
        }
    }

    /// The code of the problem if the scan continues: the reason, or the code of a limit.
    pub fn problem_code(&self) -> &'static str {
        match self {
            Self::Budget { bound, .. } => bound.problem_code(),
            other => other.reason().as_str(),
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ResolverSilent { .. }
            | Self::Connect { .. }
            | Self::Timeout { .. }
            | Self::Protocol { .. } => true,
            Self::Tls { interrupted, .. } => *interrupted,
            Self::NameUnknown { .. }
            | Self::Forbidden { .. }
            | Self::Redirects { .. }
            | Self::Budget { .. }
            | Self::Inflation { .. } => false,
        }
    }
}

/// Why no fetcher could be built: an error of the settings.
#[derive(Debug, thiserror::Error)]
pub enum FetchSetupError {
    /// The file of extra certificates cannot be read.
    #[error("cannot read the certificates in {path}")]
    ExtraCa {
        /// As set.
        path: PathBuf,
        /// The problem.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The name resolver cannot be set up.
    #[error("cannot set up the name resolver")]
    Resolver(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The HTTP client cannot be set up (a user agent that is not a header value, say).
    #[error("cannot set up the HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}
