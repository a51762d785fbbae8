//! A file with all streams of one tenant, to move them to another log. It contains the leaves of the whole source log.
//! So anyone can check, without that log, that the events had their positions under the tree head that the file names.
//! Leaves are hashes; they reveal nothing about the events of other tenants.
//!
//! NDJSON, compressed with zstd: a [`TenantHeader`], lines of leaves, the canonical text of each event in log order,
//! the bodies, and a [`Footer`].

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::body::{Body, BodyCheck, check, compressed, is_object, unpack};
use super::event::CANONICAL;
use super::merkle::{Hash, MerkleTree, leaf_hash};
use super::segment::{Footer, SegmentError, broken, to_hash, write_line};
use super::verify::digests;
use super::{EventLog, LogError, NewEvent};
use crate::values::TenantId;

/// Events and leaves read at a time.
const PAGE: i64 = 4096;
/// Of zstd: files are written once and read once.
const LEVEL: i32 = 3;
const FORMAT: &str = "sitelog-tenant/1";

/// The first line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantHeader {
    format: String,
    /// The tenant of the streams.
    pub tenant: TenantId,
    /// The name of the log they come from.
    pub origin: String,
    /// Events of that log.
    pub size: u64,
    /// Root of the tree over all of them, in hexadecimal.
    pub root: String,
}

#[derive(Serialize, Deserialize)]
struct Leaves {
    /// 32 bytes each, in base64.
    leaves: String,
}

#[derive(Serialize, Deserialize)]
struct StoredBody {
    digest: String,
    subject: String,
    salt: String,
    /// zstd, in base64.
    zstd: String,
}

/// Digest, subject, salt and bytes of a body.
type StoredRow = (Vec<u8>, String, Vec<u8>, Vec<u8>);

/// An event of the file.
#[derive(Clone, Debug)]
pub struct MovedEvent {
    /// Its position in the source log.
    pub position: i64,
    /// Kind of stream.
    pub aggregate_type: String,
    /// Id of the stream.
    pub aggregate_id: String,
    /// Place in the stream, from 1.
    pub sequence: i64,
    /// When it was recorded there (RFC 3339).
    pub recorded_at: String,
    /// The event itself.
    pub event: NewEvent,
    /// Digests of the bodies it refers to, in hexadecimal.
    pub bodies: Vec<String>,
}

/// What a checked file holds.
#[derive(Debug)]
pub struct TenantFile {
    /// Its source.
    pub header: TenantHeader,
    /// In the order of the log.
    pub events: Vec<MovedEvent>,
    /// By digest; those that were erased are missing.
    pub bodies: HashMap<String, Body>,
}

impl EventLog {
    /// Writes all events of a tenant that are in the log now, with their bodies.
    pub async fn export_tenant(
        &self,
        tenant: TenantId,
        file: impl Write,
    ) -> Result<(TenantHeader, Footer), SegmentError> {
        let size = self.head().await?;
        let head = self.checkpoint(u64::try_from(size).ok()).await?;
        let header = TenantHeader {
            format: FORMAT.to_owned(),
            tenant,
            origin: head.origin,
            size: head.head.size,
            root: hex::encode(head.head.root),
        };
        let mut out = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
        out.include_checksum(true)?;
        write_line(&mut out, &header)?;
        self.write_leaves(size, &mut out).await?;
        let (events, referred) = self.write_events_of(tenant, size, &mut out).await?;
        let bodies = self.write_bodies_of(tenant, &referred, &mut out).await?;
        let footer = Footer { events, bodies };
        write_line(&mut out, &footer)?;
        out.finish()?.flush()?;
        Ok((header, footer))
    }

