//! Verifies events: each one has its position in the log and in its stream, its leaf matches its content, and the
//! whole matches the recorded heads.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt, TryStreamExt};
use memchr::memmem;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use sqlx::{PgPool, Row};

use super::bodies::{self, Digest};
use super::{Finding, LogVerification, Readable, StoredHashes, VerifyOptions};
use crate::log::erase::ERASING_TYPES;
use crate::log::event::CANONICAL;
use crate::log::merkle::{Hash, MerkleTree, NodeId, empty_root, leaf_hash};
use crate::log::tree::{STORED_LEVEL, level_column};
use crate::log::{EventLog, LogError};
use crate::values::versioned::DecodeError;

/// Events examined in one read.
const CHUNK: i64 = 4096;
/// Concurrent reads: the database formats some events while others are hashed here.
const READERS: usize = 3;
/// How the canonical text names the body that an event refers to. Within a text, the quotes would be escaped.
const DIGEST_FIELD: &[u8] = b"\"digest\": \"";

/// Looks at the events up to the head, and at what was stored or kept of them.
pub(super) async fn verify(
    log: &EventLog,
    head: i64,
    options: &VerifyOptions,
    found: &mut LogVerification,
) -> Result<(), LogError> {
    let mut course = VerificationRun::new(log.stored_hashes().await?, options);
    let readable = options.readable;
    let starts = (0..).map(|n| n * CHUNK).take_while(|after| *after < head);
    let reads = futures::stream::iter(starts).map(|after| {
        let (pool, until) = (log.pool.clone(), (after + CHUNK).min(head));
        tokio::spawn(async move { read(&pool, after, until, readable).await })
    });
    let mut chunks = reads.buffered(READERS);
    while let Some(chunk) = chunks.try_next().await.map_err(|_| LogError::Closed)? {
        course.take(chunk?, found);
    }
    course.finish(head, found);
    Ok(())
}

/// A stretch of the log as it is.
struct Chunk {
    after: i64,
    /// The hash of what each event says, in order; a missing one has none.
    hashes: Vec<Option<Hash>>,
    findings: Vec<Finding>,
    misfits: Vec<LeafMismatch>,
    erased: HashSet<Digest>,
}

/// An event that its leaf does not fit.
struct LeafMismatch {
    position: i64,
    leaf: Vec<u8>,
    content: String,
}

async fn read(pool: &PgPool, after: i64, until: i64, readable: Option<Readable>) -> Result<Chunk, LogError> {
    let rows = sqlx::query(&format!(
        "select position, leaf, {CANONICAL} as content from events \
          where position > $1 and position <= $2 order by position"
    ))
    .bind(after)
    .bind(until)
    .fetch_all(pool)
    .await?;
    let mut chunk = Chunk {
        after,
        hashes: Vec::with_capacity(rows.len()),
        findings: Vec::new(),
        misfits: Vec::new(),
        erased: HashSet::new(),
    };
    let (mut references, mut erasing) = (Vec::new(), Vec::new());
    let mut last = after;
    for row in rows {
        let (position, leaf, content): (i64, Vec<u8>, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if position == last {
            chunk.findings.push(Finding::PositionTaken { position });
            continue;
        }
        chunk.skip_to(&mut last, position);
        let hash = leaf_hash(content.as_bytes());
        if ERASING_TYPES
            .iter()
            .any(|name| memmem::find(content.as_bytes(), name.as_bytes()).is_some())
        {
            erasing.push(position);
        }
        references.extend(digests(content.as_bytes()).map(|digest| (position, digest)));
        if let Some(readable) = readable
            && let Some(finding) = unreadable(position, &content, readable)
        {
            chunk.findings.push(finding);
        }
        if leaf != hash {
            chunk.misfits.push(LeafMismatch {
                position,
                leaf,
                content,
            });
        }
        chunk.hashes.push(Some(hash));
        last = position;
    }
    chunk.skip_to(&mut last, until + 1);
    let referred = bodies::check_references(pool, &references).await?;
    chunk.findings.extend(referred.missing);
    chunk.erased = referred.erased;
    chunk.findings.extend(bodies::not_erased(pool, &erasing).await?);
    Ok(chunk)
}

impl Chunk {
    /// Notes that nothing is between two positions.
    fn skip_to(&mut self, last: &mut i64, position: i64) {
        if position > *last + 1 {
            self.findings.push(Finding::EventsMissing {
                first: *last + 1,
                last: position - 1,
            });
            self.hashes.extend((*last + 1..position).map(|_| None));
            *last = position - 1;
        }
    }
}

/// The digests that an event's canonical text names.
pub(in crate::log) fn digests(content: &[u8]) -> impl Iterator<Item = Digest> + '_ {
    memmem::find_iter(content, DIGEST_FIELD).filter_map(|at| {
        let start = at + DIGEST_FIELD.len();
        hex::decode(content.get(start..start + 64)?).ok()
    })
}

