//! Sends events: claims endpoints with waiting events, and runs each in a separate task, so that a slow one does not
//! delay the others.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::Outcome;
use super::claim::{self, Attempt, Claimed};
use super::message::{self, Message};
use super::retry::{self, Postponed, Retry};
use super::{Secret, pause, rows, secret};
use crate::aggregates::webhook::DisableReason;
use crate::commands::maintain_webhook::{Maintenance, maintain_webhook};
use crate::commands::{CommandBus, CommandContext};
use crate::fetch::Fetcher;
use crate::log::{LogError, LogEvent};

/// Maximum number of concurrent deliveries of a process.
const AT_ONCE: usize = 64;
/// How long an endpoint is served without a break; then others have their turn.
const TURN: Duration = Duration::from_secs(20);
/// Number of events that are read at once.
const PAGE: i64 = 100;
/// How long an idle process waits before it polls.
const POLL: Duration = Duration::from_millis(500);
/// Minimum pause between two checks.
const BATCH_DELAY: Duration = Duration::from_millis(150);
/// Pause after the database failed.
const PAUSE: Duration = Duration::from_secs(1);
/// How often old attempts are removed.
const CLEAN: Duration = Duration::from_hours(1);

/// Sends events to endpoints.
#[derive(Clone)]
pub struct Deliverer {
    bus: CommandBus,
    pool: PgPool,
    pub(super) fetcher: Fetcher,
}

/// An endpoint, and the events that it gets.
pub(super) struct Session {
    pub(super) claimed: Claimed,
    pub(super) secrets: Vec<Secret>,
}

