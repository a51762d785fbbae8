//! Compares the predecessor's tables with ours, row by row and column by column, as readers see them through the
//! schema `legacy`. Each difference has a known reason, or is reported for a person to examine.

mod columns;
mod markdown;
mod urls;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::row::OldRow;
use super::source::{OldDatabase, SourceError};
use crate::projections::ReadModels;
use crate::projections::views::view_of_all;
use columns::{Circumstances, Compared, TABLES, Table, compare_as_is};

/// Rows compared at a time.
const CHUNK: usize = 500;
/// Differences without a reason that are listed; all are counted.
const MAX_LISTED: usize = 1000;
/// Examples listed of each reason.
const MAX_EXAMPLES: u64 = 3;

/// The result of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// When they were compared.
    pub compared_at: DateTime<Utc>,
    /// The log position that was seen.
    pub position: i64,
    /// By table.
    pub tables: BTreeMap<&'static str, TableComparison>,
    /// Differences that have no known reason; the first thousand.
    pub unexplained: Vec<Difference>,
    /// Examples of explained differences, by reason.
    pub examples: Vec<Difference>,
}

/// The result of the rows of a table.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableComparison {
    /// Rows in the predecessor's table.
    pub rows: u64,
    /// Rows that are equal in each column.
    pub same: u64,
    /// Rows that differ, each difference with a reason.
    pub explained: u64,
    /// Rows merged into another row, by reason.
    pub merged: BTreeMap<String, u64>,
    /// Rows that were not imported, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Rows with a difference without a known reason.
    pub unexplained: u64,
    /// Rows that are missing in sitelog.
    pub missing: u64,
    /// Rows that were never imported.
    pub not_imported: u64,
    /// Rows that exist only in sitelog: newer work.
    pub only_here: i64,
    /// Differing columns by reason.
    pub reasons: BTreeMap<String, u64>,
}

/// Why two databases cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The predecessor's.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Ours.
    #[error("cannot read sitelog's data")]
    Ours(#[from] sqlx::Error),
}

/// One column of one row.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Which table.
    pub table: &'static str,
    /// Primary key there.
    pub id: String,
    /// Which column.
    pub column: String,
    /// The value there.
    pub old: Value,
    /// The value here.
    pub new: Value,
    /// Why, if it is known.
    pub reason: Option<&'static str>,
}

impl Comparison {
    /// Whether each row is accounted for, and each difference has a known reason.
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
    content: Option<Value>,
}

/// Compares all.
pub async fn compare(
    models: &ReadModels,
    source: &mut OldDatabase,
    on_progress: &dyn Fn(&str, u64),
) -> Result<Comparison, CompareError> {
    let position = sqlx::query_scalar("select position from log_head")
        .fetch_one(&models.pool)
        .await?;
    let mut comparison = Comparison {
        compared_at: Utc::now(),
        position,
        tables: BTreeMap::new(),
        unexplained: Vec::new(),
        examples: Vec::new(),
    };
    for table in &TABLES {
        if source.has(table.name).await? {
            compare_table(models, source, table, &mut comparison, on_progress).await?;
        }
    }
    if source.has("sitemap_urls").await? {
        urls::compare(&models.pool, source, &mut comparison, on_progress).await?;
    }
    Ok(comparison)
}

async fn compare_table(
    models: &ReadModels,
    source: &mut OldDatabase,
    table: &'static Table,
    comparison: &mut Comparison,
    on_progress: &dyn Fn(&str, u64),
) -> Result<(), CompareError> {
    let pool = &models.pool;
    let mut counts = TableComparison::default();
    let order = source.order(table.name, &["id"]).await?;
    source.begin(table.name, &order).await?;
    loop {
        let rows = source.next(CHUNK).await?;
        if rows.is_empty() {
            break;
        }
        let accounts = accounts(pool, table.name, &rows).await?;
        let ours = ours(models, table, accounts.values()).await?;
        for row in &rows {
            counts.rows += 1;
            judge(table, row, &accounts, &ours, &mut counts, comparison);
        }
        on_progress(table.name, counts.rows);
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
    let circumstances = Circumstances {
        account,
        new,
        again: new["_again"] == true || (new["_scan"].is_string() && new["_scan"] != stream(account)),
    };
    let named = table.columns.iter().map(|column| {
        (
            column.name,
            new[column.ours].clone(),
            column.compare(row, &circumstances),
        )
    });
    let as_is = row
        .columns()
        .filter(|name| !table.columns.iter().any(|column| column.ours == *name));
    let as_is = as_is.map(|name| (name, new[name].clone(), compare_as_is(name, row, &circumstances)));
    let differences = named
        .chain(as_is)
        .filter_map(|(column, is, compared)| match compared {
            Compared::Same => None,
            Compared::Differs(reason) => Some(Difference {
                table: table.name,
                id: row.id(),
                column: column.to_owned(),
                old: row.value(column).clone(),
                new: is,
                reason,
            }),
        });
    counts.note(differences.collect(), comparison);
}

impl TableComparison {
    /// Counts a row with its differences.
    fn note(&mut self, differences: Vec<Difference>, comparison: &mut Comparison) {
        let explained = differences.iter().all(|difference| difference.reason.is_some());
        match (differences.is_empty(), explained) {
            (true, _) => self.same += 1,
            (false, true) => self.explained += 1,
            (false, false) => self.unexplained += 1,
        }
        for difference in differences {
            if let Some(reason) = difference.reason {
                let seen = self.reasons.entry(reason.to_owned()).or_default();
                *seen += 1;
                if *seen <= MAX_EXAMPLES {
                    comparison.examples.push(difference);
                }
            } else if comparison.unexplained.len() < MAX_LISTED {
                comparison.unexplained.push(difference);
            }
        }
    }
}

fn stream(account: &Account) -> Value {
    account.stream_id.map_or(Value::Null, |id| id.to_string().into())
}

async fn accounts(
    pool: &PgPool,
    table: &str,
    rows: &[OldRow],
) -> Result<HashMap<String, Account>, CompareError> {
    let ids: Vec<String> = rows.iter().map(OldRow::id).collect();
    let found: Vec<Account> = sqlx::query_as(
        "select source_id, outcome, reason, notes, stream_id, tenant_id, domain, content from legacy_row \
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
    models: &ReadModels,
    table: &Table,
    accounts: impl Iterator<Item = &'a Account>,
) -> Result<HashMap<String, Value>, CompareError> {
    let (mut keys, mut tenants, mut domains) = (Vec::new(), Vec::new(), Vec::new());
    for account in accounts.filter(|account| account.outcome == "imported") {
        keys.extend(account.stream_id);
        tenants.extend(account.tenant_id);
        domains.extend(account.domain.clone());
    }
    let sql = table
        .sql
        .replace("{domains}", &view_of_all(&models.domains, "domains"))
        .replace("{jobs}", &view_of_all(&models.jobs, "jobs"))
        .replace("{batch_jobs}", &view_of_all(&models.batch_jobs, "batch_jobs"))
        .replace("{sitemap_files}", &view_of_all(&models.sitemaps, "sitemap_files"));
    let found: Vec<(String, Value)> = sqlx::query_as(&sql)
        .bind(keys)
        .bind(tenants)
        .bind(domains)
        .fetch_all(&models.pool)
        .await?;
    Ok(found.into_iter().collect())
}
