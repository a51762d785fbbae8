//! Quarantined rows: an event could not be applied to them. Such a row keeps its content, its later events wait, and a
//! retry folds it again from the log.
//!
//! The table, the columns and the JSON fields have an older name for it: `projection_parked`, `parked_at`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::apply::{fold, in_full};
use super::subject::{facts_of, key_of_stream};
use super::{Change, Fact, Generation, Projection, ProjectionError, rows};
use crate::log::{EventLog, LogEvent};

/// The quarantined row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum QuarantinedKey<K> {
    /// A stream of which no event can be read, so that it is not known which row it is about.
    Stream {
        /// The stream.
        stream: StreamName,
    },
    /// A row.
    Row(K),
}

/// Names a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamName {
    /// Kind of aggregate.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its ID.
    pub id: String,
}

/// An event that could not be applied.
#[derive(Clone, Debug)]
pub(super) struct Poison<P: Projection> {
    pub(super) key: QuarantinedKey<P::Key>,
    pub(super) position: i64,
    pub(super) error: String,
}

impl<P: Projection> Poison<P> {
    pub(super) fn row(key: P::Key, position: i64, error: String) -> Self {
        Self {
            key: QuarantinedKey::Row(key),
            position,
            error,
        }
    }

    /// The row, if it is known.
    pub(super) fn row_key(&self) -> Option<&P::Key> {
        match &self.key {
            QuarantinedKey::Row(key) => Some(key),
            QuarantinedKey::Stream { .. } => None,
        }
    }

    /// An event that cannot be read: the row is known if any other event of its stream can.
    pub(super) async fn unreadable(
        connection: &mut PgConnection,
        event: &LogEvent,
        error: String,
    ) -> Result<Self, ProjectionError> {
        let row = key_of_stream::<P>(connection, &event.aggregate_type, &event.aggregate_id).await?;
        let stream = StreamName {
            kind: event.aggregate_type.clone(),
            id: event.aggregate_id.clone(),
        };
        Ok(Self {
            key: row.map_or(QuarantinedKey::Stream { stream }, QuarantinedKey::Row),
            position: event.position,
            error,
        })
    }
}

/// The quarantined rows of a generation, each with the position from which its events wait.
pub(super) struct Quarantine<P: Projection> {
    rows: BTreeMap<P::Key, i64>,
    streams: BTreeMap<StreamName, i64>,
}

// Not derived: that would ask the projection itself to be Clone.
impl<P: Projection> Clone for Quarantine<P> {
    fn clone(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            streams: self.streams.clone(),
        }
    }
}

impl<P: Projection> Default for Quarantine<P> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }
}

impl<P: Projection> Quarantine<P> {
    /// Reads it from the database.
    pub(super) async fn load(
        connection: &mut PgConnection,
        generation: i32,
    ) -> Result<Self, ProjectionError> {
        let found: Vec<(String, i64)> = sqlx::query_as(
            "select key::text, position from projection_parked where name = $1 and shape = $2 and generation = $3",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(generation)
        .fetch_all(connection)
        .await?;
        let mut quarantined = Self::default();
        for (key, position) in found {
            let key = serde_json::from_str(&key).map_err(|source| ProjectionError::Row {
                table: "projection_parked",
                source,
            })?;
            quarantined.add(key, position);
        }
        Ok(quarantined)
    }

    /// Quarantines one more; what is quarantined already stays so from its first event on.
    pub(super) fn add(&mut self, key: QuarantinedKey<P::Key>, position: i64) {
        let first = match key {
            QuarantinedKey::Row(key) => self.rows.entry(key).or_insert(position),
            QuarantinedKey::Stream { stream } => self.streams.entry(stream).or_insert(position),
        };
        *first = position.min(*first);
    }

    /// Whether a fact has to wait.
    pub(super) fn holds(&self, key: &P::Key, fact: &Fact) -> bool {
        if self.is_empty() {
            return false;
        }
        let row = self.rows.get(key);
        let stream = self.streams.get(&fact.stream());
        row.into_iter().chain(stream).any(|from| *from <= fact.position)
    }

    /// Whether a row is quarantined.
    pub(super) fn has_row(&self, key: &P::Key) -> bool {
        self.rows.contains_key(key)
    }

    /// Whether nothing is quarantined.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.streams.is_empty()
    }

    /// Number of quarantined rows and streams.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.streams.len()
    }
}

