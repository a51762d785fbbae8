//! Reads scans: one, and lists. `throughput` shows the progress of a batch over time.

use std::collections::HashMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::QueryBuilder;

use super::{JobRow, Jobs};
use crate::aggregates::ScanStatus;
use crate::log::LogError;
use crate::log::body::unpack;
use crate::projections::query::{Listed, MAX_LIMIT, Sort};
use crate::projections::{ProjectionError, RawJson, ReadModels, rows};
use crate::values::{BatchId, DomainName, FailureReason, ScanId, TenantId};

/// The order of scans: that of their requests, which is that of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobSort {
    /// Oldest first.
    #[default]
    Created,
    /// Newest first.
    CreatedLast,
}

impl fmt::Display for JobSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created_at",
            Self::CreatedLast => "-created_at",
        })
    }
}

impl Sort for JobSort {
    const ALL: &'static [Self] = &[Self::Created, Self::CreatedLast];
}

/// A filter of scans.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only those with this status.
    pub status: Option<ScanStatus>,
    /// Only those whose last failure has this reason.
    pub reason: Option<FailureReason>,
    /// Only of this domain.
    pub domain: Option<String>,
    /// Only those whose domain holds this text, in any case.
    pub contains: Option<String>,
    /// Only of this batch.
    pub batch: Option<BatchId>,
    /// The sort order.
    pub sort: JobSort,
    /// Only after the scan with this request position, in that order.
    pub after: Option<i64>,
    /// Maximum number.
    pub limit: i64,
}

/// One scan of a tenant.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    scan: ScanId,
) -> Result<Option<JobRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(j)::text, b.bytes from {}.jobs j {BODY} where j.scan_id = $1 and j.tenant_id = $2",
        models.jobs
    );
    let found: Option<StoredJob> = sqlx::query_as(&sql)
        .bind(scan.0)
        .bind(tenant.0)
        .fetch_optional(&mut *reading)
        .await?;
    found.map(with_findings).transpose()
}

/// The row of a scan with what the scan found.
pub async fn complete(
    models: &ReadModels,
    tenant: TenantId,
    mut row: JobRow,
) -> Result<JobRow, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let digest = row.digest().and_then(|digest| hex::decode(digest).ok());
    let body: Option<Vec<u8>> =
        sqlx::query_scalar("select bytes from event_body where tenant_id = $1 and digest = $2")
            .bind(tenant.0)
            .bind(digest)
            .fetch_optional(&mut *reading)
            .await?;
    row.result_data = content(&row, body)?;
    Ok(row)
}

/// Joins the body that a row `j` names; looked up by itself (`offset 0`), whatever the statistics say.
const BODY: &str = "left join lateral (select b.bytes from event_body b \
    where b.tenant_id = j.tenant_id and b.digest = j.findings offset 0) b on true";

/// A row, and the body that it names as it is stored.
type StoredJob = (String, Option<Vec<u8>>);

fn with_findings((row, body): StoredJob) -> Result<JobRow, ProjectionError> {
    let mut row = rows::from_json::<Jobs>(&row)?;
    row.result_data = content(&row, body)?;
    Ok(row)
}

fn content(row: &JobRow, body: Option<Vec<u8>>) -> Result<Option<RawJson>, ProjectionError> {
    let Some(body) = body else { return Ok(None) };
    let unreadable = |error: String| LogError::UnreadableBody {
        digest: row.digest().unwrap_or_default().to_owned(),
        subject: row.domain.clone(),
        bytes: 0,
        error,
    };
    let content = unpack(body).map_err(|error| unreadable(error.to_string()))?;
    let findings = RawJson::parse(&content).map_err(|error| unreadable(error.to_string()))?;
    Ok(Some(findings))
}

