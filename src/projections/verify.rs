//! Compares the tables with the log. Rows are hashed in place, in short reads; the log is folded to the same position.
//! Differences are checked again, row by row and column by column, before they are reported.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::{Connection, PgConnection};

use super::apply::in_full;
use super::fold::{Fold, FoldOptions, Shard};
use super::generation::execute;
use super::pass::Passes;
use super::quarantine::{Quarantine, lock_live, refold};
use super::row_format::{BinaryRow, RowFormat, read_hash};
use super::rows::{from_json, row_error};
use super::subject::row_by_log;
use super::task::Claim;
use super::{Generation, Projection, ProjectionError};
use crate::log::EventLog;
use crate::turns::Steps;

/// Rows hashed in one read: at the rate at which rows are hashed, a fraction of a second.
const ROWS_PER_READ: i64 = 20_000;
/// Reported findings; more are only counted.
const MAX_FINDINGS: usize = 1000;
/// Rows that are compared one by one after a build. Comparing all of them at once is faster for more.
const MAX_SUSPECTS: usize = 1000;

/// A difference between a row and the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: Value,
    /// The kind of difference.
    #[serde(flatten)]
    pub difference: Difference,
}

/// How a row differs from the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub enum Difference {
    /// A column has another value.
    Changed {
        /// The column.
        column: String,
        /// By the log.
        by_log: Value,
        /// In the table.
        in_table: Value,
    },
    /// The row is missing: the log has events for it.
    Missing,
    /// The row is extra: the log has no events for it.
    Extra,
    /// The derived rows differ from the row.
    Derived {
        /// In words.
        what: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.table, self.key)?;
        match &self.difference {
            Difference::Changed {
                column,
                by_log,
                in_table,
            } => write!(
                f,
                "{column} is {in_table} in the table, but {by_log} according to the log"
            ),
            Difference::Missing => f.write_str("the row is missing"),
            Difference::Extra => f.write_str("the row is not in the log"),
            Difference::Derived { what } => f.write_str(what),
        }
    }
}

/// The result of a verification.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verification {
    /// Rows compared.
    pub rows: u64,
    /// Rows that were compared column by column, because their hashes differ or they changed meanwhile.
    pub rechecked: u64,
    /// Quarantined rows, which were not compared.
    pub parked: u64,
    /// The position that the log was folded to.
    pub position: i64,
    /// The problems, up to a thousand.
    pub findings: Vec<Finding>,
    /// Total number of wrong rows.
    pub wrong: u64,
    /// Rows that were repaired.
    pub repaired: u64,
}

/// Compares the live generation.
pub(super) async fn verify_live<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    options: FoldOptions,
    claim: Option<&Claim>,
) -> Result<Verification, ProjectionError> {
    let live = Generation::<P>::live(&mut *log.pool().acquire().await?).await?;
    match live {
        Some(live) => verify_generation::<P>(log, passes, live.number, options, claim).await,
        None => Ok(Verification::default()),
    }
}

/// Compares each row of a generation, and what is derived from it, with the log.
pub(super) async fn verify_generation<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    number: i32,
    options: FoldOptions,
    claim: Option<&Claim>,
) -> Result<Verification, ProjectionError> {
    let schema = Generation::<P>::new(number, 0).schema();
    let mut seen = hash_table::<P>(log, number, &schema).await?;
    let mut suspects = BTreeSet::new();
    let mut fold = Fold::<P>::new(log, passes, seen.last, seen.quarantined.clone(), options);
    while let Some(part) = fold.next_part(claim).await? {
        for shard in part {
            compare_shard::<P>(log, &schema, shard, &mut seen, &mut suspects).await?;
        }
    }
    examine::<P>(log, number, seen, suspects).await
}

