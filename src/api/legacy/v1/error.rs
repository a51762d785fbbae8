//! Errors as v1 said them: `{"detail": …}`, and for bodies that do not fit, what its framework said
//! (`FastAPI` 0.115 with pydantic 2.10).

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::ApiState;
use crate::api::problem::{Problem, challenge};
use crate::commands::CommandError;
use crate::log::LogError;
use crate::projections::ProjectionError;

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LegacyError {
    pub(super) status: StatusCode,
    pub(super) content: Value,
    retry_after: Option<u32>,
    /// `WWW-Authenticate`, which the predecessor lost on the way.
    challenge: Option<&'static str>,
}

impl LegacyError {
    /// `{"detail": text}`.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let content = json!({ "detail": detail.into() });
        Self {
            status,
            content,
            retry_after: None,
            challenge: None,
        }
    }

    /// 400.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// 422: what is wrong with which field, and the body that it is wrong with.
    pub(super) fn invalid(errors: Vec<Value>, body: Value) -> Self {
        let mut content = json!({ "error": "Validation Error" });
        content["detail"] = errors.into();
        content["body"] = body;
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            content,
            retry_after: None,
            challenge: None,
        }
    }
}

impl IntoResponse for LegacyError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.content)).into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(HeaderName::from_static("retry-after"), HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            let value = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

impl From<Problem> for LegacyError {
    fn from(problem: Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = match problem.code {
            "unauthorized" => "Not authenticated".to_owned(),
            "invalid_credentials" => "Invalid authentication credentials".to_owned(),
            "wrong_tenant" => "You don't have access to this tenant".to_owned(),
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

/// What v4 takes from a request, its refusal said in the old words.
pub(super) struct OldWords<T>(pub(super) T);

impl<T: FromRequest<ApiState, Rejection = Problem>> FromRequest<ApiState> for OldWords<T> {
    type Rejection = LegacyError;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, LegacyError> {
        Ok(Self(T::from_request(request, state).await?))
    }
}
