//! Starts an attempt at a scan under a lease.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::bus::{Attachments, CommandBus, CommandError, Loaded};
use super::compare_scan::KnownDomain;
use super::{CommandContext, LogError};
use crate::aggregates::{DomainScan, ScanCommand, ScanError, ScanStatus};
use crate::values::{ScanId, ScanOptions, TenantId};

/// What a worker must do with a claimed task.
#[derive(Debug)]
pub enum Start {
    /// Scan.
    Begun(Box<StartedScan>),
    /// Nothing: the scan has ended meanwhile.
    Ended,
    /// Nothing: a later lease has replaced this one.
    Superseded,
}

/// A started attempt, to scan and record.
#[derive(Clone, Debug)]
pub struct StartedScan {
    pub(super) scan_id: ScanId,
    pub(super) tenant: TenantId,
    pub(super) loaded: Loaded<DomainScan>,
    /// The data with which the scan is compared.
    pub(super) known: Option<Arc<KnownDomain>>,
}

impl StartedScan {
    /// What to scan, as it was requested.
    pub fn domain(&self) -> &str {
        self.loaded.aggregate.domain()
    }

    /// The number of the attempt.
    pub fn attempt(&self) -> u32 {
        self.loaded.aggregate.attempt()
    }

    /// The same attempt, whose findings are compared with what is known of the domain.
    pub fn compare_with(&mut self, known: Option<KnownDomain>) {
        self.known = known.map(Arc::new);
    }

    /// The options.
    pub fn options(&self) -> &ScanOptions {
        self.loaded.aggregate.options()
    }

    /// The time left for the attempt at `now`, by the clock with which it was started.
    pub fn time_left(&self, now: DateTime<Utc>) -> Duration {
        let deadline = self.loaded.aggregate.deadline_at();
        deadline.map_or(Duration::MAX, |at| (at - now).to_std().unwrap_or_default())
    }
}

/// Starts an attempt, or says why there is none to start.
pub async fn start_scan(
    bus: &CommandBus,
    scan_id: ScanId,
    fence: i64,
    now: DateTime<Utc>,
    context: &CommandContext,
) -> Result<Start, LogError> {
    let command = ScanCommand::Start {
        fence,
        worker: context.actor.clone(),
        now,
    };
    match bus
        .execute::<DomainScan>(scan_id.0, command, Attachments::default(), context)
        .await
    {
        // The start itself may end a scan whose workers died repeatedly.
        Ok(done) if done.loaded.aggregate.status().is_some_and(ScanStatus::is_ended) => Ok(Start::Ended),
        Ok(done) => Ok(Start::Begun(Box::new(StartedScan {
            scan_id,
            tenant: context.tenant,
            loaded: done.loaded,
            known: None,
        }))),
        Err(CommandError::Refused(ScanError::Superseded(_))) => Ok(Start::Superseded),
        // Cancelled before it began, say; or a task that names no scan of the tenant: nothing to deliver.
        Err(CommandError::Refused(_) | CommandError::NotFound(_)) => Ok(Start::Ended),
        Err(CommandError::Log(error)) => Err(error),
    }
}

/// The attempt of a scan that is under way or was the last, to record its result in another process than the one that
/// started it. Nothing if the tenant has no such scan.
pub async fn resume_scan(
    bus: &CommandBus,
    scan_id: ScanId,
    tenant: TenantId,
) -> Result<Option<Box<StartedScan>>, LogError> {
    let loaded = bus.load::<DomainScan>(scan_id.0).await?;
    let is_theirs = loaded.tenant == Some(tenant);
    Ok(is_theirs.then(|| {
        Box::new(StartedScan {
            scan_id,
            tenant,
            loaded,
            known: None,
        })
    }))
}
