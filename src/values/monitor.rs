//! The settings of a monitor: which domains it scans, when, and which changes it reports.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::domain_change::{UnknownField, require_fields};
use super::failure::{UnknownCode, codes};
use super::rhythm::{Rhythm, Schedule, Zone};
use super::{BatchOptions, BodyRef, MonitorId, WantedScan};

use std::fmt;
use std::str::FromStr;

/// Characters of a name.
const MAX_NAME: usize = 200;

codes! {
    /// Why a run did not take place. Codes are never renamed; new ones may be added.
    SkipReason {
        /// The batch of the run before has not ended.
        StillRunning => "still_running",
        /// The filter matched no domain.
        NoDomains => "no_domains",
        /// More domains than a batch may have, or than the tenant's quota.
        TooManyDomains => "too_many_domains",
        /// The tenant has reached its quota of stored URLs.
        UrlQuotaReached => "url_quota_reached",
        /// The run of this time took place already, under a clock that was wrong then.
        AlreadyRan => "already_ran",
    }
}

/// Selects domains of the tenant by the filters of `GET /domains`. A filter that is null matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DomainSelection {
    /// Only domains whose latest scan has this status.
    pub status: Option<String>,
    /// Only domains whose name or title contains this text, case-insensitive.
    pub contains: Option<String>,
    /// Only domains whose latest scan belongs to this batch.
    pub batch: Option<String>,
    /// Only domains that run WordPress (`true`) or do not (`false`).
    pub is_wordpress: Option<bool>,
    /// Only domains whose pages use Elementor (`true`) or do not (`false`).
    pub has_elementor: Option<bool>,
    /// Only domains with (`true`) or without (`false`) an email address.
    pub has_email: Option<bool>,
    /// Only domains with (`true`) or without (`false`) a phone number.
    pub has_phone: Option<bool>,
    /// Only domains in this language, a BCP 47 tag; `de` also matches `de-AT`.
    pub language: Option<String>,
    /// Only domains that use this technology, case-insensitive.
    #[schema(example = "Shopify")]
    pub technology: Option<String>,
    /// Only domains whose home page is in this state.
    pub site_state: Option<String>,
    /// Only domains whose email is handled by this provider, case-insensitive.
    pub email_provider: Option<String>,
    /// Only domains whose TLS certificate expires before this date or time (RFC 3339).
    pub tls_expires_before: Option<String>,
}

/// The settings of a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MonitorSettings {
    /// The name of the monitor.
    pub name: String,
    /// Body: the domains, one JSON object per line, as in `BatchRequested`. Null if a filter selects them.
    pub list: Option<BodyRef>,
    /// A filter that selects the domains, evaluated at each run. Null if there is a list.
    pub filter: Option<DomainSelection>,
    /// The schedule: `hourly`, `daily`, `weekly on monday`, `monthly`, or a cron expression of five fields.
    #[schema(value_type = String)]
    pub rhythm: Rhythm,
    /// The time zone of the schedule, a name of the IANA database.
    #[schema(value_type = String)]
    pub time_zone: Zone,
    /// The options of each run's batch.
    pub options: BatchOptions,
    /// Only changes to these fields are reported; all if empty.
    pub fields: Vec<String>,
}

impl Default for MonitorSettings {
    /// The defaults of a new monitor.
    fn default() -> Self {
        Self {
            name: String::new(),
            list: None,
            filter: None,
            rhythm: Rhythm::DAILY.parse().expect("it is one of the words"),
            time_zone: Zone::UTC,
            options: BatchOptions::new(None, None),
            fields: Vec::new(),
        }
    }
}

/// Why settings are invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMonitor {
    /// No name, or a long one.
    #[error("name must have 1 to {MAX_NAME} characters")]
    Name,
    /// No field that can change.
    #[error(transparent)]
    Field(#[from] UnknownField),
}

impl MonitorSettings {
    /// When it is due.
    pub fn schedule(&self, id: MonitorId) -> Schedule {
        Schedule::new(self.rhythm.clone(), self.time_zone, id.0)
    }

    /// Whether it has the same schedule as another.
    pub fn has_rhythm_of(&self, other: &Self) -> bool {
        self.rhythm == other.rhythm && self.time_zone == other.time_zone
    }

    /// Settings in their stored form.
    pub fn checked(mut self) -> Result<Self, InvalidMonitor> {
        self.name = String::from(self.name.trim());
        if self.name.is_empty() || self.name.chars().count() > MAX_NAME {
            return Err(InvalidMonitor::Name);
        }
        require_fields(&self.fields)?;
        self.fields.sort_unstable();
        self.fields.dedup();
        Ok(self)
    }
}

