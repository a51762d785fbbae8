//! A worker played by the test: it says to the broker what it wants to.

use async_nats::HeaderMap;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, Context};
use serde_json::{Value, json};
use sitelog::values::report::SiteReport;

use super::engines::Nats;
use crate::support::app::wait_for;

/// A worker that nobody has built.
pub struct ByHand {
    pub jetstream: Context,
    name: &'static str,
}

/// A task that it has.
#[derive(Clone, Debug)]
pub struct Held {
    pub scan: String,
    pub fence: i64,
}

/// A result as it is sent.
pub struct Sent<'a> {
    pub scan: &'a str,
    pub fence: i64,
    /// Without one, it is taken for that of the attempt under way.
    pub attempt: Option<u64>,
    /// `Nats-Msg-Id`.
    pub message_id: bool,
    /// The object that has the result instead of the message.
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

    /// A request as workers make it.
    pub fn request(&self, body: &Value) -> Value {
        json!({ "protocol": 1, "worker": self.worker(), "body": body })
    }

    /// Any request, and its answer.
    pub async fn send(&self, subject: &'static str, request: &Value) -> Value {
        let client = self.jetstream.client();
        let answer = client.request(subject, request.to_string().into()).await.unwrap();
        serde_json::from_slice(&zstd::decode_all(&answer.payload[..]).unwrap()).unwrap()
    }

    /// Waits until a dispatcher listens.
    pub async fn wait_for_dispatcher(&self) {
        let client = self.jetstream.client();
        wait_for("a dispatcher", async || {
            client.request("sitelog.main.beat", "{}".into()).await.ok()
        })
        .await;
    }

    /// Claims one task, as soon as there is one.
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

    /// Starts an attempt: the answer.
    pub async fn begin(&self, Held { scan, fence }: &Held) -> Value {
        let request = self.request(&json!({ "scan_id": scan, "fence": fence }));
        self.send("sitelog.main.begin", &request).await
    }

    /// Claims a task and starts an attempt: with its number.
    pub async fn start(&self) -> (Held, u64) {
        let held = self.claim().await;
        let begun = self.begin(&held).await;
        let attempt = begun["done"]["scan"]["attempt"].as_u64();
        (held, attempt.unwrap_or_else(|| panic!("{begun}")))
    }

    /// A result, packed.
    pub fn packed(&self, attempt: Option<u64>, report: &SiteReport) -> Vec<u8> {
        let pause = json!({ "secs": 0, "nanos": 0 });
        let result = json!({ "worker": self.worker(), "attempt": attempt, "took": pause, "cooldown": pause, "report": report });
        zstd::bulk::compress(result.to_string().as_bytes(), 1).unwrap()
    }

    /// Sends a result: what the broker says.
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
