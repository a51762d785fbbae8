//! Why a user could not sign in, as text for that user: what happened, and what to do.

use crate::access::AccessError;

/// The sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The provider is unavailable.
    #[error("The identity provider at {issuer} is unavailable: {reason}.")]
    Unavailable {
        /// The provider.
        issuer: String,
        /// What happened.
        reason: String,
    },
    /// Too many sign-ins at once.
    #[error("Too many users are signing in at the moment.")]
    Busy,
    /// The provider sent the person back without signing them in.
    #[error("The identity provider did not sign you in: {0}.")]
    Denied(String),
    /// This browser did not start this sign-in, or started it too long ago.
    #[error("This sign-in has expired, or was started in another browser or tab.")]
    Unknown,
    /// It has been completed before.
    #[error("This sign-in was completed before. It works only once.")]
    Replayed,
    /// The response comes from another issuer.
    #[error("The response comes from {given}, but the identity provider is {expected}.")]
    WrongIssuer {
        /// The server.
        given: String,
        /// The provider.
        expected: String,
    },
    /// The provider refused the code.
    #[error("The identity provider refused to complete the sign-in: {0}.")]
    CodeRefused(String),
    /// The ID token has expired.
    #[error("The identity provider's response has expired: {0}.")]
    Expired(String),
    /// The ID token belongs to another sign-in.
    #[error("The identity provider's response belongs to another sign-in (its nonce differs).")]
    WrongNonce,
    /// The ID token is invalid.
    #[error("The identity provider's response is invalid: {0}.")]
    Invalid(String),
    /// No claim names the user's tenant.
    #[error("Your account has no claim '{0}', which names your tenant.")]
    MissingClaim(String),
    /// The claim names no tenant.
    #[error("The claim '{claim}' of your account ('{value}') names no tenant of sitelog.")]
    UnknownTenant {
        /// Its name.
        claim: String,
        /// Its value.
        value: String,
    },
    /// The claim names more than one.
    #[error("The claim '{0}' of your account names several tenants of sitelog.")]
    SeveralTenants(String),
    /// The user has no scope.
    #[error("Your account may not use sitelog{}.", .0.as_ref().map(|claim| format!(": its claim '{claim}' gives it no scope")).unwrap_or_default())]
    NoScopes(Option<String>),
    /// The session could not be opened.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl SignInError {
    /// What the user can do.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => {
                "Try again in a minute. If the problem persists, contact the administrator of sitelog; the server's log has the details."
            }
            Self::Busy => "Try again in a few seconds.",
            Self::Denied(_) => "Sign in again, and grant the access that the provider asks for.",
            Self::Unknown | Self::Replayed | Self::CodeRefused(_) | Self::WrongNonce => {
                "Sign in again with the button below. Allow cookies for this site."
            }
            Self::Expired(_) => {
                "Sign in again. If the problem persists, contact the administrator of sitelog: the clock of this server or of \
                 the provider may be wrong."
            }
            Self::WrongIssuer { .. } | Self::Invalid(_) => {
                "Sign in again. If the problem persists, contact the administrator of sitelog: SITELOG_OIDC__ISSUER or \
                 SITELOG_OIDC__CLIENT_ID may not match those of the provider."
            }
            Self::MissingClaim(_) | Self::UnknownTenant { .. } | Self::SeveralTenants(_) => {
                "Ask the administrator of your organization to correct the claim at the provider, or the administrator of \
                 sitelog to set SITELOG_OIDC__TENANTS or SITELOG_OIDC__DEFAULT_TENANT. Then sign in again."
            }
            Self::NoScopes(_) => {
                "Ask the administrator of your organization for access, or the administrator of sitelog to set \
                 SITELOG_OIDC__SCOPES_OF or SITELOG_OIDC__DEFAULT_SCOPES. Then sign in again."
            }
            Self::Access(_) => "Try again in a minute.",
        }
    }

    /// The status of the page (RFC 9110).
    pub fn status(&self) -> u16 {
        match self {
            Self::Unavailable { .. } | Self::Busy | Self::Access(_) => 503,
            Self::Unknown | Self::Replayed | Self::CodeRefused(_) => 400,
            _ => 403,
        }
    }
}
