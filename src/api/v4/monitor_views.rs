//! The requests and views of monitors in v4.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::batch_input::{BatchInput, RejectedLine};
use crate::api::example::{self, Example};
use crate::api::json_error::mismatch_in;
use crate::api::problem::{Problem, ProblemCode, sentence};
use crate::monitors::{MonitorRow, RunRow};
use crate::projections::domains::query::DomainFilter;
use crate::values::batch_list::{self, ChosenColumn};
use crate::values::monitor::{DomainSelection, MonitorChange, WatchedDomains};
use crate::values::site_files::{SiteFile, SiteFileSet};
use crate::values::{BatchOptions, MonitorId, WantedScan};

/// The settings of a new monitor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMonitor {
    /// Name of the monitor.
    #[schema(example = "Shops", min_length = 1, max_length = 200)]
    name: String,
    /// 1 to 100,000 domains, read like the list of a batch. Send `domains` or `filter`.
    #[schema(value_type = Option<Vec<String>>, example = json!(["example.com", "example.org"]))]
    domains: Option<Box<RawValue>>,
    /// Instead of `domains`: a filter that selects known domains, evaluated at each run.
    filter: Option<DomainSelection>,
    /// The schedule: `hourly`, `daily`, `weekly on monday` or `monthly`, optionally with an hour (`daily at 6`), or a cron
    /// expression of five fields (`30 6 * * 1-5`).
    #[schema(example = "weekly on monday")]
    rhythm: String,
    /// The time zone of the schedule, a name of the IANA database; UTC if omitted.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// Maximum number of HTML pages per domain, 1 to 100; other values are clamped.
    max_pages: Option<i64>,
    /// Maximum number of concurrent scans of a run, 1 to 1000; default 50; other values are clamped.
    max_concurrent: Option<i64>,
    /// Files to fetch in addition to pages and sitemaps.
    #[schema(example = json!(["security_txt"]))]
    files: Option<Vec<SiteFile>>,
    /// Number of URLs of each domain's sitemaps to fetch and check, 0 to 100; other values are clamped.
    sitemap_sample: Option<i64>,
    /// Only changes of one of these fields count; all if omitted.
    #[schema(example = json!(["phone_numbers", "status"]))]
    fields: Option<Vec<String>>,
}

/// The fields of a monitor to change; omitted fields do not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedMonitor {
    /// Name of the monitor.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// 1 to 100,000 domains; they replace the list or filter.
    #[schema(value_type = Option<Vec<String>>)]
    domains: Option<Box<RawValue>>,
    /// A filter that selects known domains; it replaces the list or filter.
    filter: Option<DomainSelection>,
    /// The schedule. A new one takes effect immediately.
    #[schema(example = "daily at 6")]
    rhythm: Option<String>,
    /// The time zone of the schedule.
    time_zone: Option<String>,
    /// Maximum number of HTML pages per domain, 1 to 100; other values are clamped.
    max_pages: Option<i64>,
    /// Maximum number of concurrent scans of a run, 1 to 1000; other values are clamped.
    max_concurrent: Option<i64>,
    /// Files to fetch in addition to pages and sitemaps.
    files: Option<Vec<SiteFile>>,
    /// Number of URLs of each domain's sitemaps to fetch and check, 0 to 100; other values are clamped.
    sitemap_sample: Option<i64>,
    /// Only changes to these fields are reported; all if empty.
    fields: Option<Vec<String>>,
}

/// A change of a monitor that was read, and its list.
pub(crate) struct WantedMonitor {
    pub(crate) change: MonitorChange,
    pub(crate) list: Option<BatchInput>,
}

