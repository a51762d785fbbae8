//! Segments: completed ranges of the log, and files of them that can be checked without the database.
//!
//! A segment file is NDJSON, compressed with zstd: a [`Header`], the canonical text of each event, optionally the
//! bodies, and a [`Footer`]. The header contains the roots of the complete subtrees before the first event. With the
//! leaves that follow, they give the tree head over all events up to the last one of the file. If a file was altered,
//! the result differs from a head that was kept.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::body::{BodyCheck, check, compressed, is_object};
use super::event::CANONICAL;
use super::head::TreeHead;
use super::merkle::{Hash, MerkleTree, leaf_hash};
use super::tree::ProofError;
use super::verify::digests;
use super::{EventLog, LogError};

/// Events of a segment by default.
pub const SEGMENT_SIZE: u64 = 65_536;
/// Events read at a time.
const PAGE: i64 = 4096;
/// Of zstd: files are written once and kept.
const LEVEL: i32 = 6;
const FORMAT: &str = "sitelog-segment/1";

/// A sealed range of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Position of its first event.
    pub first: i64,
    /// Position of its last event.
    pub last: i64,
    /// Root of the tree over all events up to the last one, in hexadecimal.
    pub root: String,
}

/// The first line of a segment file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: String,
    /// The log's name, as in its checkpoints.
    pub origin: String,
    /// Position of the first event.
    pub first: u64,
    /// Position of the last event.
    pub last: u64,
    /// Roots of the complete subtrees over the events before the first, largest first, in hexadecimal.
    pub before: Vec<String>,
    /// Root of the tree over all events up to the last one, in hexadecimal.
    pub root: String,
}

/// The last line of a segment file: without it, the file was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footer {
    /// Lines of events.
    pub events: u64,
    /// Lines of bodies.
    pub bodies: u64,
}

/// A body in a segment file.
#[derive(Serialize, Deserialize)]
struct BodyLine {
    digest: String,
    salt: String,
    /// As it is stored: zstd, in base64.
    zstd: String,
}

/// The content of a checked segment file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSegment {
    /// Its header.
    pub header: Header,
    /// Its footer.
    pub footer: Footer,
    /// The head over all events up to its last.
    pub head: TreeHead,
}

