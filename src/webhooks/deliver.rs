//! Sends: takes endpoints that have something to get, each on a task of its own, so that a slow one holds up nobody else.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use super::claim::{self, Attempt, Claimed};
use super::message::{self, Message};
use super::{Secret, pause, rows, secret, sign};
use crate::aggregates::webhook::DisableReason;
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::commands::{CommandBus, CommandContext};
use crate::fetch::{Bytes, Fetcher};
use crate::log::{LogError, LogEvent};
use crate::values::webhook::WebhookTopic;

/// Endpoints that one process sends to at once.
const AT_ONCE: usize = 64;
/// How long one attempt may take, its answer included.
const LIMIT: Duration = Duration::from_secs(15);
/// How long an endpoint is kept in a row; then others have their turn.
const TURN: Duration = Duration::from_secs(20);
/// Events that are read at once.
const PAGE: i64 = 100;
/// Bytes of an answer that are kept.
const ANSWER_BYTES: u64 = 2048;
/// How long an idle process waits before it looks by itself.
const POLL: Duration = Duration::from_millis(500);
/// Pause between two looks, however much happens.
const GATHER: Duration = Duration::from_millis(150);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often old attempts are removed.
const CLEAN: Duration = Duration::from_hours(1);
/// Nothing is sent unsigned.
const NO_SECRET: &str = "the webhook has no secret; rotate it to give it one";

/// Sends what endpoints are to be told.
#[derive(Clone)]
pub struct Deliverer {
    bus: CommandBus,
    pool: PgPool,
    fetcher: Fetcher,
}

/// How an attempt came out.
enum Outcome {
    Delivered,
    Failed,
    /// 410: the endpoint says that it is no more.
    Gone,
}

/// Why a turn at an endpoint ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
enum DeliverError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error("cannot reach or write the tables of webhooks")]
    Database(#[from] sqlx::Error),
}

impl Deliverer {
    /// Sends through a fetcher, whose guard decides which addresses may be sent to.
    pub fn new(bus: CommandBus, fetcher: Fetcher) -> Self {
        let pool = bus.log().pool().clone();
        Self { bus, pool, fetcher }
    }

    /// Sends until told to stop; an attempt that is under way then ends, and its endpoint is given back.
    pub async fn run(self, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let turns = TaskTracker::new();
        let mut news = self.bus.log().watch();
        let mut cleaned: Option<Instant> = None;
        while !stop.is_cancelled() {
            if cleaned.is_none_or(|at| at.elapsed() > CLEAN) {
                if let Err(error) = rows::remove_old_deliveries(&self.pool).await {
                    tracing::warn!(%error, "Cannot remove old deliveries of webhooks");
                }
                cleaned = Some(Instant::now());
            }
            let most = i32::try_from(room.available_permits()).unwrap_or(i32::MAX);
            let claimed = match claim::is_any_due(&self.pool).await {
                Ok(true) => claim::claim(&self.pool, most).await,
                Ok(false) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
            let pause = match claimed {
                Ok(claimed) => {
                    for claimed in claimed {
                        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
                            break;
                        };
                        let (deliverer, stop) = (self.clone(), stop.clone());
                        turns.spawn(async move {
                            deliverer.turn(claimed, &stop).await;
                            drop(place);
                        });
                    }
                    POLL
                }
                Err(error) => {
                    tracing::warn!(%error, "Cannot claim webhooks; retrying");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                _ = news.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
            // What comes meanwhile is one look instead of many.
            tokio::time::sleep(GATHER).await;
        }
        turns.close();
        turns.wait().await;
    }

    async fn turn(&self, claimed: Claimed, stop: &CancellationToken) {
        let id = claimed.id;
        let ended = tokio::select! {
            ended = self.send(&claimed) => ended,
            // An attempt that is under way counts as not made: the next process makes it again.
            () = stop.cancelled() => claim::give_back(&self.pool, &claimed).await.map_err(DeliverError::from),
        };
        if let Err(error) = ended {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, webhook.id = %id, "Cannot go on with webhook {id}; its lease runs out");
        }
    }

    /// What is asked for besides the order, then events in the order of the log, until there are no more or it is
    /// another one's turn.
    async fn send(&self, claimed: &Claimed) -> Result<(), DeliverError> {
        let secrets = secret::valid(&self.pool, claimed.id).await?;
        for (requested_by, position) in claim::extras(&self.pool, claimed).await? {
            if !self.send_extra(claimed, requested_by, position, &secrets).await? {
                return Ok(());
            }
        }
        let until = Instant::now() + TURN;
        let end = claimed.replay_to.unwrap_or(claimed.wanted);
        let types: Vec<&str> = claimed
            .settings
            .events
            .iter()
            .map(|topic| topic.event_type())
            .collect();
        let (mut position, mut failures) = (claimed.position, claimed.failures);
        while claimed.is_due && position < end {
            let log = self.bus.log();
            let events = log
                .of_types(claimed.tenant, &types, (position, end), PAGE)
                .await?;
            let is_last = i64::try_from(events.len()).is_ok_and(|count| count < PAGE);
            for event in &events {
                if Instant::now() > until {
                    return Ok(claim::release(&self.pool, claimed, position).await?);
                }
                let message = match self.message(claimed, event).await {
                    Err(DeliverError::Log(error)) if is_about_the_event(&error) => {
                        Message::unreadable(event, &error)
                    }
                    message => message?,
                };
                if let Some(message) = message {
                    if !self.send_next(claimed, &message, failures, &secrets).await? {
                        return Ok(());
                    }
                    failures = 0;
                }
                position = event.position;
            }
            if is_last {
                position = end;
            } else if !claim::advance(&self.pool, claimed, position).await? {
                return Ok(());
            }
        }
        Ok(claim::release(&self.pool, claimed, position).await?)
    }

    /// The message of an event, if the endpoint wants it.
    async fn message(&self, claimed: &Claimed, event: &LogEvent) -> Result<Option<Message>, DeliverError> {
        if !message::is_wanted(&claimed.settings, event)? {
            return Ok(None);
        }
        Ok(message::of_event(self.bus.log(), event).await?)
    }

    /// The next event in order; whether the one after it may be sent.
    async fn send_next(
        &self,
        claimed: &Claimed,
        message: &Message,
        failures: u32,
        secrets: &[Secret],
    ) -> Result<bool, DeliverError> {
        let (attempt, outcome) = self.attempt(claimed, message, failures + 1, secrets).await;
        if matches!(outcome, Outcome::Delivered) {
            return Ok(claim::delivered(&self.pool, claimed, &attempt).await?);
        }
        let pause = pause::after(failures + 1, rand::random());
        let for_a_day = claim::failed(&self.pool, claimed, &attempt, pause).await?;
        let reason = match outcome {
            Outcome::Gone => DisableReason::Gone,
            _ if for_a_day => DisableReason::Failing,
            _ => return Ok(false),
        };
        let disable = Maintenance::Disable {
            reason,
            position: Some(attempt.position),
            error: attempt
                .error
                .clone()
                .or_else(|| attempt.status.map(|status| format!("HTTP {status}"))),
        };
        let context = CommandContext::internal(claimed.tenant, "policy:deliver_webhooks");
        match maintain_webhook(&self.bus, claimed.id, disable, &context).await {
            Ok(_) => {
                let (id, reason) = (claimed.id, reason.as_str());
                tracing::warn!(webhook.id = %id, "Webhook {id} is disabled: {reason}");
            }
            // The next failed attempt tries again.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, webhook.id = %claimed.id, "Cannot disable webhook {}", claimed.id);
            }
        }
        Ok(false)
    }