/// The same for a generation whose tables were just filled, without folding the log again: its rows must be those that
/// were written. Rows that changed since are compared with the log.
pub(super) async fn verify_filled<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    number: i32,
    written: HashMap<P::Key, Option<i64>>,
    options: FoldOptions,
    claim: &Claim,
) -> Result<Verification, ProjectionError> {
    let schema = Generation::<P>::new(number, 0).schema();
    let mut seen = hash_table::<P>(log, number, &schema).await?;
    let differs = written
        .into_iter()
        .filter(|(key, by_log)| !is_same(seen.hashes.remove(key), *by_log));
    let suspects: BTreeSet<P::Key> = differs.map(|(key, _)| key).collect();
    if suspects.len() + seen.hashes.len() > MAX_SUSPECTS {
        return verify_generation::<P>(log, passes, number, options, Some(claim)).await;
    }
    examine::<P>(log, number, seen, suspects).await
}

/// Compares the suspects with the log, row by row, and the rows that remain in `seen`: they do not follow from the log.
async fn examine<P: Projection>(
    log: &EventLog,
    number: i32,
    mut seen: Hashed<P>,
    mut suspects: BTreeSet<P::Key>,
) -> Result<Verification, ProjectionError> {
    let schema = Generation::<P>::new(number, 0).schema();
    let mut found = Verification {
        rows: seen.rows,
        parked: u64::try_from(seen.quarantined.len()).unwrap_or(u64::MAX),
        position: seen.last,
        ..Verification::default()
    };
    suspects.extend(std::mem::take(&mut seen.hashes).into_keys());
    suspects.retain(|key| !seen.quarantined.has_row(key));
    found.rechecked = u64::try_from(suspects.len()).unwrap_or(u64::MAX);
    for key in suspects {
        let differences = compare_row::<P>(log, number, &schema, &key).await?;
        if !differences.is_empty() {
            found.wrong += 1;
            found.findings.extend(differences);
            found.findings.truncate(MAX_FINDINGS);
        }
    }
    verify_details::<P>(log, &schema, &mut found).await?;
    Ok(found)
}

/// The hashes of a table's rows, read piece by piece while the table is in use.
struct Hashed<P: Projection> {
    hashes: HashMap<P::Key, i64>,
    /// Their number at first; those that are compared are removed.
    rows: u64,
    quarantined: Quarantine<P>,
    /// Checkpoint before the first piece: rows that were not touched since are all of one state.
    first: i64,
    /// Checkpoint after the last piece.
    last: i64,
}

async fn hash_table<P: Projection>(
    log: &EventLog,
    number: i32,
    schema: &str,
) -> Result<Hashed<P>, ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let first = position::<P>(&mut connection, number).await?;
    let format = RowFormat::of_table(&mut connection, schema, P::NAME).await?;
    let (columns, named) = (P::KEY_COLUMNS.join(", "), named_key::<P>());
    let mut hashes = HashMap::new();
    let mut last_key: Option<String> = None;
    loop {
        let behind = match &last_key {
            Some(_) => format!(
                "where ({columns}) > (select {columns} from jsonb_populate_record(null::{schema}.{}, $2::jsonb))",
                P::NAME
            ),
            None => "where $2::text is null".to_owned(),
        };
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(&format!(
            "select {named}::text, {} from {schema}.{} t {behind} order by {columns} limit $1",
            format.hash_in_table(),
            P::NAME
        ))
        .bind(ROWS_PER_READ)
        .bind(&last_key)
        .fetch_all(&mut *connection)
        .await?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == ROWS_PER_READ);
        last_key = rows.last().map(|(key, ..)| key.clone());
        for (key, hash) in rows {
            let key = serde_json::from_str(&key).map_err(row_error::<P>)?;
            hashes.insert(key, read_hash(&hash));
        }
        if !full {
            break;
        }
    }
    let quarantined = Quarantine::<P>::load(&mut connection, number).await?;
    let last = position::<P>(&mut connection, number).await?;
    Ok(Hashed {
        rows: u64::try_from(hashes.len()).unwrap_or(u64::MAX),
        hashes,
        quarantined,
        first,
        last,
    })
}

