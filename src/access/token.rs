//! JSON Web Tokens: signed with a shared secret (HS256), or with the keys that an issuer publishes (RS256, ES256).
//! Other algorithms are refused (RFC 8725).

use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header};
use serde::Deserialize;

use super::key_set::{KeySet, KeysUnavailable};
use super::{Caller, JwtSettings, Scope, Scopes};
use crate::fetch::Direct;
use crate::values::TenantId;

/// Characters of `sub` that go into the log.
const MAX_SUBJECT: usize = 200;

/// How far the clock of an issuer that publishes its keys may be from ours, in seconds.
const SKEW: u64 = 60;

/// Checks tokens against the keys, audience and issuer of the settings.
pub(super) struct TokenVerifier {
    shared: Option<DecodingKey>,
    published: Option<KeySet>,
    validation: Validation,
}

/// The claims that are read from a token; the library reads `aud`, `exp`, `iss` and `nbf`.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    #[serde(alias = "tenant")]
    tenant_id: Option<TenantId>,
    /// Where the predecessor's issuer keeps what a user cannot change.
    app_metadata: Option<AppMetadata>,
    /// RFC 8693, 4.2.
    scope: Option<Words>,
    scopes: Option<Words>,
    roles: Option<Words>,
}

#[derive(Debug, Deserialize)]
struct AppMetadata {
    tenant_id: Option<TenantId>,
}

/// `"read write"` or `["read", "write"]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

impl TokenVerifier {
    pub(super) fn new(settings: &JwtSettings, direct: &Direct) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_audience(&[&settings.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        if let Some(issuer) = &settings.issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "aud", "sub", "iss"]);
        }
        let secret = settings.secret.as_ref();
        Self {
            shared: secret.map(|secret| DecodingKey::from_secret(secret.reveal().as_bytes())),
            published: settings
                .jwks_url
                .as_ref()
                .map(|url| KeySet::new(url.to_string(), direct.clone())),
            validation,
        }
    }

    /// The caller of a valid token.
    pub(super) async fn verify(&self, token: &str) -> Result<Option<Caller>, KeysUnavailable> {
        let Ok(header) = decode_header(token) else {
            return Ok(None);
        };
        // The algorithm decides which kind of key to look for; the key decides with which algorithm the token is
        // checked.
        let key = match (header.alg, &self.published) {
            (Algorithm::HS256, _) => self.shared.clone(),
            (algorithm @ (Algorithm::RS256 | Algorithm::ES256), Some(keys)) => {
                keys.find(header.kid.as_deref(), algorithm).await?
            }
            _ => None,
        };
        let mut validation = self.validation.clone();
        validation.algorithms = vec![header.alg];
        if header.alg != Algorithm::HS256 {
            validation.leeway = SKEW;
        }
        let is_shared = header.alg == Algorithm::HS256;
        Ok(key.and_then(|key| caller_of(token, &key, &validation, is_shared)))
    }
}

/// `is_shared`: by the shared secret. A token of the predecessor's issuer may leave out tenant and scopes; any other must
/// name its tenant, and without scopes it may only read.
fn caller_of(token: &str, key: &DecodingKey, validation: &Validation, is_shared: bool) -> Option<Caller> {
    let TokenData { header, claims } = decode::<Claims>(token, key, validation).ok()?;
    // Refuses critical extensions, because none is supported (`crit`, RFC 7515, 4.1.11), and a subject that the log
    // cannot show.
    if header.crit.is_some() || claims.sub.is_empty() || claims.sub.contains(char::is_control) {
        return None;
    }
    let of_metadata = claims.app_metadata.as_ref().and_then(|data| data.tenant_id);
    let tenant = claims.tenant_id.or(of_metadata);
    let tenant = tenant.or(is_shared.then_some(TenantId::DEFAULT))?;
    let subject: String = claims.sub.chars().take(MAX_SUBJECT).collect();
    Some(Caller {
        tenant,
        actor: format!("user:{subject}"),
        name: None,
        scopes: claims.scopes_given(is_shared),
    })
}

impl Claims {
    /// The words among `scope`, `scopes` and `roles` that are scopes of ours. A token that has none of these claims is
    /// one of the predecessor's, whose users could do everything that is not administration.
    fn scopes_given(&self, is_shared: bool) -> Scopes {
        let given: Vec<&Words> = [&self.scope, &self.scopes, &self.roles]
            .into_iter()
            .flatten()
            .collect();
        if given.is_empty() {
            let scope = if is_shared { Scope::Write } else { Scope::Read };
            return Scopes::from_iter([Scope::Read, scope]);
        }
        given
            .into_iter()
            .flat_map(Words::list)
            .filter_map(|word| word.parse().ok())
            .collect()
    }
}

