//! The outcome of each row: `legacy_row`.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use super::{ImportError, OldRow};
use crate::values::TenantId;

/// The outcome of a row.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) table: &'static str,
    pub(super) id: String,
    pub(super) outcome: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) notes: Vec<&'static str>,
    pub(super) tenant: Option<TenantId>,
    pub(super) stream: Option<Uuid>,
    pub(super) domain: Option<String>,
    pub(super) items: i64,
    /// The row, if it is imported.
    pub(super) content: Option<Value>,
}

impl Entry {
    pub(super) fn new(
        table: &'static str,
        id: String,
        outcome: &'static str,
        reason: Option<&'static str>,
    ) -> Self {
        Self {
            table,
            id,
            outcome,
            reason,
            notes: Vec::new(),
            tenant: None,
            stream: None,
            domain: None,
            items: 1,
            content: None,
        }
    }

    /// An imported row, unchanged.
    pub(super) fn imported(table: &'static str, row: &OldRow) -> Self {
        Self {
            content: Some(row.whole().clone()),
            ..Self::new(table, row.id(), "imported", None)
        }
    }

    pub(super) fn refused(table: &'static str, id: String, reason: &'static str) -> Self {
        Self::new(table, id, "refused", Some(reason))
    }
}

/// Rows of a table by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Imported rows.
    pub imported: i64,
    /// Merged into another row.
    pub merged: BTreeMap<String, i64>,
    /// Not imported, by reason.
    pub refused: BTreeMap<String, i64>,
    /// Imported with repairs, by the kind of repair.
    pub notes: BTreeMap<String, i64>,
}

impl Tally {
    /// All rows.
    pub fn rows(&self) -> i64 {
        self.imported + self.merged.values().sum::<i64>() + self.refused.values().sum::<i64>()
    }
}

/// The outcome of all rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// By table.
    pub tables: BTreeMap<String, Tally>,
    /// The rows that were not imported: table, id, reason.
    pub refused: Vec<(String, String, String)>,
}

/// The ids of a table's rows that are dealt with.
pub(super) async fn known(pool: &PgPool, table: &str) -> Result<HashSet<String>, ImportError> {
    let ids: Vec<String> = sqlx::query_scalar("select source_id from legacy_row where source_table = $1")
        .bind(table)
        .fetch_all(pool)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Forgets refused rows, so that they are retried: open work may have ended, or a batch may have arrived.
/// What was refused with a domain that was taken goes with it, and stays.
pub(super) async fn forget_refused_rows(pool: &PgPool) -> Result<(), ImportError> {
    sqlx::query(
        "delete from legacy_row where outcome = 'refused' \
            and (source_table in ('domains', 'jobs', 'batch_jobs') \
              or reason in ('domain_refused', 'no_domain', 'no_file', 'after_import', 'file_refused'))",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The rows that jobs are known by: stream and row.
pub(super) async fn known_streams(pool: &PgPool, table: &str) -> Result<Vec<(Uuid, String)>, ImportError> {
    Ok(sqlx::query_as(
        "select stream_id, source_id from legacy_row where source_table = $1 and stream_id is not null",
    )
    .bind(table)
    .fetch_all(pool)
    .await?)
}

/// Records the outcome of some rows, and which ids of domains are the predecessor's.
pub(super) async fn note(pool: &PgPool, entries: &[Entry]) -> Result<(), ImportError> {
    if entries.is_empty() {
        return Ok(());
    }
    let column = |of: &dyn Fn(&Entry) -> Option<String>| entries.iter().map(of).collect::<Vec<_>>();
    let mut tx = pool.begin().await?;
    sqlx::query(
        "insert into legacy_row (source_table, source_id, outcome, reason, notes, tenant_id, stream_id, domain, items, content) \
         select t, i, o, r, string_to_array(n, ' '), te, s, d, c, j \
           from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::bigint[], $10::jsonb[]) \
             as e(t, i, o, r, n, te, s, d, c, j) \
         on conflict (source_table, source_id) do nothing",
    )
    .bind(column(&|entry| Some(entry.table.to_owned())))
    .bind(column(&|entry| Some(entry.id.clone())))
    .bind(column(&|entry| Some(entry.outcome.to_owned())))
    .bind(column(&|entry| entry.reason.map(str::to_owned)))
    .bind(column(&|entry| Some(entry.notes.join(" "))))
    .bind(entries.iter().map(|entry| entry.tenant.map(|tenant| tenant.0)).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.stream).collect::<Vec<_>>())
    .bind(column(&|entry| entry.domain.clone()))
    .bind(entries.iter().map(|entry| entry.items).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.content.clone()).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    let named: Vec<(&Entry, Uuid)> = entries
        .iter()
        .filter(|entry| entry.table == "domains" && entry.outcome == "imported")
        .filter_map(|entry| Some((entry, Uuid::try_parse(&entry.id).ok()?)))
        .collect();
    sqlx::query(
        "insert into legacy_domain_id (tenant_id, domain, domain_id) \
         select * from unnest($1::uuid[], $2::text[], $3::uuid[]) on conflict do nothing",
    )
    .bind(
        named
            .iter()
            .map(|(entry, _)| entry.tenant.map(|tenant| tenant.0))
            .collect::<Vec<_>>(),
    )
    .bind(
        named
            .iter()
            .map(|(entry, _)| entry.domain.clone())
            .collect::<Vec<_>>(),
    )
    .bind(named.iter().map(|(_, id)| *id).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// The outcome of all imported rows.
pub(super) async fn report(pool: &PgPool) -> Result<Report, ImportError> {
    let mut report = Report::default();
    let counts: Vec<(String, String, Option<String>, i64)> = sqlx::query_as(
        "select source_table, outcome, reason, sum(items)::bigint from legacy_row group by 1, 2, 3 order by 1, 2, 3",
    )
    .fetch_all(pool)
    .await?;
    for (table, outcome, reason, rows) in counts {
        let tally = report.tables.entry(table).or_default();
        let reason = reason.unwrap_or_default();
        match outcome.as_str() {
            "imported" => tally.imported += rows,
            "merged" => *tally.merged.entry(reason).or_default() += rows,
            _ => *tally.refused.entry(reason).or_default() += rows,
        }
    }
    let notes: Vec<(String, String, i64)> = sqlx::query_as(
        "select source_table, note, sum(items)::bigint from legacy_row, unnest(notes) as note group by 1, 2",
    )
    .fetch_all(pool)
    .await?;
    for (table, note, rows) in notes {
        report.tables.entry(table).or_default().notes.insert(note, rows);
    }
    report.refused = sqlx::query_as(
        "select source_table, source_id, coalesce(reason, '') from legacy_row where outcome = 'refused' order by 1, 3, 2",
    )
    .fetch_all(pool)
    .await?;
    Ok(report)
}
