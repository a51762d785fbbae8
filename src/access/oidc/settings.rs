//! The settings of sign-in with OpenID Connect.

use url::Url;

use super::rules::ClaimRules;
use crate::access::Secret;

/// The provider, what we are to it, and what its claims mean.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The provider, exactly as it calls itself (OpenID Connect Discovery 1.0, section 3).
    pub issuer: String,
    /// What the provider calls us.
    pub client_id: String,
    /// What we show the provider; `None` for a public client, which PKCE alone protects.
    pub client_secret: Option<Secret>,
    /// Where the provider sends people back to; it is registered there.
    pub redirect: Url,
    /// What the button says.
    pub label: String,
    /// The requested scopes: `openid` and others.
    pub request_scopes: Vec<String>,
    /// The rules that map claims to a tenant and scopes.
    pub rules: ClaimRules,
}

impl OidcSettings {
    /// The path that a provider sends people back to.
    pub const RETURN_PATH: &str = "/sign-in/oidc/return";
    /// What the button says if nothing is set.
    pub const DEFAULT_LABEL: &str = "Sign in with your organisation";
    /// The scopes that are requested by default.
    pub const DEFAULT_REQUEST_SCOPES: &str = "openid profile email";
}
