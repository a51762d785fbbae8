//! The Model Context Protocol: over HTTP, over standard input and output, and with the official client.

mod client;
mod stdio;

use serde_json::{Value, json};
use sitelog::access::Scope;

use crate::support::app::TestApp;
use crate::support::call::{Answer, Call};

/// A message to `/mcp`.
fn message(app: &TestApp, method: &str, params: &Value) -> Call {
    app.call("POST", "/mcp")
        .header("host", "127.0.0.1")
        .header("accept", "application/json, text/event-stream")
        .json(&json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }))
}

/// The result of a message that the protocol accepts.
#[track_caller]
fn result(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let said = answer.json();
    assert_eq!((&said["id"], &said["error"]), (&json!(7), &Value::Null), "{said}");
    said["result"].clone()
}

async fn tool(app: &TestApp, key: Option<&str>, name: &str, arguments: Value) -> Value {
    let call = message(
        app,
        "tools/call",
        &json!({ "name": name, "arguments": arguments }),
    );
    let call = match key {
        Some(key) => call.bearer(key),
        None => call,
    };
    result(&call.send().await)
}

/// The result of a tool without an error.
async fn done(app: &TestApp, name: &str, arguments: Value) -> Value {
    let result = tool(app, None, name, arguments).await;
    assert_eq!(result["isError"], false, "{result}");
    result["structuredContent"].clone()
}

/// The text of an error result.
#[track_caller]
fn refusal(result: &Value) -> String {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_is_told_the_tools_without_a_session() {
    let app = TestApp::start().await;
    let params = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" },
    });
    let answer = message(&app, "initialize", &params).send().await;
    let info = result(&answer);
    assert_eq!(
        (&info["serverInfo"]["name"], &info["protocolVersion"]),
        (&json!("sitelog"), &json!("2025-06-18"))
    );
    assert!(info["instructions"].as_str().unwrap().contains("scan_batch"));
    assert_eq!(answer.header("mcp-session-id"), None);
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    let tools = result(&message(&app, "tools/list", &json!({})).send().await);
    let names: Vec<&str> = tools["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/mcp.md")).unwrap();
    assert_eq!(names.len(), 9);
    for tool in tools["tools"].as_array().unwrap() {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", tool["name"].as_str().unwrap())));
        let row = row.unwrap_or_else(|| panic!("docs/mcp.md lacks {}", tool["name"]));
        for argument in tool["inputSchema"]["properties"].as_object().unwrap().keys() {
            assert!(
                row.contains(&format!("`{argument}`")),
                "docs/mcp.md lacks {argument}: {row}"
            );
        }
    }
    let templates = result(&message(&app, "resources/templates/list", &json!({})).send().await);
    assert_eq!(
        templates["resourceTemplates"][0]["uriTemplate"],
        "sitelog://domain/{domain}"
    );
    let listening = app.call("GET", "/mcp").header("host", "127.0.0.1");
    assert_eq!(
        listening
            .header("accept", "text/event-stream")
            .send()
            .await
            .status,
        405
    );
}

#[tokio::test]
async fn a_batch_says_who_runs_the_sites_and_where_that_stands() {
    let app = TestApp::scanning().await;
    let domains = ["site00000.sites.test", "site00001.sites.test", "localhost"];
    let batch = done(&app, "scan_batch", json!({ "domains": domains })).await;
    let rejected = &batch["rejected"][0]["input"];
    assert_eq!((&batch["accepted"], rejected), (&json!(2), &json!("localhost")));
    let id = &batch["batch_id"];
    let status = done(
        &app,
        "batch_status",
        json!({ "batch_id": id, "wait_seconds": 50 }),
    )
    .await;
    assert_eq!(status["completed"], 2, "{status}");
    let found = done(
        &app,
        "search_domains",
        json!({ "batch_id": id, "has_email": true }),
    )
    .await;
    assert_eq!(found["count"], 2, "{found}");
    let first = &found["domains"][0];
    let title = json!(crate::support::sites::Sites::site(0).title());
    assert_eq!((&first["domain"], &first["title"]), (&json!(domains[0]), &title));
    let value = &first["email_addresses"][0];
    let why = done(
        &app,
        "explain_value",
        json!({ "domain": domains[0], "value": value }),
    )
    .await;
    assert!(why["found"][0]["evidence"]["source"].is_string(), "{why}");
    let urls = done(&app, "read_sitemap", json!({ "domain": domains[0], "limit": 2 })).await;
    assert_eq!(urls["count"], 2, "{urls}");
    let next = json!({ "domain": domains[0], "limit": 2, "cursor": urls["next"] });
    let more = done(&app, "read_sitemap", next).await;
    assert_ne!(more["urls"], urls["urls"]);
    let uri = json!({ "uri": format!("sitelog://domain/{}", domains[0]) });
    let whole = result(&message(&app, "resources/read", &uri).send().await);
    let record: Value = serde_json::from_str(whole["contents"][0]["text"].as_str().unwrap()).unwrap();
    let path = format!("/api/v4/domains/{}", domains[0]);
    assert_eq!(record, app.get(&path).await.json());
}

