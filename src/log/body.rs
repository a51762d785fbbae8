//! Bodies: bulky or personal facts beside the events, compressed, named by a salted digest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};
use sqlx::{PgExecutor, Row};

use super::{EventLog, LogError};
use crate::values::{BodyRef, TenantId};

/// Fast levels reach most of what zstd can do on URL lists.
const ZSTD_LEVEL: i32 = 1;
/// No body is larger than this when unpacked; more is a fault in the database.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

/// A body that is to be appended with the events that refer to it.
#[derive(Clone, Debug)]
pub struct Body {
    pub(super) digest: Vec<u8>,
    pub(super) tenant: TenantId,
    pub(super) subject: String,
    pub(super) salt: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

/// The secret ingredient of the digests of one tenant's subject.
#[derive(Clone, Debug)]
pub struct Salt {
    tenant: TenantId,
    subject: String,
    salt: Vec<u8>,
}

impl Salt {
    /// Packs a content of `items` things into a body and the reference that goes into the event.
    pub fn seal(&self, content: &[u8], items: u64) -> (BodyRef, Body) {
        let digest = Sha256::new()
            .chain_update(&self.salt)
            .chain_update(content)
            .finalize()
            .to_vec();
        let bytes = zstd::bulk::compress(content, ZSTD_LEVEL).expect("compressing into memory cannot fail");
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
        };
        (reference, body)
    }
}

/// A salt changes only when its subject is erased, and then an append with the old one is refused: so a process asks
/// once. Bounded by starting anew when full.
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

    /// Asks anew for a salt the next time.
    pub(super) fn forget_salt(&self, tenant: TenantId, subject: &str) {
        let mut cache = self.salts.0.lock().expect("no holder of the cache panics");
        cache.remove(&(tenant, subject.to_owned()));
    }

    /// The stored salt, or a fresh one, which the append that uses it stores. Should two appends make one each at the
    /// same moment, the first stays and the other is told that the salt changed.
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
        Ok(load_bodies(&self.pool, std::iter::once(reference))
            .await?
            .remove(&reference.digest))
    }
}

/// The contents of many bodies by digest; erased ones are missing.
pub async fn load_bodies(
    executor: impl PgExecutor<'_>,
    references: impl Iterator<Item = &BodyRef>,
) -> Result<HashMap<String, Vec<u8>>, LogError> {
    let digests: Vec<Vec<u8>> = references.filter_map(|r| hex::decode(&r.digest).ok()).collect();
    if digests.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query("select digest, bytes from event_body where digest = any($1)")
        .bind(digests)
        .fetch_all(executor)
        .await?;
    let mut unpacker = Unpacker::default();
    rows.iter()
        .map(|row| {
            let digest: Vec<u8> = row.try_get("digest")?;
            let bytes: Vec<u8> = row.try_get("bytes")?;
            let content = unpacker
                .unpack(&bytes)
                .map_err(|error| LogError::Unavailable(sqlx::Error::Io(error)))?;
            Ok((hex::encode(digest), content))
        })
        .collect()
}

/// Whether a stored body still has the content it was named after.
pub(super) fn is_intact(digest: &[u8], salt: &[u8], bytes: &[u8]) -> bool {
    let content = Unpacker::default().unpack(bytes).unwrap_or_default();
    Sha256::new()
        .chain_update(salt)
        .chain_update(content)
        .finalize()
        .as_slice()
        == digest
}

/// Unpacks one body after the other without making a context for each.
#[derive(Default)]
struct Unpacker(zstd::bulk::Decompressor<'static>);

impl Unpacker {
    fn unpack(&mut self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let capacity = zstd::bulk::Decompressor::upper_bound(bytes)
            .unwrap_or(MAX_UNPACKED)
            .min(MAX_UNPACKED);
        self.0.decompress(bytes, capacity)
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
}
