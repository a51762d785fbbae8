//! What requests have in common: the caller, idempotency, and how recent the data must be.

use std::borrow::Cow;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use uuid::Uuid;

use super::ApiState;
use super::admission::admitted;
use super::body::HeldBody;
use super::json_error::parse_json;
use super::problem::{Problem, ProblemCode};
use crate::commands::{CommandContext, RequestKey};
use crate::projections::query::Sort;
use crate::projections::{ProjectionError, as_of, query};
use crate::values::TenantId;

/// Characters of an idempotency key at most.
const MAX_KEY: usize = 255;

/// The tenant whose data a request may read.
#[derive(Clone, Copy, Debug)]
pub struct Tenant(pub TenantId);

impl<S: Sync> FromRequestParts<S> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(admitted(&parts.extensions)?.tenant))
    }
}

/// The request of a command: its caller, its id, its idempotency key and its body.
#[derive(Clone, Debug)]
pub struct CommandRequest {
    /// Goes into the metadata of the events.
    pub context: CommandContext,
    /// As sent.
    pub headers: HeaderMap,
    /// What the request's middleware attached.
    pub extensions: Extensions,
    body: HeldBody,
}

impl FromRequest<ApiState> for CommandRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let caller = admitted(&parts.extensions)?.clone();
        let route = format!("{} {}", parts.method, parts.uri.path());
        let (uri, headers, extensions) = (parts.uri, parts.headers, parts.extensions);
        let body = state.limits.bodies.read(&headers, body).await?;
        let key = idempotency_key(&headers, route, &uri.to_string(), &body.bytes)?;
        let context = CommandContext {
            tenant: caller.tenant,
            roles: caller.scopes.to_string(),
            actor: caller.actor,
            request_id: Some(request_id(&headers)),
            causation_id: None,
            key,
        };
        Ok(Self {
            context,
            headers,
            extensions,
            body,
        })
    }
}

impl CommandRequest {
    /// Parses the body as JSON; an error names the place.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        self.expect_type(&["application/json"])?;
        parse_json(self.body())
    }

    /// The result of the first use of the request's idempotency key, if there was one.
    pub async fn first_result(&self, state: &ApiState) -> Result<Option<Value>, Problem> {
        let Some(key) = &self.context.key else {
            return Ok(None);
        };
        let first = state
            .log
            .first_use(self.context.tenant, &key.route, &key.key, &key.body_hash)
            .await?;
        Ok(first.map(|(result, _)| result))
    }

    /// The body as sent.
    pub fn body(&self) -> &[u8] {
        &self.body.bytes
    }

    /// The media type of the body, lower case, without parameters.
    pub fn media_type(&self) -> String {
        let media_type = self.content_type().split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    /// The encoding that the media type declares.
    pub fn charset(&self) -> Option<&str> {
        let parameters = self.content_type().split(';').skip(1);
        parameters
            .filter_map(|parameter| parameter.split_once('='))
            .find_map(|(name, value)| {
                let is_charset = name.trim().eq_ignore_ascii_case("charset");
                is_charset.then(|| value.trim().trim_matches('"'))
            })
    }

    fn content_type(&self) -> &str {
        let value = self.headers.get(header::CONTENT_TYPE);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as sent, for code that reads it later.
    pub fn body_bytes(&self) -> Bytes {
        self.body.bytes.clone()
    }

    fn expect_type(&self, wanted: &[&str]) -> Result<(), Problem> {
        let given = self.media_type();
        if wanted.contains(&given.as_str()) {
            Ok(())
        } else {
            Err(unsupported_media_type(&given, wanted))
        }
    }
}

/// 415 with the accepted types.
pub fn unsupported_media_type(given: &str, wanted: &[&str]) -> Problem {
    let given = if given.is_empty() {
        "no Content-Type".to_owned()
    } else {
        format!("Content-Type '{given}'")
    };
    let detail = format!(
        "The request has {given}; this route accepts {}.",
        wanted.join(", ")
    );
    Problem::of(ProblemCode::UnsupportedMediaType, detail)
}

/// The header `Idempotency-Key`, if present.
pub(super) fn idempotency_key_in(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > MAX_KEY || key.contains('\t') {
        let detail = format!("The header Idempotency-Key must be 1 to {MAX_KEY} printable ASCII characters.");
        return Err(Problem::of(ProblemCode::InvalidIdempotencyKey, detail));
    }
    Ok(Some(key))
}

fn idempotency_key(
    headers: &HeaderMap,
    route: String,
    uri: &str,
    body: &Bytes,
) -> Result<Option<RequestKey>, Problem> {
    let Some(key) = idempotency_key_in(headers)? else {
        return Ok(None);
    };
    let hash = Sha256::new()
        .chain_update(uri)
        .chain_update([0])
        .chain_update(body)
        .finalize();
    Ok(Some(RequestKey {
        route,
        key: key.to_owned(),
        body_hash: hash.into(),
    }))
}

/// The caller's `X-Request-Id` if it is a sensible one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get("x-request-id").and_then(|value| value.to_str().ok());
    given
        .filter(|id| (1..=128).contains(&id.len()))
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// `?as_of=<log position or time>` of single rows.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsOf {
    /// Return the state at this log position or time (RFC 3339). A value beyond the end of the log is an error (400).
    #[param(example = "2026-01-31T12:00:00Z")]
    pub as_of: Option<String>,
}

