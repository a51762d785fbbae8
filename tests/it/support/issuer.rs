//! A test issuer: it publishes keys, and signs users in (OpenID Connect) as a test needs it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

/// The client ID and secret of the service.
pub const CLIENT: (&str, &str) = ("sitelog", "between us");

/// A running issuer; clones are the same.
#[derive(Clone, Default)]
pub struct Issuer(Arc<Mutex<Inner>>, Arc<AtomicBool>);

#[derive(Default)]
struct Inner {
    url: String,
    keys: Value,
    read: usize,
    grants: HashMap<String, Grant>,
    user_info: Option<Value>,
    takes_codes_again: bool,
    is_away: bool,
}

/// The sign-in of a code.
#[derive(Clone)]
struct Grant {
    challenge: String,
    redirect: String,
    token: String,
}

impl Issuer {
    pub async fn start() -> Self {
        let issuer = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        issuer.inner().url = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/keys", get(keys))
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/token", post(token_of))
            .route("/user", get(user_info))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        issuer
    }

    pub fn url(&self) -> String {
        self.inner().url.clone()
    }

    pub fn keys_url(&self) -> String {
        format!("{}/keys", self.url())
    }

    pub fn publishes(&self, keys: &[Value]) {
        self.inner().keys = json!({ "keys": keys });
    }

    /// Makes it stop responding.
    pub fn hangs(&self) {
        self.1.store(true, Ordering::SeqCst);
    }

    /// How often its keys were read.
    pub fn read(&self) -> usize {
        self.inner().read
    }

    /// The response of its user info endpoint about a user.
    pub fn sets_user_info(&self, claims: Value) {
        self.inner().user_info = Some(claims);
    }

    /// It accepts a code repeatedly, which a correct provider does not.
    pub fn takes_codes_again(&self) {
        self.inner().takes_codes_again = true;
    }

    /// Whether it answers with an error to everything that is asked of it.
    pub fn is_away(&self, is_away: bool) {
        self.inner().is_away = is_away;
    }

    /// Signs in a user who was sent to this URL, with these claims instead of the normal ones; returns the redirect.
    pub fn signs_in(&self, address: &str, key: &EncodingKey, claims: &Value) -> Url {
        let address = Url::parse(address).unwrap();
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert_eq!(address.path(), "/authorize");
        assert_eq!(
            (asked["response_type"].as_str(), asked["client_id"].as_str()),
            ("code", CLIENT.0)
        );
        assert_eq!(asked["code_challenge_method"], "S256");
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        let now = chrono::Utc::now().timestamp();
        let mut whole = json!({
            "iss": self.url(), "aud": CLIENT.0, "sub": "ann", "nonce": asked["nonce"], "iat": now, "exp": now + 300,
        });
        for (name, value) in claims.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let grant = Grant {
            challenge: asked["code_challenge"].clone(),
            redirect: asked["redirect_uri"].clone(),
            token: token(Algorithm::ES256, Some("one"), key, &whole),
        };
        let mut inner = self.inner();
        let code = format!("code-{}", inner.grants.len());
        let mut back = Url::parse(&grant.redirect).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &asked["state"]);
        inner.grants.insert(code, grant);
        back
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }
}

/// A key on P-256, and how it is published.
pub fn elliptic(id: &str) -> (EncodingKey, Value) {
    let pair = KeyPair::generate().unwrap();
    let point = pair.public_key_raw().to_vec();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "x": part(&point[1..33]), "y": part(&point[33..]),
    });
    (EncodingKey::from_ec_der(&pair.serialize_der()), jwk)
}

/// The key of the fixtures.
pub fn rsa(id: &str) -> (EncodingKey, Value) {
    let key = include_bytes!("../../fixtures/keys/rsa.der");
    let modulus = include_str!("../../fixtures/keys/rsa.n").trim();
    let jwk = json!({ "kty": "RSA", "kid": id, "alg": "RS256", "n": modulus, "e": "AQAB" });
    (EncodingKey::from_rsa_der(key), jwk)
}

pub fn token(algorithm: Algorithm, id: Option<&str>, key: &EncodingKey, claims: &Value) -> String {
    let header = Header {
        kid: id.map(str::to_owned),
        ..Header::new(algorithm)
    };
    encode(&header, claims, key).unwrap()
}

async fn keys(State(issuer): State<Issuer>) -> impl IntoResponse {
    if issuer.1.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    let mut inner = issuer.inner();
    inner.read += 1;
    let (status, body) = if inner.keys.is_null() {
        (StatusCode::BAD_GATEWAY, "<html>".to_owned())
    } else {
        (StatusCode::OK, inner.keys.to_string())
    };
    (status, [(header::CONTENT_TYPE, "application/json")], body)
}

async fn configuration(State(issuer): State<Issuer>) -> Result<Json<Value>, StatusCode> {
    let inner = issuer.inner();
    if inner.is_away {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let url = &inner.url;
    Ok(Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "userinfo_endpoint": format!("{url}/user"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })))
}

/// RFC 6749, 4.1.3, with the proof of RFC 7636, 4.5.
async fn token_of(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(asked): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    let mut inner = issuer.inner();
    if inner.is_away {
        return (StatusCode::BAD_GATEWAY, Json(json!({})));
    }
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT.0), encoded(CLIENT.1)));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&format!("Basic {basic}")) {
        return refused("invalid_client");
    }
    let code = &asked["code"];
    let grant = if inner.takes_codes_again {
        inner.grants.get(code).cloned()
    } else {
        inner.grants.remove(code)
    };
    let Some(grant) = grant else {
        return refused("invalid_grant");
    };
    let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(&asked["code_verifier"]));
    if proof != grant.challenge || asked["redirect_uri"] != grant.redirect {
        return refused("invalid_grant");
    }
    let answer = json!({ "access_token": "of-ann", "token_type": "Bearer", "id_token": grant.token });
    (StatusCode::OK, Json(answer))
}

async fn user_info(State(issuer): State<Issuer>, headers: HeaderMap) -> Json<Value> {
    assert_eq!(headers["authorization"], "Bearer of-ann");
    let claims = issuer.inner().user_info.clone();
    Json(claims.unwrap_or_else(|| json!({ "sub": "ann" })))
}