/// Scans of a tenant in the order of their requests; without their results, which one asks for one by one.
pub async fn list(
    models: &ReadModels,
    tenant: TenantId,
    filter: &JobFilter,
) -> Result<Listed<JobRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let mut query = QueryBuilder::new(format!(
        "select to_jsonb(j)::text from {}.jobs j where tenant_id = ",
        models.jobs
    ));
    query.push_bind(tenant.0);
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status.as_str());
    }
    if let Some(reason) = filter.reason {
        query.push(" and reason = ").push_bind(reason.as_str());
    }
    if let Some(domain) = &filter.domain {
        query.push(" and domain = ").push_bind(domain);
    }
    if let Some(text) = &filter.contains {
        // People write names as they read them; the table has them as DNS does.
        let name = idna::domain_to_ascii(text).ok().filter(|_| !text.is_ascii());
        query
            .push(" and position(")
            .push_bind(name.unwrap_or_else(|| text.to_lowercase()));
        query.push(" in lower(domain)) > 0");
    }
    if let Some(batch) = filter.batch {
        query.push(" and batch_id = ").push_bind(batch.0);
    }
    let (behind, order) = match filter.sort {
        JobSort::Created => (" > ", ""),
        JobSort::CreatedLast => (" < ", " desc"),
    };
    if let Some(after) = filter.after {
        query
            .push(" and requested_position")
            .push(behind)
            .push_bind(after);
    }
    query
        .push(" order by requested_position")
        .push(order)
        .push(" limit ")
        .push_bind(filter.limit + 1);
    // Planned for this very batch: a plan for batches in general reads all rows, whether it has ten or 100,000.
    let query = query.build_query_scalar().persistent(false);
    let found: Vec<String> = query.fetch_all(&mut *reading).await?;
    let found = rows::all_from_json::<Jobs>(&found).await?;
    Ok(Listed::of(found, filter.limit, |row| {
        filter.sort.place(&row.requested_position.to_string())
    }))
}

/// The last completed scan of a domain that is at most so old and whose findings were not forgotten.
pub async fn latest_within(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
    age: TimeDelta,
) -> Result<Option<JobRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(j)::text, b.bytes from \
           (select * from {}.jobs where tenant_id = $1 and domain = $2 and status = 'completed' \
               and recently(completed_at, $3, now()) and findings is not null order by completed_at desc limit 1) j {BODY}",
        models.jobs
    );
    let found: Option<StoredJob> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .bind(age)
        .fetch_optional(&mut *reading)
        .await?;
    found.map(with_findings).transpose()
}

/// The same of many domains: each that has one, with the scan and when it completed.
pub async fn scanned_within(
    models: &ReadModels,
    tenant: TenantId,
    domains: &[&str],
    age: TimeDelta,
) -> Result<HashMap<String, (ScanId, DateTime<Utc>)>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select distinct on (domain) domain, scan_id, completed_at from {}.jobs \
          where tenant_id = $1 and domain = any($2) and status = 'completed' and recently(completed_at, $3, now()) \
            and findings is not null order by domain, completed_at desc",
        models.jobs
    );
    let found: Vec<(String, uuid::Uuid, DateTime<Utc>)> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(domains)
        .bind(age)
        .fetch_all(&mut *reading)
        .await?;
    Ok(found
        .into_iter()
        .map(|(domain, scan, at)| (domain, (ScanId(scan), at)))
        .collect())
}

/// The scans of a batch that have started, in the order of their start; without their results.
pub async fn begun_of_batch(
    models: &ReadModels,
    tenant: TenantId,
    batch: BatchId,
) -> Result<Vec<JobRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(j)::text from {}.jobs j \
          where tenant_id = $1 and batch_id = $2 and (started_at is not null or completed_at is not null) \
          order by coalesce(started_at, completed_at), requested_position limit $3",
        models.jobs
    );
    let found: Vec<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(batch.0)
        .bind(MAX_LIMIT)
        .fetch_all(&mut *reading)
        .await?;
    rows::all_from_json::<Jobs>(&found).await
}

/// The failed scans of a batch and the round each failed in.
pub async fn failed_of_batch(
    models: &ReadModels,
    tenant: TenantId,
    batch: BatchId,
) -> Result<Vec<(ScanId, u32)>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select scan_id, round from {}.jobs where tenant_id = $1 and batch_id = $2 and status = 'failed' \
            and reason is distinct from 'invalid_domain' order by requested_position",
        models.jobs
    );
    let rows: Vec<(uuid::Uuid, i32)> = sqlx::query_as(&sql)
        .bind(tenant.0)
        .bind(batch.0)
        .fetch_all(&mut *reading)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, round)| (ScanId(id), u32::try_from(round).unwrap_or_default()))
        .collect())
}
