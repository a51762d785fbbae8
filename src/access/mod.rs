//! Access control: keys, tokens, scopes, and the settings of each tenant. Sole owner of `api_key`, `tenant_setting`
//! (`migrations/0006_access.sql`), `session` (`migrations/0010_sessions.sql`), `export_link`
//! (`migrations/0024_export_links.sql`), `person` and `completed_sign_in` (`migrations/0025_sign_in.sql`). How a
//! request carries its credential is the concern of `api`.

mod api_key;
mod caller;
pub mod first_key;
mod key_set;
pub mod keys;
pub mod links;
pub mod oidc;
pub mod people;
pub mod sessions;
mod settings;
mod tenants;
mod token;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::fetch::Direct;
pub use crate::values::TenantSettings;

pub use api_key::{ApiKey, KeyId};
pub use caller::{Caller, Scope, Scopes, UnknownScope};
pub use key_set::KeysUnavailable;
pub use oidc::{ClaimRules, OidcSettings, SignIn, SignInError};
use sessions::SessionToken;
pub use settings::{AuthMode, AuthSettings, JwtSettings, Secret};
pub use tenants::{Admission, RateLimitStatus, Tenants};
use token::TokenVerifier;

/// Decides who is admitted.
#[derive(Clone)]
pub struct Access {
    mode: AuthMode,
    pool: PgPool,
    tokens: Option<Arc<TokenVerifier>>,
    sign_in: Option<SignIn>,
    tenants: Tenants,
    recheck_every: Duration,
}

/// Why a caller is not admitted.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Neither a key nor a token was sent.
    #[error("no key or token was sent")]
    Missing,
    /// The credential is invalid or no longer valid. The message says nothing more, because that would help an attacker.
    #[error("the key or token is unknown, expired or revoked")]
    Invalid,
    /// The system gave no random numbers for a session.
    #[error("the system provided no random numbers")]
    NoRandomness(#[from] rand::rand_core::OsError),
    /// The keys of the issuer of tokens cannot be read.
    #[error(transparent)]
    IssuerUnavailable(#[from] KeysUnavailable),
    /// Whether the caller is admitted could not be determined.
    #[error("cannot read or write the keys")]
    Unavailable(#[from] sqlx::Error),
}

impl Access {
    /// Access to a migrated database under these settings.
    pub fn new(pool: PgPool, settings: &AuthSettings, direct: &Direct) -> Self {
        Self {
            mode: settings.mode,
            tokens: settings
                .jwt
                .as_ref()
                .map(|jwt| Arc::new(TokenVerifier::new(jwt, direct))),
            sign_in: settings
                .oidc
                .as_ref()
                .map(|oidc| SignIn::new(oidc.clone(), direct)),
            tenants: Tenants::new(pool.clone(), settings.requests_per_minute),
            pool,
            recheck_every: settings.recheck_every,
        }
    }

    /// Whether every caller is admitted.
    pub fn mode(&self) -> AuthMode {
        self.mode
    }

    /// How often a caller is checked again during a response.
    pub fn recheck_every(&self) -> Duration {
        self.recheck_every
    }

    /// Sign-in with a provider, if one is configured.
    pub fn sign_in(&self) -> Option<&SignIn> {
        self.sign_in.as_ref()
    }

    /// The settings of tenants.
    pub fn tenants(&self) -> &Tenants {
        &self.tenants
    }

    /// The pool for the tables of access control.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The caller with this key or token. Keys are looked up each time, so that one that is revoked is refused at once
    /// and by every process.
    pub async fn identify(&self, credential: &str) -> Result<Caller, AccessError> {
        if let Some(key) = ApiKey::parse(credential) {
            return keys::identify(&self.pool, &key).await;
        }
        let tokens = self.tokens.as_ref().ok_or(AccessError::Invalid)?;
        tokens.verify(credential).await?.ok_or(AccessError::Invalid)
    }

    /// The caller of a browser's session.
    pub async fn identify_session(&self, token: &str) -> Result<Caller, AccessError> {
        let token = SessionToken::parse(token).ok_or(AccessError::Invalid)?;
        sessions::identify(&self.pool, &token).await
    }
}
