//! Holds the predecessor's tables against ours, row by row and column by column, as its readers would see them through
//! the schema `legacy`. A difference has a reason, or it is one that somebody must look at.

mod columns;
mod markdown;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::import::{ImportError, OldRow, has_table, rows_of};
use columns::{Compared, TABLES, Table};

/// Rows compared at a time.
const CHUNK: usize = 500;
/// Differences without a reason that are listed; all are counted.
const MAX_LISTED: usize = 1000;
/// Examples listed of each reason.
const MAX_EXAMPLES: usize = 3;

/// What a comparison came to.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// When.
    pub compared_at: DateTime<Utc>,
    /// The log position that was seen.
    pub position: i64,
    /// By table.
    pub tables: BTreeMap<&'static str, TableComparison>,
    /// Differences that have no known reason; the first thousand.
    pub unexplained: Vec<Difference>,
    /// A few of those that have, by reason.
    pub examples: Vec<Difference>,
}

/// What the rows of a table came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableComparison {
    /// Rows there.
    pub rows: u64,
    /// Rows that are the same here in each column.
    pub same: u64,
    /// Rows that differ, each difference with a reason.
    pub explained: u64,
    /// Rows told by another row, by reason.
    pub merged: BTreeMap<String, u64>,
    /// Rows that were not taken, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Rows with a difference that has no reason.
    pub unexplained: u64,
    /// Rows that should be here and are not.
    pub missing: u64,
    /// Rows that were never imported.
    pub not_imported: u64,
    /// Rows that are only here: what was done since.
    pub only_here: i64,
    /// Differing columns by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// One column of one row.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Which table.
    pub table: &'static str,
    /// Primary key there.
    pub id: String,
    /// Which column.
    pub column: &'static str,
    /// What stands there.
    pub old: Value,
    /// What stands here.
    pub new: Value,
    /// Why, if it is known.
    pub reason: Option<&'static str>,
}

impl Comparison {
    /// Whether each row is accounted for and each difference has a reason.
    pub fn holds(&self) -> bool {
        self.tables
            .values()
            .all(|table| table.unexplained == 0 && table.missing == 0 && table.not_imported == 0)
    }
}

/// What the import noted of a row.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Account {
    source_id: String,
    outcome: String,
    reason: Option<String>,
    notes: Vec<String>,
    stream_id: Option<Uuid>,
    tenant_id: Option<Uuid>,
    domain: Option<String>,
}

/// Compares all.
pub async fn compare(
    pool: &PgPool,
    source: &PgPool,
    told: &dyn Fn(&str, u64),
) -> Result<Comparison, ImportError> {
    let position = sqlx::query_scalar("select position from log_head")
        .fetch_one(pool)
        .await?;
    let mut comparison = Comparison {
        compared_at: Utc::now(),
        position,
        tables: BTreeMap::new(),
        unexplained: Vec::new(),
        examples: Vec::new(),
    };
    let mut any = false;
    for table in &TABLES {
        if has_table(source, table.name).await? {
            any = true;
            compare_table(pool, source, table, &mut comparison, told).await?;
        }
    }
    if has_table(source, "sitemap_urls").await? {
        compare_urls(pool, source, &mut comparison).await?;
    }
    if any {
        Ok(comparison)
    } else {
        Err(ImportError::NoTables)
    }
}

async fn compare_table(
    pool: &PgPool,
    source: &PgPool,
    table: &'static Table,
    comparison: &mut Comparison,
    told: &dyn Fn(&str, u64),
) -> Result<(), ImportError> {
    let mut counts = TableComparison::default();
    let sql = format!("select to_jsonb(t) from {} t order by id", table.name);
    let chunks = rows_of(source, &sql).try_chunks(CHUNK);
    let mut chunks = std::pin::pin!(chunks);
    while let Some(rows) = chunks.next().await {
        let rows = rows.map_err(|error| error.1)?;
        let accounts = accounts(pool, table.name, &rows).await?;
        let ours = ours(pool, table, accounts.values()).await?;
        for row in &rows {
            counts.rows += 1;
            judge(table, row, &accounts, &ours, &mut counts, comparison);
        }
        told(table.name, counts.rows);
    }
    let here: i64 = sqlx::query_scalar(&format!("select count(*) from legacy.{}", table.name))
        .fetch_one(pool)
        .await?;
    let both = counts.same + counts.explained + counts.unexplained;
    counts.only_here = here - i64::try_from(both).unwrap_or(i64::MAX);
    comparison.tables.insert(table.name, counts);
    Ok(())
}

