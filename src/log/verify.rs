//! Does the log still say what it said? Positions dense, streams without gaps, leaves and bodies unaltered.

use sqlx::Row;

use super::merkle::{Hash, MerkleTree, leaf_hash};
use super::{EventLog, LogError};

/// Events looked at in one read; no snapshot is held longer than that takes.
const PAGE: i64 = 5000;
/// Findings told; more are only counted.
const MAX_FINDINGS: usize = 100;

/// What a verification came to.
#[derive(Clone, Debug, Default)]
pub struct LogVerification {
    /// Events looked at.
    pub events: u64,
    /// Bodies looked at.
    pub bodies: u64,
    /// Tree head over all leaves in position order (RFC 9162).
    pub root: Hash,
    /// What is wrong, up to a hundred.
    pub findings: Vec<String>,
    /// How much is wrong in all.
    pub wrong: u64,
}

impl LogVerification {
    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.wrong == 0
    }

    fn report(&mut self, finding: String) {
        self.wrong += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }
}

impl EventLog {
    /// Looks at every event and body up to the present head.
    pub async fn verify(&self) -> Result<LogVerification, LogError> {
        let mut found = LogVerification::default();
        let head = self.head().await?;
        self.verify_events(head, &mut found).await?;
        self.verify_streams(head, &mut found).await?;
        self.verify_bodies(&mut found).await?;
        Ok(found)
    }

    async fn verify_events(&self, head: i64, found: &mut LogVerification) -> Result<(), LogError> {
        let mut tree = MerkleTree::default();
        let mut last = 0;
        while last < head {
            let rows = sqlx::query(
                "select position, leaf, jsonb_build_array(position, event_id, aggregate_type, aggregate_id, sequence, \
                   event_type, event_version, to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
                   tenant_id, payload, metadata)::text as content \
                   from events where position > $1 and position <= $2 order by position limit $3",
            )
            .bind(last)
            .bind(head)
            .bind(PAGE)
            .fetch_all(&self.pool)
            .await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (position, leaf, content): (i64, Vec<u8>, String) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                if position != last + 1 {
                    found.report(format!("events {} to {} are missing", last + 1, position - 1));
                }
                let hash = leaf_hash(content.as_bytes());
                if leaf != hash {
                    found.report(format!(
                        "event {position} was altered: its hash does not fit what it says"
                    ));
                }
                tree.push(hash);
                found.events += 1;
                last = position;
            }
        }
        if last < head {
            found.report(format!("events {} to {head} are missing", last + 1));
        }
        found.root = tree.root();
        Ok(())
    }

    async fn verify_streams(&self, head: i64, found: &mut LogVerification) -> Result<(), LogError> {
        let broken: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "select aggregate_type, aggregate_id, max(sequence), count(*) from events where position <= $1 \
              group by aggregate_type, aggregate_id having max(sequence) <> count(*) limit 100",
        )
        .bind(head)
        .fetch_all(&self.pool)
        .await?;
        for (kind, id, last, count) in broken {
            found.report(format!(
                "stream {kind}/{id} has {count} events, the last of which is number {last}"
            ));
        }
        Ok(())
    }

    async fn verify_bodies(&self, found: &mut LogVerification) -> Result<(), LogError> {
        let mut last: Vec<u8> = Vec::new();
        loop {
            let rows = sqlx::query(
                "select digest, salt, bytes from event_body where digest > $1 order by digest limit $2",
            )
            .bind(&last)
            .bind(PAGE / 10)
            .fetch_all(&self.pool)
            .await?;
            let Some(final_row) = rows.last() else {
                return Ok(());
            };
            last = final_row.try_get(0)?;
            for row in &rows {
                let (digest, salt, bytes): (Vec<u8>, Vec<u8>, Vec<u8>) =
                    (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                if !super::body::is_intact(&digest, &salt, &bytes) {
                    found.report(format!(
                        "body {} was altered: its digest does not fit its content",
                        hex::encode(digest)
                    ));
                }
                found.bodies += 1;
            }
        }
    }
}
