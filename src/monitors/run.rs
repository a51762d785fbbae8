//! One run: selects its domains, checks the tenant's quotas, and runs the command that starts it.

use super::Monitors;
use crate::access::AccessError;
use crate::aggregates::MonitorError;
use crate::commands::request_batch::BatchItem;
use crate::commands::run_monitor::{KnownMonitor, Run, RunDomains, known_monitor, run_monitor};
use crate::commands::{CommandContext, CommandError};
use crate::log::LogError;
use crate::projections::domains::query::{DomainFilter, InvalidFilter, names};
use crate::projections::{ProjectionError, sitemaps};
use crate::values::batch_list::MAX_DOMAINS;
use crate::values::monitor::{DomainSelection, SkipReason, Slot};
use crate::values::{DomainName, MonitorId, TenantId};

/// Why a run was not started.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was refused, or could not be written.
    #[error(transparent)]
    Command(#[from] CommandError<MonitorError>),
    /// The filter cannot be read by this release.
    #[error(transparent)]
    Filter(#[from] InvalidFilter),
    /// The domains could not be read.
    #[error(transparent)]
    ReadModels(#[from] ProjectionError),
    /// The tenant's quotas could not be read.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl From<LogError> for RunError {
    fn from(error: LogError) -> Self {
        Self::Command(error.into())
    }
}

impl Monitors {
    /// Starts a run on request.
    pub async fn run_now(&self, id: MonitorId, context: &CommandContext) -> Result<Run, RunError> {
        let known = known_monitor(&self.bus, id).await?;
        let known = known.filter(|known| known.tenant == context.tenant);
        let known = known.ok_or(CommandError::NotFound("monitor"))?;
        self.run(id, &known, None, context).await
    }

    /// Starts the run of a due time, or records that it is skipped.
    pub(super) async fn run(
        &self,
        id: MonitorId,
        known: &KnownMonitor,
        slot: Option<Slot>,
        context: &CommandContext,
    ) -> Result<Run, RunError> {
        let domains = self.domains(known).await?;
        let now = self.now().await?;
        Ok(run_monitor(&self.bus, id, slot, &domains, now, context).await?)
    }

    /// The domains of a run, within the tenant's quotas.
    async fn domains(&self, known: &KnownMonitor) -> Result<RunDomains, RunError> {
        let settings = self.tenants.settings(known.tenant).await?;
        if let Some(quota) = settings.max_stored_urls
            && sitemaps::query::stored_urls(&self.models, known.tenant).await? >= quota
        {
            return Ok(RunDomains::Refused(SkipReason::UrlQuotaReached));
        }
        let most = settings
            .max_batch_domains
            .map_or(MAX_DOMAINS, |quota| quota as usize);
        let most = most.min(MAX_DOMAINS);
        let domains = match (&known.settings.list, &known.settings.filter) {
            (Some(list), _) => (list.items, RunDomains::Listed(list.clone())),
            (None, filter) => {
                let filter = filter.clone().unwrap_or_default();
                let found = self.matching(known.tenant, &filter, most + 1).await?;
                (found.len() as u64, RunDomains::Found(found))
            }
        };
        Ok(match domains {
            (0, _) => RunDomains::Refused(SkipReason::NoDomains),
            (count, _) if count > most as u64 => RunDomains::Refused(SkipReason::TooManyDomains),
            (_, domains) => domains,
        })
    }

    async fn matching(
        &self,
        tenant: TenantId,
        selection: &DomainSelection,
        limit: usize,
    ) -> Result<Vec<BatchItem>, RunError> {
        let filter = DomainFilter {
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            ..DomainFilter::of(selection)?
        };
        let found = names(&self.models, tenant, &filter).await?;
        // A name that is none any more would be refused as a line of a list, too.
        let valid = found.iter().filter_map(|name| DomainName::parse(name).ok());
        Ok((1..)
            .zip(valid)
            .map(|(line, name)| BatchItem::scan(line, name))
            .collect())
    }
}
