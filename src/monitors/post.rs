//! Sends mails about runs.

use std::time::Duration;

use futures::future::join_all;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::mails::{self, Claimed, Outcome};
use super::{Monitors, digest};
use crate::log::EventLog;
use crate::mail::{MailError, Mailer};

/// Mails that are sent at once.
const AT_ONCE: i64 = 4;
/// How often the queue is looked at.
const POLL: Duration = Duration::from_secs(1);

/// Sends mails until told to stop; those that are under way are sent.
pub async fn send_mails(monitors: Monitors, mailer: Mailer, stop: CancellationToken) {
    let (pool, log) = (monitors.pool(), monitors.bus.log());
    while !stop.is_cancelled() {
        match mails::claim(pool, AT_ONCE).await {
            Ok(claimed) if claimed.is_empty() => {}
            Ok(claimed) => {
                let sent = claimed.iter().map(|mail| send_one(pool, log, &mailer, mail));
                join_all(sent).await;
                continue;
            }
            Err(error) => tracing::warn!(%error, "Cannot look for mails to send; retrying"),
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
        Outcome::Failed(error) | Outcome::Refused(error) => {
            let monitor = mail.monitor;
            tracing::warn!(%error, monitor.id = %monitor, "Cannot send a mail about monitor {monitor}");
            "failed"
        }
    };
    metrics::counter!("sitelog_mails_total", "result" => result).increment(1);
    // If this fails, the lease runs out and the mail is sent once more, with the same id.
    if let Err(error) = mails::settle(pool, mail, &outcome).await {
        tracing::warn!(%error, "Cannot note what became of a mail");
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
