//! Tokens of requests; the unit tests of `access::token` cover which tokens are valid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sitelog::access::{AuthMode, AuthSettings, JwtSettings, Secret};

use super::OTHER;
use crate::support::app::TestApp;

pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";

async fn app() -> TestApp {
    let auth = AuthSettings {
        jwt: Some(JwtSettings {
            secret: Some(Secret::new(SECRET.to_owned())),
            jwks_url: None,
            audience: "authenticated".to_owned(),
            issuer: None,
        }),
        ..AuthSettings::of(AuthMode::Required)
    };
    TestApp::builder().with_auth(auth).start().await
}

pub(super) fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "HS256" })), part(claims));
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    let signature = mac.chain_update(&text).finalize().into_bytes();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn claims() -> Value {
    json!({ "sub": "ann", "aud": "authenticated", "exp": Utc::now().timestamp() + 60, "tenant_id": OTHER })
}

#[tokio::test]
async fn a_token_opens_its_tenant_and_its_subject_is_in_the_log() {
    let app = app().await;
    let token = token(&claims());
    let scan = json!({ "domain": "a.com" });
    let call = app.call("POST", "/api/v4/scans").json(&scan).bearer(&token);
    assert_eq!(call.send().await.status, 202);
    let event = app
        .call("GET", "/api/v4/events")
        .bearer(&token)
        .send()
        .await
        .json()["items"][0]
        .clone();
    assert_eq!(
        (&event["actor"], &event["tenant_id"], &event["metadata"]["roles"]),
        (&json!("user:ann"), &json!(OTHER), &json!("read write"))
    );
    let call = app.call("GET", "/api/v4/keys").bearer(&token);
    call.send().await.problem(403, "insufficient_scope");
}

#[tokio::test]
async fn a_token_without_audience_is_refused() {
    let app = app().await;
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("aud");
    let call = app.call("GET", "/api/v4/scans").bearer(&token(&claims));
    call.send().await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn without_a_secret_no_token_is_good() {
    let app = TestApp::builder().guarded().start().await;
    let call = app.call("GET", "/api/v4/scans").bearer(&token(&claims()));
    call.send().await.problem(401, "invalid_credentials");
}
