//! A worker simulated by the test: it can send any message to the broker.

use async_nats::HeaderMap;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, Context};
use serde_json::{Value, json};
use sitelog::values::report::SiteReport;

use super::engines::Nats;
use crate::support::app::wait_for;

/// The simulated worker.
pub struct ByHand {
    pub jetstream: Context,
    name: &'static str,
}

/// A task that it has claimed.
#[derive(Clone, Debug)]
pub struct Held {
    pub scan: String,
    pub fence: i64,
}

/// A result to send.
pub struct Sent<'a> {
    pub scan: &'a str,
    pub fence: i64,
    /// The number of the attempt. Without one, the result counts for the running attempt.
    pub attempt: Option<u64>,
    /// The header `Nats-Msg-Id`.
    pub message_id: bool,
    /// The object that holds the result, if the message does not.
    pub object: Option<String>,
}

impl ByHand {
    pub async fn connect(nats: &Nats, name: &'static str) -> Self {
        let jetstream = jetstream::new(nats.client("worker").await);
        Self { jetstream, name }
    }

    fn worker(&self) -> Value {
        json!({ "name": self.name, "version": "0", "concurrency": 1, "over_nats": true })
    }

    /// A request in the format of workers.
    pub fn request(&self, body: &Value) -> Value {
        json!({ "protocol": 1, "worker": self.worker(), "body": body })
    }

    /// Sends any request; returns the response.
    pub async fn send(&self, subject: &'static str, request: &Value) -> Value {
        let client = self.jetstream.client();
        let answer = client.request(subject, request.to_string().into()).await.unwrap();
        serde_json::from_slice(&zstd::decode_all(&answer.payload[..]).unwrap()).unwrap()
    }

    /// Waits until a dispatcher responds.
    pub async fn wait_for_dispatcher(&self) {
        let client = self.jetstream.client();
        wait_for("a dispatcher", async || {
            client.request("sitelog.main.beat", "{}".into()).await.ok()
        })
        .await;
    }

    /// Waits for a task and claims it.
    pub async fn claim(&self) -> Held {
        let request = self.request(&json!({ "wanted": 1 }));
        let claim = wait_for("a task", async || {
            let claims = self.send("sitelog.main.claim", &request).await;
            claims["done"].as_array().unwrap().first().cloned()
        })
        .await;
        Held {
            scan: claim["scan_id"].as_str().unwrap().to_owned(),
            fence: claim["fence"].as_i64().unwrap(),
        }
    }

    /// Starts an attempt; returns the response.
    pub async fn begin(&self, Held { scan, fence }: &Held) -> Value {
        let request = self.request(&json!({ "scan_id": scan, "fence": fence }));
        self.send("sitelog.main.begin", &request).await
    }

    /// Claims a task and starts an attempt; also returns the number of the attempt.
    pub async fn start(&self) -> (Held, u64) {
        let held = self.claim().await;
        let begun = self.begin(&held).await;
        let attempt = begun["done"]["scan"]["attempt"].as_u64();
        (held, attempt.unwrap_or_else(|| panic!("{begun}")))
    }

    /// A compressed result.
    pub fn packed(&self, attempt: Option<u64>, report: &SiteReport) -> Vec<u8> {
        let pause = json!({ "secs": 0, "nanos": 0 });
        let result = json!({ "worker": self.worker(), "attempt": attempt, "took": pause, "cooldown": pause, "report": report });
        zstd::bulk::compress(result.to_string().as_bytes(), 1).unwrap()
    }

    /// Sends a result; returns the broker's response.
    pub async fn deliver(&self, sent: &Sent<'_>, report: &SiteReport) -> PublishAck {
        let mut headers = HeaderMap::new();
        headers.insert("Sitelog-Scan", sent.scan);
        headers.insert("Sitelog-Fence", sent.fence.to_string().as_str());
        if sent.message_id {
            headers.insert("Nats-Msg-Id", format!("{}:{}", sent.scan, sent.fence).as_str());
        }
        let payload = match &sent.object {
            Some(object) => {
                headers.insert("Sitelog-Object", object.as_str());
                Vec::new()
            }
            None => self.packed(sent.attempt, report),
        };
        let subject = "sitelog.main.result.t";
        let stored = self
            .jetstream
            .publish_with_headers(subject, headers, payload.into())
            .await;
        stored.unwrap().await.unwrap()
    }
}
