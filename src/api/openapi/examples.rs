//! The examples of each operation's request and responses, and the problem codes of its responses.
//!
//! Responses are values of the views (`Example`); requests consist of the examples of their fields. Only what is not
//! JSON is defined here.

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
        "(an Excel file)",
    ),
    ("application/vnd.apache.parquet", "", "(a Parquet file)"),
];

/// Puts an operation's examples into it, and says which problems its refusals are. `schemas` are those of the document.
pub(super) fn put_in(operation: &mut Value, method: &str, schemas: &Value) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let parameters = parameters_of(operation);
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
            let codes: Vec<&str> = codes_of((&name, method, &parameters), status).collect();
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

/// The parameters of an operation: where each is, and its name.
fn parameters_of(operation: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters
        .map(|parameter| (text(&parameter["in"]), text(&parameter["name"])))
        .collect()
}

/// The codes of a status that an operation (its name, method and parameters) may answer with.
fn codes_of(
    operation: (&str, &str, &[(String, String)]),
    status: &str,
) -> impl Iterator<Item = &'static str> {
    let of_status = ProblemCode::ALL
        .iter()
        .copied()
        .filter(move |code| code.status().as_str() == status);
    of_status
        .filter(move |code| may_answer(operation, *code))
        .map(ProblemCode::as_str)
}

fn may_answer((operation, method, parameters): (&str, &str, &[(String, String)]), code: ProblemCode) -> bool {
    use ProblemCode as Code;
    let takes = |wanted: &str| parameters.iter().any(|(_, name)| name == wanted);
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
        Code::BodyUnreadable | Code::RequestTimeout | Code::BodyTooLarge => {
            matches!(method, "post" | "patch")
        }
        Code::InvalidIdempotencyKey | Code::IdempotencyKeyReused => takes("Idempotency-Key"),
        Code::InvalidTenant | Code::WrongTenant => takes("X-Tenant-Id"),
        Code::InvalidQuery => parameters.iter().any(|(place, _)| place == "query"),
        Code::TooManyRows => takes("format"),
        Code::Conflict => matches!(
            operation,
            "cancel_scan" | "retry_scan" | "cancel_batch" | "retry_batch"
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_lists_only_the_codes_that_it_can_return() {
        let document: Value = serde_json::from_str(&crate::api::openapi::document()).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let parameters = parameters_of(operation);
                let takes = |wanted: &str| parameters.iter().any(|(_, name)| name == wanted);
                let responses = operation["responses"].as_object().unwrap();
                let listed = responses
                    .values()
                    .filter_map(|response| response["x-problem-codes"].as_array());
                let listed: Vec<&str> = listed.flatten().filter_map(Value::as_str).collect();
                let shown = format!("{method} {path}: {listed:?}");
                assert_eq!(listed.contains(&"too_many_rows"), takes("format"), "{shown}");
                for code in ["idempotency_key_reused", "invalid_idempotency_key"] {
                    assert!(!listed.contains(&code) || takes("Idempotency-Key"), "{shown}");
                }
                let acts_on_scans = path.contains("/scans/") || path.contains("/batches/");
                assert!(!listed.contains(&"conflict") || acts_on_scans, "{shown}");
                // Each status of an error needs a code.
                for (status, response) in responses {
                    let codes = response["x-problem-codes"].as_array();
                    assert!(codes.is_none_or(|codes| !codes.is_empty()), "{status} of {shown}");
                }
            }
        }
    }
}
