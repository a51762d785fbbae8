//! The log's Merkle tree: its heads, and proofs.
//!
//! The leaves are in `events`. The hashes of complete subtrees of 2¹⁰ leaves and more are stored in `log_tree_node`,
//! so a proof over millions of events reads a few hundred hashes. These hashes are derived, never change, and `log
//! verify` checks them.

use std::ops::Range;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::head::{Checkpoint, TreeHead};
use super::merkle::{Hash, MerkleTree, NodeId, complete_subtrees, empty_root, fold_subtrees};
use super::proof::{consistency_path, inclusion_path};
use super::{EventLog, LogError};

/// Nodes from this level on are stored: one row per 1,024 events, and as many again above them.
pub(super) const STORED_LEVEL: u32 = 10;
/// Stored nodes of the lowest level that are made in one read of their leaves (2 MiB).
const NODES_PER_READ: u64 = 64;
/// How often the stored hashes are updated; a proof updates them itself if they lag.
const EXTEND_EVERY: Duration = Duration::from_secs(10);

/// A proof that an event is in the log: its canonical content, and the hashes along its path to the root.
#[derive(Clone, Debug, PartialEq)]
pub struct InclusionProof {
    /// The position of the event; its leaf is number `position - 1`.
    pub position: i64,
    /// The text whose hash is the leaf.
    pub content: String,
    /// The leaf as the log has it.
    pub leaf: Hash,
    /// From the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The head of the tree it is proven to be in.
    pub checkpoint: Checkpoint,
}

/// A proof that the log only grew between two heads.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsistencyProof {
    /// The earlier head.
    pub old: TreeHead,
    /// In the order of RFC 9162.
    pub path: Vec<Hash>,
    /// The later head.
    pub checkpoint: Checkpoint,
}

