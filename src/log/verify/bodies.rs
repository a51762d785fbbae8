//! Verifies bodies: each one matches its digest, and each missing one was erased.

use std::collections::HashSet;

use futures::TryStreamExt;
use sqlx::{PgPool, Row};

use super::{Finding, LogVerification};
use crate::log::LogError;
use crate::log::body::{BodyCheck, check, too_large};
use crate::log::erase::ERASING_TYPES;

/// Bodies examined in one read.
const PAGE: i64 = 500;

/// A digest as the database has it.
pub(super) type Digest = Vec<u8>;

/// All existing bodies, one in memory at a time.
pub(super) async fn verify(pool: &PgPool, found: &mut LogVerification) -> Result<(), LogError> {
    let mut last: Digest = Vec::new();
    loop {
        let page = found.bodies;
        let mut rows = sqlx::query(
            "select digest, subject, salt, bytes from event_body where digest > $1 order by digest limit $2",
        )
        .bind(last.clone())
        .bind(PAGE)
        .fetch(pool);
        while let Some(row) = rows.try_next().await? {
            let subject: String = row.try_get(1)?;
            let (salt, bytes): (Vec<u8>, Vec<u8>) = (row.try_get(2)?, row.try_get(3)?);
            last = row.try_get(0)?;
            found.bodies += 1;
            let digest = hex::encode(&last);
            let error = match check(&last, &salt, &bytes) {
                BodyCheck::Intact => continue,
                BodyCheck::Altered => {
                    found.report(Finding::BodyAltered { digest });
                    continue;
                }
                BodyCheck::TooLarge { length } => too_large(length),
                BodyCheck::Broken(error) => error,
            };
            found.report(Finding::BodyUnreadable {
                digest,
                subject,
                error,
            });
        }
        if found.bodies == page {
            return Ok(());
        }
    }
}

/// The state of the bodies that some events refer to.
#[derive(Default)]
pub(super) struct Referred {
    /// Erased by a later event of the same stream.
    pub(super) erased: HashSet<Digest>,
    /// Missing although no event erased them.
    pub(super) missing: Vec<Finding>,
}

/// Finds out which bodies are gone that events refer to: (position, digest).
pub(super) async fn check_references(
    pool: &PgPool,
    references: &[(i64, Digest)],
) -> Result<Referred, LogError> {
    let mut referred = Referred::default();
    if references.is_empty() {
        return Ok(referred);
    }
    let digests: HashSet<&[u8]> = references.iter().map(|(_, digest)| digest.as_slice()).collect();
    let gone: Vec<Digest> = sqlx::query_scalar(
        "select d.digest from unnest($1::bytea[]) as d(digest) \
          where not exists (select from event_body b where b.digest = d.digest)",
    )
    .bind(digests.into_iter().collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    if gone.is_empty() {
        return Ok(referred);
    }
    let gone: HashSet<Digest> = gone.into_iter().collect();
    let suspects: Vec<&(i64, Digest)> = references
        .iter()
        .filter(|(_, digest)| gone.contains(digest))
        .collect();
    let covered: Vec<i64> = sqlx::query_scalar(
        "select e.position from events e \
          where e.position = any($1) \
            and exists (select from events x \
                         where x.aggregate_type = e.aggregate_type and x.aggregate_id = e.aggregate_id \
                           and x.sequence > e.sequence and x.event_type = any($2))",
    )
    .bind(suspects.iter().map(|(position, _)| *position).collect::<Vec<_>>())
    .bind(ERASING_TYPES)
    .fetch_all(pool)
    .await?;
    let covered: HashSet<i64> = covered.into_iter().collect();
    for (position, digest) in suspects {
        if covered.contains(position) {
            referred.erased.insert(digest.clone());
        } else {
            referred.missing.push(Finding::BodyMissing {
                position: *position,
                digest: hex::encode(digest),
            });
        }
    }
    Ok(referred)
}

/// Bodies that exist although one of these events says that they were erased.
pub(super) async fn not_erased(pool: &PgPool, erasing: &[i64]) -> Result<Vec<Finding>, LogError> {
    if erasing.is_empty() {
        return Ok(Vec::new());
    }
    let left: Vec<(i64, Digest)> = sqlx::query_as(
        "select distinct x.position, b.digest from events x \
           join events e on e.aggregate_type = x.aggregate_type and e.aggregate_id = x.aggregate_id \
                        and e.sequence < x.sequence \
          cross join lateral jsonb_path_query(e.payload, 'strict $.**.digest') as d(digest) \
           join event_body b on encode(b.digest, 'hex') = d.digest #>> '{}' \
          where x.position = any($1) order by 1, 2",
    )
    .bind(erasing)
    .fetch_all(pool)
    .await?;
    Ok(left
        .into_iter()
        .map(|(position, digest)| Finding::BodyNotErased {
            position,
            digest: hex::encode(digest),
        })
        .collect())
}
