//! A receiver of webhooks that checks each signature by the specification, and responds as the test requires.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;

/// How a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// 200.
    Ok,
    /// This status; 301 redirects to a private address.
    Status(u16),
    /// 429 with this `Retry-After` in seconds.
    Later(u32),
    /// No response.
    Hang,
    /// 200, then a byte from time to time.
    SlowBytes,
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub id: String,
    pub path: String,
    pub body: Value,
    /// As they came.
    pub headers: HeaderMap,
    pub raw: String,
    pub reply: Reply,
    /// How many signatures it had.
    pub signatures: usize,
    /// Whether one of them is by one of the secrets.
    pub is_genuine: bool,
}

impl Received {
    pub fn position(&self) -> i64 {
        self.body["data"]["position"].as_i64().unwrap()
    }

    pub fn topic(&self) -> &str {
        self.body["type"].as_str().unwrap()
    }
}

/// The receiver; clones are the same one.
#[derive(Clone, Default)]
pub struct Receiver(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    address: Option<SocketAddr>,
    secrets: Vec<String>,
    replies: VecDeque<Reply>,
    received: Vec<Received>,
}

impl Receiver {
    pub async fn start() -> Self {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        receiver.0.lock().unwrap().address = Some(listener.local_addr().unwrap());
        let routes = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        receiver
    }

    /// The value for the setting `CONNECT_TO`.
    pub fn connect_to(&self) -> String {
        format!("*.hook.test={}", self.0.lock().unwrap().address.unwrap())
    }

    /// A secret that messages may be signed with.
    pub fn knows(&self, secret: &str) {
        self.0.lock().unwrap().secrets.push(secret.to_owned());
    }

    /// The secrets that messages may be signed with.
    pub fn secrets(&self) -> Vec<String> {
        self.0.lock().unwrap().secrets.clone()
    }

    /// Sets the next responses; afterwards the response is 200.
    pub fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        self.0.lock().unwrap().replies.extend(replies);
    }

    /// Responds with 200 from now on.
    pub fn recovers(&self) {
        self.0.lock().unwrap().replies.clear();
    }

    /// All received messages.
    pub fn received(&self) -> Vec<Received> {
        self.0.lock().unwrap().received.clone()
    }

    /// Positions of the messages that were answered by 200, in the order in which they came; of a path.
    pub fn accepted(&self, path: &str) -> Vec<i64> {
        let received = self.received();
        let accepted = received
            .iter()
            .filter(|message| message.path == path && matches!(message.reply, Reply::Ok | Reply::SlowBytes));
        accepted.map(Received::position).collect()
    }

    /// Discards the received messages.
    pub fn clear(&self) {
        self.0.lock().unwrap().received.clear();
    }
}

async fn take(
    State(receiver): State<Receiver>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let reply = {
        let mut inner = receiver.0.lock().unwrap();
        let reply = match uri.path() {
            "/hang" => Reply::Hang,
            "/slow" => Reply::SlowBytes,
            _ => inner.replies.pop_front().unwrap_or(Reply::Ok),
        };
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        let signatures = text("webhook-signature");
        let received = Received {
            id: text("webhook-id"),
            path: uri.path().to_owned(),
            signatures: signatures.split(' ').count(),
            is_genuine: verify(&inner.secrets, &headers, &body),
            body: serde_json::from_slice(&body).unwrap(),
            raw: String::from_utf8(body.to_vec()).unwrap(),
            headers: headers.clone(),
            reply,
        };
        inner.received.push(received);
        reply
    };
    match reply {
        Reply::Ok => (StatusCode::OK, "thanks").into_response(),
        Reply::Status(status) => {
            let location = [(header::LOCATION, "http://10.0.0.1/")];
            (StatusCode::from_u16(status).unwrap(), location, "no").into_response()
        }
        Reply::Later(seconds) => {
            let after = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, after, "later").into_response()
        }
        Reply::Hang => std::future::pending().await,
        Reply::SlowBytes => {
            let bytes = futures::stream::unfold((), async |()| {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Some((Ok::<_, std::io::Error>(Bytes::from_static(b".")), ()))
            });
            Body::from_stream(bytes.boxed()).into_response()
        }
    }
}

/// As a receiver does (Standard Webhooks, "Verifying signatures"): time within five minutes, one signature by one secret.
pub fn verify(secrets: &[String], headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
    let Ok(seconds) = time.parse::<i64>() else {
        return false;
    };
    if (chrono::Utc::now().timestamp() - seconds).abs() > 300 {
        return false;
    }
    let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
    let given: Vec<&str> = text("webhook-signature").split(' ').collect();
    secrets.iter().any(|secret| {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        given.iter().any(|signature| {
            let Some(signature) = signature
                .strip_prefix("v1,")
                .and_then(|text| STANDARD.decode(text).ok())
            else {
                return false;
            };
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&signed);
            mac.verify_slice(&signature).is_ok()
        })
    })
}
