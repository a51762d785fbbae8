//! The Model Context Protocol: over HTTP, over standard input and output, and by the official client.

mod client;
mod stdio;

use serde_json::{Value, json};
use sitelog::access::Scope;

use crate::support::app::TestApp;
use crate::support::call::{Answer, Call};

/// A message to `/mcp`.
fn message(app: &TestApp, method: &str, params: &Value) -> Call {
    app.call("POST", "/mcp")
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

/// The words of a result that says what is wrong.
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
    let told = result(&answer);
    assert_eq!(
        (&told["serverInfo"]["name"], &told["protocolVersion"]),
        (&json!("sitelog"), &json!("2025-06-18"))
    );
    assert!(told["instructions"].as_str().unwrap().contains("scan_batch"));
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
    assert_eq!(app.get("/mcp").await.status, 405);
}

#[tokio::test]
async fn tools_scan_and_say_who_runs_a_site_and_where_that_stands() {
    let app = TestApp::scanning().await;
    let domains = ["site00000.sites.test", "site00001.sites.test", "localhost"];
    let batch = tool(&app, None, "scan_batch", json!({ "domains": domains })).await;
    let batch = &batch["structuredContent"];
    assert_eq!(
        (&batch["accepted"], &batch["rejected"][0]["input"]),
        (&json!(2), &json!("localhost"))
    );
    let wait = json!({ "batch_id": batch["batch_id"], "wait_seconds": 50 });
    let status = tool(&app, None, "batch_status", wait).await;
    assert_eq!(status["structuredContent"]["completed"], 2, "{status}");
    let found = tool(
        &app,
        None,
        "search_domains",
        json!({ "batch_id": batch["batch_id"], "has_email": true }),
    )
    .await;
    let found = &found["structuredContent"];
    assert_eq!(found["count"], 2, "{found}");
    let site = crate::support::sites::Sites::site(0);
    let first = &found["domains"][0];
    assert_eq!(
        (&first["domain"], &first["title"]),
        (&json!(domains[0]), &json!(site.title()))
    );
    let value = first["email_addresses"][0].clone();
    let why = tool(
        &app,
        None,
        "explain_value",
        json!({ "domain": domains[0], "value": value }),
    )
    .await;
    assert!(
        why["structuredContent"]["found"][0]["evidence"]["source"].is_string(),
        "{why}"
    );
    let urls = tool(
        &app,
        None,
        "read_sitemap",
        json!({ "domain": domains[0], "limit": 2 }),
    )
    .await;
    assert_eq!(urls["structuredContent"]["count"], 2, "{urls}");
    let cursor = urls["structuredContent"]["next"].clone();
    let more = tool(
        &app,
        None,
        "read_sitemap",
        json!({ "domain": domains[0], "limit": 2, "cursor": cursor }),
    )
    .await;
    assert_ne!(
        more["structuredContent"]["urls"],
        urls["structuredContent"]["urls"]
    );
    let scan = tool(
        &app,
        None,
        "scan_domain",
        json!({ "domain": domains[1], "max_age_days": 1 }),
    )
    .await;
    assert_eq!(
        scan["structuredContent"]["is_from_an_earlier_scan"], true,
        "{scan}"
    );
    let failed = tool(
        &app,
        None,
        "scan_domain",
        json!({ "domain": "err404.sites.test" }),
    )
    .await;
    assert_eq!(failed["structuredContent"]["reason"], "http_status", "{failed}");
    let again = tool(
        &app,
        None,
        "scan_domain",
        json!({ "domain": "changing.sites.test" }),
    )
    .await;
    assert_eq!(again["structuredContent"]["status"], "completed", "{again}");
    tool(
        &app,
        None,
        "scan_domain",
        json!({ "domain": "changing.sites.test" }),
    )
    .await;
    let history = tool(
        &app,
        None,
        "domain_history",
        json!({ "domain": "changing.sites.test" }),
    )
    .await;
    assert!(
        history["structuredContent"]["count"].as_u64().unwrap() > 0,
        "{history}"
    );
    let changes = tool(
        &app,
        None,
        "list_changes",
        json!({ "domain": "changing.sites.test" }),
    )
    .await;
    assert_eq!(
        changes["structuredContent"]["changes"][0]["domain"], "changing.sites.test",
        "{changes}"
    );
    assert!(changes["structuredContent"]["changes"][0].get("links").is_none());
    let whole = message(
        &app,
        "resources/read",
        &json!({ "uri": "sitelog://domain/site00000.sites.test" }),
    );
    let whole = result(&whole.send().await);
    let record: Value = serde_json::from_str(whole["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        record,
        app.get("/api/v4/domains/site00000.sites.test").await.json()
    );
}

#[tokio::test]
async fn a_key_may_do_with_tools_what_it_may_do_with_the_api() {
    let app = TestApp::builder().guarded().start().await;
    let list = message(&app, "tools/list", &json!({}));
    list.send().await.problem(401, "unauthorized");
    let list = message(&app, "tools/list", &json!({})).bearer("sitelog_0000000000000000_nonsense");
    list.send().await.problem(401, "unauthorized");
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
        "get_domain has no argument domian; the most similar is domain."
    );
    let words = refusal(&tool(&app, None, "get_domain", json!({ "domain": "a.com" })).await);
    assert_eq!(words, "Nothing is known of a.com; scan it with scan_domain.");
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
        "There is no tool get_domains; the most similar is get_domain."
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
