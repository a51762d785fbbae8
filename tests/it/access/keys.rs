//! Keys: their rights, their end, and what is stored of them.

use chrono::TimeDelta;
use serde_json::json;
use sitelog::access::Scope::{Admin, Operator, Read, Write};
use sitelog::access::keys::{self, Expiry, NewKey};
use sitelog::access::{ApiKey, Scopes};
use sitelog::commands::change_access::create_first_key;
use sitelog::values::TenantId;

use super::{OTHER, key, key_of, other};
use crate::support::app::TestApp;

async fn guarded() -> TestApp {
    TestApp::builder().guarded().start().await
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_key() {
    let app = guarded().await;
    let good = key(&app, &[Operator]).await;
    let mut wrong = good.reveal().to_owned();
    wrong.replace_range(wrong.len() - 1.., if wrong.ends_with('0') { "1" } else { "0" });
    let unknown = ApiKey::generate().unwrap();
    for path in [
        "scans",
        "batches",
        "domains",
        "domains/a.com",
        "events",
        "keys",
        "scans/x/cancel",
    ] {
        let path = format!("/api/v4/{path}");
        let method = if path.ends_with("cancel") { "POST" } else { "GET" };
        let missing = app.call(method, &path).send().await;
        missing.problem(401, "unauthorized");
        assert_eq!(
            missing.header("www-authenticate"),
            Some("Bearer realm=\"sitelog\"")
        );
        for credential in [
            wrong.clone(),
            unknown.reveal().to_owned(),
            good.id().to_string(),
            "x".to_owned(),
            String::new(),
            "e30.e30.".to_owned(),
        ] {
            let call = app.call(method, &path).bearer(&credential);
            let refused = call.send().await;
            refused.problem(401, "invalid_credentials");
            assert!(
                refused
                    .header("www-authenticate")
                    .unwrap()
                    .contains("invalid_token")
            );
        }
        for header in [format!("Basic {}", good.reveal()), good.reveal().to_owned()] {
            let call = app.call(method, &path).header("authorization", &header);
            call.send().await.problem(401, "invalid_credentials");
        }
    }
    let call = app.call("GET", "/api/v4/scans").bearer(good.reveal());
    assert_eq!(call.send().await.status, 200);
    assert_eq!(app.head().await, 0);
}

#[tokio::test]
async fn what_says_that_the_service_lives_and_how_it_is_used_is_open() {
    let app = guarded().await;
    for path in ["/livez", "/readyz", "/openapi.json", "/health"] {
        assert_eq!(app.get(path).await.status, 200, "{path}");
    }
    app.get("/metrics").await.problem(401, "unauthorized");
    let admin = key(&app, &[Admin]).await;
    let call = app.call("GET", "/metrics").bearer(admin.reveal());
    call.send().await.problem(403, "insufficient_scope");
    let operator = key(&app, &[Operator]).await;
    let call = app.call("GET", "/metrics").bearer(operator.reveal());
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn a_key_opens_what_its_scopes_say() {
    let app = guarded().await;
    let scan = json!({ "domain": "a.com" });
    for (scope, read, write, admin) in [
        (Read, 200, 403, 403),
        (Write, 200, 202, 403),
        (Admin, 200, 202, 200),
        (Operator, 200, 202, 200),
    ] {
        let key = key(&app, &[scope]).await;
        let reading = app.call("GET", "/api/v4/scans").bearer(key.reveal());
        let writing = app.call("POST", "/api/v4/scans").json(&scan).bearer(key.reveal());
        let keys = app.call("GET", "/api/v4/keys").bearer(key.reveal());
        let answers = [reading.send().await, writing.send().await, keys.send().await];
        assert_eq!(
            answers.each_ref().map(|answer| answer.status),
            [read, write, admin],
            "{scope}"
        );
        if scope == Read {
            assert_eq!(answers[1].problem(403, "insufficient_scope")["scope"], "write");
            assert!(
                answers[1]
                    .header("www-authenticate")
                    .unwrap()
                    .contains("insufficient_scope")
            );
        }
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_from_the_next_request_on() {
    let app = guarded().await;
    let (used, admin) = (key(&app, &[Write]).await, key(&app, &[Admin]).await);
    let use_it = || app.call("GET", "/api/v4/scans").bearer(used.reveal());
    assert_eq!(use_it().send().await.status, 200);
    let path = format!("/api/v4/keys/{}/revoke", used.id());
    let revoke = || app.call("POST", &path).bearer(admin.reveal());
    let first = revoke().send().await;
    assert_eq!(first.status, 200, "{}", first.text());
    use_it().send().await.problem(401, "invalid_credentials");
    assert_eq!(
        revoke().send().await.json()["revoked_at"],
        first.json()["revoked_at"]
    );
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let app = guarded().await;
    let new = NewKey {
        tenant: TenantId::DEFAULT,
        name: "late".to_owned(),
        scopes: Scopes::from_iter([Read]),
        expires: Some(Expiry::After(TimeDelta::zero())),
        created_by: "test".to_owned(),
    };
    let (late, _) = keys::create(app.app.log.pool(), &new).await.unwrap();
    let call = app.call("GET", "/api/v4/scans").bearer(late.reveal());
    call.send().await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn the_first_key_of_all_is_made_once() {
    let app = guarded().await;
    let pool = app.app.log.pool();
    let bus = &app.app.bus;
    let (one, two) = tokio::join!(create_first_key(bus), create_first_key(bus));
    let made: Vec<ApiKey> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    let [first] = made.as_slice() else {
        panic!("{made:?}");
    };
    let call = app.call("GET", "/metrics").bearer(first.reveal());
    assert_eq!(call.send().await.status, 200);
    keys::revoke(pool, None, first.id()).await.unwrap().unwrap();
    // Revoked is not gone: who takes all keys away must not be given a new one by a restart.
    assert!(create_first_key(bus).await.unwrap().is_none());
}

#[tokio::test]
async fn an_admin_sees_and_revokes_the_keys_of_its_tenant_only() {
    let app = guarded().await;
    let (ours, theirs) = (key(&app, &[Admin]).await, key_of(&app, other(), &[Admin]).await);
    let listed = app
        .call("GET", "/api/v4/keys")
        .bearer(ours.reveal())
        .send()
        .await
        .json();
    let ids: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["key_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [ours.id().as_str()]);
    let path = format!("/api/v4/keys/{}/revoke", theirs.id());
    let call = app.call("POST", &path).bearer(ours.reveal());
    call.send().await.problem(404, "not_found");
    let call = app.call("GET", "/api/v4/keys").bearer(theirs.reveal());
    assert_eq!(call.send().await.status, 200);
}

#[tokio::test]
async fn a_key_acts_for_its_own_tenant_and_an_operator_for_any() {
    let app = guarded().await;
    let (admin, operator) = (key(&app, &[Admin]).await, key(&app, &[Operator]).await);
    let scan = json!({ "domain": "a.com" });
    let call = app
        .call("POST", "/api/v4/scans")
        .tenant(OTHER)
        .json(&scan)
        .bearer(admin.reveal());
    call.send().await.problem(403, "wrong_tenant");
    let own = TenantId::DEFAULT.to_string();
    for (key, tenant) in [(&admin, own.as_str()), (&operator, OTHER)] {
        let call = app.call("POST", "/api/v4/scans").tenant(tenant).json(&scan);
        assert_eq!(call.bearer(key.reveal()).send().await.status, 202);
        let call = app
            .call("GET", "/api/v4/events")
            .tenant(tenant)
            .bearer(key.reveal());
        assert_eq!(call.send().await.json()["items"][0]["tenant_id"], tenant);
    }
}

#[tokio::test]
async fn events_say_who_whose_and_with_which_rights() {
    let app = guarded().await;
    let key = key(&app, &[Write]).await;
    let scan = json!({ "domain": "a.com" });
    let call = app.call("POST", "/api/v4/scans").json(&scan).bearer(key.reveal());
    assert_eq!(call.send().await.status, 202);
    let events = app
        .call("GET", "/api/v4/events")
        .bearer(key.reveal())
        .send()
        .await;
    let event = &events.json()["items"][0];
    let own = TenantId::DEFAULT.to_string();
    assert_eq!(event["actor"], format!("key:{}", key.id()));
    assert_eq!(event["metadata"]["roles"], "write");
    assert_eq!(event["metadata"]["tenant_id"], own.as_str());
    assert!(!events.text().contains(key.reveal()), "the secret is in the log");
}

#[tokio::test]
async fn what_is_kept_of_a_key_opens_nothing() {
    let app = guarded().await;
    let key = key(&app, &[Operator]).await;
    let call = app.call("GET", "/api/v4/scans").bearer(key.reveal());
    assert_eq!(call.send().await.status, 200);
    let row: String = sqlx::query_scalar("select to_jsonb(k)::text from api_key k")
        .fetch_one(app.app.log.pool())
        .await
        .unwrap();
    let secret = key.reveal().rsplit('_').next().unwrap();
    assert!(!row.contains(secret), "{row}");
    assert!(row.contains(&hex::encode(key.hash())), "{row}");
    assert!(!row.contains("\"last_used_at\": null"), "{row}");
}

#[tokio::test]
async fn without_a_database_nobody_is_let_in() {
    let app = guarded().await;
    let key = key(&app, &[Operator]).await;
    app.cut_database();
    let answer = app.call("GET", "/api/v4/scans").bearer(key.reveal()).send().await;
    answer.problem(503, "unavailable");
    assert!(answer.header("retry-after").is_some());
}
