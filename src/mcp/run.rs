//! What each tool does: its requests to the API, and the parts of the responses that a model needs.

use std::time::Duration;

use axum::http::{HeaderMap, Method};
use rmcp::model::JsonObject;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::form_urlencoded::Serializer;

use super::arguments::Arguments;
use super::brief;
use super::evidence;
use super::tools::{LONGEST_WAIT, Tool};
use super::{Api, ApiRequest};
use crate::values::DomainName;

/// Default number of items of a list.
const ROWS: u64 = 20;
const URLS: u64 = 50;
/// How long `scan_domain` waits by default.
const WAIT: u64 = 45;
/// How long the record of a domain may take to show a scan that has ended, and how often it is polled.
const FOLLOWING: Duration = Duration::from_secs(3);
const FOLLOW_POLL: Duration = Duration::from_millis(50);
/// How often a batch is polled.
const POLL: Duration = Duration::from_millis(500);

/// The API in the name of the caller.
struct Session<'a, A> {
    api: &'a A,
    caller: Option<&'a HeaderMap>,
}

/// Runs a tool. Errors are texts that the model can act on.
pub(super) async fn run<A: Api>(
    api: &A,
    caller: Option<&HeaderMap>,
    tool: &Tool,
    given: &JsonObject,
) -> Result<Value, String> {
    let arguments = Arguments::checked(tool, given)?;
    let session = Session { api, caller };
    match tool.name {
        "scan_domain" => session.scan_domain(&arguments).await,
        "scan_batch" => session.scan_batch(&arguments).await,
        "batch_status" => session.batch_status(&arguments).await,
        "get_domain" => {
            let found = session.domain(needed(&arguments, "domain")?).await?;
            Ok(brief::domain_in_full(&found))
        }
        "search_domains" => session.search_domains(&arguments).await,
        "domain_history" => session.domain_history(&arguments).await,
        "list_changes" => session.list_changes(&arguments).await,
        "read_sitemap" => session.read_sitemap(&arguments).await,
        "explain_value" => session.explain_value(&arguments).await,
        other => Err(format!("The tool {other} is not available.")),
    }
}

/// The whole record of a domain.
pub(super) async fn domain<A: Api>(api: &A, caller: Option<&HeaderMap>, text: &str) -> Result<Value, String> {
    Session { api, caller }.domain(text).await
}

