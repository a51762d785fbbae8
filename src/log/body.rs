//! Bodies: bulky or personal content stored beside the events and named by a salted digest. Bodies are compressed.
//! Findings are an exception: they are stored as JSON, so that SQL can read them, and PostgreSQL compresses them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, PgPool};
use zstd::bulk::Compressor;

use super::{EventLog, LogError};
use crate::values::{BodyRef, TenantId};

/// Fast levels reach most of what zstd can do on URL lists.
const ZSTD_LEVEL: i32 = 1;
/// The largest content that is written ([`EventLog::append`] refuses more) and read back.
pub const MAX_CONTENT: usize = 256 * 1024 * 1024;
/// Bodies of an earlier release that are in memory at once.
const OBJECTS_AT_ONCE: usize = 500;

/// A body to append with the events that refer to it.
#[derive(Clone, Debug)]
pub struct Body {
    pub(super) digest: Vec<u8>,
    pub(super) tenant: TenantId,
    pub(super) subject: String,
    pub(super) salt: Vec<u8>,
    /// As it is stored.
    pub(super) bytes: Vec<u8>,
    /// Length of the content.
    pub(super) content_length: usize,
}

/// The secret salt of the digests of one subject of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt {
    tenant: TenantId,
    subject: String,
    salt: Vec<u8>,
}

impl Body {
    /// Its subject: a domain or a batch.
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

impl Salt {
    /// Seals a content with `items` items into a body, and returns the reference for the event.
    pub fn seal(&self, content: &[u8], items: u64) -> (BodyRef, Body) {
        self.seal_as(content, items, compressed(content))
    }

    /// The same for a JSON object that SQL can read.
    pub fn seal_object(&self, json: &str) -> (BodyRef, Body) {
        debug_assert!(is_object(json.as_bytes()), "not an object: {json}");
        self.seal_as(json.as_bytes(), 1, json.as_bytes().to_vec())
    }

    fn seal_as(&self, content: &[u8], items: u64, bytes: Vec<u8>) -> (BodyRef, Body) {
        let digest = Sha256::new()
            .chain_update(&self.salt)
            .chain_update(content)
            .finalize()
            .to_vec();
        let reference = BodyRef {
            digest: hex::encode(&digest),
            bytes: u64::try_from(content.len()).unwrap_or(u64::MAX),
            items,
        };
        let body = Body {
            digest,
            tenant: self.tenant,
            subject: self.subject.clone(),
            salt: self.salt.clone(),
            bytes,
            content_length: content.len(),
        };
        (reference, body)
    }
}

/// A content as it is stored, unless SQL is to read it.
pub(super) fn compressed(content: &[u8]) -> Vec<u8> {
    // One per thread: creating one costs more than compressing a small list.
    thread_local! {
        static PACKER: RefCell<Compressor<'static>> =
            RefCell::new(Compressor::new(ZSTD_LEVEL).expect("there is memory for a compressor"));
    }
    PACKER.with_borrow_mut(|packer| {
        packer
            .compress(content)
            .expect("compressing into memory cannot fail")
    })
}

/// Whether a stored body is the object itself: what is compressed begins with another byte (RFC 8878, 3.1.1).
pub(super) fn is_object(bytes: &[u8]) -> bool {
    bytes.first() == Some(&b'{')
}

/// A salt changes only when its subject is erased, and then an append with the old one is refused: so a process reads it
/// once. Bounded: it is cleared when full.
#[derive(Clone, Default)]
pub(super) struct SaltCache(Arc<Mutex<SaltsBySubject>>);

type SaltsBySubject = HashMap<(TenantId, String), Vec<u8>>;

const MAX_CACHED_SALTS: usize = 10_000;

impl EventLog {
    /// The salt of a tenant's subject (a domain, a batch id).
    pub async fn salt(&self, tenant: TenantId, subject: &str) -> Result<Salt, LogError> {
        let key = (tenant, subject.to_owned());
        let cached = self
            .salts
            .0
            .lock()
            .expect("no holder of the cache panics")
            .get(&key)
            .cloned();
        let salt = match cached {
            Some(salt) => salt,
            None => self.load_salt(tenant, subject).await?,
        };
        let mut cache = self.salts.0.lock().expect("no holder of the cache panics");
        if cache.len() >= MAX_CACHED_SALTS {
            cache.clear();
        }
        cache.insert(key, salt.clone());
        Ok(Salt {
            tenant,
            subject: subject.to_owned(),
            salt,
        })
    }

    /// Drops a salt from the cache; the next use reads it again.
    pub(super) fn forget_salt(&self, tenant: TenantId, subject: &str) {
        let mut cache = self.salts.0.lock().expect("no holder of the cache panics");
        cache.remove(&(tenant, subject.to_owned()));
    }

