//! One attempt to deliver a message: the signed request, and the endpoint's response.

use std::time::Duration;

use chrono::Utc;
use tokio::time::Instant;
use url::Url;

use super::claim::Attempt;
use super::deliver::{Deliverer, Session};
use super::message::Message;
use super::{chat, sign};
use crate::fetch::Bytes;
use crate::values::webhook::WebhookTopic;

/// The time limit of an attempt, including the response.
const LIMIT: Duration = Duration::from_secs(15);
/// Maximum bytes of a response that are stored.
const ANSWER_BYTES: u64 = 2048;
/// Nothing is sent unsigned.
const NO_SECRET: &str = "the webhook has no secret; rotate it to give it one";

/// The result of an attempt.
pub(super) enum Outcome {
    Delivered,
    /// After what time the endpoint asks to be retried, if it says so.
    Failed(Option<Duration>),
    /// 410: the endpoint no longer exists.
    Gone,
}

impl Deliverer {
    /// One attempt, with its own signature.
    pub(super) async fn attempt<'a>(
        &self,
        session: &Session,
        message: &'a Message,
        number: u32,
    ) -> (Attempt<'a>, Outcome) {
        let begun = Instant::now();
        let mut attempt = Attempt {
            position: message.position,
            message_id: &message.id,
            event: message.topic.as_str(),
            number,
            status: None,
            answer: None,
            error: None,
            duration: Duration::ZERO,
        };
        let mut asked = None;
        match self.post(session, message, begun + LIMIT).await {
            Ok(answer) => {
                attempt.status = Some(answer.status);
                attempt.answer = Some(answer.text);
                asked = answer.retry_after;
            }
            Err(error) => attempt.error = Some(error),
        }
        attempt.duration = begun.elapsed();
        let outcome = match attempt.status {
            Some(200..=299) => Outcome::Delivered,
            Some(410) if message.topic != WebhookTopic::WebhookTest => Outcome::Gone,
            _ => Outcome::Failed(asked),
        };
        let result = if matches!(outcome, Outcome::Delivered) {
            "delivered"
        } else {
            "failed"
        };
        metrics::counter!("sitelog_webhook_attempts_total", "result" => result).increment(1);
        metrics::histogram!("sitelog_webhook_attempt_seconds").record(attempt.duration.as_secs_f64());
        (attempt, outcome)
    }

    async fn post(
        &self,
        session: &Session,
        message: &Message,
        deadline: Instant,
    ) -> Result<Answered, String> {
        if let Some(fault) = &message.fault {
            return Err(fault.clone());
        }
        if session.secrets.is_empty() {
            return Err(NO_SECRET.to_owned());
        }
        let settings = &session.claimed.settings;
        let url = Url::parse(&settings.url).map_err(|error| error.to_string())?;
        let body = chat::content(settings.format, message.topic, &message.content);
        let headers = sign::headers(&message.id, Utc::now().timestamp(), &body, &session.secrets);
        let answer = self
            .fetcher
            .post(&url, &headers, Bytes::from(body), deadline)
            .await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status;
        let retry_after = answer.headers.retry_after(Utc::now());
        let read = answer.body.read_up_to(ANSWER_BYTES).await;
        Ok(Answered {
            status,
            retry_after: retry_after.filter(|_| matches!(status, 429 | 503)),
            // PostgreSQL holds no U+0000.
            text: String::from_utf8_lossy(&read.bytes).replace('\0', "\u{fffd}"),
        })
    }
}

/// The response of an endpoint.
struct Answered {
    status: u16,
    /// After what time it asks to be retried (RFC 9110, 10.2.3; RFC 6585, 4).
    retry_after: Option<Duration>,
    text: String,
}
