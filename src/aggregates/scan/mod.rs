//! One scan of one domain, from request to end.
//!
//! ```text
//! requested ─► started ─► completed
//!     ▲  ▲        │  ├──► failed ────┐
//!     │  └────────┘  └──► cancelled ─┤   (attempt failed, or abandoned: back to waiting)
//!     └──────────── retried ◄────────┘
//! ```
//!
//! `decide` guards and says what happened; `apply` only remembers. A repeated command is Ok with no event.

mod command;
mod error;
mod event;
mod import;
mod status;
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

pub use command::{
    AttemptOutcome, BatchOrigin, DomainChange, ImportedOutcome, ImportedScan, ReadFact, ScanCommand,
};
pub use error::ScanError;
pub(super) use event::add_options;
pub use event::{ScanEvent, ScanTotals, StatusChange, UrlsChange};
pub use status::{ScanStatus, UnknownStatus};

use crate::values::event_type::StreamType;
use crate::values::{BatchId, DomainName, FailureReason, ScanOptions};

/// The number of lost workers after which the scan itself counts as their cause.
const MAX_ABANDONED: u32 = 20;
/// First pause between attempts; each further one is four times as long.
const FIRST_BACKOFF_SECONDS: i64 = 2;

/// The state of one scan: only what its decisions need.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DomainScan {
    status: Option<ScanStatus>,
    domain: String,
    batch_id: Option<BatchId>,
    max_concurrent: Option<u32>,
    options: ScanOptions,
    round: u32,
    attempt: u32,
    attempts_in_round: u32,
    abandoned_in_round: u32,
    fence: i64,
    deadline_at: Option<DateTime<Utc>>,
    next_attempt_at: Option<DateTime<Utc>>,
    reason: Option<FailureReason>,
    /// Whether its events refer to bodies that were not erased.
    has_bodies: bool,
}

type Decision = Result<Vec<ScanEvent>, ScanError>;

impl DomainScan {
    /// The status; `None` before the request.
    pub fn status(&self) -> Option<ScanStatus> {
        self.status
    }

    /// The domain as requested.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The batch it belongs to.
    pub fn batch_id(&self) -> Option<BatchId> {
        self.batch_id
    }

    /// The current or last attempt; 0 before the first.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The options of the request.
    pub fn options(&self) -> &ScanOptions {
        &self.options
    }

    /// When the last attempt of this round must have ended; set by the first start.
    pub fn deadline_at(&self) -> Option<DateTime<Utc>> {
        self.deadline_at
    }