    /// The stored salt, or a fresh one, which the append that uses it stores. If two appends create one at the same
    /// moment, the first one is kept and the other append fails with [`LogError::SaltChanged`].
    async fn load_salt(&self, tenant: TenantId, subject: &str) -> Result<Vec<u8>, LogError> {
        let known = sqlx::query_scalar("select salt from body_salt where tenant_id = $1 and subject = $2")
            .bind(tenant.0)
            .bind(subject)
            .fetch_optional(&self.pool)
            .await?;
        Ok(known.unwrap_or_else(|| rand::random::<[u8; 16]>().to_vec()))
    }

    /// The content of a body; `None` if it was erased.
    pub async fn body(&self, reference: &BodyRef) -> Result<Option<Vec<u8>>, LogError> {
        let mut bodies = load_bodies(&self.pool, std::iter::once(reference)).await?;
        bodies.get(reference)?;
        let loaded = bodies.0.remove(&reference.digest);
        Ok(loaded.and_then(|body| body.content.ok()))
    }
}

/// Bodies that were loaded together. One that cannot be unpacked affects only what refers to it, and nothing
/// else: it is reported when it is read.
#[derive(Debug, Default)]
pub struct Bodies(HashMap<String, Loaded>);

#[derive(Debug)]
struct Loaded {
    subject: String,
    content: Result<Vec<u8>, String>,
}

impl Bodies {
    /// The content of a body; `None` if it was erased.
    pub fn get(&self, reference: &BodyRef) -> Result<Option<&[u8]>, LogError> {
        let Some(body) = self.0.get(&reference.digest) else {
            return Ok(None);
        };
        match &body.content {
            Ok(content) => Ok(Some(content)),
            Err(error) => Err(self.unreadable(reference, error)),
        }
    }

    /// A body's content is not what its reader expects.
    pub fn unreadable(&self, reference: &BodyRef, error: impl std::fmt::Display) -> LogError {
        let body = self.0.get(&reference.digest);
        LogError::UnreadableBody {
            digest: reference.digest.clone(),
            subject: body.map(|body| body.subject.clone()).unwrap_or_default(),
            bytes: reference.bytes,
            error: error.to_string(),
        }
    }
}

/// The contents of many bodies; erased ones are missing.
pub async fn load_bodies(
    executor: impl PgExecutor<'_>,
    references: impl Iterator<Item = &BodyRef>,
) -> Result<Bodies, LogError> {
    let digests: Vec<Vec<u8>> = references.filter_map(|r| hex::decode(&r.digest).ok()).collect();
    if digests.is_empty() {
        return Ok(Bodies::default());
    }
    let rows: Vec<(Vec<u8>, String, Vec<u8>)> =
        sqlx::query_as("select digest, subject, bytes from event_body where digest = any($1)")
            .bind(digests)
            .fetch_all(executor)
            .await?;
    let mut unpacker = Unpacker::default();
    let bodies = rows.into_iter().map(|(digest, subject, bytes)| {
        let content = unpacker.unpack(&bytes).map_err(|error| error.to_string());
        (hex::encode(digest), Loaded { subject, content })
    });
    Ok(Bodies(bodies.collect()))
}

/// Stores bodies that an earlier release compressed as the objects that they hold, so that SQL can read them.
pub async fn store_as_objects(pool: &PgPool, references: impl Iterator<Item = &str>) -> Result<(), LogError> {
    let digests: Vec<Vec<u8>> = references.filter_map(|digest| hex::decode(digest).ok()).collect();
    let mut unpacker = Unpacker::default();
    for digests in digests.chunks(OBJECTS_AT_ONCE) {
        let stored: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
            "select digest, bytes from event_body where digest = any($1) and get_byte(bytes, 0) <> ascii('{')",
        )
        .bind(digests)
        .fetch_all(pool)
        .await?;
        // A body that cannot be decompressed, or is not an object, does not change.
        let objects = stored.into_iter().filter_map(|(digest, bytes)| {
            let content = unpacker.unpack(&bytes).ok()?;
            is_object(&content).then_some((digest, content))
        });
        let (digests, contents): (Vec<_>, Vec<_>) = objects.unzip();
        if digests.is_empty() {
            continue;
        }
        sqlx::query(
            "update event_body b set bytes = o.content from unnest($1::bytea[], $2::bytea[]) as o(digest, content) \
              where b.digest = o.digest",
        )
        .bind(digests)
        .bind(contents)
        .execute(pool)
        .await?;
    }
    Ok(())
}

/// The result of checking a stored body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BodyCheck {
    /// Its content matches its digest, and can be read.
    Intact,
    /// Its content does not match its digest.
    Altered,
    /// Its content matches its digest, but is too large to read.
    TooLarge {
        /// Its length.
        length: usize,
    },
    /// It cannot be unpacked, for this reason.
    Broken(String),
}

