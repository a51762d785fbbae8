//! What opens the service stands in no log, however much is logged.

use serde_json::json;

use super::tokens::{SECRET, claims, token};
use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

#[tokio::test]
async fn no_key_token_or_shared_secret_is_logged() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let settings = [
        ("SITELOG_AUTH__MODE", "required"),
        ("SITELOG_AUTH__JWT_SECRET", SECRET),
        ("SITELOG_AUTH__AUDIENCE", "authenticated"),
        ("RUST_LOG", "trace"),
    ];
    let mut server = Server::start(&sites, &settings);
    let key = server
        .first_key()
        .expect("the first start shows a key")
        .to_owned();
    let (good, unknown) = (token(&claims()), format!("{}00", &key[..key.len() - 2]));
    let late = token(&json!({ "sub": "ann", "aud": "authenticated", "exp": 1 }));
    for (credential, status) in [(&key, 200), (&good, 200), (&unknown, 401), (&late, 401)] {
        for path in ["/api/v4/scans", "/api/v3/domains"] {
            let seen = server.status_of("GET", path, Some(credential)).await;
            assert_eq!(seen, status, "{path} with {credential}");
        }
    }
    server.terminate().await;
    let said = server.said();
    assert!(said.len() > 20, "little was logged: {said:?}");
    let shown_once = |line: &&String| !line.starts_with("export SITELOG_KEY=");
    let log: String = said.iter().filter(shown_once).map(String::as_str).collect();
    // The beginning of a secret is told as little as the whole.
    let secret_part = key.rsplit('_').next().unwrap();
    for secret in [
        &secret_part[..12],
        &SECRET[..12],
        good.rsplit('.').next().unwrap(),
        late.rsplit('.').next().unwrap(),
    ] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}
