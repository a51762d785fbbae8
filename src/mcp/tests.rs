//! Tests of the tools with a scripted API, without server and database.

use std::sync::Mutex;

use axum::http::HeaderMap;
use serde_json::json;

use super::*;

/// Answers in order, and keeps what it was asked.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<(u16, Value)>>,
    asked: Mutex<Vec<ApiRequest>>,
}

impl Scripted {
    fn answering(answers: Vec<(u16, Value)>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().rev().collect()),
            asked: Mutex::default(),
        }
    }

    fn paths(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|asked| asked.path.clone())
            .collect()
    }
}

impl Api for Scripted {
    async fn send(&self, request: ApiRequest, _caller: Option<&HeaderMap>) -> Result<ApiAnswer, String> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop();
        let (status, body) = answer.ok_or("The server does not respond.")?;
        Ok(ApiAnswer {
            status,
            body: Bytes::from(body.to_string()),
        })
    }
}

async fn call(api: &Scripted, name: &str, arguments: Value) -> Result<Value, String> {
    let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
    run::run(api, None, tool, arguments.as_object().unwrap()).await
}

fn record() -> Value {
    json!({
        "domain": "a.com", "status": "completed", "title": "x".repeat(1000), "email_addresses": ["info@a.com"],
        "phone_numbers": [], "facebook_url": null, "last_scan_id": "s", "last_successful_scan": "t",
        "stale": {}, "links": { "self": "/x" },
        "meta_json": {
            "organization": { "name": "A Ltd", "legal_name": null, "identifiers": [] },
            "technologies": [{ "name": "Vue", "version": "3.1", "evidence": "script src" }],
            "emails": [{ "value": "info@a.com", "source": "mailto", "page": "https://a.com/contact" }],
            "email_provider": { "name": "Google Workspace", "evidence": "MX smtp.google.com" },
        },
    })
}