#[tokio::test]
async fn a_scan_is_waited_for_and_its_changes_are_listed() {
    let app = TestApp::scanning().await;
    let failed = done(&app, "scan_domain", json!({ "domain": "err404.sites.test" })).await;
    assert_eq!(failed["reason"], "http_status", "{failed}");
    let changing = json!({ "domain": "changing.sites.test" });
    let first = done(&app, "scan_domain", changing.clone()).await;
    let known = (&first["status"], &first["is_from_an_earlier_scan"]);
    assert_eq!(known, (&json!("completed"), &json!(false)), "{first}");
    let again = json!({ "domain": "changing.sites.test", "max_age_days": 1 });
    let again = done(&app, "scan_domain", again).await;
    let known = (&again["scan_id"], &again["is_from_an_earlier_scan"]);
    assert_eq!(known, (&first["scan_id"], &json!(true)), "{again}");
    done(&app, "scan_domain", changing.clone()).await;
    let history = done(&app, "domain_history", changing.clone()).await;
    assert!(history["count"].as_u64().unwrap() > 0, "{history}");
    let changes = done(&app, "list_changes", changing).await;
    let change = &changes["changes"][0];
    assert_eq!(change["domain"], "changing.sites.test", "{changes}");
    assert!(
        change["fields"][0]["field"].is_string() && change.get("links").is_none(),
        "{change}"
    );
}

#[tokio::test]
async fn a_key_may_do_with_tools_what_it_may_do_with_the_api() {
    let app = TestApp::builder().guarded().start().await;
    let list = message(&app, "tools/list", &json!({}));
    list.send().await.problem(401, "unauthorized");
    let list = message(&app, "tools/list", &json!({})).bearer("sitelog_0000000000000000_nonsense");
    list.send().await.problem(401, "invalid_credentials");
    let session = message(&app, "tools/list", &json!({})).header("cookie", "sitelog_session=x");
    session.send().await.problem(401, "unauthorized");

    let reader = crate::access::key(&app, &[Scope::Read]).await;
    let reader = reader.reveal();
    let words = refusal(&tool(&app, Some(reader), "scan_domain", json!({ "domain": "a.com" })).await);
    assert!(
        words.contains("insufficient_scope") && words.contains("write"),
        "{words}"
    );
    let none = tool(&app, Some(reader), "search_domains", json!({})).await;
    assert_eq!(none["structuredContent"]["count"], 0, "{none}");

    let writer = crate::access::key(&app, &[Scope::Write]).await;
    let scan = json!({ "domain": "a.com", "wait_seconds": 0 });
    let scan = tool(&app, Some(writer.reveal()), "scan_domain", scan).await;
    let id = scan["structuredContent"]["scan_id"].as_str().unwrap();
    let scan = app
        .call("GET", &format!("/api/v4/scans/{id}"))
        .bearer(reader)
        .send()
        .await;
    assert_eq!(scan.json()["domain"], "a.com");
    let other = message(
        &app,
        "tools/call",
        &json!({ "name": "search_domains", "arguments": {} }),
    );
    let other = other
        .bearer(reader)
        .tenant("00000000-0000-4000-8000-000000000001")
        .send()
        .await;
    other.problem(403, "wrong_tenant");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_words_that_help() {
    let app = TestApp::start().await;
    let words = refusal(&tool(&app, None, "get_domain", json!({ "domian": "a.com" })).await);
    assert_eq!(
        words,
        "get_domain has no argument 'domian' (did you mean 'domain'?)."
    );
    let words = refusal(&tool(&app, None, "get_domain", json!({ "domain": "a.com" })).await);
    assert_eq!(
        words,
        "Nothing is known about a.com. Call scan_domain to scan it."
    );
    let words = refusal(&tool(&app, None, "search_domains", json!({ "status": "odd" })).await);
    assert!(
        words.contains("odd") && words.contains("invalid_query"),
        "{words}"
    );
    let unknown = message(
        &app,
        "tools/call",
        &json!({ "name": "get_domains", "arguments": {} }),
    );
    let unknown = unknown.send().await.json();
    assert_eq!(
        unknown["error"]["message"],
        "There is no tool 'get_domains' (did you mean 'get_domain'?)."
    );
    let uri = message(&app, "resources/read", &json!({ "uri": "sitelog://scan/1" }))
        .send()
        .await
        .json();
    assert!(
        uri["error"]["message"]
            .as_str()
            .unwrap()
            .contains("sitelog://domain/"),
        "{uri}"
    );
    let long = json!({ "name": "scan_batch", "arguments": { "domains": ["x".repeat(2 << 20)] } });
    assert_eq!(message(&app, "tools/call", &long).send().await.status, 413);
}
