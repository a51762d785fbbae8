//! `sitelog key` and the first start, with the real binary.

use std::process::Output;

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::sites::{Sites, SitesOptions};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(server: &Server, arguments: &[&str]) -> Output {
    server.command(arguments).output().unwrap()
}

#[tokio::test]
async fn the_first_start_shows_a_key_and_keys_come_and_go_on_the_command_line() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let mut server = Server::start(&sites, &[("SITELOG_AUTH__MODE", "required")]);
    let first = server
        .first_key()
        .expect("the first start makes a key")
        .to_owned();
    assert_eq!(server.status_of("GET", "/api/v4/scans", None).await, 401);
    assert_eq!(server.status_of("GET", "/metrics", Some(&first)).await, 200);

    let made = run(
        &server,
        &[
            "key",
            "create",
            "--name",
            "ci",
            "--scopes",
            "read",
            "--expires",
            "30d",
        ],
    );
    assert!(made.status.success(), "{}", text(&made.stderr));
    let key = text(&made.stdout).trim().to_owned();
    assert_eq!(server.status_of("GET", "/api/v4/scans", Some(&key)).await, 200);
    assert_eq!(server.status_of("POST", "/api/v4/scans", Some(&key)).await, 403);

    let listed = run(&server, &["key", "list", "--json"]);
    let rows: Vec<Value> = text(&listed.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[1]["name"], &rows[1]["scopes"]),
        (&json!("ci"), &json!(["read"]))
    );
    for shown in [&listed.stdout, &run(&server, &["key", "list"]).stdout] {
        for secret in [&first, &key] {
            assert!(!text(shown).contains(secret.rsplit('_').next().unwrap()));
        }
    }

    let revoked = run(&server, &["key", "revoke", rows[1]["key_id"].as_str().unwrap()]);
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    assert_eq!(server.status_of("GET", "/api/v4/scans", Some(&key)).await, 401);
    let unknown = run(&server, &["key", "revoke", "sitelog_0000000000000000"]);
    assert_eq!(unknown.status.code(), Some(1));
    let nonsense = run(&server, &["key", "create", "--scopes", "everything"]);
    assert_eq!(nonsense.status.code(), Some(2));

    let set = run(
        &server,
        &[
            "tenant",
            "set",
            "550e8400-e29b-41d4-a716-446655440000",
            "--max-batch-domains",
            "7",
        ],
    );
    assert!(set.status.success(), "{}", text(&set.stderr));
    let listed = run(&server, &["tenant", "list", "--json"]);
    let row: Value = serde_json::from_str(text(&listed.stdout).trim()).unwrap();
    assert_eq!(
        (&row["max_batch_domains"], &row["open_v1"]),
        (&json!(7), &json!(false))
    );

    server.terminate().await;
    server.restart();
    assert_eq!(server.first_key(), None, "a first key is made once");
    assert_eq!(server.status_of("GET", "/metrics", Some(&first)).await, 200);
}

#[tokio::test]
async fn without_access_control_only_this_machine_is_served() {
    let sites = Sites::start(SitesOptions {
        sites: 1,
        ..SitesOptions::default()
    })
    .await
    .unwrap();
    let server = Server::start(&sites, &[]);
    assert_eq!(server.first_key(), None);
    let mut command = server.command(&["serve"]);
    command
        .env("SITELOG_BIND", "0.0.0.0:0")
        .env("SITELOG_AUTH__MODE", "off");
    let refused = command.output().unwrap();
    assert_eq!(refused.status.code(), Some(3));
    assert!(
        text(&refused.stderr).contains("SITELOG_AUTH__MODE=off"),
        "{}",
        text(&refused.stderr)
    );
}
