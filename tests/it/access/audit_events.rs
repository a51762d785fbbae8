//! Changes of keys and quotas are in the log, with their actor and without secrets.

use futures::future::join_all;
use serde_json::{Value, json};
use sitelog::access::Scope::{Admin, Read};
use sitelog::access::keys::{self, NewKey};
use sitelog::commands::CommandContext;
use sitelog::commands::change_access::create_key;
use sitelog::values::TenantId;

use super::{OTHER, key_of, other};
use crate::support::app::TestApp;

fn new_key() -> NewKey {
    NewKey {
        tenant: TenantId::DEFAULT,
        name: "ci".to_owned(),
        scopes: [Read].into_iter().collect(),
        expires: None,
        created_by: "test".to_owned(),
    }
}

#[tokio::test]
async fn keys_and_quotas_change_with_an_event_that_names_who_did_it() {
    let app = TestApp::builder().guarded().start().await;
    let admin = key_of(&app, other(), &[Admin]).await;
    let run = |arguments: &[&str]| {
        let done = app.command(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let made = run(&[
        "key", "create", "--tenant", OTHER, "--name", "ci", "--scopes", "read", "--json",
    ]);
    let made: Value = serde_json::from_str(&made).unwrap();
    let (whole, id) = (made["key"].as_str().unwrap(), made["key_id"].as_str().unwrap());
    for _ in 0..2 {
        let revoke = app.call("POST", &format!("/api/v4/keys/{id}/revoke"));
        assert_eq!(revoke.bearer(admin.reveal()).send().await.status, 200);
    }
    for _ in 0..2 {
        run(&["tenant", "set", OTHER, "--max-stored-urls", "7"]);
    }
    run(&["tenant", "set", OTHER, "--open-v1", "true"]);
    run(&["key", "revoke", admin.id().as_str()]);
    let reader = key_of(&app, other(), &[Read]).await;
    let stream = app.call("GET", &format!("/api/v4/streams/tenant/{OTHER}"));
    let stream = stream.bearer(reader.reveal()).send().await;
    let streamed: Vec<Value> = stream.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| {
            assert_eq!(event["tenant_id"], OTHER);
            json!([event["type"], event["actor"], event["metadata"]["roles"]])
        })
        .collect();
    let by_key = format!("key:{}", admin.id());
    assert_eq!(
        json!(streamed),
        json!([
            ["KeyCreated", "cli", "system"],
            ["KeyRevoked", by_key, "admin"],
            ["TenantSettingsChanged", "cli", "system"],
            ["TenantSettingsChanged", "cli", "system"],
            ["KeyRevoked", "cli", "system"],
        ])
    );
    let items = &stream.json()["items"];
    assert_eq!(
        items[0]["data"],
        json!({ "key_id": id, "name": "ci", "scopes": ["read"], "expires_at": null })
    );
    assert_eq!(
        (
            &items[3]["data"]["settings"]["max_stored_urls"],
            &items[3]["data"]["settings"]["open_v1"]
        ),
        (&json!(7), &json!(true))
    );
    let text = stream.text();
    assert!(!text.contains(whole.rsplit('_').next().unwrap()) && !text.contains("key_hash"));
    let printed = run(&["events", "--stream", OTHER, "--json"]);
    assert_eq!(printed.lines().count(), 5, "{printed}");
    // Who belongs to another tenant sees nothing of it.
    let stranger = key_of(&app, TenantId::DEFAULT, &[Admin]).await;
    let stream = app.call("GET", &format!("/api/v4/streams/tenant/{OTHER}"));
    stream
        .bearer(stranger.reveal())
        .send()
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn keys_that_are_made_at_once_are_all_told_and_none_is_made_that_cannot_be_told() {
    let app = TestApp::builder().guarded().start().await;
    let (bus, context, new) = (
        &app.app.bus,
        CommandContext::internal(TenantId::DEFAULT, "test"),
        new_key(),
    );
    let made = join_all((0..4).map(|_| create_key(bus, &new, &context))).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!(app.head().await, 4);
    let refuse = "create function no() returns trigger language plpgsql as $$ begin raise 'no'; end $$; \
                  create trigger no before insert on events for each row execute function no()";
    sqlx::raw_sql(refuse).execute(app.log_pool()).await.unwrap();
    assert!(create_key(bus, &new, &context).await.is_err());
    assert_eq!(keys::list(app.log_pool(), None).await.unwrap().len(), 4);
}