/// Whether a stored body still has the content it was named after. The content is hashed as it is unpacked, so that a
/// body of any size is checked in little memory.
pub(super) fn check(digest: &[u8], salt: &[u8], bytes: &[u8]) -> BodyCheck {
    let mut hash = HashWriter(Sha256::new().chain_update(salt), 0);
    let read = if is_object(bytes) {
        hash.write_all(bytes)
    } else {
        zstd::stream::copy_decode(bytes, &mut hash)
    };
    if let Err(error) = read {
        return BodyCheck::Broken(error.to_string());
    }
    let HashWriter(hash, length) = hash;
    if hash.finalize().as_slice() != digest {
        BodyCheck::Altered
    } else if length > MAX_CONTENT {
        BodyCheck::TooLarge { length }
    } else {
        BodyCheck::Intact
    }
}

/// Hashes what is written to it, and counts the bytes.
struct HashWriter(Sha256, usize);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        self.1 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Why a content is not read.
pub(super) fn too_large(length: usize) -> String {
    format!("its content has {length} bytes, more than the limit of {MAX_CONTENT}")
}

/// The content of one stored body.
pub fn unpack(stored: Vec<u8>) -> std::io::Result<Vec<u8>> {
    if is_object(&stored) {
        return Ok(stored);
    }
    Unpacker::default().unpack(&stored)
}

/// Unpacks one body after the other without making a context for each.
#[derive(Default)]
struct Unpacker(zstd::bulk::Decompressor<'static>);

impl Unpacker {
    fn unpack(&mut self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        if is_object(bytes) {
            return Ok(bytes.to_vec());
        }
        let length = zstd::zstd_safe::get_frame_content_size(bytes)
            .map_err(|_| std::io::Error::other("it is not compressed like a body"))?;
        let length = length.map_or(MAX_CONTENT, |length| {
            usize::try_from(length).unwrap_or(usize::MAX)
        });
        if length > MAX_CONTENT {
            return Err(std::io::Error::other(too_large(length)));
        }
        self.0.decompress(bytes, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt(byte: u8) -> Salt {
        Salt {
            tenant: TenantId::DEFAULT,
            subject: "example.com".into(),
            salt: vec![byte; 16],
        }
    }

    #[test]
    fn the_same_content_under_one_salt_is_one_body_and_under_another_it_is_not() {
        let (first, _) = salt(1).seal(b"https://example.com/", 1);
        assert_eq!(first, salt(1).seal(b"https://example.com/", 1).0);
        assert_ne!(first.digest, salt(2).seal(b"https://example.com/", 1).0.digest);
    }

    #[test]
    fn a_sealed_content_comes_out_as_it_went_in() {
        let content = "https://example.com/a\n".repeat(10_000);
        let (reference, body) = salt(1).seal(content.as_bytes(), 10_000);
        assert!(body.bytes.len() * 10 < content.len());
        assert_eq!(reference.bytes, 220_000);
        assert_eq!(
            Unpacker::default().unpack(&body.bytes).unwrap(),
            content.as_bytes()
        );
    }

    #[test]
    fn an_object_is_stored_as_it_is_and_checked_like_all_others() {
        let (reference, body) = salt(1).seal_object(r#"{"title":"A"}"#);
        assert_eq!(reference, salt(1).seal(br#"{"title":"A"}"#, 1).0);
        assert_eq!(body.bytes, br#"{"title":"A"}"#);
        assert_eq!(Unpacker::default().unpack(&body.bytes).unwrap(), body.bytes);
        assert_eq!(check(&body.digest, &body.salt, &body.bytes), BodyCheck::Intact);
        assert_eq!(
            check(&body.digest, &body.salt, br#"{"title":"B"}"#),
            BodyCheck::Altered
        );
    }

    #[test]
    fn an_altered_body_is_not_an_unreadable_one() {
        let (reference, body) = salt(1).seal(b"https://example.com/", 1);
        let digest = hex::decode(&reference.digest).unwrap();
        assert_eq!(check(&digest, &body.salt, &body.bytes), BodyCheck::Intact);
        assert_eq!(check(&digest, &[0; 16], &body.bytes), BodyCheck::Altered);
        assert!(matches!(
            check(&digest, &body.salt, b"not compressed"),
            BodyCheck::Broken(_)
        ));
        let (reference, large) = salt(1).seal(&vec![b' '; MAX_CONTENT + 1], 1);
        let digest = hex::decode(&reference.digest).unwrap();
        let length = MAX_CONTENT + 1;
        assert_eq!(
            check(&digest, &large.salt, &large.bytes),
            BodyCheck::TooLarge { length }
        );
        assert_eq!(check(&digest, &[0; 16], &large.bytes), BodyCheck::Altered);
    }
}
