//! Errors of v1: `{"detail": …}`, and validation errors as its framework returned them (`FastAPI` 0.115 with pydantic
//! 2.10).

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::words;
use crate::api::ApiState;
use crate::api::problem::{Problem, ProblemCode, challenge};
use crate::commands::CommandError;
use crate::log::LogError;
use crate::projections::ProjectionError;

/// An error. It is attached to the response as an extension, so that a version with another format can rewrite it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::api::legacy) struct LegacyError {
    pub(in crate::api::legacy) status: StatusCode,
    pub(in crate::api::legacy) content: Value,
    /// The input that is not a domain, if that is the error.
    pub(in crate::api::legacy) not_a_domain: Option<String>,
    retry_after: Option<u32>,
    /// `WWW-Authenticate`, which the predecessor lost before the response was sent.
    challenge: Option<&'static str>,
}

impl LegacyError {
    /// `{"detail": text}`.
    pub(in crate::api::legacy) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::detailed(status, &detail.into().into())
    }

    /// `{"detail": …}`.
    pub(in crate::api::legacy) fn detailed(status: StatusCode, detail: &Value) -> Self {
        Self {
            status,
            content: json!({ "detail": detail }),
            not_a_domain: None,
            retry_after: None,
            challenge: None,
        }
    }

    /// 400 for what is not a domain.
    pub(in crate::api::legacy) fn invalid_domain(input: &str) -> Self {
        Self {
            not_a_domain: Some(input.to_owned()),
            ..Self::bad_request(words::invalid_domain(input))
        }
    }

    /// 400.
    pub(in crate::api::legacy) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 422: what is wrong with which field, and the body that it is wrong with.
    pub(in crate::api::legacy) fn invalid(errors: Vec<Value>, body: Value) -> Self {
        let mut content = json!({ "error": "Validation Error" });
        content["detail"] = errors.into();
        content["body"] = body;
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            content,
            not_a_domain: None,
            retry_after: None,
            challenge: None,
        }
    }

    /// 422 for an invalid id; the predecessor returned 500 with its database's message.
    pub(in crate::api::legacy) fn malformed_id(name: &str, given: &str) -> Self {
        let message = "Input should be a valid UUID";
        let problem =
            json!({ "type": "uuid_parsing", "loc": ["path", name], "msg": message, "input": given });
        Self::invalid(vec![problem], Value::Null)
    }

    /// The error in the format of v1.
    pub(in crate::api::legacy) fn detail(&self) -> &Value {
        &self.content["detail"]
    }
}

/// Rewrites the error of a response in another format; the rest of the response does not change.
pub(in crate::api::legacy) fn rewritten(
    response: Response,
    words: impl Fn(&LegacyError) -> Value,
) -> Response {
    let Some(error) = response.extensions().get::<LegacyError>() else {
        return response;
    };
    let body = Body::from(words(error).to_string());
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

impl IntoResponse for LegacyError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self.content)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(HeaderName::from_static("retry-after"), HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            let value = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Problem> for LegacyError {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = match problem.code {
            ProblemCode::Unauthorized => "Not authenticated".to_owned(),
            ProblemCode::InvalidCredentials => "Invalid authentication credentials".to_owned(),
            ProblemCode::WrongTenant => "You don't have access to this tenant".to_owned(),
            _ => problem.detail,
        };
        let mut error = Self::new(status, detail);
        error.challenge = challenge(problem.code);
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            error.content["error"] = "Internal Server Error".into();
        }
        error.retry_after = problem.retry_after;
        error
    }
}

impl From<ProjectionError> for LegacyError {
    fn from(error: ProjectionError) -> Self {
        Problem::from(error).into()
    }
}

impl From<LogError> for LegacyError {
    fn from(error: LogError) -> Self {
        Problem::from(error).into()
    }
}

impl<E> From<CommandError<E>> for LegacyError
where
    E: std::error::Error + Into<Problem> + 'static,
{
    fn from(error: CommandError<E>) -> Self {
        Problem::from(error).into()
    }
}

/// A value that v4 extracts from a request; a refusal is converted to the old format.
pub(in crate::api::legacy) struct LegacyRejection<T>(pub(super) T);

impl<T: FromRequest<ApiState, Rejection = Problem>> FromRequest<ApiState> for LegacyRejection<T> {
    type Rejection = LegacyError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, LegacyError> {
        Ok(Self(T::from_request(request, state).await?))
    }
}