/// The elements of an event's canonical text, as `event_leaf` puts them together.
#[derive(serde::Deserialize)]
struct Canonical<'a>(
    IgnoredAny,
    IgnoredAny,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    i64,
    #[serde(borrow)] Cow<'a, str>,
    #[serde(borrow)] Cow<'a, str>,
    IgnoredAny,
    IgnoredAny,
    #[serde(borrow)] &'a RawValue,
    IgnoredAny,
);

fn unreadable(position: i64, content: &str, readable: Readable) -> Option<Finding> {
    let outcome = serde_json::from_str::<Canonical>(content);
    let Ok(Canonical(_, _, stream_type, _, _, event_type, version, _, _, payload, _)) = outcome else {
        return Some(Finding::EventUnreadable {
            position,
            event_type: String::new(),
            version: String::new(),
            error: "its canonical text is not an array of eleven items".to_owned(),
        });
    };
    let (event_type, version) = (event_type.into_owned(), version.into_owned());
    match readable(&stream_type, &event_type, &version, payload) {
        Ok(()) => None,
        Err(DecodeError::UnknownVersion) => Some(Finding::VersionUnknown {
            position,
            event_type,
            version,
        }),
        Err(DecodeError::Unreadable(error)) => Some(Finding::EventUnreadable {
            position,
            event_type,
            version,
            error: error.to_string(),
        }),
    }
}

/// The way through the log, chunk by chunk.
struct VerificationRun<'a> {
    tree: MerkleTree,
    stored: StoredHashes,
    options: &'a VerifyOptions,
    misfits: Vec<LeafMismatch>,
    erased: HashSet<Digest>,
    /// Positions where something was found that makes the hashes above them wrong too.
    bad: BTreeSet<i64>,
}

impl<'a> VerificationRun<'a> {
    fn new(stored: StoredHashes, options: &'a VerifyOptions) -> Self {
        Self {
            tree: MerkleTree::default(),
            stored,
            options,
            misfits: Vec::new(),
            erased: HashSet::new(),
            bad: BTreeSet::new(),
        }
    }

    fn take(&mut self, chunk: Chunk, found: &mut LogVerification) {
        self.bad
            .extend(chunk.misfits.iter().map(|misfit| misfit.position));
        for finding in chunk.findings {
            found.report(finding);
        }
        for misfit in chunk.misfits {
            // Beyond the reported ones, they are only counted.
            if self.misfits.len() < super::MAX_FINDINGS {
                self.misfits.push(misfit);
            } else {
                found.wrong += 1;
            }
        }
        self.erased.extend(chunk.erased);
        for (position, hash) in (chunk.after + 1..).zip(chunk.hashes) {
            match hash {
                Some(_) => found.events += 1,
                None => {
                    self.bad.insert(position);
                }
            }
            self.push(position, hash.unwrap_or_default(), found);
        }
    }

