//! Signing in on the pages with a provider (OpenID Connect).

use std::time::Duration;

use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use sitelog::access::{AuthMode, AuthSettings, ClaimRules, OidcSettings, Scope, Scopes, Secret};

use super::{OTHER, key, other};
use crate::support::app::TestApp;
use crate::support::call::Answer;
use crate::support::issuer::{CLIENT, Issuer, elliptic};

/// A service with the test provider for sign-in.
struct Place {
    app: TestApp,
    issuer: Issuer,
    signing: EncodingKey,
}

/// A browser after the provider: its cookie, and the redirect.
struct Visit {
    cookie: String,
    address: String,
}

impl Place {
    async fn start() -> Self {
        let issuer = Issuer::start().await;
        let (signing, published) = elliptic("one");
        issuer.publishes(&[published]);
        let oidc = OidcSettings {
            issuer: issuer.url(),
            client_id: CLIENT.0.to_owned(),
            client_secret: Some(Secret::new(CLIENT.1.to_owned())),
            redirect: format!("https://sitelog.test{}", OidcSettings::RETURN_PATH)
                .parse()
                .unwrap(),
            label: "Sign in with Example".to_owned(),
            request_scopes: vec!["openid".to_owned(), "email".to_owned()],
            rules: ClaimRules {
                tenant_claim: "org".to_owned(),
                tenants: vec![
                    ("acme".to_owned(), other()),
                    ("else".to_owned(), OTHER.replace('1', "3").parse().unwrap()),
                ],
                default_tenant: None,
                scopes_claim: Some("groups".to_owned()),
                scopes_of: vec![
                    ("staff".to_owned(), Scope::Write),
                    ("it".to_owned(), Scope::Admin),
                ],
                default_scopes: Scopes::default(),
            },
        };
        let auth = AuthSettings {
            oidc: Some(oidc),
            ..AuthSettings::of(AuthMode::Required)
        };
        let app = TestApp::builder().with_auth(auth).start().await;
        Self { app, issuer, signing }
    }

    async fn begin(&self) -> Visit {
        let begun = self.app.get("/sign-in/oidc?next=%2Fdomains").await;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let cookie = begun.header("set-cookie").unwrap();
        assert!(
            cookie.ends_with("; Path=/sign-in; Max-Age=600; HttpOnly; SameSite=Lax; Secure"),
            "{cookie}"
        );
        Visit {
            cookie: cookie.split(';').next().unwrap().to_owned(),
            address: begun.header("location").unwrap().to_owned(),
        }
    }

    /// A complete sign-in, with other claims than the normal ones.
    async fn sign_in(&self, claims: Value) -> Answer {
        let visit = self.begin().await;
        let mut whole =
            json!({ "org": "acme", "groups": ["all", "staff"], "name": "Ann", "email": "ann@acme.test" });
        for (name, value) in claims.as_object().unwrap() {
            whole[name] = value.clone();
        }
        let back = self.issuer.signs_in(&visit.address, &self.signing, &whole);
        self.comes_back(back.as_str(), Some(&visit.cookie)).await
    }

    async fn comes_back(&self, address: &str, cookie: Option<&str>) -> Answer {
        let path = address.strip_prefix("https://sitelog.test").unwrap();
        let mut call = self.app.call("GET", path).header("sec-fetch-site", "cross-site");
        if let Some(cookie) = cookie {
            call = call.header("cookie", cookie);
        }
        call.send().await
    }

    async fn with(&self, session: &str, method: &str, path: &str) -> Answer {
        let call = self.app.call(method, path).header("cookie", session);
        call.header("sec-fetch-site", "same-origin").send().await
    }
}

/// The session in a response, if there is one.
fn session_in(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all("set-cookie").iter();
    let mut cookies = cookies.filter_map(|value| value.to_str().unwrap().split(';').next());
    cookies
        .find(|cookie| cookie.starts_with("sitelog_session="))
        .map(str::to_owned)
}

#[track_caller]
fn session(answer: &Answer) -> String {
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/domains")),
        "{}",
        answer.text()
    );
    session_in(answer).expect("a session")
}

