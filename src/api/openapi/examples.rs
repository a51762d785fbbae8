//! An example of each operation's request and answers, and the codes of the problems it may answer with.

use serde_json::{Value, json};

use crate::api::problem::ProblemCode;

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