    /// An event that somebody asked for; whether the endpoint is still ours.
    async fn send_extra(
        &self,
        claimed: &Claimed,
        requested_by: i64,
        position: i64,
        secrets: &[Secret],
    ) -> Result<bool, DeliverError> {
        let log = self.bus.log();
        let event = log.event_at(claimed.tenant, position).await?;
        let message = match &event {
            Some(event) => message::of_event(log, event).await?,
            None => None,
        };
        let Some(message) = message else {
            return Ok(claim::extra_done(&self.pool, claimed, requested_by, None).await?);
        };
        let (attempt, _) = self.attempt(claimed, &message, 1, secrets).await;
        Ok(claim::extra_done(&self.pool, claimed, requested_by, Some(&attempt)).await?)
    }

    /// One attempt, signed anew.
    async fn attempt<'a>(
        &self,
        claimed: &Claimed,
        message: &'a Message,
        number: u32,
        secrets: &[Secret],
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
        match self.post(claimed, message, secrets, begun + LIMIT).await {
            Ok((status, answer)) => {
                attempt.status = Some(status);
                attempt.answer = Some(answer);
            }
            Err(error) => attempt.error = Some(error),
        }
        attempt.duration = begun.elapsed();
        let outcome = match attempt.status {
            Some(200..=299) => Outcome::Delivered,
            Some(410) if message.topic != WebhookTopic::WebhookTest => Outcome::Gone,
            _ => Outcome::Failed,
        };
        (attempt, outcome)
    }

    async fn post(
        &self,
        claimed: &Claimed,
        message: &Message,
        secrets: &[Secret],
        deadline: Instant,
    ) -> Result<(u16, String), String> {
        if let Some(fault) = &message.fault {
            return Err(fault.clone());
        }
        if secrets.is_empty() {
            return Err(NO_SECRET.to_owned());
        }
        let url = Url::parse(&claimed.settings.url).map_err(|error| error.to_string())?;
        let headers = sign::headers(&message.id, Utc::now().timestamp(), &message.body, secrets);
        let body = Bytes::from(message.body.clone());
        let answer = self.fetcher.post(&url, &headers, body, deadline).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let status = answer.status;
        let read = answer.body.read_up_to(ANSWER_BYTES).await;
        // PostgreSQL holds no U+0000.
        let text = String::from_utf8_lossy(&read.bytes).replace('\0', "\u{fffd}");
        Ok((status, text))
    }
}

/// Whether an event, or what it refers to, cannot be read: that is shown as a failed attempt, so that somebody sees it.
fn is_about_the_event(error: &LogError) -> bool {
    matches!(
        error,
        LogError::Unreadable { .. } | LogError::UnreadableBody { .. } | LogError::UnknownVersion { .. }
    )
}
