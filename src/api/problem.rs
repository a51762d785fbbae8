//! Errors as RFC 9457 problems: one code per error ([`ProblemCode`]).

use std::any::Any;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::outage;
pub use super::problem_code::ProblemCode;
use crate::access::{AccessError, Scope};
use crate::aggregates::monitor::words;
use crate::aggregates::{BatchError, MonitorError, ScanError, WebhookError};
use crate::commands::CommandError;
use crate::commands::change_access::ChangeAccessError;
use crate::commands::maintain_monitor::ChangeError;
use crate::commands::retry_scan::RetryError;
use crate::log::LogError;
use crate::monitors::subscribers::SubscribeError;
use crate::monitors::{self, RunError};
use crate::progress::ProgressError;
use crate::projections::ProjectionError;
use crate::tasks::TaskError;
use crate::webhooks::TablesError;
use crate::webhooks::endpoint::EndpointError;

/// An error: the cause, the input and what to do (`application/problem+json`).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `/docs/problems/` and the code: a page that says what it means and what to do (relative, RFC 9457, 3.1.1).
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems/invalid_domain")]
    pub kind: String,
    /// The stable code of the error.
    #[schema(value_type = String, example = "invalid_domain")]
    pub code: ProblemCode,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// The type of the error in words.
    #[schema(example = "Unprocessable Content")]
    pub title: &'static str,
    /// The individual error in words.
    #[schema(example = "'localhost' has no top-level domain")]
    pub detail: String,
    /// Further fields, depending on the code.
    #[serde(flatten)]
    pub more: Map<String, Value>,
    /// Seconds to wait before a repetition; also in the header `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with the status and the title of its code.
    pub fn of(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/docs/problems/{code}"),
            code,
            status: code.status().as_u16(),
            title: code.title(),
            detail: detail.into(),
            more: Map::new(),
            retry_after: None,
        }
    }

    /// The same, to be repeated after this many seconds.
    fn later(code: ProblemCode, retry_after: u32, detail: impl Into<String>) -> Self {
        Self::of(code, detail).retried_after(retry_after)
    }

    /// Sets `Retry-After` to this many seconds.
    #[must_use]
    pub fn retried_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    /// The caller lacks a scope.
    pub fn insufficient_scope(wanted: Scope) -> Self {
        let detail = format!("This request needs a key or token with the scope '{wanted}'.");
        Self::of(ProblemCode::InsufficientScope, detail).with("scope", wanted.as_str())
    }

    /// Too many requests of one tenant.
    pub fn too_many_requests(retry_after: u32) -> Self {
        let detail = format!("The tenant has reached its rate limit. Try again in {retry_after} s.");
        Self::later(ProblemCode::TooManyRequests, retry_after, detail)
    }

    /// Too many reads of one tenant wait for the database.
    pub fn tenant_is_busy() -> Self {
        Self::later(
            ProblemCode::TooManyRequests,
            2,
            "The tenant has so many concurrent requests that this one would wait too long for the database. Nothing was \
             done. Send fewer requests at once, and try again.",
        )
    }

    /// The resource does not exist.
    pub fn not_found(what: &str) -> Self {
        Self::of(ProblemCode::NotFound, format!("There is no such {what}."))
    }

    /// An invalid ID in the path: 404, as for an unknown one.
    pub fn invalid_id() -> Self {
        Self::of(
            ProblemCode::NotFound,
            "The ID in the path is not valid. An ID is a UUID, such as 550e8400-e29b-41d4-a716-446655440000.",
        )
    }

    /// The path has other methods.
    pub fn method_not_allowed() -> Self {
        Self::of(
            ProblemCode::MethodNotAllowed,
            "The path does not support this method; /openapi.json lists all routes.",
        )
    }

    /// Nothing was done; a retry may succeed.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::later(ProblemCode::Unavailable, 1, detail)
    }

    /// The server is overloaded.
    pub fn overloaded() -> Self {
        Self::later(
            ProblemCode::Overloaded,
            2,
            "The server has too many concurrent requests. Nothing was done; try again.",
        )
    }

    /// An internal error; the cause is only in the server's log.
    pub fn internal() -> Self {
        Self::of(
            ProblemCode::Internal,
            "Internal server error; see the server's log.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (retry_after, code) = (self.retry_after, self.code);
        let problem = self.clone();
        let kind = (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        let mut response = (status, [kind], Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(HeaderName::from_static("retry-after"), HeaderValue::from(seconds));
        }
        if let Some(challenge) = challenge(code) {
            let value = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        // For code that shows it in another form, such as pages.
        response.extensions_mut().insert(problem);
        response
    }
}

/// `WWW-Authenticate` for a problem of access (RFC 6750, 3).
pub(in crate::api) fn challenge(code: ProblemCode) -> Option<&'static str> {
    match code {
        ProblemCode::Unauthorized => Some("Bearer realm=\"sitelog\""),
        ProblemCode::InvalidCredentials => Some("Bearer realm=\"sitelog\", error=\"invalid_token\""),
        ProblemCode::InsufficientScope => Some("Bearer realm=\"sitelog\", error=\"insufficient_scope\""),
        _ => None,
    }
}

/// The response if a handler panicked.
pub(super) fn after_panic(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("A handler panicked");
    Problem::internal().into_response()
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::KeyReused => Self::of(
                ProblemCode::IdempotencyKeyReused,
                "This Idempotency-Key was used before with another request; use a new key for a new request.",
            ),
            LogError::Unreadable { .. }
            | LogError::UnreadableBody { .. }
            | LogError::BodyTooLarge { .. }
            | LogError::UnknownVersion { .. }
            | LogError::Incomplete { .. }
            | LogError::Rejected(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "An error of the event log"
                );
                Self::internal()
            }
            LogError::Conflict | LogError::SaltChanged | LogError::Unavailable(_) | LogError::Closed => {
                outage::warn(&error, "The event log is not available");
                Self::unavailable(
                    "The request may not have been recorded. Send it again with the same Idempotency-Key.",
                )
            }
        }
    }
}

impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Self {
        match error {
            ProjectionError::Log(error) => error.into(),
            ProjectionError::BeyondTheEnd(_) => {
                Self::of(ProblemCode::InvalidQuery, format!("as_of: {error}."))
            }
            ProjectionError::Busy(_) => Self::tenant_is_busy(),
            error if error.is_not_built_yet() => Self::unavailable(
                "The read models of this release are still being built from the log; /readyz shows when they are ready. \
                 Try again later.",
            ),
            error if error.took_too_long() => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "A query of a read model took too long and was stopped"
                );
                Self::unavailable(
                    "The query took too long and was stopped. Use more specific filters, or try again when the load is lower.",
                )
            }
            ProjectionError::Database(_) => {
                outage::warn(&error, "A read model is not available");
                Self::unavailable("The database does not respond. Try again.")
            }
            error => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "A read model contains invalid data"
                );
                Self::internal()
            }
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Missing => Self::of(
                ProblemCode::Unauthorized,
                "Send a key or token as 'Authorization: Bearer …'; 'sitelog key create' creates a key.",
            ),
            AccessError::Invalid => Self::of(
                ProblemCode::InvalidCredentials,
                "The key or token is unknown, expired or revoked. Send it as 'Authorization: Bearer …'.",
            ),
            AccessError::IssuerUnavailable(_) => Self::of(
                ProblemCode::Unavailable,
                "The public keys of the token issuer are not available. Try again later.",
            )
            .retried_after(10),
            AccessError::NoRandomness(_) | AccessError::Unavailable(_) => {
                outage::warn(&error, "Cannot read the keys and tenants");
                Self::unavailable("The database does not respond. Try again.")
            }
        }
    }
}

impl From<ChangeAccessError> for Problem {
    fn from(error: ChangeAccessError) -> Self {
        match error {
            ChangeAccessError::Access(error) => error.into(),
            ChangeAccessError::Log(error) => error.into(),
            ChangeAccessError::Key(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Cannot create a key");
                Self::unavailable("The key could not be created. Try again.")
            }
        }
    }
}

impl From<ProgressError> for Problem {
    fn from(error: ProgressError) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "Cannot read the progress"
        );
        Self::unavailable("The database does not respond. Try again.")
    }
}