/// `jsonb_build_object` over the key's columns.
fn named_key<P: Projection>() -> String {
    let fields: Vec<String> = P::KEY_COLUMNS
        .iter()
        .map(|column| format!("'{column}', {column}"))
        .collect();
    format!("jsonb_build_object({})", fields.join(", "))
}

async fn position<P: Projection>(connection: &mut PgConnection, number: i32) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select position from projection where name = $1 and shape = $2 and generation = $3")
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(number)
        .fetch_one(connection)
        .await
}

/// Removes equal rows from `seen`; rows that differ, or were written meanwhile, become suspects.
async fn compare_shard<P: Projection>(
    log: &EventLog,
    schema: &str,
    shard: Shard<P>,
    seen: &mut Hashed<P>,
    suspects: &mut BTreeSet<P::Key>,
) -> Result<(), ProjectionError> {
    let format = RowFormat::of_table(&mut *log.pool().acquire().await?, schema, P::NAME).await?;
    let (mut encoded, mut steps) = (BinaryRow::default(), Steps::default());
    for (key, (row, touched)) in shard {
        if touched > seen.first {
            seen.hashes.remove(&key);
            suspects.insert(key);
        } else if let Some(row) = row {
            format.encode(&row, &mut encoded)?;
            steps.did(encoded.bytes.len()).await;
            if !is_same(seen.hashes.remove(&key), format.hash(&encoded)) {
                suspects.insert(key);
            }
        }
    }
    Ok(())
}

/// Whether a row in the table has the hash of the row by the log.
fn is_same(in_table: Option<i64>, by_log: Option<i64>) -> bool {
    by_log.is_some() && in_table == by_log
}

/// One row against the log at the same point: its own events are read, and the checkpoint in the row's snapshot.
async fn compare_row<P: Projection>(
    log: &EventLog,
    number: i32,
    schema: &str,
    key: &P::Key,
) -> Result<Vec<Finding>, ProjectionError> {
    let mut connection = log.pool().acquire().await?;
    let (at, row): (i64, Option<String>) = sqlx::query_as(&format!(
        "select p.position, (select to_jsonb(t)::text from {schema}.{table} t \
             join jsonb_populate_record(null::{schema}.{table}, $4::jsonb) k using ({columns})) \
           from projection p where p.name = $1 and p.shape = $2 and p.generation = $3",
        table = P::NAME,
        columns = P::KEY_COLUMNS.join(", "),
    ))
    .bind(P::NAME)
    .bind(P::SHAPE)
    .bind(number)
    .bind(serde_json::to_string(key).map_err(row_error::<P>)?)
    .fetch_one(&mut *connection)
    .await?;
    compare::<P>(&mut connection, schema, key, row.as_deref(), at).await
}

/// A row as it is in the table (JSON) against the row that the log says there is at a position.
pub(super) async fn compare<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    key: &P::Key,
    in_table: Option<&str>,
    at: i64,
) -> Result<Vec<Finding>, ProjectionError> {
    let by_log = row_by_log::<P>(&mut *connection, key, at).await;
    let key = serde_json::to_value(key).map_err(row_error::<P>)?;
    let finding = |difference| Finding {
        table: P::NAME.to_owned(),
        key: key.clone(),
        difference,
    };
    let by_log = match by_log {
        Err(error) if error.is_about_one_row() => {
            let what = format!("cannot read the log: {}", in_full(&error));
            return Ok(vec![finding(Difference::Derived { what })]);
        }
        by_log => by_log?,
    };
    let (in_table, by_log) = match (in_table, by_log.as_ref()) {
        (Some(row), Some(by_log)) => (row, by_log),
        (None, Some(_)) => return Ok(vec![finding(Difference::Missing)]),
        (Some(_), None) => return Ok(vec![finding(Difference::Extra)]),
        (None, None) => return Ok(Vec::new()),
    };
    // In the form of the columns' types: microseconds, numbers, key order.
    let by_log: String = sqlx::query_scalar(&format!(
        "select to_jsonb(jsonb_populate_record(null::{schema}.{}, $1::jsonb))::text",
        P::NAME
    ))
    .bind(serde_json::to_string(by_log).map_err(row_error::<P>)?)
    .fetch_one(connection)
    .await?;
    let by_log: Map<String, Value> = serde_json::from_str(&by_log).map_err(row_error::<P>)?;
    let mut in_table: Map<String, Value> = serde_json::from_str(in_table).map_err(row_error::<P>)?;
    let mut findings = Vec::new();
    for (column, by_log) in by_log {
        let in_table = in_table.remove(&column).unwrap_or_default();
        if in_table != by_log {
            findings.push(finding(Difference::Changed {
                column,
                by_log,
                in_table,
            }));
        }
    }
    Ok(findings)
}