    /// When the next attempt is due, after one that failed.
    pub fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.next_attempt_at
    }

    /// The events of a command.
    pub fn decide(&self, command: ScanCommand) -> Decision {
        match command {
            ScanCommand::Request {
                domain,
                origin,
                options,
            } => self.request(&domain, origin, options),
            ScanCommand::Refuse { input, error, origin } => self.refuse(input, error, origin),
            ScanCommand::Import(scan) => self.import(*scan),
            ScanCommand::Start { fence, worker, now } => self.start(fence, worker, now),
            ScanCommand::Record {
                attempt,
                read,
                outcome,
                change,
                now,
            } => self.record(attempt, read, (outcome, change), now),
            ScanCommand::Cancel => self.cancel(),
            ScanCommand::Retry { round } => self.retry(round),
            ScanCommand::Erase => self.erase(),
        }
    }

    fn request(&self, domain: &DomainName, origin: Option<BatchOrigin>, options: ScanOptions) -> Decision {
        if self.status.is_some() {
            return self.repeated_request(domain.as_str());
        }
        Ok(vec![requested(domain.to_string(), origin, options)])
    }

    fn refuse(&self, input: String, error: String, origin: Option<BatchOrigin>) -> Decision {
        if self.status.is_some() {
            return self.repeated_request(&input);
        }
        let failed = ScanEvent::ScanFailed {
            domain: input.clone(),
            batch_id: origin.map(|origin| origin.batch_id),
            attempt: 0,
            reason: FailureReason::InvalidDomain,
            error,
        };
        Ok(vec![requested(input, origin, ScanOptions::default()), failed])
    }

    fn repeated_request(&self, domain: &str) -> Decision {
        if self.domain != domain {
            return Err(ScanError::IdTaken(self.domain.clone()));
        }
        Ok(Vec::new())
    }

    fn start(&self, fence: i64, worker: String, now: DateTime<Utc>) -> Decision {
        let status = self.status.ok_or(ScanError::NotFound)?;
        if status.is_ended() {
            return Err(ScanError::Ended(status));
        }
        if fence < self.fence {
            return Err(ScanError::Superseded(self.attempt));
        }
        if status == ScanStatus::Running && fence == self.fence {
            return Ok(Vec::new());
        }
        let mut events = Vec::new();
        if status == ScanStatus::Running {
            events.push(ScanEvent::ScanAbandoned {
                domain: self.domain.clone(),
                batch_id: self.batch_id,
                attempt: self.attempt,
                fence: self.fence,
            });
            if self.abandoned_in_round >= MAX_ABANDONED {
                let error = format!(
                    "{} workers in a row were lost while they scanned it",
                    MAX_ABANDONED + 1
                );
                events.push(self.failed(FailureReason::Abandoned, error));
                return Ok(events);
            }
        }
        events.push(ScanEvent::ScanStarted {
            domain: self.domain.clone(),
            batch_id: self.batch_id,
            attempt: self.attempt + 1,
            fence,
            worker,
            deadline_at: self.next_deadline(now, !events.is_empty()),
        });
        Ok(events)
    }

    /// The round's deadline holds, unless it passed while no worker was running: that is not the site's fault. One
    /// that is further ahead than a whole round was set under another clock.
    fn next_deadline(&self, now: DateTime<Utc>, was_abandoned: bool) -> DateTime<Utc> {
        let whole = now + TimeDelta::seconds(i64::from(self.options.deadline_seconds));
        self.deadline_at
            .filter(|at| *at > now && *at <= whole && !was_abandoned)
            .unwrap_or(whole)
    }

    fn record(
        &self,
        attempt: u32,
        read: Vec<ReadFact>,
        (outcome, change): (AttemptOutcome, Option<Box<DomainChange>>),
        now: DateTime<Utc>,
    ) -> Decision {
        let status = self.status.ok_or(ScanError::NotFound)?;
        if attempt != self.attempt || status == ScanStatus::Cancelled {
            return Err(ScanError::Superseded(attempt));
        }
        if status != ScanStatus::Running {
            return Ok(Vec::new());
        }
        let mut events: Vec<ScanEvent> = read.into_iter().map(|fact| self.read_event(fact)).collect();
        let end = match outcome {
            AttemptOutcome::Completed {
                findings,
                revisit,
                totals,
            } => ScanEvent::ScanCompleted {
                domain: self.domain.clone(),
                batch_id: self.batch_id,
                attempt,
                findings,
                revisit,
                totals,
            },
            AttemptOutcome::Failed {
                reason,
                error,
                is_transient,
                cooldown,
            } => match self.plan_next_attempt(now, cooldown).filter(|_| is_transient) {
                Some(retry_at) => ScanEvent::ScanAttemptFailed {
                    domain: self.domain.clone(),
                    batch_id: self.batch_id,
                    attempt,
                    reason,
                    error,
                    retry_at,
                },
                None => self.failed(reason, error),
            },
        };
        // Only the end of the scan is about the domain: the next attempt may find it as it was.
        if end.status_after().is_ended()
            && let Some(change) = change
        {
            events.push(self.changed(*change));
        }
        events.push(end);
        Ok(events)
    }

    fn changed(&self, change: DomainChange) -> ScanEvent {
        ScanEvent::DomainChanged {
            domain: self.domain.clone(),
            batch_id: self.batch_id,
            attempt: self.attempt,
            previous_scan_id: change.previous_scan_id,
            fields: change.fields,
            status: change.status,
            values: change.values,
            urls: change.urls,
        }
    }

    /// When the next attempt is due, if one is left and begins before the deadline.
    fn plan_next_attempt(&self, now: DateTime<Utc>, cooldown: std::time::Duration) -> Option<DateTime<Utc>> {
        if self.attempts_in_round >= self.options.max_attempts {
            return None;
        }
        let backoff = FIRST_BACKOFF_SECONDS * 4_i64.pow(self.attempts_in_round.saturating_sub(1).min(5));
        // A wait that is too long for the type is too long for the deadline as well.
        let cooldown = TimeDelta::from_std(cooldown).unwrap_or(TimeDelta::MAX);
        let pause = TimeDelta::seconds(backoff).max(cooldown);
        let retry_at = now.checked_add_signed(pause)?;
        self.deadline_at
            .is_none_or(|deadline| retry_at < deadline)
            .then_some(retry_at)
    }

    fn cancel(&self) -> Decision {
        match self.status.ok_or(ScanError::NotFound)? {
            ScanStatus::Cancelled => Ok(Vec::new()),
            ended @ (ScanStatus::Completed | ScanStatus::Failed) => Err(ScanError::CannotCancel(ended)),
            ScanStatus::Pending | ScanStatus::Running => Ok(vec![ScanEvent::ScanCancelled {
                domain: self.domain.clone(),
                batch_id: self.batch_id,
                attempt: self.attempt,
            }]),
        }
    }

    fn retry(&self, round: Option<u32>) -> Decision {
        let status = self.status.ok_or(ScanError::NotFound)?;
        if round.is_some_and(|round| round < self.round) {
            return Ok(Vec::new());
        }
        match status {
            ScanStatus::Failed if self.reason == Some(FailureReason::InvalidDomain) => {
                Err(ScanError::CannotRetry(status))
            }
            ScanStatus::Failed | ScanStatus::Cancelled => Ok(vec![ScanEvent::ScanRetried {
                domain: self.domain.clone(),
                batch_id: self.batch_id,
                round: self.round + 1,
                ended: status,
                reason: self.reason,
                max_concurrent: self.max_concurrent,
            }]),
            ScanStatus::Pending | ScanStatus::Running if self.round > 1 => Ok(Vec::new()),
            _ => Err(ScanError::CannotRetry(status)),
        }
    }

    /// In any status: a running scan continues, and its findings come after the erasure.
    fn erase(&self) -> Decision {
        let status = self.status.ok_or(ScanError::NotFound)?;
        if !self.has_bodies {
            return Ok(Vec::new());
        }
        Ok(vec![ScanEvent::ScanErased {
            domain: self.domain.clone(),
            batch_id: self.batch_id,
            status,
        }])
    }

    fn failed(&self, reason: FailureReason, error: String) -> ScanEvent {
        ScanEvent::ScanFailed {
            domain: self.domain.clone(),
            batch_id: self.batch_id,
            attempt: self.attempt,
            reason,
            error,
        }
    }

    fn read_event(&self, fact: ReadFact) -> ScanEvent {
        let (domain, attempt) = (self.domain.clone(), self.attempt);
        match fact {
            ReadFact::Robots {
                url,
                status,
                not_modified,
                bytes,
                allowed,
                crawl_delay,
                sitemaps,
            } => ScanEvent::RobotsRead {
                domain,
                attempt,
                url,
                status,
                not_modified,
                bytes,
                allowed,
                crawl_delay,
                sitemaps,
            },
            ReadFact::Sitemap {
                url,
                kind,
                status,
                not_modified,
                bytes,
                entries,
                urls,
                problems,
            } => ScanEvent::SitemapParsed {
                domain,
                attempt,
                url,
                kind,
                status,
                not_modified,
                bytes,
                entries,
                urls,
                problems,
            },
            ReadFact::Page {
                url,
                status,
                not_modified,
                bytes,
                problems,
            } => ScanEvent::PageRead {
                domain,
                attempt,
                url,
                status,
                not_modified,
                bytes,
                problems,
            },
            ReadFact::Picture { kind, url, picture } => ScanEvent::PictureRead {
                domain,
                attempt,
                kind,
                url,
                picture,
            },
        }
    }
}

