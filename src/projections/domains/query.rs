//! Reading domains.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{DomainRow, Domains};
use crate::aggregates::ScanStatus;
use crate::projections::generation::execute;
use crate::projections::query::{Listed, Sort};
use crate::projections::{ProjectionError, ReadModels, rows};
use crate::values::monitor::DomainSelection;
use crate::values::site_state::SiteStateKind;
use crate::values::{BatchId, DomainName, TenantId};

/// The order of domains; those of the same time are in the order of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DomainSort {
    /// By name.
    #[default]
    Name,
    /// By name, from the end.
    NameLast,
    /// Whose scan ended longest ago first; those without one last.
    Scanned,
    /// Whose scan ended last first; those without one last.
    ScannedLast,
}

impl fmt::Display for DomainSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "domain",
            Self::NameLast => "-domain",
            Self::Scanned => "last_scan",
            Self::ScannedLast => "-last_scan",
        })
    }
}

impl Sort for DomainSort {
    const ALL: &'static [Self] = &[Self::Name, Self::NameLast, Self::Scanned, Self::ScannedLast];
}

/// A domain's place in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DomainCursor {
    /// When its latest scan ended, microseconds since 1970; not used if the order is by name.
    pub last_scan: Option<i64>,
    /// Its name.
    pub domain: String,
}

impl DomainCursor {
    /// The place of a row.
    pub fn of(row: &DomainRow) -> Self {
        Self {
            last_scan: row.last_scan.map(|at| at.timestamp_micros()),
            domain: row.domain.clone(),
        }
    }
}

impl fmt::Display for DomainCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(last_scan) = self.last_scan {
            write!(f, "{last_scan}")?;
        }
        write!(f, ":{}", self.domain)
    }
}

impl FromStr for DomainCursor {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (last_scan, domain) = text.split_once(':').unwrap_or((text, ""));
        let last_scan = Some(last_scan).filter(|text| !text.is_empty());
        Ok(Self {
            last_scan: last_scan.map(str::parse).transpose()?,
            domain: domain.to_owned(),
        })
    }
}

/// A filter of domains.
#[derive(Clone, Debug, Default)]
pub struct DomainFilter {
    /// Only those with this status.
    pub status: Option<ScanStatus>,
    /// Only those whose name or title holds this text, in any case.
    pub contains: Option<String>,
    /// Only those whose latest scan belongs to this batch.
    pub batch: Option<BatchId>,
    /// Only those that run WordPress, or do not.
    pub is_wordpress: Option<bool>,
    /// Only those that are built with Elementor, or are not.
    pub has_elementor: Option<bool>,
    /// Only those with an email address, or without.
    pub has_email: Option<bool>,
    /// Only those with a phone number, or without.
    pub has_phone: Option<bool>,
    /// Only those in this language (BCP 47), whatever region it says: `de` is also `de-AT` (RFC 4647, 3.3.1).
    pub language: Option<String>,
    /// Only those that have the technology of this name, in any case.
    pub technology: Option<String>,
    /// Only those whose home page is that.
    pub site_state: Option<SiteStateKind>,
    /// Only those whose email is handled by this provider, case-insensitive.
    pub email_provider: Option<String>,
    /// Only those whose certificate is valid until an earlier time.
    pub tls_expires_before: Option<DateTime<Utc>>,
    /// Only those of these names; all if there is none.
    pub domains: Vec<String>,
    /// The sort order.
    pub sort: DomainSort,
    /// Only after this place in that order.
    pub after: Option<DomainCursor>,
    /// Maximum number.
    pub limit: i64,
}

/// An invalid value of a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is '{text}'; it must be {allowed}")]
pub struct InvalidFilter {
    /// Its name.
    pub name: &'static str,
    /// Its text, as far as it is shown.
    pub text: String,
    /// The limit.
    pub allowed: String,
}

impl DomainFilter {
    /// The filter of a selection, without order and limit.
    pub fn of(selection: &DomainSelection) -> Result<Self, InvalidFilter> {
        Ok(Self {
            status: read("status", selection.status.as_deref(), || one_of(&ScanStatus::ALL))?,
            contains: selection.contains.clone(),
            batch: read("batch", selection.batch.as_deref(), || "a batch's id".to_owned())?,
            is_wordpress: selection.is_wordpress,
            has_elementor: selection.has_elementor,
            has_email: selection.has_email,
            has_phone: selection.has_phone,
            language: selection.language.clone(),
            technology: selection.technology.clone(),
            site_state: read("site_state", selection.site_state.as_deref(), || {
                one_of(SiteStateKind::ALL)
            })?,
            email_provider: selection.email_provider.clone(),
            tls_expires_before: read(
                "tls_expires_before",
                selection.tls_expires_before.as_deref(),
                || "a date or time (RFC 3339), such as 2026-12-31".to_owned(),
            )?
            .map(|before: Before| before.0),
            ..Self::default()
        })
    }
}

