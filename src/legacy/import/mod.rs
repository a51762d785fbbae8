//! Imports the predecessor's tables as events: batches, then jobs, then domains with their sitemaps, the oldest first,
//! so that the last known state of a domain remains.
//!
//! The outcome of each row is stored in `legacy_row`. A row in that table is not imported again, and an existing
//! stream is not written again. So an import can be killed at any time and started again.

mod batches;
mod domains;
mod findings;
mod jobs;
mod ledger;
mod sitemaps;

use std::collections::HashMap;

use sqlx::PgPool;
use uuid::Uuid;

pub use ledger::{Report, Tally};

use super::row::{self, OldRow};
use super::source::{OldDatabase, SourceError};
use crate::commands::{CommandBus, CommandContext};
use crate::log::LogError;
use crate::values::{BatchId, DomainName, TenantId};

/// Rows appended at a time.
const CHUNK: usize = 400;
/// The actor of imported events.
const ACTOR: &str = "legacy:import";

/// How to handle work that the predecessor started but did not finish.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// It counts as failed, because its process is gone.
    #[default]
    Fail,
    /// It stays there for a later import.
    Leave,
    /// It is done here.
    Rescan,
}

/// Why an import stops; what was appended stays, and the next one continues.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The predecessor's database.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Our own.
    #[error("cannot store the record of the import")]
    Account(#[from] sqlx::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A running import.
struct Import<'a> {
    bus: &'a CommandBus,
    /// Ours.
    pool: &'a PgPool,
    source: &'a mut OldDatabase,
    unfinished: Unfinished,
    domains: HashMap<String, KnownDomain>,
    batches: HashMap<String, (BatchId, TenantId)>,
    /// Rows by the id that their job got.
    jobs: HashMap<Uuid, String>,
}

/// What jobs need to know of the domain they name.
struct KnownDomain {
    tenant: Option<TenantId>,
    text: String,
}

/// Imports all; `on_progress` is called with each table and the number of its processed rows.
pub async fn import(
    bus: &CommandBus,
    pool: &PgPool,
    source: &mut OldDatabase,
    unfinished: Unfinished,
    on_progress: &dyn Fn(&str, u64),
) -> Result<Report, ImportError> {
    ledger::forget_refused_rows(pool).await?;
    let mut import = Import {
        bus,
        pool,
        source,
        unfinished,
        domains: HashMap::new(),
        batches: HashMap::new(),
        jobs: HashMap::new(),
    };
    import.learn_domains().await?;
    batches::import(&mut import, on_progress).await?;
    jobs::import(&mut import, on_progress).await?;
    domains::import(&mut import, on_progress).await?;
    sitemaps::record_unmatched_rows(&mut import).await?;
    ledger::report(pool).await
}

impl Import<'_> {
    async fn learn_domains(&mut self) -> Result<(), ImportError> {
        if !self.source.has("domains").await? {
            return Ok(());
        }
        for [id, tenant, text] in self
            .source
            .columns("domains", ["id", "tenant_id", "domain"])
            .await?
        {
            let Some(id) = id else { continue };
            let known = KnownDomain {
                tenant: tenant.and_then(|id| id.parse().ok()),
                text: text.unwrap_or_default(),
            };
            self.domains.insert(id, known);
        }
        Ok(())
    }

    /// The batch that a row names, if it exists and belongs to the same tenant; otherwise the reason why it is not
    /// used.
    fn batch_of(&self, row: &OldRow, tenant: TenantId) -> Result<Option<BatchId>, &'static str> {
        let Some(named) = row.text("batch_id").filter(|id| !id.trim().is_empty()) else {
            return Ok(None);
        };
        match self.batches.get(&row::batch_key(&named)) {
            None => Err("batch_missing"),
            Some((_, of)) if *of != tenant => Err("batch_of_other_tenant"),
            Some((batch, _)) => Ok(Some(*batch)),
        }
    }
}

/// The tenant of the imported rows.
fn context(tenant: TenantId) -> CommandContext {
    CommandContext::internal(tenant, ACTOR)
}

/// A domain by its one name.
fn standard(text: &str) -> Option<DomainName> {
    DomainName::parse(text).ok()
}
