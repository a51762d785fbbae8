//! The settings of access control.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use url::Url;

use super::oidc::OidcSettings;

/// Who is admitted, and how tokens are checked.
#[derive(Clone, Debug)]
pub struct AuthSettings {
    /// Whether a key or token is needed.
    pub mode: AuthMode,
    /// How tokens are checked; `None` if only keys are accepted.
    pub jwt: Option<JwtSettings>,
    /// How people sign in with a provider; `None` if only with a key.
    pub oidc: Option<OidcSettings>,
    /// Rate limit of a tenant per minute, unless the tenant has its own.
    pub requests_per_minute: NonZeroU32,
    /// How often a caller is checked again during a response.
    pub recheck_every: Duration,
}

impl AuthSettings {
    /// More than a small server can answer: it limits runaway clients, not normal use.
    pub const DEFAULT_REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120_000).expect("it is not zero");
    /// How long an open stream may outlive its revoked key; each check is one lookup of a key.
    pub const DEFAULT_RECHECK_EVERY: Duration = Duration::from_secs(15);

    /// Settings for a mode, with defaults for the rest.
    pub fn of(mode: AuthMode) -> Self {
        Self {
            mode,
            jwt: None,
            oidc: None,
            requests_per_minute: Self::DEFAULT_REQUESTS_PER_MINUTE,
            recheck_every: Self::DEFAULT_RECHECK_EVERY,
        }
    }
}

/// Whether a key or token is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Each request must have one.
    Required,
    /// Every caller is admitted: only for a loopback address.
    Off,
}

/// How a token is checked (RFC 7519): by a shared secret, by keys that the issuer publishes, or by either.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// The secret shared with the issuer of tokens (HS256).
    pub secret: Option<Secret>,
    /// Where the issuer publishes its keys (RFC 7517; RS256, ES256).
    pub jwks_url: Option<Url>,
    /// The audience that a token must have.
    pub audience: String,
    /// The issuer that a token must have, if set.
    pub issuer: Option<String>,
}

/// A text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text, so that it is not printed.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
