//! `GET /changes`.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::list_monitors::find_monitor;
use super::views::{Page, readable};
use crate::aggregates::ScanEvent;
use crate::api::ApiState;
use crate::api::example::{self, Example};
use crate::api::export::{FormatQuery, List, Wanted};
use crate::api::problem::{Problem, ProblemCode};
use crate::api::request::{Paging, QueryOf, Tenant, filter, one_of, order, since};
use crate::commands::compare_scan::values_of;
use crate::log::body::{Bodies, load_bodies};
use crate::log::changes::ChangeFilter;
use crate::log::{LogError, LogEvent};
use crate::projections::query::{Listed, Sort};
use crate::values::domain_change::{FieldDifference, SITEMAP_URLS, STATUS, field_names};
use crate::values::{BatchId, DomainName, MonitorId, TenantId};

/// The order of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ChangeSort {
    /// The newest first.
    #[default]
    NewestFirst,
    /// In the order of the log.
    OldestFirst,
}

impl fmt::Display for ChangeSort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewestFirst => "-position",
            Self::OldestFirst => "position",
        })
    }
}

impl Sort for ChangeSort {
    const ALL: &'static [Self] = &[Self::NewestFirst, Self::OldestFirst];
}

/// Which changes.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChangeQuery {
    /// Only changes after this log position or time (RFC 3339).
    #[param(example = "2026-01-31T12:00:00Z")]
    pub(crate) since: Option<String>,
    /// Only changes in which this field changed, e.g. `phone_numbers`; `status` and `sitemap_urls` are fields as well.
    pub(crate) field: Option<String>,
    /// Only changes of this domain.
    pub(crate) domain: Option<String>,
    /// Only changes found by scans of this batch; `batch_id` is an alias.
    #[serde(alias = "batch_id")]
    pub(crate) batch: Option<String>,
    /// Only changes found by runs of this monitor that match its field filter (`fields`); `monitor_id` is an alias.
    #[serde(alias = "monitor_id")]
    pub(crate) monitor: Option<String>,
    /// The order: newest first (`-position`) or in the order of the log (`position`).
    pub(crate) sort: Option<String>,
}

/// What a scan found that differs from what was known of the domain.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DomainChange {
    /// The log position of the event.
    pub position: i64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The domain in punycode.
    #[schema(example = "xn--mnchen-3ya.de")]
    pub domain: String,
    /// The domain in Unicode.
    #[schema(example = "münchen.de")]
    pub domain_unicode: String,
    /// The changed fields, each with its values before and after.
    pub fields: Vec<FieldDifference>,
    /// Why the scan failed, if the status changed to `failed`.
    #[schema(example = "name_not_resolved")]
    pub reason: Option<String>,
    /// How many URLs the sitemaps gained and lost; null if they are the same or were not compared.
    pub urls: Option<ChangedUrlCounts>,
    /// Whether the values were erased; then `before` and `after` are null.
    pub erased: bool,
    /// The scan that found the change.
    pub scan_id: Uuid,
    /// The scan that it was compared with.
    pub previous_scan_id: Uuid,
    /// The batch of the scan.
    pub batch_id: Option<Uuid>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for DomainChange {
    fn example() -> Self {
        Self {
            position: 241,
            at: example::ended(),
            domain: "example.com".to_owned(),
            domain_unicode: "example.com".to_owned(),
            fields: vec![FieldDifference {
                field: "phone_numbers".to_owned(),
                before: json!(["+12125550001"]),
                after: json!(["+12125550002"]),
            }],
            reason: None,
            urls: Some(ChangedUrlCounts {
                added: 12,
                removed: 200,
            }),
            erased: false,
            scan_id: example::SCAN,
            previous_scan_id: example::EARLIER_SCAN,
            batch_id: None,
            links: BTreeMap::from([
                ("domain", "/api/v4/domains/example.com".to_owned()),
                ("scan", format!("/api/v4/scans/{}", example::SCAN)),
                (
                    "previous_scan",
                    format!("/api/v4/scans/{}", example::EARLIER_SCAN),
                ),
                ("urls", "/api/v4/changes/241/urls".to_owned()),
            ]),
        }
    }
}

/// How many URLs sitemaps gained and lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangedUrlCounts {
    /// Number of URLs that are new.
    pub added: u64,
    /// Number of URLs that are gone.
    pub removed: u64,
}

/// Lists what changed in domains: each item is one scan that found something different from what was known. The first
/// scan of a domain is not listed, and a failed one changes only the status. Values that a scan did not find again
/// stay known.
#[utoipa::path(
    get, path = "/changes", tag = "changes", params(ChangeQuery, FormatQuery, Paging),
    responses(
        (status = 200, body = Page<DomainChange>), (status = 400, body = Problem), (status = 503, body = Problem),
    )
)]
pub(super) async fn list_changes(
    State(state): State<ApiState>,
    Tenant(tenant): Tenant,
    QueryOf(query): QueryOf<ChangeQuery>,
    QueryOf(paging): QueryOf<Paging>,
    wanted: Wanted,
) -> Result<Response, Problem> {
    wanted.answer(&state, tenant, paging, query).await
}

impl List for ChangeQuery {
    type Row = DomainChange;

    fn name(&self) -> String {
        "changes".to_owned()
    }

    fn batch(&self) -> Option<BatchId> {
        self.batch.as_deref()?.parse().ok()
    }