#[test]
fn every_tool_has_a_schema_and_says_whether_it_only_reads() {
    let described: Vec<_> = TOOLS.iter().map(tools::Tool::described).collect();
    let writing: Vec<_> = described
        .iter()
        .filter(|tool| tool.annotations.as_ref().unwrap().read_only_hint == Some(false))
        .map(|tool| tool.name.as_ref())
        .collect();
    assert_eq!(writing, ["scan_domain", "scan_batch"]);
    for tool in &described {
        let schema = serde_json::to_value(&tool.input_schema).unwrap();
        assert!(jsonschema::draft202012::new(&schema).is_ok(), "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
    }
    let all = serde_json::to_string(&described).unwrap();
    assert!(
        all.len() < 12_000,
        "the tools take {} bytes of a context",
        all.len()
    );
}

#[tokio::test]
async fn arguments_that_nobody_reads_or_of_another_type_are_refused_with_what_would_do() {
    let api = Scripted::default();
    for (tool, arguments, wanted) in [
        ("get_domain", json!({}), "get_domain needs the argument domain."),
        (
            "get_domain",
            json!({ "domain": null }),
            "get_domain needs the argument domain.",
        ),
        (
            "get_domain",
            json!({ "domain": " " }),
            "domain must not be empty.",
        ),
        (
            "get_domain",
            json!({ "domian": "a.com" }),
            "did you mean 'domain'?",
        ),
        (
            "get_domain",
            json!({ "domain": "localhost" }),
            "'localhost' has no top-level domain.",
        ),
        (
            "search_domains",
            json!({ "limit": 51 }),
            "limit must be a whole number from 1 to 50.",
        ),
        (
            "search_domains",
            json!({ "has_email": "yes" }),
            "has_email must be true or false.",
        ),
        (
            "scan_batch",
            json!({ "domains": [] }),
            "domains must be a list of 1 to 1000 strings.",
        ),
        (
            "scan_domain",
            json!({ "domain": "a.com", "max_age_days": -1 }),
            "max_age_days must be a number of 0 or more.",
        ),
    ] {
        let words = call(&api, tool, arguments.clone()).await.unwrap_err();
        assert!(words.contains(wanted), "{tool} {arguments}: {words}");
    }
    assert!(api.paths().is_empty(), "nothing was sent");
    assert!(tools::unknown("scan_domains").contains("scan_domain'"));
}

#[tokio::test]
async fn filters_become_the_query_of_the_list() {
    let api = Scripted::answering(vec![(200, json!({ "items": [record()], "next": "abc" }))]);
    let arguments = json!({ "batch_id": "b&1", "has_email": true, "technology": "Vue.js", "contains": "", "language": null });
    let found = call(&api, "search_domains", arguments).await.unwrap();
    assert_eq!(
        api.paths(),
        ["/domains?limit=20&technology=Vue.js&has_email=true&batch=b%261"]
    );
    assert_eq!((&found["count"], &found["next"]), (&json!(1), &json!("abc")));
    let first = &found["domains"][0];
    assert_eq!(first["organization"], json!({ "name": "A Ltd" }));
    assert_eq!(first["technologies"], json!(["Vue 3.1"]));
    assert!(
        first.get("phone_numbers").is_none() && first.get("links").is_none(),
        "{first}"
    );
    assert!(first["title"].as_str().unwrap().len() < 400);
}

#[tokio::test]
async fn a_scan_waits_and_shows_what_is_known_then() {
    let api = Scripted::answering(vec![
        (
            200,
            json!({ "scan_id": "s", "status": "completed", "reused": false }),
        ),
        (200, record()),
    ]);
    let found = call(
        &api,
        "scan_domain",
        json!({ "domain": "https://www.A.com/x", "max_age_days": 7 }),
    )
    .await
    .unwrap();
    assert_eq!(found["email_addresses"], json!(["info@a.com"]));
    {
        let asked = api.asked.lock().unwrap();
        assert_eq!(
            asked[0].body,
            Some(json!({ "domain": "a.com", "max_age_days": 7 }))
        );
        assert_eq!(
            (asked[0].wait, asked[1].path.as_str()),
            (Some(45), "/domains/a.com")
        );
    }
    let failed = json!({ "scan_id": "s", "status": "failed", "reason": "http_status", "error": "https://a.com/ answered 404" });
    let api = Scripted::answering(vec![(200, failed)]);
    let found = call(&api, "scan_domain", json!({ "domain": "a.com" }))
        .await
        .unwrap();
    assert_eq!(found["reason"], "http_status");
    let api = Scripted::answering(vec![(
        202,
        json!({ "scan_id": "s", "status": "pending", "position": 1 }),
    )]);
    let found = call(
        &api,
        "scan_domain",
        json!({ "domain": "a.com", "wait_seconds": 0 }),
    )
    .await
    .unwrap();
    assert!(found["next_step"].as_str().unwrap().contains("get_domain"));
    assert_eq!(api.asked.lock().unwrap()[0].wait, None);
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_batch_waits_for_its_end_and_no_longer_than_asked() {
    let running = json!({ "batch_id": "b", "status": "running", "completed_at": null });
    let ended = json!({ "batch_id": "b", "status": "completed", "completed_at": "t" });
    let events = json!({ "items": [{ "position": 1 }, { "position": 9 }] });
    let api = Scripted::answering(vec![
        (200, running.clone()),
        (200, running.clone()),
        (200, ended),
        (200, events),
        (200, json!({ "items": [] })),
    ]);
    let found = call(
        &api,
        "batch_status",
        json!({ "batch_id": "b", "wait_seconds": 30 }),
    )
    .await
    .unwrap();
    assert!(found["next_step"].as_str().unwrap().contains("search_domains"));
    // What is read next shows what the batch found.
    let last = api.paths().pop();
    assert_eq!(last.as_deref(), Some("/domains?limit=1&at_least=9"));
    let api = Scripted::answering(vec![(200, running)]);
    let found = call(&api, "batch_status", json!({ "batch_id": "b" }))
        .await
        .unwrap();
    assert_eq!(found["status"], "running");
}

#[tokio::test]
async fn a_problem_is_told_in_its_words() {
    let problem =
        json!({ "status": 403, "code": "insufficient_scope", "detail": "The key needs the scope write." });
    let api = Scripted::answering(vec![(403, problem)]);
    let words = call(&api, "scan_domain", json!({ "domain": "a.com" }))
        .await
        .unwrap_err();
    assert_eq!(words, "The key needs the scope write. (insufficient_scope, 403)");
    let api = Scripted::answering(vec![(
        404,
        json!({ "code": "not_found", "detail": "No domain." }),
    )]);
    let words = call(&api, "get_domain", json!({ "domain": "a.com" }))
        .await
        .unwrap_err();
    assert!(words.contains("Call scan_domain"), "{words}");
}

#[test]
fn evidence_is_found_whatever_the_case_and_an_unknown_value_lists_known_ones() {
    let record = record();
    let of = |value: &str| evidence::explain(&record, value).unwrap();
    let mail = of("INFO@a.com");
    assert_eq!(mail["found"][0]["evidence"]["page"], "https://a.com/contact");
    assert!(
        mail["found"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["field"] == "email_addresses")
    );
    assert_eq!(of("vue")["found"][0]["evidence"]["evidence"], "script src");
    assert_eq!(of("Google Workspace")["found"][0]["field"], "email_provider");
    let words = evidence::explain(&record, "Joomla").unwrap_err();
    assert!(words.contains("Vue") && words.contains("info@a.com"), "{words}");
}

#[test]
fn a_long_answer_is_cut_and_says_so() {
    let urls: Vec<Value> = (0..200)
        .map(|n| json!({ "url": format!("https://a.com/{n}/{}", "x".repeat(300)) }))
        .collect();
    let answer = brief::fitting(json!({ "count": 200, "urls": urls, "next": "abc" }));
    assert!(answer.to_string().len() < brief::MAX_BYTES + 300);
    let left = answer["urls"].as_array().unwrap().len() as u64 + answer["left_out"].as_u64().unwrap();
    assert_eq!((left, answer.get("next")), (200, None));
    let short = json!({ "urls": ["a"] });
    assert_eq!(brief::fitting(short.clone()), short);
}