fn judge(
    table: &'static Table,
    row: &OldRow,
    accounts: &HashMap<String, Account>,
    ours: &HashMap<String, Value>,
    counts: &mut TableComparison,
    comparison: &mut Comparison,
) {
    let Some(account) = accounts.get(&row.id()) else {
        counts.not_imported += 1;
        return;
    };
    let reason = account.reason.clone().unwrap_or_default();
    match account.outcome.as_str() {
        "refused" => return *counts.refused.entry(reason).or_default() += 1,
        "merged" => return *counts.merged.entry(reason).or_default() += 1,
        _ => {}
    }
    let Some(new) = (table.key)(account).and_then(|key| ours.get(&key)) else {
        counts.missing += 1;
        return;
    };
    let notes: Vec<&str> = account.notes.iter().map(String::as_str).collect();
    let touched = (table.touched)(new, account);
    let mut differs = false;
    let mut explained = true;
    for column in table.columns {
        let Compared::Differs(reason) = column.compare(row, new, &notes, touched) else {
            continue;
        };
        differs = true;
        let difference = Difference {
            table: table.name,
            id: row.id(),
            column: column.name,
            old: row.value(column.name).clone(),
            new: new[column.name].clone(),
            reason,
        };
        match reason {
            Some(reason) => {
                let seen = counts.reasons.entry(reason.to_owned()).or_default();
                *seen += 1;
                if *seen <= MAX_EXAMPLES as u64 {
                    comparison.examples.push(difference);
                }
            }
            None => {
                explained = false;
                if comparison.unexplained.len() < MAX_LISTED {
                    comparison.unexplained.push(difference);
                }
            }
        }
    }
    match (differs, explained) {
        (false, _) => counts.same += 1,
        (true, true) => counts.explained += 1,
        (true, false) => counts.unexplained += 1,
    }
}

async fn accounts(
    pool: &PgPool,
    table: &str,
    rows: &[OldRow],
) -> Result<HashMap<String, Account>, ImportError> {
    let ids: Vec<String> = rows.iter().map(OldRow::id).collect();
    let found: Vec<Account> = sqlx::query_as(
        "select source_id, outcome, reason, notes, stream_id, tenant_id, domain from legacy_row \
          where source_table = $1 and source_id = any($2)",
    )
    .bind(table)
    .bind(ids)
    .fetch_all(pool)
    .await?;
    Ok(found
        .into_iter()
        .map(|account| (account.source_id.clone(), account))
        .collect())
}

/// Our rows for some of theirs, by the key that the table is looked up by.
async fn ours<'a>(
    pool: &PgPool,
    table: &Table,
    accounts: impl Iterator<Item = &'a Account>,
) -> Result<HashMap<String, Value>, ImportError> {
    let (mut keys, mut tenants, mut domains) = (Vec::new(), Vec::new(), Vec::new());
    for account in accounts.filter(|account| account.outcome == "imported") {
        keys.extend(account.stream_id);
        tenants.extend(account.tenant_id);
        domains.extend(account.domain.clone());
    }
    let models = crate::projections::ReadModels::new(pool.clone());
    let sql = table
        .sql
        .replace("{domains}", &models.domains)
        .replace("{jobs}", &models.jobs)
        .replace("{batch_jobs}", &models.batch_jobs);
    let found: Vec<(String, Value)> = sqlx::query_as(&sql)
        .bind(keys)
        .bind(tenants)
        .bind(domains)
        .fetch_all(pool)
        .await?;
    Ok(found.into_iter().collect())
}

/// URLs have no ids that last: they are counted by file.
async fn compare_urls(
    pool: &PgPool,
    source: &PgPool,
    comparison: &mut Comparison,
) -> Result<(), ImportError> {
    let mut counts = TableComparison::default();
    let there: i64 = sqlx::query_scalar("select count(*) from sitemap_urls")
        .fetch_one(source)
        .await
        .map_err(ImportError::Source)?;
    counts.rows = u64::try_from(there).unwrap_or_default();
    let accounted: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "select outcome, reason, sum(items)::bigint from legacy_row where source_table = 'sitemap_urls' group by 1, 2",
    )
    .fetch_all(pool)
    .await?;
    let mut imported = 0;
    for (outcome, reason, items) in accounted {
        let items = u64::try_from(items).unwrap_or_default();
        let reason = reason.unwrap_or_default();
        match outcome.as_str() {
            "imported" => imported += items,
            "merged" => *counts.merged.entry(reason).or_default() += items,
            _ => *counts.refused.entry(reason).or_default() += items,
        }
    }
    let here: i64 = sqlx::query_scalar(
        "select count(*) from legacy.sitemap_urls u where exists (select from legacy_row r \
          where r.source_table = 'sitemap_files' and r.outcome = 'imported' and r.source_id = u.sitemap_id::text)",
    )
    .fetch_one(pool)
    .await?;
    let here = u64::try_from(here).unwrap_or_default();
    counts.same = here.min(imported);
    counts.missing = imported.saturating_sub(here);
    let accounted = imported + counts.merged.values().sum::<u64>() + counts.refused.values().sum::<u64>();
    counts.not_imported = counts.rows.saturating_sub(accounted);
    let all: i64 = sqlx::query_scalar("select count(*) from legacy.sitemap_urls")
        .fetch_one(pool)
        .await?;
    counts.only_here = all - i64::try_from(counts.same).unwrap_or(i64::MAX);
    comparison.tables.insert("sitemap_urls", counts);
    Ok(())
}