/// Why there is no such proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The position or size is not within the log.
    #[error("{asked} is not between 1 and {size}, the number of events that the proof covers")]
    OutOfRange {
        /// The requested value.
        asked: u64,
        /// Events in the tree.
        size: u64,
    },
    /// The size is beyond the log's end.
    #[error("the log has only {head} events, not {asked}")]
    TooLarge {
        /// The requested value.
        asked: u64,
        /// Events there are.
        head: u64,
    },
    /// The log cannot be read, or is not whole.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl EventLog {
    /// The head of the tree over the first `size` events; over all of them by default.
    pub async fn checkpoint(&self, size: Option<u64>) -> Result<Checkpoint, ProofError> {
        self.extend_tree().await?;
        let size = self.tree_size(size).await?;
        Ok(Checkpoint {
            origin: self.origin().await?,
            head: self.tree_head(size).await?,
        })
    }

    /// Proves that the event at a position is in the tree over the first `size` events.
    pub async fn prove_inclusion(
        &self,
        position: i64,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError> {
        let checkpoint = self.checkpoint(size).await?;
        let size = checkpoint.head.size;
        let asked = u64::try_from(position).unwrap_or(0);
        let path = asked.checked_sub(1).and_then(|index| inclusion_path(index, size));
        let path = path.ok_or(ProofError::OutOfRange { asked, size })?;
        let (content, leaf): (String, Vec<u8>) = sqlx::query_as(&format!(
            "select {content}, leaf from events where position = $1",
            content = super::event::CANONICAL
        ))
        .bind(position)
        .fetch_one(&self.pool)
        .await
        .map_err(LogError::from)?;
        Ok(InclusionProof {
            position,
            content,
            leaf: hash_of(&leaf, asked - 1)?,
            path: self.nodes(&path).await?,
            checkpoint,
        })
    }

    /// Proves that the tree over the first `size` events continues the one over the first `old`.
    pub async fn prove_consistency(
        &self,
        old: u64,
        size: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError> {
        let checkpoint = self.checkpoint(size).await?;
        let size = checkpoint.head.size;
        let path = consistency_path(old, size).ok_or(ProofError::OutOfRange { asked: old, size })?;
        Ok(ConsistencyProof {
            old: self.tree_head(old).await?,
            path: self.nodes(&path).await?,
            checkpoint,
        })
    }

    /// Stores the hash of each complete subtree of 1,024 events or more that is not stored yet. Doing it twice, or in
    /// two processes at once, changes nothing.
    pub async fn extend_tree(&self) -> Result<(), LogError> {
        let head = u64::try_from(self.head().await?).unwrap_or(0);
        let whole = head >> STORED_LEVEL;
        let stored: Option<i64> = sqlx::query_scalar("select max(index) from log_tree_node where level = $1")
            .bind(level_column(STORED_LEVEL))
            .fetch_one(&self.pool)
            .await?;
        let mut known = stored.and_then(|last| u64::try_from(last + 1).ok()).unwrap_or(0);
        if known >= whole {
            return Ok(());
        }
        let mut tree = self.tree_of(known << STORED_LEVEL).await?;
        while known < whole {
            let until = (known + NODES_PER_READ).min(whole);
            let leaves = self.leaves(known << STORED_LEVEL..until << STORED_LEVEL).await?;
            let mut nodes = Vec::new();
            for part in leaves.chunks(1 << STORED_LEVEL) {
                let hash = root_of(part);
                tree.push_subtree(STORED_LEVEL, hash, |node, hash| nodes.push((node, hash)));
            }
            self.store_nodes(&nodes).await?;
            known = until;
        }
        Ok(())
    }

    /// The tree over the first `size` events, ready to grow.
    pub(super) async fn tree_of(&self, size: u64) -> Result<MerkleTree, LogError> {
        let mut hashes = Vec::new();
        for part in complete_subtrees(0..size) {
            hashes.push(self.node(part).await?);
        }
        Ok(MerkleTree::of_subtrees(size, &hashes).expect("one hash was read for each subtree"))
    }

    async fn tree_size(&self, size: Option<u64>) -> Result<u64, ProofError> {
        let head = u64::try_from(self.head().await?).unwrap_or(0);
        match size {
            Some(asked) if asked > head => Err(ProofError::TooLarge { asked, head }),
            Some(asked) => Ok(asked),
            None => Ok(head),
        }
    }

    /// The head over the first `size` events, which must be there.
    pub(super) async fn tree_head(&self, size: u64) -> Result<TreeHead, LogError> {
        let root = if size == 0 {
            empty_root()
        } else {
            self.range(0..size).await?
        };
        Ok(TreeHead { size, root })
    }

    async fn origin(&self) -> Result<String, LogError> {
        let first = if self.head().await? == 0 {
            Vec::new()
        } else {
            self.leaves(0..1).await?
        };
        Ok(Checkpoint::origin_of(first.first()))
    }

    async fn nodes(&self, path: &[Range<u64>]) -> Result<Vec<Hash>, LogError> {
        let mut hashes = Vec::with_capacity(path.len());
        for node in path {
            hashes.push(self.range(node.clone()).await?);
        }
        Ok(hashes)
    }

    /// The hash of a node of some tree, complete or reaching to its right edge.
    async fn range(&self, leaves: Range<u64>) -> Result<Hash, LogError> {
        let mut hashes = Vec::new();
        for part in complete_subtrees(leaves) {
            hashes.push(self.node(part).await?);
        }
        Ok(fold_subtrees(&hashes).unwrap_or_else(empty_root))
    }

    /// The hash of a complete subtree: stored, or out of what is below it.
    async fn node(&self, node: NodeId) -> Result<Hash, LogError> {
        if node.level < STORED_LEVEL {
            return Ok(root_of(&self.leaves(node.leaves()).await?));
        }
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("select hash from log_tree_node where level = $1 and index = $2")
                .bind(level_column(node.level))
                .bind(i64::try_from(node.index).unwrap_or(i64::MAX))
                .fetch_optional(&self.pool)
                .await?;
        if let Some(hash) = stored.and_then(|hash| hash.try_into().ok()) {
            return Ok(hash);
        }
        if node.level == STORED_LEVEL {
            return Ok(root_of(&self.leaves(node.leaves()).await?));
        }
        let child = |index| NodeId {
            level: node.level - 1,
            index,
        };
        let left = Box::pin(self.node(child(node.index * 2))).await?;
        let right = Box::pin(self.node(child(node.index * 2 + 1))).await?;
        Ok(super::merkle::node_hash(&left, &right))
    }

    /// The leaves of a range, counted from 0.
    async fn leaves(&self, range: Range<u64>) -> Result<Vec<Hash>, LogError> {
        let position = |leaf: u64| i64::try_from(leaf).unwrap_or(i64::MAX);
        let leaves: Vec<Vec<u8>> = sqlx::query_scalar(
            "select leaf from events where position > $1 and position <= $2 order by position",
        )
        .bind(position(range.start))
        .bind(position(range.end))
        .fetch_all(&self.pool)
        .await?;
        if u64::try_from(leaves.len()).ok() != Some(range.end - range.start) {
            return Err(LogError::Incomplete {
                first: position(range.start + 1),
                last: position(range.end),
            });
        }
        (range.start..)
            .zip(&leaves)
            .map(|(index, leaf)| hash_of(leaf, index))
            .collect()
    }

    async fn store_nodes(&self, nodes: &[(NodeId, Hash)]) -> Result<(), LogError> {
        sqlx::query(
            "insert into log_tree_node (level, index, hash) \
             select * from unnest($1::smallint[], $2::bigint[], $3::bytea[]) on conflict do nothing",
        )
        .bind(
            nodes
                .iter()
                .map(|(node, _)| level_column(node.level))
                .collect::<Vec<_>>(),
        )
        .bind(
            nodes
                .iter()
                .map(|(node, _)| i64::try_from(node.index).unwrap_or(i64::MAX))
                .collect::<Vec<_>>(),
        )
        .bind(nodes.iter().map(|(_, hash)| hash.as_slice()).collect::<Vec<_>>())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Keeps the stored nodes up to date until it is stopped.
pub async fn keep_tree(log: EventLog, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = log.extend_tree().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "Cannot extend the log's tree; retrying"
            );
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EXTEND_EVERY) => {}
        }
    }
}

pub(super) fn level_column(level: u32) -> i16 {
    i16::try_from(level).expect("a tree is at most 63 levels high")
}

fn root_of(leaves: &[Hash]) -> Hash {
    let mut tree = MerkleTree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    tree.root()
}

/// A leaf that is not a SHA-256 hash was not written by sitelog.
fn hash_of(leaf: &[u8], index: u64) -> Result<Hash, LogError> {
    let position = i64::try_from(index + 1).unwrap_or(i64::MAX);
    leaf.try_into().map_err(|_| LogError::Incomplete {
        first: position,
        last: position,
    })
}