impl NewMonitor {
    /// What it says, which must name domains.
    pub(super) fn read(self) -> Result<WantedMonitor, Problem> {
        if self.domains.is_none() && self.filter.is_none() {
            let detail = "The monitor has no domains: send the member domains or the member filter.";
            return Err(Problem::of(ProblemCode::InvalidField, detail));
        }
        let changed = ChangedMonitor {
            name: Some(self.name),
            domains: self.domains,
            filter: self.filter,
            rhythm: Some(self.rhythm),
            time_zone: self.time_zone,
            max_pages: self.max_pages,
            max_concurrent: self.max_concurrent,
            files: self.files,
            sitemap_sample: self.sitemap_sample,
            fields: self.fields,
        };
        changed.read()
    }
}

impl ChangedMonitor {
    /// The monitor of the request.
    pub(super) fn read(self) -> Result<WantedMonitor, Problem> {
        let refused = |error: &dyn std::error::Error| Problem::of(ProblemCode::InvalidField, sentence(error));
        if self.domains.is_some() && self.filter.is_some() {
            let detail = "The monitor has both domains and filter; send one of them.";
            return Err(Problem::of(ProblemCode::InvalidField, detail));
        }
        let list = self.domains.map(|domains| read_list(&domains)).transpose()?;
        if let Some(filter) = &self.filter {
            require_filter(filter)?;
        }
        let rhythm = self.rhythm.map(|text| text.parse()).transpose();
        let time_zone = self.time_zone.map(|name| name.parse()).transpose();
        let change = MonitorChange {
            name: self.name,
            domains: self.filter.map(WatchedDomains::Filter),
            rhythm: rhythm.map_err(|error| refused(&error))?,
            time_zone: time_zone.map_err(|error| refused(&error))?,
            scan: WantedScan {
                max_pages: self.max_pages,
                files: self.files.clone().map(SiteFileSet::from).unwrap_or_default(),
                sitemap_sample: self.sitemap_sample,
            },
            changes_files: self.files.is_some(),
            max_concurrent: self.max_concurrent,
            fields: self.fields,
        };
        Ok(WantedMonitor { change, list })
    }
}

fn read_list(domains: &RawValue) -> Result<BatchInput, Problem> {
    let list = batch_list::read_array(domains.get(), None).map_err(|error| mismatch_in("domains", &error))?;
    BatchInput::of(list?, BatchOptions::new(None, None))
}

/// Refuses a filter that `GET /domains` would refuse.
pub(crate) fn require_filter(filter: &DomainSelection) -> Result<(), Problem> {
    let read = DomainFilter::of(filter);
    read.map(drop)
        .map_err(|error| Problem::of(ProblemCode::InvalidField, format!("filter.{error}.")))
}

/// A monitor that was created.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedMonitor {
    /// The monitor.
    pub(super) monitor_id: Uuid,
    /// When it runs first; null if the request is a repeat.
    pub(super) next_run: Option<DateTime<Utc>>,
    /// How its list was read; null if a filter selects the domains.
    pub(super) list: Option<ReadList>,
    /// Log position at which the monitor is visible; pass it as `?at_least=` of a GET.
    pub(super) position: i64,
    /// Related URLs.
    pub(super) links: BTreeMap<&'static str, String>,
}

impl Example for CreatedMonitor {
    fn example() -> Self {
        Self {
            monitor_id: example::MONITOR,
            next_run: Some(example::later()),
            list: Some(ReadList {
                accepted: 2,
                duplicates: 0,
                rejected: Vec::new(),
                column: None,
                notes: Vec::new(),
            }),
            position: 310,
            links: links(MonitorId(example::MONITOR)),
        }
    }
}

/// How a monitor's list was read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReadList {
    /// Domains that will be scanned.
    pub(crate) accepted: usize,
    /// Number of duplicates.
    pub(crate) duplicates: usize,
    /// Lines that are not valid domains.
    pub(crate) rejected: Vec<RejectedLine>,
    /// The field that the domains were read from; null if the list has only one.
    pub(crate) column: Option<ChosenColumn>,
    /// Notes on how the list was read.
    pub(crate) notes: Vec<String>,
}

