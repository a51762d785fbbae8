//! Verifies the log. Positions are dense, streams have no gaps, leaves and bodies are unaltered, missing bodies were
//! erased by an event, every event can be read, and stored hashes match the events.
//!
//! Content is hashed outside the database. Nothing is locked, and no snapshot is held for longer than one read: events
//! do not change, and events that are appended meanwhile are left for the next verification.

mod bodies;
mod events;
mod finding;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub(super) use events::digests;
pub use finding::Finding;

use super::head::TreeHead;
use super::merkle::Hash;
use super::{EventLog, LogError};
use crate::values::versioned::DecodeError;

/// Reported findings; more are only counted.
const MAX_FINDINGS: usize = 100;

/// What to verify in addition to the consistency of the log.
#[derive(Clone, Debug, Default)]
pub struct VerifyOptions {
    /// A head that was kept outside the database: nothing before it may have changed.
    pub head: Option<TreeHead>,
    /// Whether this release can read each event.
    pub readable: Option<Readable>,
}

/// Returns whether an event can be read: type of stream, type of event, version, payload.
pub type Readable = fn(&str, &str, &str, &RawValue) -> Result<(), DecodeError>;

/// The result of a verification.
#[derive(Clone, Debug, Default)]
pub struct LogVerification {
    /// Events examined.
    pub events: u64,
    /// Bodies examined.
    pub bodies: u64,
    /// Bodies that were erased by an event.
    pub erased: u64,
    /// Tree head over all leaves in position order (RFC 9162).
    pub root: Hash,
    /// The problems, up to a hundred.
    pub findings: Vec<Finding>,
    /// The total number of problems.
    pub wrong: u64,
}

impl LogVerification {
    /// Whether there is no problem.
    pub fn holds(&self) -> bool {
        self.wrong == 0
    }

    fn report(&mut self, finding: Finding) {
        self.wrong += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

impl EventLog {
    /// Verifies all events and bodies up to the current head.
    pub async fn verify(&self) -> Result<LogVerification, LogError> {
        self.verify_with(&VerifyOptions::default()).await
    }

    /// The same with options.
    pub async fn verify_with(&self, options: &VerifyOptions) -> Result<LogVerification, LogError> {
        let mut found = LogVerification::default();
        // In one statement, so that no append comes between.
        let (head, last): (i64, i64) = sqlx::query_as(
            "select position, greatest(position, (select max(position) from events)) from log_head",
        )
        .fetch_one(&self.pool)
        .await?;
        events::verify(self, head, options, &mut found).await?;
        self.find_events_beyond(head, last, &mut found).await?;
        self.verify_streams(head, &mut found).await?;
        bodies::verify(&self.pool, &mut found).await?;
        self.verify_keys(head, &mut found).await?;
        Ok(found)
    }

    /// Events that no append put there: each moves the end.
    async fn find_events_beyond(
        &self,
        head: i64,
        last: i64,
        found: &mut LogVerification,
    ) -> Result<(), LogError> {
        let beyond: Vec<i64> = sqlx::query_scalar(
            "select position from events where (position > $1 and position <= $2) or position < 1 order by position",
        )
        .bind(head)
        .bind(last)
        .fetch_all(&self.pool)
        .await?;
        for position in beyond {
            found.report(Finding::EventBeyondEnd { position, head });
        }
        Ok(())
    }

    async fn verify_streams(&self, head: i64, found: &mut LogVerification) -> Result<(), LogError> {
        let broken: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "select aggregate_type, aggregate_id, count(*), max(sequence) from events where position <= $1 \
              group by aggregate_type, aggregate_id \
             having max(sequence) <> count(*) or min(sequence) <> 1 order by 1, 2",
        )
        .bind(head)
        .fetch_all(&self.pool)
        .await?;
        for (stream_type, stream_id, events, last_sequence) in broken {
            found.report(Finding::StreamBroken {
                stream_type,
                stream_id,
                events,
                last_sequence,
            });
        }
        Ok(())
    }

    /// A key's position is that of an event, or 0 for a command that wrote none into an empty log.
    async fn verify_keys(&self, head: i64, found: &mut LogVerification) -> Result<(), LogError> {
        let astray: Vec<(String, String, String, i64)> = sqlx::query_as(
            "select k.tenant_id::text, k.route, k.key, k.position from idempotency_key k \
               left join events e on e.position = k.position \
              where k.position <> 0 and e.position is null and (k.position <= $1 or k.position > (select position from log_head)) \
              order by k.position, k.route, k.key",
        )
        .bind(head)
        .fetch_all(&self.pool)
        .await?;
        for (tenant_id, route, key, position) in astray {
            found.report(Finding::KeyWithoutEvent {
                tenant_id,
                route,
                key,
                position,
            });
        }
        Ok(())
    }

    /// What was stored of stretches of the log: the hash of each node by its events, and the tree's root at each
    /// sealed segment's end.
    async fn stored_hashes(&self) -> Result<StoredHashes, LogError> {
        let nodes: Vec<(i16, i64, Vec<u8>)> = sqlx::query_as("select level, index, hash from log_tree_node")
            .fetch_all(&self.pool)
            .await?;
        let segments: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as("select first, last, root from log_segment")
            .fetch_all(&self.pool)
            .await?;
        let segments = segments
            .into_iter()
            .map(|(first, last, root)| (last, (first, root)));
        Ok(StoredHashes {
            nodes: nodes
                .into_iter()
                .map(|(level, index, hash)| ((level, index), hash))
                .collect(),
            segments: segments.collect(),
        })
    }
}

/// Hashes of stretches of the log that were stored when they were complete.
struct StoredHashes {
    /// By level and index.
    nodes: BTreeMap<(i16, i64), Vec<u8>>,
    /// First position and root by last position.
    segments: BTreeMap<i64, (i64, Vec<u8>)>,
}
