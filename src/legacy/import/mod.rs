//! Brings the predecessor's tables in as events: batches, then jobs, then domains with their sitemaps, the oldest
//! first, so that the last that was known of a domain is what stands in the end.
//!
//! What became of each row is kept in `legacy_row`. A row that stands there is left alone, and a stream that is there
//! already is not written again; so an import can be killed at any time and started anew.

mod batches;
mod domains;
mod findings;
mod jobs;
mod ledger;
mod row;
mod sitemaps;

use std::collections::HashMap;

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::{PgPool, Row};

pub use ledger::{Report, Tally};

use crate::commands::{CommandBus, CommandContext};
use crate::log::LogError;
use crate::values::{BatchId, DomainName, TenantId};
pub(super) use row::{OldRow, Progress, batch_key, progress};

/// Rows appended at a time.
const CHUNK: usize = 400;
/// Who says so in the log.
const ACTOR: &str = "legacy:import";

/// What becomes of work that the predecessor had begun and not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unfinished {
    /// It has failed: the process that did it is gone.
    #[default]
    Fail,
    /// It stays there for a later import.
    Leave,
    /// It is done here.
    Rescan,
}

/// Why an import stops; what was appended stays, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The predecessor's database.
    #[error("the predecessor's database cannot be read")]
    Source(#[source] sqlx::Error),
    /// It has none of the tables.
    #[error(
        "there is none of the tables domains, jobs and batch_jobs; is the address that of the predecessor's database, and is its schema in the search_path?"
    )]
    NoTables,
    /// Our own.
    #[error("the account of the import cannot be kept")]
    Account(#[from] sqlx::Error),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// An import under way.
struct Import<'a> {
    bus: &'a CommandBus,
    /// Ours.
    pool: &'a PgPool,
    source: &'a PgPool,
    unfinished: Unfinished,
    domains: HashMap<String, KnownDomain>,
    batches: HashMap<String, (BatchId, TenantId)>,
}

/// What jobs need to know of the domain they name.
struct KnownDomain {
    tenant: Option<TenantId>,
    text: String,
}

/// Imports all; `told` hears of each table and how many of its rows are dealt with.
pub async fn import(
    bus: &CommandBus,
    pool: &PgPool,
    source: &PgPool,
    unfinished: Unfinished,
    told: &dyn Fn(&str, u64),
) -> Result<Report, ImportError> {
    if !has_table(source, "domains").await?
        && !has_table(source, "jobs").await?
        && !has_table(source, "batch_jobs").await?
    {
        return Err(ImportError::NoTables);
    }
    let mut import = Import {
        bus,
        pool,
        source,
        unfinished,
        domains: HashMap::new(),
        batches: HashMap::new(),
    };
    import.learn_domains().await?;
    batches::import(&mut import, told).await?;
    jobs::import(&import, told).await?;
    domains::import(&import, told).await?;
    sitemaps::account_for_the_rest(&import).await?;
    ledger::report(pool).await
}

impl Import<'_> {
    fn context(&self, tenant: TenantId) -> CommandContext {
        CommandContext::internal(tenant, ACTOR)
    }

    async fn learn_domains(&mut self) -> Result<(), ImportError> {
        if !has_table(self.source, "domains").await? {
            return Ok(());
        }
        let mut rows =
            sqlx::query("select id::text, tenant_id::text, domain::text from domains").fetch(self.source);
        while let Some(row) = rows.try_next().await.map_err(ImportError::Source)? {
            let text = |column: usize| {
                row.try_get::<Option<String>, _>(column)
                    .map_err(ImportError::Source)
            };
            let Some(id) = text(0)? else { continue };
            let known = KnownDomain {
                tenant: text(1)?.and_then(|id| id.parse().ok()),
                text: text(2)?.unwrap_or_default(),
            };
            self.domains.insert(id, known);
        }
        Ok(())
    }

    /// The batch that a row names, if it is there and of the same tenant; what keeps it from it otherwise.
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

/// Whether the predecessor has a table.
pub(super) async fn has_table(source: &PgPool, table: &str) -> Result<bool, ImportError> {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(source)
        .await
        .map_err(ImportError::Source)
}

/// Rows of a table as JSON, in an order. Whatever columns the table has, they are all there.
pub(super) fn rows_of<'a>(
    source: &'a PgPool,
    sql: &'a str,
) -> impl futures::Stream<Item = Result<OldRow, ImportError>> + 'a {
    sqlx::query_scalar::<_, Value>(sql)
        .fetch(source)
        .map_ok(OldRow::new)
        .map_err(ImportError::Source)
}

/// A domain by its one name.
fn standard(text: &str) -> Option<DomainName> {
    DomainName::parse(text).ok()
}
