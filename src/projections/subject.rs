//! The subject of a row, and the events about it. They are found through the log's own indexes, so history, repair and
//! the continuous check do not depend on the tables that they check.

use sqlx::PgConnection;

use super::{Fact, Projection, ProjectionError};
use crate::log::LogError;
use crate::log::body::load_bodies;
use crate::log::read::read_streams;
use crate::values::{BatchId, ScanId, TenantId};

/// The subject of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One scan.
    Scan(ScanId),
    /// A batch with its scans.
    Batch(BatchId),
    /// A domain of a tenant with all its scans.
    Domain(TenantId, String),
}

impl Subject {
    /// Whether more scans than that are about it, without reading them all.
    pub(super) async fn has_more_scans_than(
        &self,
        connection: &mut PgConnection,
        scans: i64,
    ) -> Result<bool, sqlx::Error> {
        let Self::Batch(id) = self else { return Ok(false) };
        let counted: i64 = sqlx::query_scalar(
            "select count(*) from (select from events where event_type = 'ScanRequested' \
                and payload #>> '{ScanRequested,batch_id}' is not null \
                and payload #>> '{ScanRequested,batch_id}' = $1 limit $2) scans",
        )
        .bind(id.0.to_string())
        .bind(scans + 1)
        .fetch_one(connection)
        .await?;
        Ok(counted > scans)
    }

    /// Its streams: (type, ids). Of a domain's scans the last requested ones, up to a limit; all of
    /// them for `None`.
    async fn streams(
        &self,
        connection: &mut PgConnection,
        latest: Option<i64>,
    ) -> Result<Vec<(String, Vec<String>)>, sqlx::Error> {
        let scans: Vec<String> = match self {
            Self::Scan(id) => vec![id.0.to_string()],
            Self::Batch(id) => {
                sqlx::query_scalar(
                    "select aggregate_id from events where event_type = 'ScanRequested' \
                        and payload #>> '{ScanRequested,batch_id}' is not null \
                        and payload #>> '{ScanRequested,batch_id}' = $1",
                )
                .bind(id.0.to_string())
                .fetch_all(connection)
                .await?
            }
            Self::Domain(tenant, domain) => {
                sqlx::query_scalar(
                    "select aggregate_id from events where event_type = 'ScanRequested' \
                        and tenant_id = $1 and left(payload #>> '{ScanRequested,domain}', 253) = $2 \
                      order by position desc limit $3",
                )
                .bind(tenant.0)
                .bind(domain)
                .bind(latest)
                .fetch_all(connection)
                .await?
            }
        };
        let mut streams = vec![("domain_scan".to_owned(), scans)];
        if let Self::Batch(id) = self {
            streams.push(("batch_scan".to_owned(), vec![id.0.to_string()]));
        }
        Ok(streams)
    }
}

/// All that the log says about a row up to a position, in order. An event that cannot be read ends it.
pub(super) async fn facts_of<P: Projection>(
    connection: &mut PgConnection,
    key: &P::Key,
    up_to: i64,
) -> Result<Vec<Fact>, ProjectionError> {
    facts_of_latest::<P>(connection, key, up_to, None).await
}

/// The same of a domain's latest scans only, at most so many.
pub(super) async fn facts_of_latest<P: Projection>(
    connection: &mut PgConnection,
    key: &P::Key,
    up_to: i64,
    scans: Option<i64>,
) -> Result<Vec<Fact>, ProjectionError> {
    let streams = P::subject(key).streams(&mut *connection, scans).await?;
    let events = read_streams(&mut *connection, &streams, P::FOLLOWER.event_types(), up_to).await?;
    let mut facts = Vec::with_capacity(events.len());
    for event in &events {
        facts.extend(Fact::decode(event)?);
    }
    facts.retain(|fact| P::key(fact).as_ref() == Some(key));
    match attach_findings::<P>(connection, &mut facts)
        .await?
        .into_iter()
        .next()
    {
        Some((_, error)) => Err(error.into()),
        None => Ok(facts),
    }
}

/// Gives completed scans what they found, if the projection reads it. Returns the numbers of the facts whose findings
/// cannot be read, and why: their rows cannot continue, all others can.
pub(super) async fn attach_findings<P: Projection>(
    connection: &mut PgConnection,
    facts: &mut [Fact],
) -> Result<Vec<(usize, LogError)>, ProjectionError> {
    if !P::READS_FINDINGS {
        return Ok(Vec::new());
    }
    let bodies = load_bodies(connection, facts.iter().filter_map(Fact::findings_ref)).await?;
    let attached = facts.iter_mut().map(|fact| fact.attach_findings(&bodies));
    Ok(attached
        .enumerate()
        .filter_map(|(number, attached)| Some((number, attached.err()?)))
        .collect())
}

/// The row according to the log at a position.
pub(super) async fn row_by_log<P: Projection>(
    connection: &mut PgConnection,
    key: &P::Key,
    up_to: i64,
) -> Result<Option<P::Row>, ProjectionError> {
    let facts = facts_of::<P>(connection, key, up_to).await?;
    Ok(facts.iter().fold(None, P::evolve))
}

/// A row of any key that a stream is about: what an event that cannot be read was about.
pub(super) async fn key_of_stream<P: Projection>(
    connection: &mut PgConnection,
    aggregate_type: &str,
    aggregate_id: &str,
) -> Result<Option<P::Key>, ProjectionError> {
    let stream = [(aggregate_type.to_owned(), vec![aggregate_id.to_owned()])];
    let events = read_streams(connection, &stream, P::FOLLOWER.event_types(), i64::MAX).await?;
    Ok(events
        .iter()
        .filter_map(|event| Fact::decode(event).ok().flatten())
        .find_map(|fact| P::key(&fact)))
}