fn read<T: FromStr>(
    name: &'static str,
    text: Option<&str>,
    allowed: impl FnOnce() -> String,
) -> Result<Option<T>, InvalidFilter> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_| InvalidFilter {
        name,
        text: text.chars().take(100).collect(),
        allowed: allowed(),
    })
}

fn one_of<T: fmt::Display>(words: &[T]) -> String {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    format!("one of {}", words.join(", "))
}

/// A time, or the beginning of a day, UTC.
struct Before(DateTime<Utc>);

impl FromStr for Before {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_day = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let time = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
        time.or_else(|_| text.parse().map(of_day)).map(Self)
    }
}

/// One domain of a tenant.
pub async fn find(
    models: &ReadModels,
    tenant: TenantId,
    domain: &DomainName,
) -> Result<Option<DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(d)::text from {}.domains d where tenant_id = $1 and domain = $2",
        models.domains
    );
    let row: Option<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(domain.as_str())
        .fetch_optional(&mut *reading)
        .await?;
    row.as_deref().map(rows::from_json::<Domains>).transpose()
}

/// The names of a tenant's domains that a filter matches, in the order of the filter.
pub async fn names(
    models: &ReadModels,
    tenant: TenantId,
    filter: &DomainFilter,
) -> Result<Vec<String>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let expiring = prepare(&mut reading, models, tenant, filter).await?;
    let mut query = QueryBuilder::new(format!(
        "select domain from {}.domains where tenant_id = ",
        models.domains
    ));
    query.push_bind(tenant.0);
    push_filter(&mut query, filter, expiring);
    push_order(&mut query, filter);
    query.push(" limit ").push_bind(filter.limit);
    let query = query.build_query_scalar().persistent(false);
    Ok(query.fetch_all(&mut *reading).await?)
}

/// What a filter needs before its query.
async fn prepare(
    reading: &mut PgConnection,
    models: &ReadModels,
    tenant: TenantId,
    filter: &DomainFilter,
) -> Result<Option<Vec<String>>, ProjectionError> {
    if filter.technology.is_some() {
        // Its index (GIN) is read by bitmaps only, which connections for small reads avoid.
        execute(reading, "set local enable_bitmapscan = on").await?;
    }
    match filter.tls_expires_before {
        Some(before) => expiring(reading, models, tenant, before).await,
        None => Ok(None),
    }
}

/// Domains of a tenant in the order of the filter.
pub async fn list(
    models: &ReadModels,
    tenant: TenantId,
    filter: &DomainFilter,
) -> Result<Listed<DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let expiring = prepare(&mut reading, models, tenant, filter).await?;
    // The page first, then its rows as JSON: that unpacks what was found, which no other row needs.
    let mut query = QueryBuilder::new(format!(
        "select to_jsonb(d)::text from (select * from {}.domains where tenant_id = ",
        models.domains
    ));
    query.push_bind(tenant.0);
    push_filter(&mut query, filter, expiring);
    push_after(&mut query, filter);
    push_order(&mut query, filter);
    query.push(" limit ").push_bind(filter.limit + 1);
    query.push(") d");
    push_order(&mut query, filter);
    // Planned for these very values: what is right for a filter that most rows meet is wrong for one that none does.
    let query = query.build_query_scalar().persistent(false);
    let found: Vec<String> = query.fetch_all(&mut *reading).await?;
    let found = rows::all_from_json::<Domains>(&found).await?;
    Ok(Listed::of(found, filter.limit, |row| {
        filter.sort.place(&DomainCursor::of(row).to_string())
    }))
}

/// Domains whose certificate expires before a time are looked up by name up to so many; where there are more, the list
/// soon finds enough of them in its own order.
const FEW_EXPIRING: i64 = 2_000;

/// The names of domains whose certificate expires before a time; `None` if they are many.
///
/// No index has both orders, and which one is right depends on how many there are, which statistics do not reliably say.
async fn expiring(
    reading: &mut PgConnection,
    models: &ReadModels,
    tenant: TenantId,
    before: DateTime<Utc>,
) -> Result<Option<Vec<String>>, ProjectionError> {
    let sql = format!(
        "select domain from {}.domains where tenant_id = $1 and tls_expires < $2 order by tls_expires limit $3",
        models.domains
    );
    let names: Vec<String> = sqlx::query_scalar(&sql)
        .persistent(false)
        .bind(tenant.0)
        .bind(before)
        .bind(FEW_EXPIRING + 1)
        .fetch_all(reading)
        .await?;
    let is_few = i64::try_from(names.len()).is_ok_and(|count| count <= FEW_EXPIRING);
    Ok(is_few.then_some(names))
}