/// Why a segment cannot be written or is invalid.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The file cannot be read or written.
    #[error("cannot read or write the file, or it is not a segment compressed with zstd")]
    File(#[from] std::io::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There are no such events.
    #[error(transparent)]
    Range(#[from] ProofError),
    /// A line is not what it should be.
    #[error("line {line} of the file {what}")]
    Line {
        /// Which, from 1.
        line: u64,
        /// The problem.
        what: &'static str,
    },
    /// The events do not match the head that the file states.
    #[error("the events of the file have the root {found}, but the file says {said}")]
    Root {
        /// By the events.
        found: String,
        /// By the header.
        said: String,
    },
}

impl EventLog {
    /// Seals each complete segment of `size` events that is not sealed yet, and returns all sealed ones.
    pub async fn seal(&self, size: u64) -> Result<Vec<Segment>, SegmentError> {
        self.extend_tree().await?;
        let head = u64::try_from(self.head().await?).unwrap_or(0);
        let sealed: Option<i64> = sqlx::query_scalar("select max(last) from log_segment")
            .fetch_one(self.pool())
            .await
            .map_err(LogError::from)?;
        let mut first = u64::try_from(sealed.unwrap_or(0)).unwrap_or(0) + 1;
        while first + size - 1 <= head {
            let last = first + size - 1;
            sqlx::query(
                "insert into log_segment (first, last, root, sealed_at) values ($1, $2, $3, clock_timestamp()) \
                 on conflict do nothing",
            )
            .bind(to_position(first))
            .bind(to_position(last))
            .bind(self.tree_head(last).await?.root.as_slice())
            .execute(self.pool())
            .await
            .map_err(LogError::from)?;
            first = last + 1;
        }
        self.segments().await
    }

    /// The segments that are sealed.
    pub async fn segments(&self) -> Result<Vec<Segment>, SegmentError> {
        let rows: Vec<(i64, i64, String)> =
            sqlx::query_as("select first, last, encode(root, 'hex') from log_segment order by first")
                .fetch_all(self.pool())
                .await
                .map_err(LogError::from)?;
        Ok(rows
            .into_iter()
            .map(|(first, last, root)| Segment { first, last, root })
            .collect())
    }

    /// Writes the events of some positions as a segment file, with their bodies if wanted. Bodies in a file are out of
    /// reach of an erasure.
    pub async fn export_segment(
        &self,
        first: u64,
        last: u64,
        bodies: bool,
        file: impl Write,
    ) -> Result<Header, SegmentError> {
        let head = self.checkpoint(Some(last)).await?;
        if first == 0 || first > last {
            return Err(ProofError::OutOfRange {
                asked: first,
                size: last,
            }
            .into());
        }
        let before = self.tree_of(first - 1).await?;
        let header = Header {
            format: FORMAT.to_owned(),
            origin: head.origin,
            first,
            last,
            before: before.subtrees().map(hex::encode).collect(),
            root: hex::encode(head.head.root),
        };
        let mut out = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
        out.include_checksum(true)?;
        write_line(&mut out, &header)?;
        let referred = self.write_events(first, last, &mut out).await?;
        let written = if bodies {
            self.write_bodies(&referred, &mut out).await?
        } else {
            0
        };
        write_line(
            &mut out,
            &Footer {
                events: last - first + 1,
                bodies: written,
            },
        )?;
        out.finish()?.flush()?;
        Ok(header)
    }

    async fn write_events(
        &self,
        first: u64,
        last: u64,
        out: &mut impl Write,
    ) -> Result<BTreeSet<Vec<u8>>, SegmentError> {
        let (mut after, last) = (to_position(first) - 1, to_position(last));
        let mut referred = BTreeSet::new();
        while after < last {
            let until = (after + PAGE).min(last);
            let sql = format!(
                "select {CANONICAL} from events where position > $1 and position <= $2 order by position"
            );
            let texts: Vec<String> = sqlx::query_scalar(&sql)
                .bind(after)
                .bind(until)
                .fetch_all(self.pool())
                .await
                .map_err(LogError::from)?;
            if i64::try_from(texts.len()).ok() != Some(until - after) {
                return Err(LogError::Incomplete {
                    first: after + 1,
                    last: until,
                }
                .into());
            }
            for text in texts {
                referred.extend(digests(text.as_bytes()));
                out.write_all(text.as_bytes())?;
                out.write_all(b"\n")?;
            }
            after = until;
        }
        Ok(referred)
    }

    async fn write_bodies(
        &self,
        referred: &BTreeSet<Vec<u8>>,
        out: &mut impl Write,
    ) -> Result<u64, SegmentError> {
        let mut written = 0;
        for digests in referred.iter().collect::<Vec<_>>().chunks(500) {
            let rows = sqlx::query(
                "select digest, salt, bytes from event_body where digest = any($1) order by digest",
            )
            .bind(digests)
            .fetch_all(self.pool())
            .await
            .map_err(LogError::from)?;
            for row in rows {
                let get = |column| row.try_get::<Vec<u8>, _>(column).map_err(LogError::from);
                let stored = get("bytes")?;
                let packed = if is_object(&stored) {
                    compressed(&stored)
                } else {
                    stored
                };
                let line = BodyLine {
                    digest: hex::encode(get("digest")?),
                    salt: hex::encode(get("salt")?),
                    zstd: STANDARD.encode(packed),
                };
                write_line(out, &line)?;
                written += 1;
            }
        }
        Ok(written)
    }
}

/// Checks a segment file against itself, without the log, and returns the heads that follow from its content. Only
/// heads that were kept elsewhere show whether these are the heads of the log.
pub fn verify_segment(file: impl Read) -> Result<VerifiedSegment, SegmentError> {
    let mut lines = BufReader::new(zstd::Decoder::new(file)?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let header: Header = serde_json::from_str(&first).map_err(|_| broken(1, "is not a header"))?;
    if header.format != FORMAT {
        return Err(broken(1, "has a format that this release does not know"));
    }
    let before: Option<Vec<Hash>> = header.before.iter().map(|text| to_hash(text)).collect();
    let tree = before.and_then(|hashes| MerkleTree::of_subtrees(header.first.checked_sub(1)?, &hashes));
    let mut tree = tree.ok_or(broken(1, "has no hashes of the events before the segment"))?;
    let mut counted = Footer { events: 0, bodies: 0 };
    let (mut referred, mut last_body) = (BTreeSet::new(), Vec::new());
    for (number, line) in (2..).zip(lines) {
        let line = line?;
        if tree.size() < header.last {
            tree.push(event_leaf(&line, tree.size() + 1).ok_or(broken(number, "is not the next event"))?);
            referred.extend(digests(line.as_bytes()));
            counted.events += 1;
        } else if let Ok(footer) = serde_json::from_str::<Footer>(&line) {
            return finish(header, footer, counted, &tree, number);
        } else {
            // In ascending order, as they were written, so none occurs twice.
            let digest = body_of(&line).filter(|digest| *digest > last_body && referred.contains(digest));
            last_body = digest.ok_or(broken(
                number,
                "is not the next body of the events, or was changed",
            ))?;
            counted.bodies += 1;
        }
    }
    Err(broken(
        counted.events + counted.bodies + 2,
        "is missing: the file is incomplete",
    ))
}

fn finish(
    header: Header,
    footer: Footer,
    counted: Footer,
    tree: &MerkleTree,
    line: u64,
) -> Result<VerifiedSegment, SegmentError> {
    if footer != counted {
        return Err(broken(line, "does not match the number of events and bodies"));
    }
    let head = TreeHead {
        size: tree.size(),
        root: tree.root(),
    };
    if to_hash(&header.root) != Some(head.root) {
        return Err(SegmentError::Root {
            found: hex::encode(head.root),
            said: header.root,
        });
    }
    Ok(VerifiedSegment { header, footer, head })
}

/// The leaf of an event's line, if it is the event of that position.
fn event_leaf(line: &str, position: u64) -> Option<Hash> {
    let starts = format!("[{position}, ");
    line.starts_with(&starts).then(|| leaf_hash(line.as_bytes()))
}

/// The digest of a body's line, if its content is what it was named after.
fn body_of(line: &str) -> Option<Vec<u8>> {
    let body: BodyLine = serde_json::from_str(line).ok()?;
    let digest = hex::decode(&body.digest).ok()?;
    let salt = hex::decode(&body.salt).ok()?;
    let bytes = STANDARD.decode(&body.zstd).ok()?;
    matches!(
        check(&digest, &salt, &bytes),
        BodyCheck::Intact | BodyCheck::TooLarge { .. }
    )
    .then_some(digest)
}

pub(super) fn write_line(out: &mut impl Write, line: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

pub(super) fn to_hash(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}

fn to_position(leaf: u64) -> i64 {
    i64::try_from(leaf).unwrap_or(i64::MAX)
}

pub(super) fn broken(line: u64, what: &'static str) -> SegmentError {
    SegmentError::Line { line, what }
}
