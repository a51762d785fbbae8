//! An example of each operation's request and answers, and the codes of the problems it may answer with.
//!
//! Answers are values of the views (`Example`), requests consist of the examples of their fields. Only what is not JSON
//! is here.

use serde_json::{Map, Value, json};

use crate::api::problem::ProblemCode;
use crate::api::v4::examples::{of_schema, stream_of};

/// Examples of what is not JSON, by media type; of requests and of files.
const TEXTS: [(&str, &str, &str); 5] = [
    (
        "text/csv",
        "domain,name\nexample.com,Example\nexample.org,Other\n",
        "domain,domain_unicode,status\r\nexample.com,example.com,completed\r\n",
    ),
    (
        "text/plain",
        "example.com\nexample.org\n",
        "sitelog_log_position 34\n",
    ),
    (
        "application/x-ndjson",
        "{\"domain\":\"example.com\"}\n\"example.org\"\n",
        "{\"domain\":\"example.com\",\"status\":\"completed\"}\n",
    ),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "(the workbook's bytes)",
        "(a workbook)",
    ),
    ("application/vnd.apache.parquet", "", "(a Parquet file)"),
];

/// Puts an operation's examples into it, and says which problems its refusals are. `schemas` are those of the document.
pub(super) fn put_in(operation: &mut Value, method: &str, schemas: &Value) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    for (media, content) in objects(operation.pointer_mut("/requestBody/content")) {
        let text = TEXTS
            .iter()
            .find(|(of, ..)| of == media)
            .map(|(_, text, _)| json!(text));
        let fields = || Some(of_fields(&schemas[schema_of(content)?]));
        if let Some(example) = text.or_else(fields) {
            content["example"] = example;
        }
    }
    for (status, response) in objects(operation.get_mut("responses")) {
        let mut is_problem = false;
        for (media, content) in objects(response.get_mut("content")) {
            is_problem |= media == "application/problem+json";
            let example = match media.as_str() {
                "text/event-stream" => stream_of(&name).map(Value::from),
                "application/json" => schema_of(content).and_then(of_schema),
                _ => TEXTS
                    .iter()
                    .find(|(of, ..)| of == media)
                    .map(|(.., text)| json!(text)),
            };
            if let Some(example) = example {
                content["example"] = example;
            }
        }
        if is_problem {
            let codes: Vec<&str> = codes_of(&name, method, status).collect();
            response["x-problem-codes"] = json!(codes);
        }
    }
}

/// The name of the schema that a content refers to.
fn schema_of(content: &Value) -> Option<&str> {
    content["schema"]["$ref"].as_str()?.rsplit('/').next()
}

/// An example of a request: the examples of its fields.
fn of_fields(schema: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let given = fields.filter_map(|(name, field)| Some((name.clone(), field.get("example")?.clone())));
    Value::Object(given.collect::<Map<_, _>>())
}

fn objects(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

/// The codes of a status that an operation may answer with.
fn codes_of(operation: &str, method: &str, status: &str) -> impl Iterator<Item = &'static str> {
    let of_status = ProblemCode::ALL
        .iter()
        .copied()
        .filter(move |code| code.status().as_str() == status);
    of_status
        .filter(move |code| may_answer(operation, method, *code))
        .map(ProblemCode::as_str)
}

fn may_answer(operation: &str, method: &str, code: ProblemCode) -> bool {
    use ProblemCode as Code;
    let creates = operation.starts_with("create_");
    let takes_json = creates
        || matches!(
            operation,
            "add_subscriber" | "change_webhook" | "change_monitor" | "replay_webhook" | "resend_event"
        );
    match code {
        Code::InvalidForm => false,
        Code::InvalidJson | Code::InvalidField | Code::UnsupportedMediaType => takes_json,
        Code::InvalidDomain => operation == "create_scan",
        Code::NotUtf8
        | Code::WrongEncoding
        | Code::NotAList
        | Code::InvalidWorkbook
        | Code::InvalidCsv
        | Code::ColumnNameTooLong
        | Code::UnknownColumn => operation == "create_batch",
        Code::EmptyBatch | Code::NoValidDomain | Code::TooManyDomains | Code::TooManyColumns => {
            matches!(operation, "create_batch" | "create_monitor" | "change_monitor")
        }
        Code::UrlQuotaReached => {
            (creates && operation != "create_monitor") || operation.starts_with("retry_")
        }
        Code::BodyUnreadable | Code::RequestTimeout | Code::BodyTooLarge | Code::IdempotencyKeyReused => {
            matches!(method, "post" | "patch")
        }
        Code::MonitorCannotRun => operation == "run_monitor",
        Code::NoMailServer | Code::TooManySubscribers => operation == "add_subscriber",
        Code::TooManyLinks => operation == "create_link",
        Code::TooManyWebhooks => operation == "create_webhook",
        Code::WebhookDisabled => matches!(operation, "test_webhook" | "replay_webhook" | "resend_event"),
        Code::TooManyMonitors => operation == "create_monitor",
        Code::CannotCancel => operation.starts_with("cancel_"),
        Code::CannotRetry => operation.starts_with("retry_"),
        Code::InvalidLastEventId | Code::TooManyStreams => operation.starts_with("watch_"),
        _ => true,
    }
}