fn requested(domain: String, origin: Option<BatchOrigin>, options: ScanOptions) -> ScanEvent {
    ScanEvent::ScanRequested {
        domain,
        batch_id: origin.map(|origin| origin.batch_id),
        line: origin.map(|origin| origin.line),
        max_concurrent: origin.map(|origin| origin.max_concurrent),
        options,
    }
}

impl Aggregate for DomainScan {
    const TYPE: &'static str = StreamType::Scan.as_str();
    type Command = ScanCommand;
    type Event = ScanEvent;
    type Error = ScanError;
    type Services = ();

    async fn handle(
        &mut self,
        command: ScanCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), ScanError> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: ScanEvent) {
        self.status = Some(event.status_after());
        match event {
            ScanEvent::ScanRequested {
                domain,
                batch_id,
                max_concurrent,
                options,
                ..
            } => {
                self.domain = domain;
                self.batch_id = batch_id;
                self.max_concurrent = max_concurrent;
                self.options = options;
                self.round = 1;
            }
            ScanEvent::ScanStarted {
                attempt,
                fence,
                deadline_at,
                ..
            } => {
                self.attempt = attempt;
                self.fence = fence;
                self.deadline_at = Some(deadline_at);
                self.next_attempt_at = None;
                self.attempts_in_round += 1;
            }
            ScanEvent::ScanAbandoned { .. } => {
                // A lost worker is not a failure of the site.
                self.attempts_in_round = self.attempts_in_round.saturating_sub(1);
                self.abandoned_in_round += 1;
            }
            ScanEvent::ScanFailed { reason, .. } => self.reason = Some(reason),
            ScanEvent::ScanRetried { round, .. } => {
                self.round = round;
                self.attempts_in_round = 0;
                self.abandoned_in_round = 0;
                self.deadline_at = None;
                self.reason = None;
            }
            ScanEvent::ScanCancelled { .. } => self.reason = None,
            ScanEvent::ScanAttemptFailed { retry_at, .. } => self.next_attempt_at = Some(retry_at),
            ScanEvent::SitemapParsed { urls, .. } => self.has_bodies |= urls.is_some(),
            ScanEvent::DomainChanged { values, urls, .. } => {
                self.has_bodies |= values.is_some() || urls.is_some();
            }
            ScanEvent::ScanCompleted { .. }
            | ScanEvent::ScanImported { .. }
            | ScanEvent::PictureRead { .. } => self.has_bodies = true,
            ScanEvent::ScanErased { .. } => self.has_bodies = false,
            ScanEvent::RobotsRead { .. } | ScanEvent::PageRead { .. } => {}
        }
    }
}
