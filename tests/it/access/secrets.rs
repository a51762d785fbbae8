//! Secrets are in no log, at any log level.

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
        .expect("the first start makes a key")
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
    let log: String = said.concat();
    // The beginning of a secret is as secret as the whole.
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

/// The environment of a process, as an attacker with access to its user sees it.
fn environment(pid: &str) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', "\n")
}

/// The parent of a process.
fn parent(pid: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    Some(line.trim().to_owned())
}

#[tokio::test]
async fn the_private_database_is_given_nothing_of_the_environment_that_is_secret() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let settings = [
        ("SITELOG_AUTH__JWT_SECRET", SECRET),
        ("SITELOG_AUTH__AUDIENCE", "authenticated"),
        ("SITELOG_FETCH__PROXY", "http://user:sesame@127.0.0.1:1"),
        ("SITELOG_LEGACY__BACKEND_URL", "http://127.0.0.1:1"),
        ("SITELOG_LEGACY__BACKEND_TOKEN", "token-of-the-backend"),
        ("SOMETHING_ELSE", "of no concern"),
        ("PGOPTIONS", "-c work_mem=1MB"),
        ("PGPORT", "1"),
    ];
    let server = Server::start(&sites, &settings);
    let file = server.data_dir.path().join("postgres/postmaster.pid");
    let file = std::fs::read_to_string(file).unwrap();
    let postmaster = file.lines().next().unwrap();
    let all = std::fs::read_dir("/proc").unwrap();
    let mut of_database = vec![postmaster.to_owned()];
    of_database.extend(
        all.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|pid| parent(pid).as_deref() == Some(postmaster)),
    );
    assert!(of_database.len() > 3, "{of_database:?}");
    assert!(environment(postmaster).contains("PATH="));
    for pid in of_database {
        let environment = environment(&pid);
        for (name, _) in settings {
            assert!(!environment.contains(name), "{name} in {environment}");
        }
        assert!(!environment.contains("SITELOG_"), "{environment}");
    }
}