impl AsOf {
    /// The position, if one is given.
    pub async fn position(&self, state: &ApiState) -> Result<Option<i64>, Problem> {
        let Some(text) = &self.as_of else { return Ok(None) };
        let point = with_offset(text)
            .parse()
            .map_err(|error| Problem::of(ProblemCode::InvalidQuery, format!("as_of: {error}.")))?;
        Ok(Some(as_of::position(&state.models.pool, point).await?))
    }
}

/// The position after which `?since=<log position or time>` begins: that position, or the last one by that time. A time
/// in the future is after every position.
pub async fn since(text: Option<&str>, state: &ApiState) -> Result<i64, Problem> {
    let Some(text) = text else { return Ok(0) };
    let point = with_offset(text)
        .parse()
        .map_err(|error| Problem::of(ProblemCode::InvalidQuery, format!("since: {error}.")))?;
    if let as_of::Point::Position(position) = point {
        return Ok(position);
    }
    match as_of::position(&state.models.pool, point).await {
        Err(ProjectionError::BeyondTheEnd(_)) => Ok(i64::MAX),
        position => Ok(position?),
    }
}

/// Restores a `+` that a query decoded as a space, because it was not escaped: `12:00:00 02:00`.
fn with_offset(text: &str) -> Cow<'_, str> {
    match text.rsplit_once(' ') {
        Some((time, offset)) if time.contains(':') && offset.len() == 5 && offset.as_bytes()[2] == b':' => {
            Cow::Owned(format!("{time}+{offset}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// `Path` whose refusal is a problem.
pub struct PathOf<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // An invalid id gets 404, like an unknown one.
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value))
            .map_err(|_| Problem::invalid_id())
    }
}

/// `Query` whose refusal is a problem.
pub struct QueryOf<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            let detail = "The query contains the character U+0000, which is not allowed.";
            return Err(Problem::of(ProblemCode::InvalidQuery, detail));
        }
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|rejection| Problem::of(ProblemCode::InvalidQuery, rejection.body_text()))
    }
}

/// A filter of a list, read from its text; an invalid text is 400, and the problem says what is allowed.
pub fn filter<T: std::str::FromStr>(
    name: &str,
    text: Option<&str>,
    allowed: impl FnOnce() -> String,
) -> Result<Option<T>, Problem> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| {
        let shown: String = text.chars().take(100).collect();
        Problem::of(
            ProblemCode::InvalidQuery,
            format!("{name} is '{shown}'; it must be {}.", allowed()),
        )
    })
}

/// The order that a list's `sort` names; 400 for one that it does not have.
pub fn order<T: Sort + Default>(word: Option<&str>) -> Result<T, Problem> {
    let Some(word) = word else { return Ok(T::default()) };
    T::named(word).ok_or_else(|| {
        let shown: String = word.chars().take(100).collect();
        let detail = format!("sort is '{shown}'; it must be {}.", one_of(T::ALL));
        Problem::of(ProblemCode::InvalidQuery, detail)
    })
}

/// Words that are allowed, as a text.
pub fn one_of<T: std::fmt::Display>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    format!("one of {}", words.join(", "))
}

/// `limit` and `cursor` of every list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Maximum number of rows: 1 to 1000, default 100.
    pub limit: Option<i64>,
    /// `next` of the previous page.
    pub cursor: Option<String>,
}

impl Paging {
    /// The limit within its bounds.
    pub fn limit(&self) -> Result<i64, Problem> {
        match self.limit.unwrap_or(100) {
            limit @ 1..=query::MAX_LIMIT => Ok(limit),
            other => Err(Problem::of(
                ProblemCode::InvalidQuery,
                format!("limit is {other}; it must be 1 to 1000."),
            )),
        }
    }

    /// The key in the cursor, for a list with several sort orders. A cursor of another order is refused.
    pub fn after_in<T: std::str::FromStr>(&self, sort: impl Sort) -> Result<Option<T>, Problem> {
        let place = self.after::<String>()?;
        let key = place.map(|place| sort.key(&place).and_then(|key| key.parse().ok()));
        key.map(|key| {
            key.ok_or_else(|| {
                let detail = format!("The cursor is not one that this list returned with sort={sort}.");
                Problem::of(ProblemCode::InvalidQuery, detail)
            })
        })
        .transpose()
    }

    /// The key in the cursor.
    pub fn after<T: std::str::FromStr>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let key = query::decode_cursor(cursor).filter(|key| !key.contains('\0'));
        let key = key.and_then(|key| key.parse().ok());
        key.map(Some).ok_or_else(|| {
            Problem::of(
                ProblemCode::InvalidQuery,
                "The cursor is not one that this list returned.",
            )
        })
    }
}