#[tokio::test]
async fn people_work_in_their_tenant_under_their_name_until_they_sign_out() {
    let place = Place::start().await;
    let form = place.app.get("/sign-in?next=%2Fdomains").await.text();
    assert!(
        form.contains("Sign in with Example") && form.contains("/sign-in/oidc?next=%2Fdomains"),
        "{form}"
    );
    let session = session(&place.sign_in(json!({})).await);
    let page = place.with(&session, "GET", "/domains").await.text();
    assert!(
        page.contains("Ann (ann@acme.test)") && page.contains("Sign out"),
        "{page}"
    );
    let scan = place
        .app
        .call("POST", "/api/v4/scans")
        .json(&json!({ "domain": "a.com" }));
    let scan = scan
        .header("cookie", &session)
        .header("sec-fetch-site", "same-origin")
        .send()
        .await;
    assert_eq!(scan.status, 202, "{}", scan.text());
    let events = place.with(&session, "GET", "/api/v4/events").await.json();
    let metadata = &events["items"][0]["metadata"];
    assert_eq!(
        (&metadata["actor"], &metadata["tenant_id"], &metadata["roles"]),
        (&json!("oidc:ann"), &json!(OTHER), &json!("write")),
        "{events}"
    );
    // The name is alongside the log, where it can be forgotten.
    assert!(!events.to_string().contains("Ann"));
    let log = place.with(&session, "GET", "/log").await.text();
    assert!(
        log.contains("oidc:ann") && log.contains("Ann (ann@acme.test)"),
        "{log}"
    );
    assert_eq!(place.with(&session, "GET", "/keys").await.status, 403);
    // Of another page no form is taken.
    let foreign = place.app.call("POST", "/scans").header("cookie", &session);
    assert_eq!(
        foreign.header("sec-fetch-site", "cross-site").send().await.status,
        403
    );
    assert_eq!(place.with(&session, "POST", "/sign-out").await.status, 303);
    assert_eq!(place.with(&session, "GET", "/domains").await.status, 303);
}

