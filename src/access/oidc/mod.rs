//! Sign-in with OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, section 3.1; RFC
//! 7636). The browser keeps the state of a sign-in in a cookie, so any process can complete it. The provider's claims
//! identify the user; the rules of the settings turn them into a tenant and scopes.

mod browser;
mod error;
mod person;
mod provider;
mod rules;
mod settings;

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdToken,
    CoreJwsSigningAlgorithm as Algorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClaimsVerificationError,
    ClientId, ClientSecret, CsrfToken, IdTokenVerifier, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, SubjectIdentifier, TokenResponse,
    UserInfoClaims, UserInfoError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use url::Url;

pub use browser::{AuthorizationResponse, PendingSignIn};
pub use error::SignInError;
pub use person::Person;
use person::{actor, claims_of, name, shown};
use provider::{Provider, causes, unanswered};
pub use rules::ClaimRules;
pub use settings::OidcSettings;

use crate::fetch::Direct;

/// How far the provider's clock may be from ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// How long after its issue an ID token is accepted: it comes directly from the provider.
const MAX_AGE: TimeDelta = TimeDelta::minutes(10);
/// Maximum number of sign-ins that are completed concurrently.
const AT_ONCE: usize = 16;
/// The accepted signatures: by keys that the provider publishes, not with a shared secret or `none`.
const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
];

/// Sign-in with one provider. Clones share its metadata.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

struct Inner {
    settings: OidcSettings,
    provider: Provider,
    places: Semaphore,
}

/// All claims, by name.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct AllClaims(Map<String, Value>);

impl AdditionalClaims for AllClaims {}

impl SignIn {
    /// Signs users in by these settings; the provider is contacted at the first sign-in.
    pub(super) fn new(settings: OidcSettings, direct: &Direct) -> Self {
        let provider = Provider::new(settings.issuer.clone(), direct.clone());
        Self(Arc::new(Inner {
            settings,
            provider,
            places: Semaphore::new(AT_ONCE),
        }))
    }

    /// The label of the button.
    pub fn label(&self) -> &str {
        &self.0.settings.label
    }