/// What is derived from rows, against the rows as they are.
async fn verify_details<P: Projection>(
    log: &EventLog,
    schema: &str,
    found: &mut Verification,
) -> Result<(), ProjectionError> {
    if P::DETAILED_ROWS == 0 {
        return Ok(());
    }
    let mut connection = log.pool().acquire().await?;
    let columns = P::KEY_COLUMNS.join(", ");
    let mut last_key: Option<String> = None;
    let mut findings = Vec::new();
    loop {
        // One snapshot for the rows and what is derived from them.
        let mut tx = connection.begin().await?;
        execute(
            &mut tx,
            "set transaction isolation level repeatable read, read only",
        )
        .await?;
        let behind = match &last_key {
            Some(_) => format!(
                "where ({columns}) > (select {columns} from jsonb_populate_record(null::{schema}.{}, $2::jsonb))",
                P::NAME
            ),
            None => "where $2::text is null".to_owned(),
        };
        let rows: Vec<String> = sqlx::query_scalar(&format!(
            "select to_jsonb(t)::text from {schema}.{} t {behind} order by {columns} limit $1",
            P::NAME
        ))
        .bind(P::DETAILED_ROWS)
        .bind(&last_key)
        .fetch_all(&mut *tx)
        .await?;
        let rows: Vec<P::Row> = rows
            .iter()
            .map(|row| from_json::<P>(row))
            .collect::<Result<_, _>>()?;
        findings.extend(P::verify_details(&mut tx, schema, &rows).await?);
        tx.commit().await?;
        last_key = match rows.last() {
            Some(row) => Some(serde_json::to_string(&P::key_of(row)).map_err(row_error::<P>)?),
            None => break,
        };
    }
    findings.extend(P::orphaned_details(&mut connection, schema).await?);
    let rows: BTreeSet<String> = findings.iter().map(|finding| finding.key.to_string()).collect();
    found.wrong += u64::try_from(rows.len()).unwrap_or(u64::MAX);
    found.findings.extend(findings);
    found.findings.truncate(MAX_FINDINGS);
    Ok(())
}

/// Compares the live generation and makes the rows that differ what the log says, each in a transaction in which the
/// runner waits.
pub(super) async fn repair_live<P: Projection>(
    log: &EventLog,
    passes: &Passes,
    options: FoldOptions,
    claim: Option<&Claim>,
) -> Result<Verification, ProjectionError> {
    let mut found = verify_live::<P>(log, passes, options, claim).await?;
    // A derived row without a row to derive it from has no key of ours.
    let mut keys = BTreeSet::new();
    for finding in &found.findings {
        keys.extend(P::Key::deserialize(&finding.key).ok());
    }
    if !found.findings.is_empty() {
        let mut tx = log.pool().begin().await?;
        if let Some(live) = lock_live::<P>(&mut tx).await? {
            P::remove_orphans(&mut tx, &live.schema()).await?;
            tx.commit().await?;
        }
    }
    for key in keys {
        let mut tx = log.pool().begin().await?;
        let Some(live) = lock_live::<P>(&mut tx).await? else {
            break;
        };
        refold::<P>(&mut tx, &live, &key).await?;
        tx.commit().await?;
        found.repaired += 1;
    }
    Ok(found)
}