    fn is_costly(&self) -> bool {
        self.field.is_some() || self.batch.is_some() || self.monitor.is_some()
    }

    async fn page(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<Page<DomainChange>, Problem> {
        let filter = self.filter(state, tenant, paging).await?;
        let sort: ChangeSort = order(self.sort.as_deref())?;
        let _turn = state.models.turn(tenant).await?;
        let events = state
            .log
            .domain_changes(&ChangeFilter {
                limit: filter.limit + 1,
                ..filter.clone()
            })
            .await?;
        let listed = Listed::of(events, filter.limit, |event| {
            sort.place(&event.position.to_string())
        });
        Ok(Page {
            items: changes_of(state, &listed.items).await?,
            next: listed.next,
        })
    }
}

impl ChangeQuery {
    /// Which events these are.
    pub(super) async fn filter(
        &self,
        state: &ApiState,
        tenant: TenantId,
        paging: &Paging,
    ) -> Result<ChangeFilter, Problem> {
        let domain = self.domain.as_deref().map(DomainName::parse).transpose();
        let sort: ChangeSort = order(self.sort.as_deref())?;
        let names = field_names();
        if let Some(field) = &self.field
            && !names.contains(&field.as_str())
        {
            let shown: String = field.chars().take(100).collect();
            let detail = format!("field is '{shown}'; it must be {}.", one_of(&names));
            return Err(Problem::of(ProblemCode::InvalidQuery, detail));
        }
        let monitor: Option<MonitorId> =
            filter("monitor", self.monitor.as_deref(), || "a monitor's ID".to_owned())?;
        let row = match monitor {
            Some(id) => find_monitor(state, tenant, id).await?,
            None => None,
        };
        Ok(ChangeFilter {
            tenant,
            monitor,
            fields: row.map(|row| row.settings.0.fields).unwrap_or_default(),
            domain: domain
                .map_err(|error| Problem::of(ProblemCode::InvalidQuery, format!("domain: {error}.")))?
                .map(String::from),
            field: self.field.clone(),
            batch: filter("batch", self.batch.as_deref(), || "a batch's ID".to_owned())?,
            since: since(self.since.as_deref(), state).await?,
            up_to: None,
            newest_first: sort == ChangeSort::NewestFirst,
            after: paging.after_in(sort)?,
            limit: paging.limit()?,
        })
    }
}

/// The events as rows, with their values.
pub(in crate::api) async fn changes_of(
    state: &ApiState,
    events: &[LogEvent],
) -> Result<Vec<DomainChange>, Problem> {
    let mut changes = Vec::with_capacity(events.len());
    for event in events {
        changes.push((event, event.decode::<ScanEvent>()?));
    }
    let references = changes.iter().filter_map(|(_, change)| match change {
        ScanEvent::DomainChanged { values, .. } => values.as_ref(),
        _ => None,
    });
    let bodies = load_bodies(state.log.pool(), references).await?;
    let rows = changes
        .into_iter()
        .filter_map(|(event, change)| DomainChange::of(event, change, &bodies).transpose());
    Ok(rows.collect::<Result<_, _>>()?)
}

impl DomainChange {
    /// An event with its values; `None` if it is another event.
    pub(crate) fn of(event: &LogEvent, change: ScanEvent, bodies: &Bodies) -> Result<Option<Self>, LogError> {
        let ScanEvent::DomainChanged {
            domain,
            batch_id,
            previous_scan_id,
            fields: names,
            status,
            values,
            urls,
            ..
        } = change
        else {
            return Ok(None);
        };
        let scan_id: Uuid = event.aggregate_id.parse().unwrap_or_default();
        let kept = values
            .as_ref()
            .map(|values| values_of(bodies, values))
            .transpose()?;
        let erased = kept.as_ref().is_some_and(Option::is_none);
        let mut fields: Vec<FieldDifference> = Vec::new();
        fields.extend(status.map(|status| FieldDifference {
            field: STATUS.to_owned(),
            before: status.before.as_str().into(),
            after: status.after.as_str().into(),
        }));
        match kept.flatten() {
            Some(kept) => fields.extend(kept),
            None => fields.extend(
                names
                    .into_iter()
                    .filter(|name| name != STATUS && name != SITEMAP_URLS)
                    .map(|field| FieldDifference {
                        field,
                        before: Value::Null,
                        after: Value::Null,
                    }),
            ),
        }
        let mut links = BTreeMap::from([
            ("domain", format!("/api/v4/domains/{domain}")),
            ("scan", format!("/api/v4/scans/{scan_id}")),
            ("previous_scan", format!("/api/v4/scans/{previous_scan_id}")),
        ]);
        if urls.is_some() {
            links.insert("urls", format!("/api/v4/changes/{}/urls", event.position));
        }
        Ok(Some(Self {
            position: event.position,
            at: event.circumstances().1,
            domain_unicode: readable(&domain),
            domain,
            fields,
            reason: status
                .and_then(|status| status.reason)
                .map(|reason| reason.to_string()),
            urls: urls.map(|urls| ChangedUrlCounts {
                added: urls.added,
                removed: urls.removed,
            }),
            erased,
            scan_id,
            previous_scan_id: previous_scan_id.0,
            batch_id: batch_id.map(|batch| batch.0),
            links,
        }))
    }
}
