//! One call of the router without a socket, and its answer.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A request to the router.
pub struct Call {
    router: Router,
    request: axum::http::request::Builder,
    body: Body,
}

impl Call {
    pub fn new(router: Router, method: &str, path: &str) -> Self {
        Self {
            router,
            request: Request::builder().method(method).uri(path),
            body: Body::empty(),
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn tenant(self, tenant: &str) -> Self {
        self.header("x-tenant-id", tenant)
    }

    pub fn bearer(self, credential: &str) -> Self {
        self.header("authorization", &format!("Bearer {credential}"))
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Body>) -> Self {
        self.request = self.request.header(header::CONTENT_TYPE, media_type);
        self.body = body.into();
        self
    }

    /// A body without a `Content-Type`.
    pub fn untyped(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The response before its body is read.
    pub async fn open(self) -> axum::response::Response {
        let request = self.request.body(self.body).unwrap();
        self.router.oneshot(request).await.unwrap()
    }

    pub async fn send(self) -> Answer {
        let response = self.open().await;
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The content; null if it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status and the content, to be compared at once.
    pub fn both(&self) -> (u16, Value) {
        (self.status, self.json())
    }

    /// The problem that this answer must be.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let content = self.json();
        assert_eq!(
            (self.status, self.header("content-type"), content["code"].as_str()),
            (status, Some("application/problem+json"), Some(code)),
            "{}",
            self.text()
        );
        assert_eq!(content["status"], status);
        assert_eq!(content["type"], format!("/docs/problems/{code}"));
        for words in ["title", "detail"] {
            assert!(
                content[words].as_str().is_some_and(|text| !text.is_empty()),
                "{content}"
            );
        }
        content
    }
}