impl ReadList {
    /// How this list was read.
    pub(crate) fn of(input: &BatchInput) -> Self {
        Self {
            accepted: input.items.len(),
            duplicates: input.duplicates,
            rejected: input.rejected.clone(),
            column: input.column.clone(),
            notes: input.notes.clone(),
        }
    }
}

/// Domains that are scanned on a schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct MonitorView {
    /// Its ID.
    pub monitor_id: Uuid,
    /// Its name.
    #[schema(example = "Shops")]
    pub name: String,
    /// `active` or `paused`.
    #[schema(example = "active")]
    pub status: String,
    /// Number of domains in its list; null if a filter selects them.
    pub domains: Option<u64>,
    /// A filter that selects known domains; null if the monitor has a list.
    pub filter: Option<DomainSelection>,
    /// The schedule.
    #[schema(example = "weekly on monday")]
    pub rhythm: String,
    /// The time zone of the schedule.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// Maximum number of HTML pages per domain.
    pub max_pages: u32,
    /// Maximum number of concurrent scans of a run.
    pub max_concurrent: u32,
    /// Files that are fetched in addition to pages and sitemaps.
    #[schema(value_type = Vec<SiteFile>)]
    pub files: SiteFileSet,
    /// Number of URLs of each domain's sitemaps that are fetched and checked.
    pub sitemap_sample: u32,
    /// Only changes to these fields are reported; all if empty.
    pub fields: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it runs next; null while it is paused.
    pub next_run: Option<DateTime<Utc>>,
    /// Its last run.
    pub last_run: Option<LastRunView>,
    /// When the token of its feed was created; null if it has none.
    pub feed_since: Option<DateTime<Utc>>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for MonitorView {
    fn example() -> Self {
        Self {
            monitor_id: example::MONITOR,
            name: "Shops".to_owned(),
            status: "active".to_owned(),
            domains: Some(2),
            filter: None,
            rhythm: "weekly on monday at 6".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            max_pages: 4,
            max_concurrent: 50,
            files: SiteFileSet::default(),
            sitemap_sample: 0,
            fields: vec!["phone_numbers".to_owned(), "status".to_owned()],
            created_at: example::began(),
            next_run: Some(example::later()),
            last_run: Some(LastRunView {
                at: example::ended(),
                due_at: Some(example::began()),
                batch_id: Some(example::BATCH),
                skipped: None,
            }),
            feed_since: None,
            links: links(MonitorId(example::MONITOR)),
        }
    }
}

/// The last run of a monitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct LastRunView {
    /// When it began or was skipped.
    pub at: DateTime<Utc>,
    /// The scheduled time; null if the run was started manually.
    pub due_at: Option<DateTime<Utc>>,
    /// Its batch; null if it was skipped.
    pub batch_id: Option<Uuid>,
    /// Why it was skipped: `still_running`, `no_domains`, `too_many_domains`, `url_quota_reached` or `already_ran`.
    pub skipped: Option<String>,
}

impl From<MonitorRow> for MonitorView {
    fn from(row: MonitorRow) -> Self {
        let settings = row.settings.0;
        let run = row.run;
        Self {
            links: links(MonitorId(row.monitor_id)),
            monitor_id: row.monitor_id,
            name: settings.name,
            status: row.status,
            domains: settings.list.map(|list| list.items),
            filter: settings.filter,
            rhythm: settings.rhythm.to_string(),
            time_zone: settings.time_zone.name().to_owned(),
            max_pages: settings.options.scan.max_pages,
            max_concurrent: settings.options.max_concurrent,
            files: settings.options.scan.files,
            sitemap_sample: settings.options.scan.sitemap_sample,
            fields: settings.fields,
            created_at: row.created_at,
            next_run: row.next_run,
            feed_since: row.feed_since,
            last_run: run.run_at.map(|at| LastRunView {
                at,
                due_at: run.run_slot,
                batch_id: run.run_batch_id,
                skipped: run.run_reason,
            }),
        }
    }
}