impl<A: Api> Session<'_, A> {
    async fn get(&self, path: String) -> Result<Value, String> {
        let request = ApiRequest {
            method: Method::GET,
            path,
            wait: None,
            body: None,
        };
        self.send(request).await
    }

    async fn send(&self, request: ApiRequest) -> Result<Value, String> {
        let answer = self.api.send(request, self.caller).await?;
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| {
            format!(
                "The server returned status {} with a body that is not JSON. Check the server's address.",
                answer.status
            )
        })?;
        if (200..300).contains(&answer.status) {
            return Ok(body);
        }
        // A problem (RFC 9457): what happened, and what to do.
        let detail = body["detail"].as_str().unwrap_or("The server gave no reason.");
        let code = body["code"].as_str().unwrap_or("error");
        Err(format!("{detail} ({code}, {})", answer.status))
    }

    async fn domain(&self, text: &str) -> Result<Value, String> {
        let name = name_of(text)?;
        self.get(format!("/domains/{name}")).await.map_err(|words| {
            if words.contains("(not_found") {
                format!("Nothing is known about {name}. Call scan_domain to scan it.")
            } else {
                words
            }
        })
    }

    async fn scan_domain(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let name = name_of(needed(arguments, "domain")?)?;
        let mut body = json!({ "domain": name.as_str() });
        for option in ["max_age_days", "max_pages"] {
            if let Some(value) = arguments.value(option) {
                body[option] = value.clone();
            }
        }
        let request = ApiRequest {
            method: Method::POST,
            path: "/scans".to_owned(),
            wait: Some(arguments.whole("wait_seconds").unwrap_or(WAIT)).filter(|wait| *wait > 0),
            body: Some(body),
        };
        let scan = self.send(request).await?;
        let status = scan["status"].as_str().unwrap_or_default();
        match status {
            "completed" => {
                // The record has values of earlier scans too, and is what the other tools show.
                let found = if scan["reused"] == true {
                    self.domain(name.as_str()).await
                } else {
                    self.domain_after(&name, &scan["scan_id"]).await
                };
                let mut found = brief::domain(&found?);
                found["scan_id"] = scan["scan_id"].clone();
                found["is_from_an_earlier_scan"] = scan["reused"].clone();
                Ok(found)
            }
            "failed" | "cancelled" => Ok(json!({
                "domain": name.as_str(), "scan_id": scan["scan_id"], "status": status,
                "reason": scan["reason"], "error": scan["error"],
            })),
            _ => Ok(json!({
                "domain": name.as_str(), "scan_id": scan["scan_id"], "status": status,
                "next_step": "The scan continues. Call get_domain in a few seconds.",
            })),
        }
    }

    /// The record of a domain, as soon as it has a scan that has just ended.
    async fn domain_after(&self, name: &DomainName, scan: &Value) -> Result<Value, String> {
        let until = Instant::now() + FOLLOWING;
        loop {
            let found = self.domain(name.as_str()).await;
            let shows = |found: &Value| found["last_scan_id"] == *scan && found["status"] == "completed";
            let is_followed = found.as_ref().is_ok_and(shows);
            // Another scan may have ended since.
            if is_followed || Instant::now() > until {
                return found;
            }
            tokio::time::sleep(FOLLOW_POLL).await;
        }
    }

    async fn scan_batch(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let mut body = json!({ "domains": arguments.value("domains") });
        if let Some(age) = arguments.value("max_age_days") {
            body["max_age_days"] = age.clone();
        }
        let request = ApiRequest {
            method: Method::POST,
            path: "/batches".to_owned(),
            wait: None,
            body: Some(body),
        };
        let accepted = self.send(request).await?;
        Ok(brief::batch_accepted(&accepted))
    }

    async fn batch_status(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let id = segment(needed(arguments, "batch_id")?);
        let path = format!("/batches/{id}");
        let wait = arguments.whole("wait_seconds").unwrap_or(0).min(LONGEST_WAIT);
        let until = Instant::now() + Duration::from_secs(wait);
        loop {
            let batch = self.get(path.clone()).await?;
            let has_ended = brief::has_ended(&batch);
            if has_ended {
                self.follow_batch(&id).await;
            }
            if has_ended || Instant::now() + POLL > until {
                return Ok(brief::batch(&batch));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the records of domains show what a batch that has ended found: they are read next. If they do not in
    /// time, they are read as they are.
    async fn follow_batch(&self, id: &str) {
        let Ok(events) = self.get(format!("/streams/batch_scan/{id}?limit=1000")).await else {
            return;
        };
        let last = events["items"].as_array().and_then(|items| items.last());
        if let Some(position) = last.and_then(|event| event["position"].as_i64()) {
            let _read_as_they_are = self.get(format!("/domains?limit=1&at_least={position}")).await;
        }
    }

    async fn search_domains(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let mut query = Query::of(arguments, ROWS);
        for name in [
            "contains",
            "status",
            "technology",
            "language",
            "has_email",
            "has_phone",
            "is_wordpress",
            "site_state",
            "email_provider",
            "tls_expires_before",
        ] {
            query.pass(name, name);
        }
        query.pass("batch_id", "batch");
        let page = self.get(query.path("/domains")).await?;
        Ok(brief::page(&page, "domains", brief::domain))
    }

    async fn domain_history(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let name = name_of(needed(arguments, "domain")?)?;
        let mut query = Query::of(arguments, ROWS);
        query.pass("field", "field");
        let page = self.get(query.path(&format!("/domains/{name}/history"))).await?;
        Ok(brief::page(&page, "changes", brief::without_links))
    }

    async fn list_changes(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let mut query = Query::of(arguments, ROWS);
        for name in ["since", "field"] {
            query.pass(name, name);
        }
        query.pass("batch_id", "batch");
        if let Some(domain) = arguments.text("domain") {
            query.add("domain", name_of(domain)?.as_str());
        }
        let page = self.get(query.path("/changes")).await?;
        Ok(brief::page(&page, "changes", brief::without_links))
    }

    async fn read_sitemap(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let name = name_of(needed(arguments, "domain")?)?;
        let query = Query::of(arguments, URLS);
        let page = self.get(query.path(&format!("/domains/{name}/urls"))).await?;
        Ok(brief::page(&page, "urls", brief::url))
    }

    async fn explain_value(&self, arguments: &Arguments<'_>) -> Result<Value, String> {
        let (domain, value) = (needed(arguments, "domain")?, needed(arguments, "value")?);
        let found = self.domain(domain).await?;
        evidence::explain(&found, value)
    }
}

/// The query of a list: its page, and the filters of the call.
struct Query<'a> {
    arguments: &'a Arguments<'a>,
    pairs: Vec<(&'static str, String)>,
}

impl<'a> Query<'a> {
    fn of(arguments: &'a Arguments<'a>, rows: u64) -> Self {
        let limit = arguments.whole("limit").unwrap_or(rows);
        let pairs = vec![("limit", limit.to_string())];
        let mut query = Self { arguments, pairs };
        query.pass("cursor", "cursor");
        query
    }

    /// Passes an argument on, if it was given, under the name that the API has for it.
    fn pass(&mut self, argument: &str, name: &'static str) {
        match self.arguments.value(argument) {
            Some(Value::String(text)) if text.trim().is_empty() => {}
            Some(Value::String(text)) => self.add(name, text.trim()),
            Some(value) => self.add(name, &value.to_string()),
            None => {}
        }
    }

    fn add(&mut self, name: &'static str, value: &str) {
        self.pairs.push((name, value.to_owned()));
    }

    fn path(&self, path: &str) -> String {
        let query = Serializer::new(String::new()).extend_pairs(&self.pairs).finish();
        format!("{path}?{query}")
    }
}

fn needed<'a>(arguments: &Arguments<'a>, name: &str) -> Result<&'a str, String> {
    arguments
        .text(name)
        .ok_or_else(|| format!("{name} must not be empty."))
}

fn name_of(text: &str) -> Result<DomainName, String> {
    DomainName::parse(text).map_err(|error| format!("{error}."))
}

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
