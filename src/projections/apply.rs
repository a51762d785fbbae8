//! Applies a page of events: the rows of the page are loaded as a set, folded, and written as a set. If an event
//! cannot be applied to a row, that row is quarantined; all others continue.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{Connection, PgConnection};

use super::quarantine::{Poison, Quarantine};
use super::{Change, Fact, Projection, ProjectionError, rows};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// All rows together; a row that the database refuses fails the page.
    Batch,
    /// Under savepoints, halving the page until the refused rows are isolated.
    Bisect,
}

/// Folds a page into its rows and writes those that changed. Returns what could not be applied.
pub(super) async fn apply<P: Projection>(
    connection: &mut PgConnection,
    schema: &str,
    facts: &[Fact],
    quarantined: &Quarantine<P>,
    care: WriteMode,
) -> Result<Vec<Poison<P>>, ProjectionError> {
    let mut by_key: BTreeMap<P::Key, Vec<&Fact>> = BTreeMap::new();
    for fact in facts {
        if let Some(key) = P::key(fact).filter(|key| !quarantined.holds(key, fact)) {
            by_key.entry(key).or_default().push(fact);
        }
    }
    if by_key.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<P::Key> = by_key.keys().cloned().collect();
    let mut known = rows::load::<P>(connection, schema, &keys).await?;
    let mut poison = Vec::new();
    let mut changed = Vec::new();
    for (key, facts) in by_key {
        let before = known.remove(&key);
        let (after, refused) = fold::<P>(before.clone(), &facts);
        poison.extend(refused.map(|(position, error)| Poison::row(key.clone(), position, error)));
        if before != after {
            let last = facts.last().map_or(0, |fact| fact.position);
            changed.push((last, Change { key, before, after }));
        }
    }
    match care {
        WriteMode::Batch => {
            let changes: Vec<_> = changed.into_iter().map(|(_, change)| change).collect();
            rows::write::<P>(connection, schema, &changes).await?;
        }
        WriteMode::Bisect => {
            let (positions, changes): (Vec<_>, Vec<_>) = changed.into_iter().unzip();
            write_bisecting::<P>(connection, schema, &changes, &positions, &mut poison).await?;
        }
    }
    Ok(poison)
}

/// The row after some events, and where and why it went no further.
pub(super) fn fold<P: Projection>(
    before: Option<P::Row>,
    facts: &[&Fact],
) -> (Option<P::Row>, Option<(i64, String)>) {
    let all = |row| facts.iter().fold(row, |row, fact| P::evolve(row, fact));
    let spare = before.clone();
    if let Ok(after) = catch_unwind(AssertUnwindSafe(|| all(before))) {
        return (after, None);
    }
    // Again one by one, because a panic loses the row.
    let mut row = spare;
    for fact in facts {
        let given = row.clone();
        match catch_unwind(AssertUnwindSafe(|| P::evolve(given, fact))) {
            Ok(after) => row = after,
            Err(panic) => return (row, Some((fact.position, words(panic.as_ref())))),
        }
    }
    (row, None)
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "the projection panicked: {}",
        text.as_deref().unwrap_or("no message")
    )
}

fn write_bisecting<'a, P: Projection>(
    connection: &'a mut PgConnection,
    schema: &'a str,
    changes: &'a [Change<P>],
    positions: &'a [i64],
    poison: &'a mut Vec<Poison<P>>,
) -> BoxFuture<'a, Result<(), ProjectionError>> {
    async move {
        let mut savepoint = connection.begin().await?;
        match rows::write::<P>(&mut savepoint, schema, changes).await {
            Ok(()) => savepoint.commit().await?,
            Err(error) if error.is_about_data() => {
                savepoint.rollback().await?;
                if let ([change], [position]) = (changes, positions) {
                    poison.push(Poison::row(change.key.clone(), *position, in_full(&error)));
                } else {
                    let middle = changes.len() / 2;
                    let (left, right) = (changes.split_at(middle), positions.split_at(middle));
                    write_bisecting::<P>(&mut *connection, schema, left.0, right.0, &mut *poison).await?;
                    write_bisecting::<P>(connection, schema, left.1, right.1, poison).await?;
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
    .boxed()
}

/// An error with its causes.
pub(super) fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
