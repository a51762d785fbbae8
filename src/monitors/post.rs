//! Sends emails about runs.

use std::time::Duration;

use futures::future::join_all;
use sqlx::PgPool;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::mails::{self, Claimed, Outcome};
use super::{Monitors, digest};
use crate::log::EventLog;
use crate::mail::{MailError, Mailer};

/// Maximum number of emails that are sent concurrently.
const AT_ONCE: i64 = 4;
/// How often mails that are too old are dropped.
const CLEAN: Duration = Duration::from_mins(10);
/// How often the queue is polled.
const POLL: Duration = Duration::from_secs(1);

/// Sends mails until it is stopped; those under way are sent. Without a mailer, it only drops those that are too
/// old.
pub async fn send_mails(monitors: Monitors, mailer: Option<Mailer>, stop: CancellationToken) {
    let (pool, log) = (monitors.pool(), monitors.bus.log());
    let mut cleaned: Option<Instant> = None;
    while !stop.is_cancelled() {
        if cleaned.is_none_or(|at| at.elapsed() > CLEAN) {
            match mails::drop_old(pool).await {
                Ok(0) => {}
                Ok(count) => {
                    tracing::warn!(
                        "{count} emails about monitors were not sent within a day and are dropped"
                    );
                }
                Err(error) => tracing::warn!(%error, "Cannot drop old emails; retrying"),
            }
            cleaned = Some(Instant::now());
        }
        let Some(mailer) = &mailer else {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(CLEAN) => continue,
            }
        };
        match mails::claim(pool, AT_ONCE).await {
            Ok(claimed) if claimed.is_empty() => {}
            Ok(claimed) => {
                let sent = claimed.iter().map(|mail| send_one(pool, log, mailer, mail));
                join_all(sent).await;
                continue;
            }
            Err(error) => tracing::warn!(%error, "Cannot look for emails to send; retrying"),
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn send_one(pool: &PgPool, log: &EventLog, mailer: &Mailer, mail: &Claimed) {
    let outcome = attempt(log, mailer, mail).await;
    let result = match &outcome {
        Outcome::Sent => "sent",
        Outcome::Empty => "empty",
        // The reason is stored with the subscriber: messages of mail servers contain addresses, which must not be
        // in the process log.
        Outcome::Failed(_) => {
            let monitor = mail.monitor;
            tracing::warn!(monitor.id = %monitor, "Cannot send an email about monitor {monitor}; retrying");
            "failed"
        }
        Outcome::Refused(_) => {
            let monitor = mail.monitor;
            tracing::warn!(monitor.id = %monitor, "An email about monitor {monitor} was refused");
            "failed"
        }
    };
    metrics::counter!("sitelog_mails_total", "result" => result).increment(1);
    // If this fails, the lease expires and the email is sent again, with the same id.
    if let Err(error) = mails::settle(pool, mail, &outcome).await {
        tracing::warn!(%error, "Cannot record the result of an email");
    }
}

async fn attempt(log: &EventLog, mailer: &Mailer, mail: &Claimed) -> Outcome {
    let digest = match digest::digest(log, mail).await {
        Ok(Some(digest)) => digest,
        Ok(None) => return Outcome::Empty,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let message = match digest.mail(mail, mailer.settings()) {
        Ok(message) => message,
        Err(error) => return Outcome::Refused(error),
    };
    match mailer.send(message).await {
        Ok(()) => Outcome::Sent,
        Err(MailError::Refused(error)) => Outcome::Refused(error),
        Err(MailError::Later(error)) => Outcome::Failed(error),
    }
}
