//! Erases what was found out about a subject: its bodies are deleted, and events record that. Order, hashes and
//! streams stay intact. When the read models follow those events, they remove their copies (`evolve.rs` of `domains`,
//! `jobs` and `sitemaps`).
//!
//! An append with bodies and an erasure exclude each other (an advisory lock), so an erasure sees each stream that
//! refers to a body of the subject. The subject's salt is replaced, not deleted. So an append that was sealed before
//! is refused ([`LogError::SaltChanged`]) and sealed again, in every process.

use sqlx::PgTransaction;
use sqlx::postgres::PgRow;

use super::append::{AppendUnit, Appended, BODIES_LOCK, StreamAppend, append_events};
use super::read::{COLUMNS, event_of};
use super::{EventLog, LogError, LogEvent};
use crate::values::{EventType, TenantId};

/// The events that say that the bodies of all earlier events of their stream were erased.
pub const ERASING_TYPES: &[&str] = &[EventType::ScanErased.as_str()];

/// A started erasure: no bodies are appended until it is committed or dropped.
pub struct Erasing {
    log: EventLog,
    tx: PgTransaction<'static>,
    tenant: TenantId,
    subject: String,
    events: Vec<LogEvent>,
}

/// The result of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Number of deleted bodies.
    pub bodies: u64,
    /// Position of the last event of the erasure; `None` if there was nothing to erase.
    pub position: Option<i64>,
}

impl EventLog {
    /// Begins to erase what was found out about a tenant's domain.
    pub async fn begin_erasure(&self, tenant: TenantId, domain: &str) -> Result<Erasing, LogError> {
        let begin = format!("begin; select pg_advisory_xact_lock({BODIES_LOCK})");
        let mut tx = self.pool.begin_with(begin).await?;
        let rows: Vec<PgRow> = sqlx::query(&format!(
            "select {COLUMNS} from events \
              where aggregate_type = 'domain_scan' and aggregate_id in (\
                select r.aggregate_id from events r \
                 where r.event_type = 'ScanRequested' and r.tenant_id = $1 \
                   and left(r.payload #>> '{{ScanRequested,domain}}', 253) = $2) \
              order by aggregate_id, sequence"
        ))
        .bind(tenant.0)
        .bind(domain)
        .fetch_all(&mut *tx)
        .await?;
        Ok(Erasing {
            log: self.clone(),
            tx,
            tenant,
            subject: domain.to_owned(),
            events: rows.iter().map(event_of).collect::<Result<_, _>>()?,
        })
    }
}

impl Erasing {
    /// Returns the events of all streams about the subject, stream by stream, each in order.
    pub fn take_events(&mut self) -> Vec<LogEvent> {
        std::mem::take(&mut self.events)
    }

    /// Appends the events that say so and deletes the bodies, or neither. [`LogError::Conflict`] if one of the streams
    /// grew meanwhile.
    pub async fn commit(mut self, streams: Vec<StreamAppend>) -> Result<Erased, LogError> {
        let unit = AppendUnit {
            tenant: self.tenant,
            streams,
            bodies: Vec::new(),
            key: None,
        };
        let outcomes = append_events(&mut self.tx, std::iter::once(&unit)).await?;
        let mut position = None;
        for outcome in outcomes {
            if let Appended::Committed(last) = outcome.into_result()? {
                position = last;
            }
        }
        let deleted = sqlx::query("delete from event_body where tenant_id = $1 and subject = $2")
            .bind(self.tenant.0)
            .bind(&self.subject)
            .execute(&mut *self.tx)
            .await?;
        // A trigger on this update also removes the predecessor's columns of the domain
        // (migrations/0009_legacy_rows.sql).
        sqlx::query(
            "insert into body_salt (tenant_id, subject, salt) values ($1, $2, $3) \
             on conflict (tenant_id, subject) do update set salt = excluded.salt",
        )
        .bind(self.tenant.0)
        .bind(&self.subject)
        .bind(rand::random::<[u8; 16]>().as_slice())
        .execute(&mut *self.tx)
        .await?;
        self.tx.commit().await?;
        self.log.forget_salt(self.tenant, &self.subject);
        self.log.wake();
        Ok(Erased {
            bodies: deleted.rows_affected(),
            position,
        })
    }
}