/// Why the work on an endpoint ended early; the next process continues.
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

    /// Sends until it is stopped; the running attempt then ends, and its endpoint is released.
    pub async fn run(self, stop: CancellationToken) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let sessions = TaskTracker::new();
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
                        sessions.spawn(async move {
                            deliverer.serve(claimed, &stop).await;
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
            // Notifications that arrive meanwhile cause one check instead of many.
            tokio::time::sleep(BATCH_DELAY).await;
        }
        sessions.close();
        sessions.wait().await;
    }

    async fn serve(&self, claimed: Claimed, stop: &CancellationToken) {
        let id = claimed.id;
        let ended = tokio::select! {
            ended = self.send(&claimed) => ended,
            // A running attempt counts as not made: the next process repeats it.
            () = stop.cancelled() => claim::release_unchanged(&self.pool, &claimed).await.map_err(DeliverError::from),
        };
        if let Err(error) = ended {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, webhook.id = %id, "Cannot continue with webhook {id}; retrying when its lease expires");
        }
    }

    /// First the requests outside the order and due retries, then events in the order of the log, until there are no more
    /// or it is another one's turn.
    async fn send(&self, claimed: &Claimed) -> Result<(), DeliverError> {
        let session = &Session {
            claimed: claimed.clone(),
            secrets: secret::valid(&self.pool, claimed.id).await?,
        };
        let until = Instant::now() + TURN;
        // All that the claim saw, and so each event that may be sent now, outlasts a failover.
        self.bus.log().confirm().await?;
        for (requested_by, position) in claim::extras(&self.pool, claimed).await? {
            if !self.send_extra(session, requested_by, position).await? {
                return Ok(());
            }
        }
        if claimed.is_due {
            for waiting in retry::due(&self.pool, claimed).await? {
                // New events get a part of the turn, too.
                if Instant::now() > until - TURN / 2 {
                    break;
                }
                if !self.retry_event(session, waiting).await? {
                    return Ok(());
                }
            }
        }
        let end = claimed.replay_to.unwrap_or(claimed.wanted);
        let types: Vec<&str> = claimed
            .settings
            .events
            .iter()
            .map(|topic| topic.event_type().as_str())
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
                if let Some(message) = self.message(claimed, event).await? {
                    if !self.send_next(session, &message, failures).await? {
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
        let wanted = async {
            if !message::is_wanted(&claimed.settings, event)? {
                return Ok(None);
            }
            message::of_event(self.bus.log(), event).await
        };
        match wanted.await {
            Err(error) if is_about_the_event(&error) => Ok(Message::unreadable(event, &error)),
            message => Ok(message?),
        }
    }

    /// The next event in order; whether the one after it may be sent.
    async fn send_next(
        &self,
        session: &Session,
        message: &Message,
        failures: u32,
    ) -> Result<bool, DeliverError> {
        let claimed = &session.claimed;
        let (attempt, outcome) = self.attempt(session, message, failures + 1).await;
        let asked = match outcome {
            Outcome::Delivered => return Ok(claim::delivered(&self.pool, claimed, &attempt).await?),
            Outcome::Gone => None,
            Outcome::Failed(asked) if !claimed.settings.ordered => {
                match self.postpone(session, &attempt, true, asked).await? {
                    Postponed::Full => asked,
                    postponed => return self.may_continue(claimed, &attempt, postponed, asked).await,
                }
            }
            Outcome::Failed(asked) => asked,
        };
        let pause = pause::after(failures + 1, rand::random(), asked);
        let has_failed_too_long = claim::failed(&self.pool, claimed, &attempt, pause).await?;
        match outcome {
            Outcome::Gone => self.disable(claimed, DisableReason::Gone, &attempt).await,
            _ if has_failed_too_long => self.disable(claimed, DisableReason::Failing, &attempt).await,
            _ => {}
        }
        Ok(false)
    }

    /// Retries an event that failed before; returns whether the endpoint may be sent more.
    async fn retry_event(&self, session: &Session, waiting: Retry) -> Result<bool, DeliverError> {
        let claimed = &session.claimed;
        let event = self.bus.log().event_at(claimed.tenant, waiting.position).await?;
        let message = match &event {
            Some(event) => self.message(claimed, event).await?,
            None => None,
        };
        let Some(message) = message else {
            return Ok(retry::done(&self.pool, claimed, waiting.position, None).await?);
        };
        let failures = u32::try_from(waiting.failures).unwrap_or_default();
        let (attempt, outcome) = self.attempt(session, &message, failures + 1).await;
        match outcome {
            Outcome::Delivered => {
                Ok(retry::done(&self.pool, claimed, waiting.position, Some(&attempt)).await?)
            }
            Outcome::Failed(asked) => {
                let postponed = self.postpone(session, &attempt, false, asked).await?;
                self.may_continue(claimed, &attempt, postponed, asked).await
            }
            Outcome::Gone => {
                let postponed = self.postpone(session, &attempt, false, None).await?;
                if postponed != Postponed::Lost {
                    self.disable(claimed, DisableReason::Gone, &attempt).await;
                }
                Ok(false)
            }
        }
    }

    /// Postpones an event; if it has failed for a day, the endpoint is disabled.
    async fn postpone(
        &self,
        session: &Session,
        attempt: &Attempt<'_>,
        moves: bool,
        asked: Option<Duration>,
    ) -> Result<Postponed, DeliverError> {
        let pause = pause::after(attempt.number, rand::random(), asked);
        let postponed = retry::postpone(&self.pool, &session.claimed, attempt, moves, pause).await?;
        if postponed
            == (Postponed::Waits {
                has_failed_too_long: true,
            })
        {
            self.disable(&session.claimed, DisableReason::Failing, attempt)
                .await;
        }
        Ok(postponed)
    }

    /// Whether other events may be sent to the endpoint while a failed one waits: not if the endpoint asks for time, or
    /// does not answer at all.
    async fn may_continue(
        &self,
        claimed: &Claimed,
        attempt: &Attempt<'_>,
        postponed: Postponed,
        asked: Option<Duration>,
    ) -> Result<bool, DeliverError> {
        if postponed
            != (Postponed::Waits {
                has_failed_too_long: false,
            })
        {
            return Ok(false);
        }
        let wants_time = attempt.status.is_none_or(|status| matches!(status, 429 | 503));
        if wants_time {
            let pause = pause::after(attempt.number, rand::random(), asked);
            claim::defer(&self.pool, claimed, pause).await?;
        }
        Ok(!wants_time)
    }

    async fn disable(&self, claimed: &Claimed, reason: DisableReason, attempt: &Attempt<'_>) {
        let status = attempt.status.map(|status| format!("HTTP {status}"));
        let disable = Maintenance::Disable {
            reason,
            position: Some(attempt.position),
            error: attempt.error.clone().or(status),
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
    }

    /// An event that was requested; whether the endpoint is still ours.
    async fn send_extra(
        &self,
        session: &Session,
        requested_by: i64,
        position: i64,
    ) -> Result<bool, DeliverError> {
        let (log, claimed) = (self.bus.log(), &session.claimed);
        let event = log.event_at(claimed.tenant, position).await?;
        let message = match &event {
            Some(event) => message::of_event(log, event).await?,
            None => None,
        };
        let Some(message) = message else {
            return Ok(claim::extra_done(&self.pool, claimed, requested_by, None).await?);
        };
        let (attempt, _) = self.attempt(session, &message, 1).await;
        Ok(claim::extra_done(&self.pool, claimed, requested_by, Some(&attempt)).await?)
    }
}

/// Whether an event or its body cannot be read. Then a failed attempt is recorded, so that users see it.
fn is_about_the_event(error: &LogError) -> bool {
    matches!(
        error,
        LogError::Unreadable { .. } | LogError::UnreadableBody { .. } | LogError::UnknownVersion { .. }
    )
}
