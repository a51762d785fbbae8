//! An example of each operation's request and answers, and the codes of the problems it may answer with.

use serde_json::{Value, json};

use crate::api::docs::codes::CODES;

/// By operation: `request`, of one media type or of several, and answers by status.
const EXAMPLES: &str = include_str!("examples.json");

/// The examples of all operations.
pub(super) fn all() -> Value {
    serde_json::from_str(EXAMPLES).expect("the examples are JSON")
}

/// Puts an operation's examples into it, and says which problems its refusals are.
pub(super) fn put_in(operation: &mut Value, method: &str, examples: &Value) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let files = &examples["files"];
    let examples = &examples[&name];
    for (media, content) in objects(operation.pointer_mut("/requestBody/content")) {
        let request = &examples["request"];
        let of_media = request.get(media.as_str()).unwrap_or(request);
        content["example"] = of_media.clone();
    }
    for (status, response) in objects(operation.get_mut("responses")) {
        let example = &examples[status.as_str()];
        let mut is_problem = false;
        for (media, content) in objects(response.get_mut("content")) {
            is_problem |= media == "application/problem+json";
            let example = files.get(media.as_str()).unwrap_or(example);
            if !example.is_null() {
                content["example"] = example.clone();
            }
        }
        if is_problem {
            let codes: Vec<&str> = codes_of(&name, method, status).collect();
            response["x-problem-codes"] = json!(codes);
        }
    }
}

fn objects(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

/// The codes of a status that an operation may answer with.
fn codes_of(operation: &str, method: &str, status: &str) -> impl Iterator<Item = &'static str> {
    let of_status = CODES.iter().filter(move |code| code.status.to_string() == status);
    of_status
        .map(|code| code.code)
        .filter(move |code| may_answer(operation, method, code))
}

fn may_answer(operation: &str, method: &str, code: &str) -> bool {
    let creates = operation.starts_with("create_");
    match code {
        "invalid_json" | "invalid_domain" | "invalid_field" if !creates => false,
        "invalid_domain" => operation == "create_scan",
        "not_utf8"
        | "wrong_encoding"
        | "not_a_list"
        | "invalid_workbook"
        | "invalid_csv"
        | "column_name_too_long"
        | "unknown_column" => operation == "create_batch",
        "empty_batch" | "no_valid_domain" | "too_many_domains" | "too_many_columns" => {
            matches!(operation, "create_batch" | "create_monitor" | "change_monitor")
        }
        "url_quota_reached" => (creates && operation != "create_monitor") || operation.starts_with("retry_"),
        "body_unreadable" | "request_timeout" | "body_too_large" | "idempotency_key_reused" => {
            matches!(method, "post" | "patch")
        }
        "unsupported_media_type" => {
            creates
                || matches!(
                    operation,
                    "change_webhook" | "change_monitor" | "replay_webhook" | "resend_event"
                )
        }
        "monitor_cannot_run" => operation == "run_monitor",
        "too_many_monitors" => operation == "create_monitor",
        "cannot_cancel" => operation.starts_with("cancel_"),
        "cannot_retry" => operation.starts_with("retry_"),
        "invalid_last_event_id" | "too_many_streams" => operation.starts_with("watch_"),
        _ => true,
    }
}
