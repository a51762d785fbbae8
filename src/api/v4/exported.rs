//! Views as rows of tables.

use serde_json::{Map, Value};

use super::list_change_urls::ChangedUrl;
use super::list_changes::DomainChange;
use super::list_domain_urls::Url;
use super::list_sitemap_audit::AuditRow;
use super::views::{BatchDomain, Domain, Scan};
use crate::export::columns::{
    AUDIT, BATCH_DOMAINS, CHANGED_URLS, CHANGES, Column, DOMAINS, Exported, ListRow, SCANS, URLS,
};
use crate::projections::domains::DomainRow;
use crate::projections::jobs::JobRow;

impl Exported for Domain {
    const COLUMNS: &'static [Column] = &DOMAINS;
    const OTHER_FIELDS: &'static [&'static str] = &["id", "tech_stack", "meta_json", "stale", "links"];

    fn list_row(&self) -> ListRow<'_> {
        ListRow::Domain(&self.domain)
    }
}

impl Exported for Scan {
    const COLUMNS: &'static [Column] = &SCANS;
    const OTHER_FIELDS: &'static [&'static str] = &["result", "links"];

    fn list_row(&self) -> ListRow<'_> {
        let line = self.line.and_then(|line| u32::try_from(line).ok());
        line.map_or(ListRow::Nowhere, ListRow::Line)
    }
}

impl Exported for Url {
    const COLUMNS: &'static [Column] = &URLS;
    const OTHER_FIELDS: &'static [&'static str] = &[];

    fn list_row(&self) -> ListRow<'_> {
        ListRow::Domain(&self.domain)
    }
}

impl Exported for DomainChange {
    const COLUMNS: &'static [Column] = &CHANGES;
    const OTHER_FIELDS: &'static [&'static str] = &["fields", "urls", "links"];

    fn list_row(&self) -> ListRow<'_> {
        ListRow::Domain(&self.domain)
    }
}

impl Exported for ChangedUrl {
    const COLUMNS: &'static [Column] = &CHANGED_URLS;
    const OTHER_FIELDS: &'static [&'static str] = &[];

    fn list_row(&self) -> ListRow<'_> {
        ListRow::Domain(&self.domain)
    }
}

impl Exported for AuditRow {
    const COLUMNS: &'static [Column] = &AUDIT;
    const OTHER_FIELDS: &'static [&'static str] = &[];

    fn list_row(&self) -> ListRow<'_> {
        ListRow::Domain(&self.domain)
    }
}

impl Exported for BatchDomain {
    const COLUMNS: &'static [Column] = &BATCH_DOMAINS;
    const OTHER_FIELDS: &'static [&'static str] = Domain::OTHER_FIELDS;
    const IS_SHOWN_WITH_LIST: bool = true;

    fn list_row(&self) -> ListRow<'_> {
        let line = self.0.get("line").and_then(Value::as_u64);
        let line = line.and_then(|line| u32::try_from(line).ok());
        line.map_or(ListRow::Nowhere, ListRow::Line)
    }
}

impl BatchDomain {
    /// The domain, in punycode; an invalid input as it was sent.
    pub fn domain(&self) -> &str {
        self.0.get("domain").and_then(Value::as_str).unwrap_or_default()
    }

    /// A scan of a batch beside what is known of its domain.
    pub fn of(scan: JobRow, domain: Option<DomainRow>) -> serde_json::Result<Self> {
        let scan = Scan::from(scan);
        let mut fields = match domain {
            Some(row) => match serde_json::to_value(Domain::from(row))? {
                Value::Object(fields) => fields,
                _ => Map::new(),
            },
            None => Map::new(),
        };
        for (name, value) in [
            ("domain", scan.domain.into()),
            ("domain_unicode", scan.domain_unicode.into()),
            ("line", scan.line.into()),
            ("scan_id", scan.scan_id.to_string().into()),
            ("scan_status", scan.status.into()),
            ("scan_reason", scan.reason.into()),
            ("scan_error", scan.error.into()),
            ("scan_completed_at", serde_json::to_value(scan.completed_at)?),
        ] {
            fields.insert(name.to_owned(), value);
        }
        Ok(Self(fields))
    }
}
