//! Tokens of an issuer that publishes its keys.

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sitelog::access::{AuthMode, AuthSettings, JwtSettings};

use super::tokens::claims;
use crate::support::app::TestApp;
use crate::support::issuer::{Issuer, elliptic, rsa, token};

async fn app(jwks_url: &str) -> TestApp {
    let auth = AuthSettings {
        jwt: Some(JwtSettings {
            secret: None,
            jwks_url: Some(jwks_url.parse().unwrap()),
            audience: "authenticated".to_owned(),
            issuer: None,
        }),
        ..AuthSettings::of(AuthMode::Required)
    };
    TestApp::builder().with_auth(auth).start().await
}

async fn status(app: &TestApp, token: &str) -> u16 {
    app.call("GET", "/api/v4/scans").bearer(token).send().await.status
}

#[tokio::test]
async fn tokens_by_published_keys_are_good_and_all_others_are_not() {
    let issuer = Issuer::start().await;
    let url = issuer.keys_url();
    let ((ec, ec_jwk), (rsa, rsa_jwk), (stranger, _)) = (elliptic("one"), rsa("two"), elliptic("one"));
    let for_encryption = json!({ "kty": "RSA", "kid": "enc", "use": "enc", "n": rsa_jwk["n"], "e": "AQAB" });
    let of_another_kind = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "AA" });
    issuer.publishes(&[ec_jwk, rsa_jwk, for_encryption, of_another_kind]);
    let app = app(&url).await;
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let now = chrono::Utc::now().timestamp();
    for (expected, token) in [
        (200, token(Algorithm::ES256, Some("one"), &ec, &claims())),
        (200, token(Algorithm::RS256, Some("two"), &rsa, &claims())),
        // Without an id, the only key of the algorithm.
        (200, token(Algorithm::ES256, None, &ec, &claims())),
        // Clocks may differ by a minute.
        (
            200,
            token(Algorithm::ES256, Some("one"), &ec, &with("exp", json!(now - 20))),
        ),
        (
            401,
            token(Algorithm::ES256, Some("one"), &ec, &with("exp", json!(now - 300))),
        ),
        (
            401,
            token(Algorithm::ES256, Some("one"), &ec, &with("aud", json!("others"))),
        ),
        // Whose it is must be said.
        (
            401,
            token(
                Algorithm::ES256,
                Some("one"),
                &ec,
                &with("tenant_id", Value::Null),
            ),
        ),
        (401, token(Algorithm::ES256, Some("one"), &stranger, &claims())),
        (401, token(Algorithm::RS256, Some("enc"), &rsa, &claims())),
        // The key of one algorithm under another.
        (401, token(Algorithm::RS256, Some("one"), &rsa, &claims())),
        (401, token(Algorithm::RS512, Some("two"), &rsa, &claims())),
        // What is public is no shared secret.
        (
            401,
            token(
                Algorithm::HS256,
                Some("two"),
                &EncodingKey::from_secret(b"AQAB"),
                &claims(),
            ),
        ),
    ] {
        assert_eq!(status(&app, &token).await, expected, "{token}");
    }
    // Without scopes it may only read.
    let scan = app
        .call("POST", "/api/v4/scans")
        .json(&json!({ "domain": "a.com" }));
    let reader = token(Algorithm::ES256, Some("one"), &ec, &claims());
    scan.bearer(&reader)
        .send()
        .await
        .problem(403, "insufficient_scope");
    let scan = app
        .call("POST", "/api/v4/scans")
        .json(&json!({ "domain": "a.com" }));
    let writer = token(Algorithm::ES256, Some("one"), &ec, &with("scope", json!("write")));
    assert_eq!(scan.bearer(&writer).send().await.status, 202);
}

#[tokio::test]
async fn while_an_issuer_hangs_known_keys_are_good_at_once() {
    let issuer = Issuer::start().await;
    let url = issuer.keys_url();
    let (key, jwk) = elliptic("one");
    issuer.publishes(&[jwk]);
    let app = app(&url).await;
    let good = token(Algorithm::ES256, Some("one"), &key, &claims());
    assert_eq!(status(&app, &good).await, 200);
    issuer.hangs();
    // It asks for this one and waits; the other does not wait for it.
    let unknown = token(Algorithm::ES256, Some("two"), &key, &claims());
    let waiting = status(&app, &unknown);
    tokio::pin!(waiting);
    tokio::select! {
        answered = &mut waiting => assert_eq!(answered, 401, "it was asked just before"),
        answered = status(&app, &good) => assert_eq!(answered, 200),
    }
}

#[tokio::test]
async fn an_issuer_may_change_its_keys_and_be_away() {
    let issuer = Issuer::start().await;
    let url = issuer.keys_url();
    let app = app(&url).await;
    let ((first, first_jwk), (second, second_jwk)) = (elliptic("one"), elliptic("two"));
    // It was never there: nobody can say whether the token is good.
    let good = token(Algorithm::ES256, Some("one"), &first, &claims());
    assert_eq!(status(&app, &good).await, 503);
    issuer.publishes(&[first_jwk]);
    // Until it is asked again, the answer is the same.
    let read = issuer.read();
    assert_eq!((status(&app, &good).await, issuer.read()), (503, read));
    let app = self::app(&url).await;
    assert_eq!(status(&app, &good).await, 200);
    let read = issuer.read();
    for _ in 0..20 {
        assert_eq!(status(&app, &good).await, 200);
    }
    assert_eq!(issuer.read(), read, "keys are kept");
    // Another key: it is looked for, but not as often as somebody names one.
    issuer.publishes(&[second_jwk]);
    let app = self::app(&url).await;
    let changed = token(Algorithm::ES256, Some("two"), &second, &claims());
    assert_eq!(status(&app, &changed).await, 200);
    assert_eq!(status(&app, &good).await, 401, "the first key is gone");
    let read = issuer.read();
    for n in 0..20 {
        let unknown = token(Algorithm::ES256, Some(&n.to_string()), &second, &claims());
        assert_eq!(status(&app, &unknown).await, 401);
    }
    assert_eq!(issuer.read(), read);
}