    async fn write_leaves(&self, size: i64, out: &mut impl Write) -> Result<(), SegmentError> {
        let mut after = 0;
        while after < size {
            let until = (after + PAGE).min(size);
            let sql = "select leaf from events where position > $1 and position <= $2 order by position";
            let leaves: Vec<Vec<u8>> = sqlx::query_scalar(sql)
                .bind(after)
                .bind(until)
                .fetch_all(self.pool())
                .await
                .map_err(LogError::from)?;
            let leaves = STANDARD.encode(leaves.concat());
            write_line(&mut *out, &Leaves { leaves })?;
            after = until;
        }
        Ok(())
    }

    async fn write_events_of(
        &self,
        tenant: TenantId,
        size: i64,
        out: &mut impl Write,
    ) -> Result<(u64, BTreeSet<Vec<u8>>), SegmentError> {
        let (mut after, mut count, mut referred) = (0, 0, BTreeSet::new());
        loop {
            let sql = format!(
                "select position, {CANONICAL} from events where tenant_id = $1 and position > $2 and position <= $3 \
                  order by position limit $4"
            );
            let rows: Vec<(i64, String)> = sqlx::query_as(&sql)
                .bind(tenant.0)
                .bind(after)
                .bind(size)
                .bind(PAGE)
                .fetch_all(self.pool())
                .await
                .map_err(LogError::from)?;
            let Some((last, _)) = rows.last() else {
                return Ok((count, referred));
            };
            after = *last;
            for (_, text) in &rows {
                count += 1;
                referred.extend(digests(text.as_bytes()));
                out.write_all(text.as_bytes())?;
                out.write_all(b"\n")?;
            }
        }
    }

    async fn write_bodies_of(
        &self,
        tenant: TenantId,
        referred: &BTreeSet<Vec<u8>>,
        out: &mut impl Write,
    ) -> Result<u64, SegmentError> {
        let mut written = 0;
        for digests in referred.iter().collect::<Vec<_>>().chunks(200) {
            let rows: Vec<StoredRow> = sqlx::query_as(
                "select digest, subject, salt, bytes from event_body where tenant_id = $1 and digest = any($2) \
                  order by digest",
            )
            .bind(tenant.0)
            .bind(digests)
            .fetch_all(self.pool())
            .await
            .map_err(LogError::from)?;
            for (digest, subject, salt, bytes) in rows {
                let packed = if is_object(&bytes) {
                    compressed(&bytes)
                } else {
                    bytes
                };
                let line = StoredBody {
                    digest: hex::encode(digest),
                    subject,
                    salt: hex::encode(salt),
                    zstd: STANDARD.encode(packed),
                };
                write_line(&mut *out, &line)?;
                written += 1;
            }
        }
        Ok(written)
    }

    /// The ids of a stream's events, in their order.
    pub async fn event_ids(&self, aggregate_type: &str, aggregate_id: &str) -> Result<Vec<Uuid>, LogError> {
        Ok(sqlx::query_scalar(
            "select event_id from events where aggregate_type = $1 and aggregate_id = $2 order by sequence",
        )
        .bind(aggregate_type)
        .bind(aggregate_id)
        .fetch_all(self.pool())
        .await?)
    }
}