#[tokio::test]
async fn an_answer_that_is_not_good_signs_nobody_in_and_says_why() {
    let place = Place::start().await;
    let now = chrono::Utc::now().timestamp();
    for (claims, status, expected) in [
        (json!({ "iss": "https://evil.test" }), 403, "SITELOG_OIDC__ISSUER"),
        (json!({ "aud": "others" }), 403, "SITELOG_OIDC__CLIENT_ID"),
        (json!({ "aud": ["sitelog", "others"] }), 403, "invalid"),
        (json!({ "nonce": "of another" }), 403, "its nonce differs"),
        (json!({ "nonce": null }), 403, "its nonce differs"),
        (json!({ "exp": now - 90 }), 403, "has expired"),
        (json!({ "iat": now - 3600 }), 403, "has expired"),
        (json!({ "sub": "a\nb" }), 403, "its subject"),
        (json!({ "org": null }), 403, "has no claim 'org'"),
        (json!({ "org": "umbrella" }), 403, "names no tenant of sitelog"),
        (json!({ "org": ["acme", "else"] }), 403, "names several tenants"),
        (json!({ "groups": ["all"] }), 403, "may not use sitelog"),
    ] {
        let answer = place.sign_in(claims.clone()).await;
        let text = answer.text();
        assert!(
            answer.status == status && text.contains(expected),
            "{claims}: {} {text}",
            answer.status
        );
        assert!(text.contains("Sign in with Example"), "it can be tried again");
        assert_eq!(session_in(&answer), None, "{claims}");
    }
    // The clock of the provider may be a little off.
    session(&place.sign_in(json!({ "exp": now - 30 })).await);
    let stranger = elliptic("one").0;
    let visit = place.begin().await;
    let forged = place.issuer.signs_in(
        &visit.address,
        &stranger,
        &json!({ "org": "acme", "groups": "it" }),
    );
    let answer = place.comes_back(forged.as_str(), Some(&visit.cookie)).await;
    assert_eq!(
        (answer.status, session_in(&answer)),
        (403, None),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_sign_in_is_that_of_one_browser_and_works_once() {
    let place = Place::start().await;
    place.issuer.takes_codes_again();
    let claims = json!({ "org": "acme", "groups": "staff", "name": "Ann" });
    let (visit, strange) = (place.begin().await, place.begin().await);
    let back = place.issuer.signs_in(&visit.address, &place.signing, &claims);
    let own = Some(visit.cookie.as_str());
    for (address, cookie) in [
        (back.as_str(), None),
        (back.as_str(), Some(strange.cookie.as_str())),
        (back.as_str(), Some("sitelog_sign_in=x.y.z.w")),
        ("https://sitelog.test/sign-in/oidc/return?code=code-0", own),
        ("https://sitelog.test/sign-in/oidc/return?state=a&state=b", own),
    ] {
        let answer = place.comes_back(address, cookie).await;
        assert_eq!((answer.status, session_in(&answer)), (400, None), "{address}");
        assert!(
            answer.text().contains("another browser or tab"),
            "{}",
            answer.text()
        );
    }
    let from_another = format!("{back}&iss=https%3A%2F%2Fevil.test");
    let answer = place.comes_back(&from_another, own).await;
    assert!(
        answer.status == 403 && answer.text().contains("https://evil.test"),
        "{}",
        answer.text()
    );
    let state = back
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    let denied = format!(
        "https://sitelog.test/sign-in/oidc/return?state={state}&error=access_denied&error_description=No%20%3Cb%3E"
    );
    let answer = place.comes_back(&denied, own).await;
    assert!(
        answer.status == 403 && answer.text().contains("No &lt;b&gt; (access_denied)"),
        "{}",
        answer.text()
    );
    let good = place.comes_back(back.as_str(), own).await;
    session(&good);
    let forgotten = good.headers.get_all("set-cookie").iter();
    assert!(
        forgotten
            .filter_map(|v| v.to_str().ok())
            .any(|v| v.starts_with("sitelog_sign_in=; ") && v.contains("Max-Age=0"))
    );
    // Whoever has both the address and the cookie gets no second session.
    let again = place.comes_back(back.as_str(), own).await;
    assert_eq!((again.status, session_in(&again)), (400, None));
    assert!(again.text().contains("completed before"), "{}", again.text());
}

#[tokio::test]
async fn an_administrator_sees_people_and_signs_them_out_and_a_provider_may_change_its_keys_and_be_away() {
    let mut place = Place::start().await;
    // What the token leaves out is at the user info endpoint.
    place
        .issuer
        .sets_user_info(json!({ "sub": "bob", "org": "acme", "groups": ["it"], "name": "Bob" }));
    let bare = json!({ "sub": "bob", "org": null, "groups": null, "name": null, "email": null });
    let boss = session(&place.sign_in(bare.clone()).await);
    // Of another person's it is not.
    let mixed = place.sign_in(json!({ "sub": "eve", "org": null })).await;
    assert_eq!(
        (mixed.status, session_in(&mixed)),
        (403, None),
        "{}",
        mixed.text()
    );
    let (signing, published) = elliptic("one");
    place.issuer.publishes(&[published]);
    place.signing = signing;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    let ann = session(&place.sign_in(json!({})).await);
    let people = place.with(&boss, "GET", "/keys").await.text();
    assert!(
        people.contains("Ann (ann@acme.test)") && people.contains("oidc:ann"),
        "{people}"
    );
    let out = place.app.call("POST", "/people/sign-out").header("cookie", &boss);
    let out = out.header("sec-fetch-site", "same-origin");
    let out = out
        .body("application/x-www-form-urlencoded", "actor=oidc%3Aann")
        .send()
        .await;
    assert_eq!(out.status, 303, "{}", out.text());
    assert_eq!(
        place.with(&ann, "GET", "/").await.header("location"),
        Some("/sign-in?next=%2F")
    );
    assert_eq!(place.with(&boss, "GET", "/").await.status, 200);
    // What it published stays good for a while; a code cannot be completed while it is away.
    place.issuer.is_away(true);
    let answer = place.sign_in(json!({})).await;
    let text = answer.text();
    assert!(
        answer.status == 503 && text.contains(&place.issuer.url()) && text.contains("Try again in a minute"),
        "{text}"
    );
    // Whoever has a key can still sign in.
    let key = key(&place.app, &[Scope::Read]).await;
    let form = place
        .app
        .call("POST", "/sign-in")
        .header("sec-fetch-site", "same-origin");
    let form = form
        .body(
            "application/x-www-form-urlencoded",
            format!("key={}", key.reveal()),
        )
        .send()
        .await;
    assert!(session_in(&form).is_some());
    let place = Place::start().await;
    place.issuer.is_away(true);
    let answer = place.app.get("/sign-in/oidc").await;
    assert!(
        answer.status == 503 && answer.text().contains("HTTP 502"),
        "{}",
        answer.text()
    );
}
