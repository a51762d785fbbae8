//! Refuses names that a route does not know. If they were ignored, `?dryrun=true` would start scans, and `maxPages`
//! would have no effect.
//!
//! The known names of a query come from the API's own document, so every documented parameter is known and no other
//! one is. The fields of a command's JSON are known to its type (`deny_unknown_fields`).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn};

use super::problem::{Problem, ProblemCode};
use crate::values::nearest::{did_you_mean, nearest};

/// Another name of a parameter, which views have for the same thing.
const ALIASES: [(&str, &str); 2] = [("batch", "batch_id"), ("monitor", "monitor_id")];

/// The parameters that queries may have, by method and path.
#[derive(Clone, Debug)]
pub(super) struct KnownNames(Arc<HashMap<(Method, String), Vec<String>>>);

impl KnownNames {
    /// Those of a document whose paths are below a prefix.
    pub(super) fn of(document: &OpenApi, prefix: &str) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            let operations = [
                (Method::GET, &item.get),
                (Method::POST, &item.post),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    known.insert((method, format!("{prefix}{path}")), names_of(operation));
                }
            }
        }
        Self(Arc::new(known))
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        let Some(query) = request.uri().query() else {
            return Ok(());
        };
        let method = match *request.method() {
            Method::HEAD => Method::GET,
            ref other => other.clone(),
        };
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            return Ok(());
        };
        let Some(known) = self.0.get(&(method, path.as_str().to_owned())) else {
            return Ok(());
        };
        let mut given = url::form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
        match given.find(|name| !known.iter().any(|known| known == name)) {
            Some(name) => Err(unknown(
                "parameter",
                &name,
                &known.iter().map(String::as_str).collect::<Vec<_>>(),
            )),
            None => Ok(()),
        }
    }
}

fn names_of(operation: &Operation) -> Vec<String> {
    let parameters = operation.parameters.iter().flatten();
    let mut names: Vec<String> = parameters
        .filter_map(|parameter| match parameter {
            utoipa::openapi::RefOr::T(parameter) => Some(parameter),
            utoipa::openapi::RefOr::Ref(_) => None,
        })
        .filter(|parameter| parameter.parameter_in == ParameterIn::Query)
        .map(|parameter| parameter.name.clone())
        .collect();
    for (name, alias) in ALIASES {
        if names.iter().any(|known| known == name) {
            names.push(alias.to_owned());
        }
    }
    names
}

/// Refuses a request whose query has a name that its route does not know.
pub(super) async fn require_known(State(known): State<KnownNames>, request: Request, next: Next) -> Response {
    match known.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// 400 for a parameter of the query or a member of the JSON that is not known.
fn unknown(what: &str, name: &str, known: &[&str]) -> Problem {
    let shown: String = name.chars().take(100).collect();
    if known.is_empty() {
        let detail = format!("The {what} '{shown}' is unknown: this route has none.");
        return Problem::of(ProblemCode::UnknownParameter, detail).with("parameter", shown);
    }
    let nearest = nearest(name, known.iter().copied());
    let detail = format!(
        "The {what} '{shown}' is unknown{}. Allowed: {}.",
        did_you_mean(nearest),
        known.join(", ")
    );
    let problem = Problem::of(ProblemCode::UnknownParameter, detail)
        .with("parameter", shown)
        .with("known", json!(known));
    match nearest {
        Some(nearest) => problem.with("nearest", nearest),
        None => problem,
    }
}

/// The same for JSON whose type refused a member: serde says which, and which it knows.
pub(super) fn unknown_member(error: &serde_json::Error) -> Option<Problem> {
    let text = error.to_string();
    let names = text.strip_prefix("unknown field `")?;
    let (name, rest) = names.split_once("`, ")?;
    let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
    Some(unknown("field", name, &known))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Body {
        domain: String,
        max_pages: Option<i64>,
    }

    #[test]
    fn a_member_is_named_with_the_nearest_known_one() {
        let error = serde_json::from_str::<Body>(r#"{"domain": "a.com", "maxPages": 5}"#).unwrap_err();
        let problem = unknown_member(&error).unwrap();
        assert_eq!(
            (problem.code, problem.status),
            (ProblemCode::UnknownParameter, 400)
        );
        assert_eq!(problem.more["parameter"], "maxPages");
        assert_eq!(problem.more["nearest"], "max_pages");
        assert_eq!(problem.more["known"], json!(["domain", "max_pages"]));
        let other = serde_json::from_str::<Body>("{}").unwrap_err();
        assert!(unknown_member(&other).is_none());
    }
}