/// A scheduled time of a monitor, and the missed ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The scheduled time.
    pub at: DateTime<Utc>,
    /// Number of missed times before it, which are skipped.
    pub missed: u32,
}

/// The settings to change; `None` keeps the current value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MonitorChange {
    /// Its name.
    pub name: Option<String>,
    /// Its domains.
    pub domains: Option<WatchedDomains>,
    /// The schedule.
    pub rhythm: Option<Rhythm>,
    /// The time zone.
    pub time_zone: Option<Zone>,
    /// How each domain is scanned.
    pub scan: WantedScan,
    /// Whether `scan.files` is set; it may be set to no files.
    pub changes_files: bool,
    /// Maximum number of concurrent scans.
    pub max_concurrent: Option<i64>,
    /// The fields whose changes are reported.
    pub fields: Option<Vec<String>>,
}

/// Where the domains of a run come from.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchedDomains {
    /// A list that is kept.
    List(BodyRef),
    /// A filter.
    Filter(DomainSelection),
}

impl MonitorChange {
    /// The settings with the changes applied.
    pub fn of(self, settings: &MonitorSettings) -> Result<MonitorSettings, InvalidMonitor> {
        let scan = settings.options.scan;
        let wanted = WantedScan {
            max_pages: self.scan.max_pages.or(Some(scan.max_pages.into())),
            files: if self.changes_files {
                self.scan.files
            } else {
                scan.files
            },
            sitemap_sample: self.scan.sitemap_sample.or(Some(scan.sitemap_sample.into())),
        };
        let concurrent = self
            .max_concurrent
            .unwrap_or(settings.options.max_concurrent.into());
        let (list, filter) = match self.domains {
            None => (settings.list.clone(), settings.filter.clone()),
            Some(WatchedDomains::List(list)) => (Some(list), None),
            Some(WatchedDomains::Filter(filter)) => (None, Some(filter)),
        };
        let changed = MonitorSettings {
            name: self.name.unwrap_or_else(|| settings.name.clone()),
            list,
            filter,
            rhythm: self.rhythm.unwrap_or_else(|| settings.rhythm.clone()),
            time_zone: self.time_zone.unwrap_or(settings.time_zone),
            options: BatchOptions::wanted(wanted, Some(concurrent)),
            fields: self.fields.unwrap_or_else(|| settings.fields.clone()),
        };
        changed.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> MonitorSettings {
        MonitorSettings {
            name: " Shops ".to_owned(),
            list: None,
            filter: Some(DomainSelection::default()),
            rhythm: "daily".parse().unwrap(),
            time_zone: Zone::UTC,
            options: BatchOptions::new(Some(7), Some(9)),
            fields: vec!["title".to_owned(), "status".to_owned(), "title".to_owned()],
        }
    }

    #[test]
    fn settings_are_stored_in_one_form_or_refused() {
        let checked = settings().checked().unwrap();
        assert_eq!(checked.name, "Shops");
        assert_eq!(checked.fields, ["status", "title"]);
        let stored = serde_json::to_value(&checked).unwrap();
        assert_eq!(
            serde_json::from_value::<MonitorSettings>(stored).unwrap(),
            checked
        );
        let nameless = MonitorSettings {
            name: " ".to_owned(),
            ..settings()
        };
        assert_eq!(nameless.checked(), Err(InvalidMonitor::Name));
        let colour = MonitorSettings {
            fields: vec!["titel".to_owned()],
            ..settings()
        };
        let refused = colour.checked().unwrap_err().to_string();
        assert!(
            refused.contains("'titel'") && refused.contains("'title'"),
            "{refused}"
        );
    }

    #[test]
    fn what_a_change_does_not_name_stays() {
        let before = settings().checked().unwrap();
        assert_eq!(MonitorChange::default().of(&before).unwrap(), before);
        let change = MonitorChange {
            rhythm: Some("hourly".parse().unwrap()),
            max_concurrent: Some(3),
            ..MonitorChange::default()
        };
        let after = change.of(&before).unwrap();
        assert_eq!(
            (after.rhythm.as_str(), after.options.max_concurrent),
            ("hourly", 3)
        );
        assert_eq!((&after.fields, after.options.scan.max_pages), (&before.fields, 7));
        assert!(!after.has_rhythm_of(&before));
    }
}