    fn push(&mut self, position: i64, hash: Hash, found: &mut LogVerification) {
        let (stored, bad) = (&self.stored.nodes, &mut self.bad);
        self.tree.push_subtree(0, hash, |node, hash| {
            if node.level >= STORED_LEVEL {
                let key = (
                    level_column(node.level),
                    i64::try_from(node.index).unwrap_or(i64::MAX),
                );
                if stored.get(&key).is_some_and(|stored| *stored != hash) {
                    report_node(node, bad, found);
                }
            }
        });
        if let Some((first, root)) = self.stored.segments.get(&position)
            && *root != self.tree.root()
        {
            found.report(Finding::SegmentAltered {
                first: *first,
                last: position,
            });
        }
        if let Some(kept) = &self.options.head
            && kept.size == self.tree.size()
            && kept.root != self.tree.root()
        {
            found.report(head_differs(kept.size, &kept.root, &self.tree.root()));
        }
    }

    fn finish(self, head: i64, found: &mut LogVerification) {
        found.root = self.tree.root();
        found.erased = u64::try_from(self.erased.len()).unwrap_or(u64::MAX);
        for misfit in &self.misfits {
            found.report(misfit.explain(&self.misfits));
        }
        for (last, (first, _)) in self.stored.segments.range(head + 1..) {
            found.report(Finding::SegmentAltered {
                first: *first,
                last: *last,
            });
        }
        let beyond = self.stored.nodes.keys().map(|(level, index)| NodeId {
            level: u32::from(level.unsigned_abs()),
            index: index.unsigned_abs(),
        });
        for node in beyond.filter(|node| node.leaves().end > self.tree.size()) {
            report_node(node, &mut BTreeSet::new(), found);
        }
        let Some(kept) = &self.options.head else { return };
        if kept.size == 0 && kept.root != empty_root() {
            found.report(head_differs(0, &kept.root, &empty_root()));
        }
        if kept.size > self.tree.size() {
            found.report(Finding::HeadBeyondEnd {
                size: kept.size,
                events: self.tree.size(),
            });
        }
    }
}

/// Reports a stored hash that does not match, unless one below it was reported.
fn report_node(node: NodeId, bad: &mut BTreeSet<i64>, found: &mut LogVerification) {
    let leaves = node.leaves();
    let first = i64::try_from(leaves.start + 1).unwrap_or(i64::MAX);
    let last = i64::try_from(leaves.end).unwrap_or(i64::MAX);
    if bad.range(first..=last).next().is_none() {
        found.report(Finding::NodeAltered { first, last });
        bad.insert(first);
    }
}

fn head_differs(size: u64, kept: &Hash, found: &Hash) -> Finding {
    Finding::HeadDiffers {
        size,
        kept: hex::encode(kept),
        found: hex::encode(found),
    }
}

impl LeafMismatch {
    /// An event whose leaf is right for another position was moved; any other was altered.
    fn explain(&self, others: &[Self]) -> Finding {
        let rest = self.content.strip_prefix(&format!("[{}", self.position));
        let moved_from = others.iter().map(|other| other.position).find(|position| {
            rest.is_some_and(|rest| leaf_hash(format!("[{position}{rest}").as_bytes()) == *self.leaf)
        });
        if let Some(written_at) = moved_from {
            return Finding::EventMoved {
                position: self.position,
                written_at,
            };
        }
        let said = serde_json::from_str::<Canonical>(&self.content).ok();
        let (event_type, stream_type, stream_id, sequence) = said
            .map(|Canonical(_, _, stream_type, id, sequence, event_type, ..)| {
                (
                    event_type.into_owned(),
                    stream_type.into_owned(),
                    id.into_owned(),
                    sequence,
                )
            })
            .unwrap_or_default();
        Finding::EventAltered {
            position: self.position,
            event_type,
            stream_type,
            stream_id,
            sequence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_names_a_digest_not_a_text_about_one() {
        let digest = "ab".repeat(32);
        let content = serde_json::json!([{ "digest": digest, "x": format!("\"digest\": \"{digest}") }, { "digest": 7 }]);
        // As jsonb writes it: a space behind colons and commas.
        let content = content.to_string().replace("\":", "\": ");
        assert_eq!(digests(content.as_bytes()).collect::<Vec<_>>(), [vec![0xab; 32]]);
    }
}