impl Words {
    fn list(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split_ascii_whitespace().collect(),
            Self::List(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use chrono::Utc;
    use hmac::{Hmac, Mac};
    use serde_json::{Value, json};
    use sha2::{Sha256, Sha512};

    use super::*;
    use crate::access::Secret;

    const SECRET: &str = "a secret of thirty-two bytes or so";
    const TENANT: &str = "11111111-2222-3333-4444-555555555555";

    /// Checks as the settings with a secret do.
    struct Shared(TokenVerifier);

    impl Shared {
        fn verify(&self, token: &str) -> Option<Caller> {
            let verified = futures::executor::block_on(self.0.verify(token));
            verified.expect("there are no published keys to be read")
        }
    }

    fn verifier() -> Shared {
        let settings = JwtSettings {
            secret: Some(Secret::new(SECRET.to_owned())),
            jwks_url: None,
            audience: "authenticated".to_owned(),
            issuer: Some("https://issuer.test".to_owned()),
        };
        Shared(TokenVerifier::new(&settings, &Direct::new(None).unwrap()))
    }

    fn claims() -> Value {
        json!({
            "sub": "ann", "aud": "authenticated", "iss": "https://issuer.test", "tenant_id": TENANT,
            "exp": Utc::now().timestamp() + 60,
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn signed(header: &Value, claims: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(sign(&text));
        format!("{text}.{signature}")
    }

    fn hs256(secret: &str) -> impl Fn(&str) -> Vec<u8> {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        move |text| mac.clone().chain_update(text).finalize().into_bytes().to_vec()
    }

    fn token(claims: &Value) -> String {
        signed(&json!({ "alg": "HS256", "typ": "JWT" }), claims, hs256(SECRET))
    }

    #[test]
    fn a_good_token_says_who_whose_and_what() {
        let caller = verifier()
            .verify(&token(&with("scope", json!("read openid"))))
            .unwrap();
        assert_eq!(caller.actor, "user:ann");
        assert_eq!(caller.tenant.to_string(), TENANT);
        assert!(caller.may(Scope::Read) && !caller.may(Scope::Write));
    }

    #[test]
    fn what_is_missing_late_or_meant_for_others_is_refused() {
        let now = Utc::now().timestamp();
        let bad = [
            without("aud"),
            without("exp"),
            without("iss"),
            without("sub"),
            with("aud", json!("others")),
            with("aud", json!(["others"])),
            with("aud", json!(null)),
            with("iss", json!("https://evil.test")),
            with("exp", json!(now - 1)),
            with("exp", json!((now + 60).to_string())),
            with("exp", json!(null)),
            with("nbf", json!(now + 60)),
            with("sub", json!(null)),
            with("sub", json!("")),
            with("sub", json!("ann\0")),
            with("sub", json!("ann\r\nadmin")),
            with("sub", json!("\u{1b}[2Jann")),
            with("tenant_id", json!("all of them")),
            with("tenant_id", json!({ "or": true })),
        ];
        for claims in bad {
            assert_eq!(verifier().verify(&token(&claims)), None, "{claims}");
        }
        assert!(
            verifier()
                .verify(&token(&with("aud", json!(["others", "authenticated"]))))
                .is_some()
        );
    }

    #[test]
    fn only_the_secret_and_only_hs256_make_a_token_good() {
        let verify = |token: &str| verifier().verify(token);
        let header = |alg: &str| json!({ "alg": alg, "typ": "JWT" });
        assert_eq!(
            verify(&signed(&header("HS256"), &claims(), hs256("another secret"))),
            None
        );
        assert_eq!(verify(&signed(&header("HS256"), &claims(), hs256(""))), None);
        for alg in [
            "none", "None", "NONE", "HS512", "HS384", "RS256", "ES256", "EdDSA", "",
        ] {
            assert_eq!(
                verify(&signed(&header(alg), &claims(), |_| Vec::new())),
                None,
                "{alg}"
            );
            assert_eq!(
                verify(&signed(&header(alg), &claims(), hs256(SECRET))),
                None,
                "{alg}"
            );
        }
        let hs512 = |text: &str| {
            let mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.chain_update(text).finalize().into_bytes().to_vec()
        };
        assert_eq!(verify(&signed(&header("HS512"), &claims(), hs512)), None);
        // A key in the token itself is ignored.
        let own_key = json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": "YQ" }, "kid": "../../dev/null" });
        assert_eq!(verify(&signed(&own_key, &claims(), hs256("a"))), None);
    }

    #[test]
    fn extensions_that_must_be_understood_are_not() {
        for header in [
            json!({ "alg": "HS256", "crit": ["exp"] }),
            json!({ "alg": "HS256", "crit": ["b64"], "b64": false }),
        ] {
            assert_eq!(
                verifier().verify(&signed(&header, &claims(), hs256(SECRET))),
                None
            );
        }
    }

    #[test]
    fn a_token_that_was_cut_or_changed_is_refused() {
        let good = token(&claims());
        let parts: Vec<&str> = good.split('.').collect();
        let other = URL_SAFE_NO_PAD.encode(with("sub", json!("bob")).to_string());
        for bad in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{good}x"),
            format!("{good}.x"),
        ] {
            assert_eq!(verifier().verify(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_of_the_predecessor_reads_and_writes_for_the_default_tenant() {
        let caller = verifier().verify(&token(&without("tenant_id"))).unwrap();
        assert_eq!(caller.tenant, TenantId::DEFAULT);
        assert!(caller.may(Scope::Write) && !caller.may(Scope::Admin));
        let nothing = verifier()
            .verify(&token(&with("roles", json!(["USER"]))))
            .unwrap();
        assert!(!nothing.may(Scope::Read));
    }
}