/// Quarantines rows; a row that is already stays where it is.
pub(super) async fn quarantine<P: Projection>(
    connection: &mut PgConnection,
    generation: i32,
    poison: &[Poison<P>],
) -> Result<(), ProjectionError> {
    for one in poison {
        let key = to_text(&one.key)?;
        tracing::error!(
            position = one.position,
            "Projection {} quarantined {key}: {}",
            P::NAME,
            one.error
        );
        sqlx::query(
            "insert into projection_parked (name, shape, generation, key, position, error) \
             values ($1, $2, $3, $4::jsonb, $5, $6) on conflict do nothing",
        )
        .bind(P::NAME)
        .bind(P::SHAPE)
        .bind(generation)
        .bind(key)
        .bind(one.position)
        .bind(&one.error)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn to_text<T: Serialize>(key: &T) -> Result<String, ProjectionError> {
    serde_json::to_string(key).map_err(|source| ProjectionError::Row {
        table: "projection_parked",
        source,
    })
}

/// A quarantined row.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
#[schema(as = ParkedRow)]
pub struct QuarantinedRow {
    /// The name of the projection.
    pub name: String,
    /// The generation of the projection.
    pub generation: i32,
    /// The row's key, or `{"stream": {"type", "id"}}`.
    #[schema(value_type = Object)]
    pub key: serde_json::Value,
    /// The position of the first event that is missing in the row.
    pub position: i64,
    /// Why the event could not be applied.
    pub error: String,
    /// Number of attempts.
    pub attempts: i32,
    /// When the row was quarantined.
    pub parked_at: DateTime<Utc>,
}

/// The quarantined rows of the live generations, oldest first.
pub async fn list(pool: &sqlx::PgPool, limit: i64) -> Result<Vec<QuarantinedRow>, ProjectionError> {
    Ok(sqlx::query_as(
        "select k.name, k.generation, k.key, k.position, k.error, k.attempts, k.parked_at \
           from projection_parked k join projection p using (name, shape, generation) \
          where p.state = 'live' order by k.parked_at, k.position limit $1",
    )
    .bind(limit)
    .fetch_all(pool)
    .await?)
}

/// The result of a retry.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Retried {
    /// Rows that match the log again.
    pub released: u64,
    /// Rows that are still quarantined.
    pub still_parked: u64,
}

/// Folds the quarantined rows of the live generation again, each in its own transaction, in which the runner waits.
pub(super) async fn retry<P: Projection>(log: &EventLog) -> Result<Retried, ProjectionError> {
    let keys: Vec<String> = sqlx::query_scalar(
        "select k.key::text from projection_parked k join projection p using (name, shape, generation) \
          where p.state = 'live' and p.name = $1 and p.shape = $2 order by k.position",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_all(log.pool())
    .await?;
    let mut retried = Retried::default();
    for text in keys {
        let mut tx = log.pool().begin().await?;
        let Some(live) = lock_live::<P>(&mut tx).await? else {
            continue;
        };
        let error = match retry_one::<P>(&mut tx, &live, &text).await {
            Ok(()) => None,
            Err(error) if error.is_about_one_row() => Some(in_full(&error)),
            Err(error) => return Err(error),
        };
        if let Some(error) = error {
            tx.rollback().await?;
            retried.still_parked += 1;
            sqlx::query(
                "update projection_parked set attempts = attempts + 1, error = $5 \
                  where name = $1 and shape = $2 and generation = $3 and key = $4::jsonb",
            )
            .bind(P::NAME)
            .bind(P::SHAPE)
            .bind(live.number)
            .bind(&text)
            .bind(error)
            .execute(log.pool())
            .await?;
        } else {
            sqlx::query(
                "delete from projection_parked where name = $1 and shape = $2 and generation = $3 and key = $4::jsonb",
            )
            .bind(P::NAME)
            .bind(P::SHAPE)
            .bind(live.number)
            .bind(&text)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            retried.released += 1;
        }
    }
    Ok(retried)
}

/// The live generation with its row locked: the runner waits, so its position does not change.
pub(super) async fn lock_live<P: Projection>(
    connection: &mut PgConnection,
) -> Result<Option<Generation<P>>, sqlx::Error> {
    let found: Option<(i32, i64)> = sqlx::query_as(
        "select generation, position from projection where name = $1 and shape = $2 and state = 'live' for update",
    )
    .bind(P::NAME)
    .bind(P::SHAPE)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(number, position)| Generation::new(number, position)))
}

async fn retry_one<P: Projection>(
    connection: &mut PgConnection,
    live: &Generation<P>,
    text: &str,
) -> Result<(), ProjectionError> {
    let key: QuarantinedKey<P::Key> = serde_json::from_str(text).map_err(|source| ProjectionError::Row {
        table: "projection_parked",
        source,
    })?;
    let key = match key {
        QuarantinedKey::Row(key) => Some(key),
        QuarantinedKey::Stream { stream } => {
            key_of_stream::<P>(&mut *connection, &stream.kind, &stream.id).await?
        }
    };
    let Some(key) = key else {
        return Err(ProjectionError::StillUnreadable);
    };
    refold::<P>(connection, live, &key).await
}

/// Sets one row to the state of the log at the generation's position.
pub(super) async fn refold<P: Projection>(
    connection: &mut PgConnection,
    generation: &Generation<P>,
    key: &P::Key,
) -> Result<(), ProjectionError> {
    let facts = facts_of::<P>(&mut *connection, key, generation.position).await?;
    let (after, refused) = fold::<P>(None, &facts.iter().collect::<Vec<_>>());
    if let Some((position, error)) = refused {
        return Err(ProjectionError::Refused { position, error });
    }
    let schema = generation.schema();
    let change = Change {
        key: key.clone(),
        before: None,
        after,
    };
    rows::write::<P>(connection, &schema, &[change]).await
}