/// Reads a file and checks it: the leaves lead to the head that it names, each event has the leaf of its position, and
/// each body the content that its name says.
pub fn read_tenant_file(file: impl Read) -> Result<TenantFile, SegmentError> {
    let mut lines = (1..).zip(BufReader::new(zstd::Decoder::new(file)?).lines());
    let first = lines
        .next()
        .map(|(_, line)| line)
        .transpose()?
        .unwrap_or_default();
    let header: TenantHeader = serde_json::from_str(&first).map_err(|_| broken(1, "is not a header"))?;
    if header.format != FORMAT {
        return Err(broken(1, "has a format that this release does not know"));
    }
    let mut leaves: Vec<Hash> = Vec::new();
    let mut file = TenantFile {
        header,
        events: Vec::new(),
        bodies: HashMap::new(),
    };
    let mut last = 1;
    for (number, line) in lines {
        let (line, tenant) = (line?, file.header.tenant);
        last = number;
        if u64::try_from(leaves.len()) != Ok(file.header.size) {
            leaves.extend(leaves_of(&line).ok_or(broken(number, "has no leaves"))?);
            if u64::try_from(leaves.len()) == Ok(file.header.size) {
                check_root(&file.header, &leaves)?;
            }
        } else if line.starts_with('[') {
            let event = event_of(&line, tenant, &leaves);
            let event = event.ok_or(broken(number, "is not an event of the log that the file names"))?;
            let before = file.events.last().map_or(0, |event| event.position);
            if event.position <= before {
                return Err(broken(number, "is not in the order of the log"));
            }
            file.events.push(event);
        } else if let Ok(footer) = serde_json::from_str::<Footer>(&line) {
            let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
            let counted = (count(file.events.len()), count(file.bodies.len()));
            return if (footer.events, footer.bodies) == counted {
                Ok(file)
            } else {
                Err(broken(number, "does not match the number of events and bodies"))
            };
        } else {
            let (digest, body) =
                body_of(&line, tenant).ok_or(broken(number, "is not a body, or was changed"))?;
            file.bodies.insert(digest, body);
        }
    }
    Err(broken(last + 1, "is missing: the file is incomplete"))
}

fn leaves_of(line: &str) -> Option<Vec<Hash>> {
    let Leaves { leaves } = serde_json::from_str(line).ok()?;
    let bytes = STANDARD.decode(leaves).ok()?;
    let hashes = bytes.chunks(32).map(|hash| Hash::try_from(hash).ok());
    hashes.collect()
}

fn check_root(header: &TenantHeader, leaves: &[Hash]) -> Result<(), SegmentError> {
    let mut tree = MerkleTree::default();
    for leaf in leaves {
        tree.push(*leaf);
    }
    if to_hash(&header.root) == Some(tree.root()) {
        return Ok(());
    }
    Err(SegmentError::Root {
        found: hex::encode(tree.root()),
        said: header.root.clone(),
    })
}

/// The event of a canonical text, if it is the tenant's and has the leaf of its position.
fn event_of(line: &str, tenant: TenantId, leaves: &[Hash]) -> Option<MovedEvent> {
    type Text = (
        i64,
        Uuid,
        String,
        String,
        i64,
        String,
        String,
        String,
        TenantId,
        Value,
        Value,
    );
    let (
        position,
        event_id,
        aggregate_type,
        aggregate_id,
        sequence,
        event_type,
        event_version,
        recorded_at,
        of,
        payload,
        metadata,
    ): Text = serde_json::from_str(line).ok()?;
    let leaf = leaves.get(usize::try_from(position).ok()?.checked_sub(1)?)?;
    if of != tenant || *leaf != leaf_hash(line.as_bytes()) {
        return None;
    }
    Some(MovedEvent {
        position,
        aggregate_type,
        aggregate_id,
        sequence,
        recorded_at,
        event: NewEvent {
            event_id,
            event_type,
            event_version,
            payload,
            metadata,
        },
        bodies: digests(line.as_bytes()).map(hex::encode).collect(),
    })
}

/// A body, if its content matches its digest.
fn body_of(line: &str, tenant: TenantId) -> Option<(String, Body)> {
    let body: StoredBody = serde_json::from_str(line).ok()?;
    let (digest, salt) = (hex::decode(&body.digest).ok()?, hex::decode(&body.salt).ok()?);
    let packed = STANDARD.decode(&body.zstd).ok()?;
    if check(&digest, &salt, &packed) != BodyCheck::Intact {
        return None;
    }
    let content = unpack(packed.clone()).ok()?;
    let content_length = content.len();
    // Findings are stored as the objects that they are.
    let bytes = if is_object(&content) { content } else { packed };
    let stored = Body {
        digest,
        tenant,
        subject: body.subject,
        salt,
        bytes,
        content_length,
    };
    Some((body.digest, stored))
}
