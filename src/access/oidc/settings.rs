//! The settings of sign-in with OpenID Connect.

use url::Url;

use super::rules::ClaimRules;
use crate::access::Secret;

/// The provider, our registration there, and the meaning of its claims.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The issuer URL, exactly as the provider publishes it (OpenID Connect Discovery 1.0, section 3).
    pub issuer: String,
    /// The client ID.
    pub client_id: String,
    /// The client secret; `None` for a public client, which only PKCE protects.
    pub client_secret: Option<Secret>,
    /// The redirect URI, which is registered at the provider.
    pub redirect: Url,
    /// The label of the button.
    pub label: String,
    /// The requested scopes: `openid` and others.
    pub request_scopes: Vec<String>,
    /// The rules that map claims to a tenant and scopes.
    pub rules: ClaimRules,
}

impl OidcSettings {
    /// The path of the redirect URI.
    pub const RETURN_PATH: &str = "/sign-in/oidc/return";
    /// The default label of the button.
    pub const DEFAULT_LABEL: &str = "Sign in with your organization";
    /// The scopes that are requested by default.
    pub const DEFAULT_REQUEST_SCOPES: &str = "openid profile email";
}