    /// Whether users reach sitelog over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.0.settings.redirect.scheme() == "https"
    }

    /// Starts a sign-in; returns the URL to redirect to, and what the browser must keep.
    pub async fn begin(&self) -> Result<(Url, PendingSignIn), SignInError> {
        let settings = &self.0.settings;
        let published = self.0.provider.published().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = client(settings, &published);
        let scopes = settings.request_scopes.iter().filter(|scope| *scope != "openid");
        let (address, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.clone())))
            .set_pkce_challenge(challenge)
            .set_redirect_uri(std::borrow::Cow::Owned(redirect(settings)))
            .url();
        let begun = PendingSignIn {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
        };
        Ok((address, begun))
    }

    /// Completes a sign-in that this browser has started.
    pub async fn complete(
        &self,
        begun: Option<PendingSignIn>,
        returned: &AuthorizationResponse,
    ) -> Result<Person, SignInError> {
        let issuer = &self.0.settings.issuer;
        if let Some(given) = returned.iss.as_ref().filter(|given| *given != issuer) {
            let (given, expected) = (shown(given), issuer.clone());
            return Err(SignInError::WrongIssuer { given, expected });
        }
        // Check first that the response belongs to this browser.
        let state = returned.state.as_deref().unwrap_or_default();
        let is_its_own = |begun: &PendingSignIn| bool::from(begun.state.as_bytes().ct_eq(state.as_bytes()));
        let begun = begun.filter(is_its_own).ok_or(SignInError::Unknown)?;
        if let Some(error) = &returned.error {
            let words = returned.error_description.as_deref().unwrap_or_default();
            let reason = if words.is_empty() {
                shown(error)
            } else {
                format!("{} ({})", shown(words), shown(error))
            };
            return Err(SignInError::Denied(reason));
        }
        let Some(code) = &returned.code else {
            return Err(SignInError::Invalid("it has no code".to_owned()));
        };
        let _place = self.0.places.try_acquire().map_err(|_| SignInError::Busy)?;
        let sign_in = Sha256::digest(&begun.state).into();
        let nonce = Nonce::new(begun.nonce);
        let answer = self.exchange(code, begun.verifier).await?;
        let id_token = answer.id_token();
        let id_token = id_token.ok_or_else(|| SignInError::Invalid("it has no ID token".to_owned()))?;
        let subject = self.verify(id_token, &nonce, answer.access_token()).await?;
        let mut claims = claims_of(id_token)?;
        self.add_user_info(&mut claims, answer.access_token(), &subject)
            .await?;
        let rules = &self.0.settings.rules;
        Ok(Person {
            actor: actor(&subject)?,
            name: name(&claims, &subject),
            tenant: rules.tenant(&claims)?,
            scopes: rules.scopes(&claims)?,
            sign_in,
        })
    }

    /// The provider's response to the code (OpenID Connect Core 1.0, section 3.1.3).
    async fn exchange(&self, code: &str, verifier: String) -> Result<CoreTokenResponse, SignInError> {
        let (settings, provider) = (&self.0.settings, &self.0.provider);
        let published = provider.published().await?;
        let client = client(settings, &published);
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| provider.unavailable(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .set_redirect_uri(std::borrow::Cow::Owned(redirect(settings)));
        let answer = request.request_async(provider.client()).await;
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(refusal) => {
                tracing::warn!(
                    "The identity provider at {} refused a code: {refusal}",
                    settings.issuer
                );
                SignInError::CodeRefused(shown(&refusal.to_string()))
            }
            RequestTokenError::Request(error) => provider.unavailable(unanswered(&settings.issuer, &error)),
            other => provider.unavailable(causes(&other)),
        })
    }

    /// The user of a valid ID token (OpenID Connect Core 1.0, section 3.1.3.7).
    async fn verify(
        &self,
        token: &CoreIdToken,
        nonce: &Nonce,
        access: &AccessToken,
    ) -> Result<SubjectIdentifier, SignInError> {
        let provider = &self.0.provider;
        let first = self.verify_by(&*provider.published().await?, token, nonce, access);
        match first {
            // Its keys may have changed since they were read.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                self.verify_by(&*provider.refresh().await?, token, nonce, access)
            }
            other => other,
        }
        .map_err(|error| match error {
            ClaimsVerificationError::Expired(text) => SignInError::Expired(text),
            ClaimsVerificationError::InvalidNonce(_) => SignInError::WrongNonce,
            other => SignInError::Invalid(causes(&other)),
        })
    }

    fn verify_by(
        &self,
        published: &CoreProviderMetadata,
        token: &CoreIdToken,
        nonce: &Nonce,
        access: &AccessToken,
    ) -> Result<SubjectIdentifier, ClaimsVerificationError> {
        let id = ClientId::new(self.0.settings.client_id.clone());
        let verifier =
            IdTokenVerifier::new_public_client(id, published.issuer().clone(), published.jwks().clone())
                .set_allowed_algs(ALGORITHMS)
                .set_time_fn(|| Utc::now() - SKEW)
                .set_issue_time_verifier_fn(|issued| {
                    let age = Utc::now() - issued;
                    if age > MAX_AGE {
                        return Err(format!("it was issued at {issued}"));
                    }
                    if age < -SKEW {
                        return Err(format!("it was issued in the future, at {issued}"));
                    }
                    Ok(())
                });
        let claims = token.claims(&verifier, nonce)?;
        if let Some(expected) = claims.access_token_hash() {
            let invalid = |error: &dyn std::error::Error| ClaimsVerificationError::Other(causes(error));
            let algorithm = token.signing_alg().map_err(|error| invalid(&error))?;
            let key = token.signing_key(&verifier).map_err(|error| invalid(&error))?;
            let actual =
                AccessTokenHash::from_token(access, algorithm, key).map_err(|error| invalid(&error))?;
            if actual != *expected {
                let text = "the access token is not the one of the ID token".to_owned();
                return Err(ClaimsVerificationError::Other(text));
            }
        }
        Ok(claims.subject().clone())
    }

    /// Adds what the provider's user info endpoint says of the person, if something is missing (OpenID Connect Core
    /// 1.0, section 5.3).
    async fn add_user_info(
        &self,
        claims: &mut Map<String, Value>,
        access: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Result<(), SignInError> {
        let (settings, provider) = (&self.0.settings, &self.0.provider);
        let is_met = settings.rules.are_met_by(claims);
        if is_met && claims.get("name").is_some_and(Value::is_string) {
            return Ok(());
        }
        let published = provider.published().await?;
        let client = client(settings, &published);
        let Ok(request) = client.user_info(access.clone(), Some(subject.clone())) else {
            // It has none.
            return Ok(());
        };
        let answer: Result<UserInfoClaims<AllClaims, CoreGenderClaim>, _> =
            request.request_async(provider.client()).await;
        let more = match answer {
            Ok(claims) => serde_json::to_value(claims).unwrap_or_default(),
            // A name is missing, and nothing else.
            Err(error) if is_met => {
                let reason = causes(&error);
                tracing::warn!("Cannot read the name of a user at {}: {reason}", settings.issuer);
                return Ok(());
            }
            Err(UserInfoError::ClaimsVerification(error)) => {
                return Err(SignInError::Invalid(causes(&error)));
            }
            Err(UserInfoError::Response(status, ..)) => {
                let reason = format!("its user info endpoint answers HTTP {}", status.as_u16());
                return Err(provider.unavailable(reason));
            }
            Err(UserInfoError::Request(error)) => {
                return Err(provider.unavailable(unanswered(&settings.issuer, &error)));
            }
            Err(error) => return Err(provider.unavailable(causes(&error))),
        };
        for (name, value) in more.as_object().into_iter().flatten() {
            if claims.get(name).is_none_or(Value::is_null) {
                claims.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }
}

/// The library's client of a provider. Its type says which addresses it has.
fn client(
    settings: &OidcSettings,
    published: &CoreProviderMetadata,
) -> CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
> {
    let secret = settings.client_secret.as_ref();
    let client = CoreClient::from_provider_metadata(
        published.clone(),
        ClientId::new(settings.client_id.clone()),
        secret.map(|secret| ClientSecret::new(secret.reveal().to_owned())),
    );
    // Basic, unless the provider takes the secret in the body only (OpenID Connect Core 1.0, section 9).
    let methods = published.token_endpoint_auth_methods_supported();
    let only_in_body = methods.is_some_and(|methods| {
        methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
    });
    if only_in_body {
        client.set_auth_type(AuthType::RequestBody)
    } else {
        client
    }
}

fn redirect(settings: &OidcSettings) -> RedirectUrl {
    RedirectUrl::from_url(settings.redirect.clone())
}