/// A run of a monitor, or a skipped one.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
    /// The log position of its event.
    pub position: i64,
    /// When it began or was skipped.
    pub at: DateTime<Utc>,
    /// The scheduled time; null if the run was started manually.
    pub due_at: Option<DateTime<Utc>>,
    /// Its batch; null if it was skipped.
    pub batch_id: Option<Uuid>,
    /// Number of domains; null if it was skipped.
    pub total: Option<i32>,
    /// Why it was skipped: `still_running`, `no_domains`, `too_many_domains`, `url_quota_reached` or `already_ran`.
    pub skipped: Option<String>,
    /// Runs before it that were missed, for example while no server ran, and are skipped; at most 1000 are counted.
    pub missed: i32,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for RunView {
    fn example() -> Self {
        Self {
            position: 314,
            at: example::ended(),
            due_at: Some(example::began()),
            batch_id: Some(example::BATCH),
            total: Some(2),
            skipped: None,
            missed: 0,
            links: BTreeMap::from([
                ("batch", format!("/api/v4/batches/{}", example::BATCH)),
                ("changes", format!("/api/v4/changes?batch={}", example::BATCH)),
            ]),
        }
    }
}

impl From<RunRow> for RunView {
    fn from(row: RunRow) -> Self {
        let batch = row.batch_id.map(|batch| {
            [
                ("batch", format!("/api/v4/batches/{batch}")),
                ("changes", format!("/api/v4/changes?batch={batch}")),
            ]
        });
        Self {
            position: row.position,
            at: row.at,
            due_at: row.slot,
            batch_id: row.batch_id,
            total: row.total,
            skipped: row.reason,
            missed: row.missed,
            links: batch.into_iter().flatten().collect(),
        }
    }
}

/// An accepted command on a monitor.
#[derive(Debug, Serialize, ToSchema)]
pub struct AcceptedMonitorCommand {
    /// The monitor.
    pub monitor_id: Uuid,
    /// Log position at which the command is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for AcceptedMonitorCommand {
    fn example() -> Self {
        Self {
            monitor_id: example::MONITOR,
            position: 311,
            links: links(MonitorId(example::MONITOR)),
        }
    }
}

/// A feed with a new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct MonitorFeed {
    /// The monitor.
    pub monitor_id: Uuid,
    /// The path of the feed (Atom), which contains its token. It is shown once; null if the request is a repeat.
    #[schema(example = "/feeds/9f2c….xml")]
    pub feed: Option<String>,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for MonitorFeed {
    fn example() -> Self {
        Self {
            monitor_id: example::MONITOR,
            feed: Some(
                "/feeds/5d41402abc4b2a76b9719d911017c592ae2fdc8a6e1f4b3c9d0e7f6a5b4c3d2e.xml".to_owned(),
            ),
            links: links(MonitorId(example::MONITOR)),
        }
    }
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedRun {
    /// The monitor.
    pub monitor_id: Uuid,
    /// The batch of the run.
    pub batch_id: Uuid,
    /// Log position at which the run is visible; pass it as `?at_least=` of a GET.
    pub position: i64,
    /// Related URLs.
    pub links: BTreeMap<&'static str, String>,
}

impl Example for StartedRun {
    fn example() -> Self {
        Self {
            monitor_id: example::MONITOR,
            batch_id: example::BATCH,
            position: 316,
            links: BTreeMap::from([
                ("batch", format!("/api/v4/batches/{}", example::BATCH)),
                ("monitor", format!("/api/v4/monitors/{}", example::MONITOR)),
            ]),
        }
    }
}

/// Related URLs of a monitor.
pub(super) fn links(id: MonitorId) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("self", format!("/api/v4/monitors/{id}")),
        ("runs", format!("/api/v4/monitors/{id}/runs")),
        ("subscribers", format!("/api/v4/monitors/{id}/subscribers")),
        ("batches", format!("/api/v4/batches?monitor={id}")),
        ("changes", format!("/api/v4/changes?monitor={id}")),
        ("events", format!("/api/v4/streams/monitor/{id}")),
    ])
}