fn push_filter(query: &mut QueryBuilder<'_, Postgres>, filter: &DomainFilter, expiring: Option<Vec<String>>) {
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status.as_str());
    }
    if !filter.domains.is_empty() {
        query
            .push(" and domain = any(")
            .push_bind(filter.domains.clone())
            .push(")");
    }
    if let Some(batch) = filter.batch {
        query.push(" and batch_id = ").push_bind(batch.0);
    }
    for (column, wanted) in [
        ("is_wordpress", filter.is_wordpress),
        ("has_elementor", filter.has_elementor),
        ("(cardinality(email_addresses) > 0)", filter.has_email),
        ("(cardinality(phone_numbers) > 0)", filter.has_phone),
    ] {
        if let Some(wanted) = wanted {
            query.push(" and ").push(column).push(" = ").push_bind(wanted);
        }
    }
    if let Some(language) = &filter.language {
        let language = language.to_lowercase();
        query.push(" and (lower(language) = ").push_bind(language.clone());
        query
            .push(" or starts_with(lower(language), ")
            .push_bind(format!("{language}-"));
        query.push("))");
    }
    if let Some(text) = &filter.contains {
        // People write names as they read them; the table has them as DNS does.
        let name = idna::domain_to_ascii(text).ok().filter(|_| !text.is_ascii());
        query
            .push(" and (position(")
            .push_bind(name.unwrap_or_else(|| text.to_lowercase()));
        query
            .push(" in domain) > 0 or position(")
            .push_bind(text.to_lowercase());
        query.push(" in lower(title)) > 0)");
    }
    if let Some(state) = filter.site_state {
        query.push(" and site_state = ").push_bind(state.as_str());
    }
    if let Some(provider) = &filter.email_provider {
        query
            .push(" and email_provider_key = ")
            .push_bind(provider.to_lowercase());
    }
    match (&filter.tls_expires_before, expiring) {
        (Some(_), Some(names)) => {
            query.push(" and domain = any(").push_bind(names).push(")");
        }
        (Some(time), None) => {
            query.push(" and tls_expires < ").push_bind(*time);
        }
        (None, _) => {}
    }
    if let Some(name) = &filter.technology {
        query
            .push(" and technology_keys @> array[")
            .push_bind(name.to_lowercase())
            .push("]");
    }
}

/// How an order is written: what stands for a missing time, so that it sorts last in both directions; what follows a
/// place; and the direction.
fn words_of(sort: DomainSort) -> (Option<String>, &'static str, &'static str) {
    let time = |missing: i64| {
        Some(format!(
            "coalesce((extract(epoch from last_scan) * 1000000)::bigint, {missing}::bigint)"
        ))
    };
    match sort {
        DomainSort::Name => (None, " > ", " asc"),
        DomainSort::NameLast => (None, " < ", " desc"),
        DomainSort::Scanned => (time(MISSING), " > ", " asc"),
        DomainSort::ScannedLast => (time(-MISSING), " < ", " desc"),
    }
}

/// The placeholder of a missing time, so that it sorts last.
const MISSING: i64 = i64::MAX;

fn push_after(query: &mut QueryBuilder<'_, Postgres>, filter: &DomainFilter) {
    let Some(after) = &filter.after else { return };
    let (time, behind, _) = words_of(filter.sort);
    let Some(time) = time else {
        query
            .push(" and domain")
            .push(behind)
            .push_bind(after.domain.clone());
        return;
    };
    let missing = match filter.sort {
        DomainSort::ScannedLast => -MISSING,
        _ => MISSING,
    };
    query.push(format!(" and ({time}, domain){behind}("));
    query.push_bind(after.last_scan.unwrap_or(missing)).push(", ");
    query.push_bind(after.domain.clone()).push(")");
}

fn push_order(query: &mut QueryBuilder<'_, Postgres>, filter: &DomainFilter) {
    let (time, _, direction) = words_of(filter.sort);
    query.push(" order by ");
    if let Some(time) = time {
        query.push(time).push(direction).push(", ");
    }
    query.push("domain").push(direction);
}

/// The rows of some of a tenant's domains, by name.
pub async fn named(
    models: &ReadModels,
    tenant: TenantId,
    names: &[String],
) -> Result<HashMap<String, DomainRow>, ProjectionError> {
    let mut reading = models.reading(tenant).await?;
    let sql = format!(
        "select to_jsonb(d)::text from {}.domains d where tenant_id = $1 and domain = any($2)",
        models.domains
    );
    let found: Vec<String> = sqlx::query_scalar(&sql)
        .bind(tenant.0)
        .bind(names)
        .fetch_all(&mut *reading)
        .await?;
    let found = rows::all_from_json::<Domains>(&found).await?;
    Ok(found.into_iter().map(|row| (row.domain.clone(), row)).collect())
}