impl From<TablesError> for Problem {
    fn from(error: TablesError) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "The tables of webhooks are not available"
        );
        Self::unavailable("The database does not respond. Try again.")
    }
}

impl From<EndpointError> for Problem {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::TooMany => {
                Self::of(ProblemCode::TooManyWebhooks, format!("Not created: {error}."))
            }
            EndpointError::Command(error) => error.into(),
            EndpointError::Tables(error) => error.into(),
        }
    }
}

impl From<SubscribeError> for Problem {
    fn from(error: SubscribeError) -> Self {
        match error {
            SubscribeError::Address(_) | SubscribeError::Unsubscribed(_) => {
                Self::of(ProblemCode::InvalidField, format!("address: {error}."))
            }
            SubscribeError::TooMany => {
                Self::of(ProblemCode::TooManySubscribers, format!("Not added: {error}."))
            }
            SubscribeError::NotFound => Self::not_found("monitor"),
            SubscribeError::Tables(error) => error.into(),
        }
    }
}

impl From<TaskError> for Problem {
    fn from(error: TaskError) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "The task queue is not available"
        );
        Self::unavailable("The database does not respond. Try again.")
    }
}

impl From<ScanError> for Problem {
    fn from(error: ScanError) -> Self {
        match &error {
            ScanError::NotFound => Self::not_found("scan"),
            ScanError::CannotCancel(_) => Self::of(ProblemCode::CannotCancel, sentence(&error)),
            ScanError::CannotRetry(_) => Self::of(ProblemCode::CannotRetry, sentence(&error)),
            ScanError::IdTaken(_) | ScanError::Superseded(_) | ScanError::Ended(_) => {
                Self::of(ProblemCode::Conflict, sentence(&error))
            }
        }
    }
}

impl From<BatchError> for Problem {
    fn from(error: BatchError) -> Self {
        match &error {
            BatchError::NotFound => Self::not_found("batch"),
            BatchError::CannotCancel => Self::of(ProblemCode::CannotCancel, sentence(&error)),
            BatchError::WasCancelled | BatchError::NothingToRetry => {
                Self::of(ProblemCode::CannotRetry, sentence(&error))
            }
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound => Self::not_found("webhook"),
            WebhookError::Disabled => Self::of(
                ProblemCode::WebhookDisabled,
                "The webhook is disabled; enable it first.",
            ),
        }
    }
}

impl From<MonitorError> for Problem {
    fn from(error: MonitorError) -> Self {
        match error {
            MonitorError::NotFound => Self::not_found("monitor"),
            MonitorError::CannotRun(reason) => {
                let detail = format!("The monitor cannot run now: {}.", words(reason));
                Self::of(ProblemCode::MonitorCannotRun, detail).with("reason", reason.as_str())
            }
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Monitor(error) => error.into(),
            ChangeError::Settings(error) => Self::of(ProblemCode::InvalidField, format!("{error}.")),
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Command(error) => error.into(),
            RunError::Filter(error) => Self::of(ProblemCode::InvalidField, format!("filter.{error}.")),
            RunError::ReadModels(error) => error.into(),
            RunError::Access(error) => error.into(),
        }
    }
}

impl From<monitors::TablesError> for Problem {
    fn from(error: monitors::TablesError) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "The tables of monitors are not available"
        );
        Self::unavailable("The database does not respond. Try again.")
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Scan(error) => error.into(),
            RetryError::Batch(error) => error.into(),
        }
    }
}

impl<E> From<CommandError<E>> for Problem
where
    E: std::error::Error + Into<Problem> + 'static,
{
    fn from(error: CommandError<E>) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::NotFound("batch_scan") => Self::not_found("batch"),
            CommandError::NotFound("webhook") => Self::not_found("webhook"),
            CommandError::NotFound("monitor") => Self::not_found("monitor"),
            CommandError::NotFound("domain") => Self::not_found("domain"),
            CommandError::NotFound(_) => Self::not_found("scan"),
            CommandError::Log(error) => error.into(),
        }
    }
}

/// An error's text as a sentence.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
