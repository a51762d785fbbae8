//! Which columns are compared, how, and the known reasons for differences. A column that is not listed here is
//! compared unchanged.

use serde_json::Value;

use super::Account;
use crate::legacy::row::{OldRow, Progress, batch_key, progress, time};
use crate::values::DomainName;

/// A table of the predecessor and how its rows are found here.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Key and row of ours, out of stream ids ($1), tenants ($2) and domains ($3). What begins with `_` is not what
    /// readers of the old table see but what the read model itself says.
    pub(super) sql: &'static str,
    /// The key of an account.
    pub(super) key: fn(&Account) -> Option<String>,
    pub(super) columns: &'static [Column],
}

/// The result of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Differs(Option<&'static str>),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Domain,
    /// When a row's work was requested, as the events say.
    Begun,
    /// When it ended, as the events say.
    Ended,
    Flag,
    Texts,
    Stack,
    /// The read model's status.
    Status,
    /// The batch that the read model knows.
    Batch,
    Tenant,
    /// A file is found through its domain, whatever tenant the row names.
    FileTenant,
    /// Counts over files, which the predecessor overwrote with its last run's.
    Counted,
    /// The findings; invented placeholder pages are not imported.
    Found,
    Error,
    DomainId,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// There.
    pub(super) name: &'static str,
    /// Here.
    pub(super) ours: &'static str,
    kind: Kind,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        ours: name,
        kind,
    }
}

const fn against(name: &'static str, ours: &'static str, kind: Kind) -> Column {
    Column { name, ours, kind }
}

pub(super) const TABLES: [Table; 4] = [
    Table {
        name: "domains",
        sql: "select d.tenant_id || ' ' || d.domain, to_jsonb(v) || jsonb_build_object(\
                  '_scan', d.last_scan_id, '_status', d.status, '_batch', d.batch_id) \
                from {domains} d join legacy.domains v on v.tenant_id = d.tenant_id and v.domain = d.domain \
               where d.tenant_id = any($2) and d.domain = any($3) and $1::uuid[] is not null",
        key: |account| Some(format!("{} {}", account.tenant_id?, account.domain.as_ref()?)),
        columns: &[
            column("tenant_id", Kind::Tenant),
            column("domain", Kind::Domain),
            column("title", Kind::Found),
            column("description", Kind::Found),
            column("language", Kind::Found),
            column("favicon_url", Kind::Found),
            column("logo_url", Kind::Found),
            column("is_wordpress", Kind::Flag),
            column("wordpress_version", Kind::Found),
            column("has_elementor", Kind::Flag),
            column("email_addresses", Kind::Texts),
            column("phone_numbers", Kind::Texts),
            column("facebook_url", Kind::Found),
            column("twitter_url", Kind::Found),
            column("linkedin_url", Kind::Found),
            column("instagram_url", Kind::Found),
            column("youtube_url", Kind::Found),
            column("tech_stack", Kind::Stack),
            column("sitemap_urls", Kind::Counted),
            column("total_sitemaps", Kind::Counted),
            against("status", "_status", Kind::Status),
            against("batch_id", "_batch", Kind::Batch),
        ],
    },
    Table {
        name: "jobs",
        sql: "select v.job_id::text, to_jsonb(v) || jsonb_build_object(\
                  '_again', j.round > 1, '_status', j.status, '_batch', j.batch_id, '_error', j.error, \
                  '_begun', j.created_at, '_ended', j.completed_at, '_domain', \
                  (select r.outcome from legacy_row r where r.source_table = 'domains' and r.source_id = o.content ->> 'domain_id')) \
                from {jobs} j join legacy.jobs v on v.job_id = j.scan_id \
                left join legacy_row o on o.stream_id = j.scan_id and o.source_table = 'jobs' \
               where j.scan_id = any($1) and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        columns: &[
            column("tenant_id", Kind::Tenant),
            column("domain_id", Kind::DomainId),
            against("status", "_status", Kind::Status),
            against("batch_id", "_batch", Kind::Batch),
            against("error", "_error", Kind::Error),
            against("created_at", "_begun", Kind::Begun),
            against("completed_at", "_ended", Kind::Ended),
        ],
    },
    Table {
        name: "batch_jobs",
        sql: "select v.batch_id::text, to_jsonb(v) || jsonb_build_object(\
                  '_again', b.round > 1, '_status', b.status, '_begun', b.created_at, '_ended', b.end_time) \
                from {batch_jobs} b join legacy.batch_jobs v on v.batch_id = b.batch_id \
               where b.batch_id = any($1) and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        columns: &[
            column("tenant_id", Kind::Tenant),
            column("batch_id", Kind::Batch),
            against("status", "_status", Kind::Status),
            against("created_at", "_begun", Kind::Begun),
            against("end_time", "_ended", Kind::Ended),
        ],
    },
    Table {
        name: "sitemap_files",
        sql: "select r.stream_id::text, to_jsonb(v) || jsonb_build_object(\
                  '_again', j.job_metadata #>> '{imported,table}' is distinct from 'domains', '_domain', \
                  (select d.outcome from legacy_row d where d.source_table = 'domains' and d.source_id = r.content ->> 'domain_id')) \
                from legacy_row r join {sitemap_files} f on f.sitemap_id = r.stream_id \
                join legacy.sitemap_files v on v.id::text = r.source_id and v.tenant_id = f.tenant_id \
                left join {jobs} j on j.scan_id = f.scan_id \
               where r.source_table = 'sitemap_files' and r.outcome = 'imported' and r.stream_id = any($1) \
                 and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        columns: &[
            column("tenant_id", Kind::FileTenant),
            column("url", Kind::Domain),
            column("domain_id", Kind::DomainId),
        ],
    },
];

/// What is known of a row in addition to its columns.
pub(super) struct Circumstances<'a> {
    pub(super) account: &'a Account,
    /// Ours.
    pub(super) new: &'a Value,
    /// Whether it was scanned here since.
    pub(super) again: bool,
}

impl Circumstances<'_> {
    fn noted(&self, note: &'static str) -> Option<&'static str> {
        self.account
            .notes
            .iter()
            .any(|noted| noted == note)
            .then_some(note)
    }
}

/// A column of the old table, except those that are compared separately.
pub(super) fn compare_as_is(name: &str, old: &OldRow, row: &Circumstances<'_>) -> Compared {
    let was = old.value(name);
    let Some(is) = row.new.get(name) else {
        // Readers do not see it here; the import kept it.
        let kept = row.account.content.as_ref().and_then(|content| content.get(name));
        return match kept {
            _ if was.is_null() => Compared::Same,
            Some(kept) if kept == was => Compared::Differs(Some("kept_in_log")),
            None if row.account.content.is_none() => Compared::Differs(Some("forgotten")),
            _ => Compared::Differs(None),
        };
    };
    if is_same(was, is) {
        return Compared::Same;
    }
    let reason = match name {
        "job_id" if batch_key(word(was).trim_start_matches("scan_")) == word(is) => Some("one_form_of_id"),
        "job_id" => row.noted("job_id_not_uuid").or(row.noted("job_id_taken")),
        "id" => None,
        _ if was.is_null() && is_default(is) => Some("null_is_default"),
        _ if was.is_null() && time(is).is_some() => Some("time_missing"),
        _ if is_status(name) && progress(&word(was)) == progress(&word(is)) => Some("one_word_per_status"),
        _ if is.is_null() && is_status(name) => Some("unknown_word"),
        "result" | "metadata" | "created_at" => None,
        _ => row.noted("unfinished"),
    };
    Compared::Differs(reason.or(shared(row)))
}

/// The known reasons of differences.
fn shared(row: &Circumstances<'_>) -> Option<&'static str> {
    if row.again {
        return Some("scanned_since");
    }
    row.account.content.is_none().then_some("forgotten")
}

impl Column {
    /// Compares a row of theirs with ours.
    pub(super) fn compare(self, old: &OldRow, row: &Circumstances<'_>) -> Compared {
        let (was, is) = (old.value(self.name), &row.new[self.ours]);
        if is_same(was, is) {
            return Compared::Same;
        }
        let reason = match self.kind {
            Kind::Domain => same_domain(was, is).then_some("one_name_per_site"),
            Kind::Begun => row.noted("time_missing").or(row.noted("times_out_of_order")),
            Kind::Ended => row
                .noted("unfinished")
                .or(row.noted("times_out_of_order"))
                .or(was.is_null().then_some("time_missing"))
                .or((is.is_null() && row.new["_status"] == "cancelled").then_some("nothing_counted")),
            Kind::Flag if was.is_null() && is == &Value::Bool(false) => Some("null_is_default"),
            Kind::Flag | Kind::Found => row.noted("fabricated_metadata"),
            Kind::Texts => match (&Value::from(old.texts(self.name)) == is, was.is_null()) {
                (true, true) => Some("null_is_default"),
                (true, false) => Some("blanks_removed"),
                _ => row.noted("fabricated_metadata"),
            },
            Kind::Stack => is_stack_of(was, is)
                .then_some("four_drawers")
                .or(row.noted("fabricated_metadata")),
            Kind::Status => return Self::status(&word(was), &word(is), row),
            Kind::Batch => return Self::batch(was, is, row),
            Kind::Tenant => is_same_id(was, is)
                .then_some("one_form_of_id")
                .or(row.noted("tenant_not_uuid")),
            Kind::FileTenant => Some("tenant_of_its_domain"),
            Kind::Counted => Some("counted_anew"),
            Kind::Error => error(was, is).or(row.noted("unfinished")),
            Kind::DomainId => domain_id(was, row),
        };
        let reason = reason.or_else(|| self.by_job(was, is));
        Compared::Differs(reason.or(shared(row)))
    }

    fn status(was: &str, is: &str, row: &Circumstances<'_>) -> Compared {
        let (then, now) = (progress(was), progress(is));
        if was == is || (then == now && then != Progress::Unknown) {
            return Compared::Same;
        }
        let reason = row
            .noted("unfinished")
            .or(row.noted("unknown_status"))
            .or(match (was, is) {
                // A domain is as its last scan was; `active` says nothing of it, and one may have no trace of any.
                ("active", "completed" | "cancelled") | ("pending" | "processing", "completed") => {
                    Some("follows_the_scan")
                }
                ("partial", "completed" | "partial") | ("completed" | "complete", "partial" | "failed") => {
                    Some("follows_the_counts")
                }
                (_, "cancelled") if row.new["completed_domains"] == 0 && row.new["failed_domains"] == 0 => {
                    Some("nothing_counted")
                }
                ("failed" | "error", "completed" | "partial")
                    if row.new.get("completed_domains").is_some() =>
                {
                    Some("follows_the_counts")
                }
                _ => None,
            });
        Compared::Differs(reason.or(shared(row)))
    }

    fn batch(was: &Value, is: &Value, row: &Circumstances<'_>) -> Compared {
        let (was, is) = (word(was), word(is));
        if batch_key(&was) == batch_key(&is) {
            return Compared::Same;
        }
        let reason = [
            "batch_missing",
            "batch_of_other_tenant",
            "batch_id_taken",
            "batch_id_missing",
            "batch_id_not_uuid",
        ]
        .into_iter()
        .find_map(|note| row.noted(note));
        Compared::Differs(reason.or(shared(row)))
    }

    /// The domain's row was never scanned, or failed; what is known here comes from one of its jobs.
    fn by_job(self, was: &Value, is: &Value) -> Option<&'static str> {
        let found = matches!(self.kind, Kind::Found | Kind::Flag | Kind::Texts | Kind::Stack);
        let said_nothing =
            was.is_null() || *was == Value::Bool(false) || was.as_array().is_some_and(Vec::is_empty);
        (found && said_nothing && !is.is_null()).then_some("told_by_its_job")
    }
}

fn is_same(was: &Value, is: &Value) -> bool {
    was == is
        || (was.is_number() && was.as_f64() == is.as_f64())
        || matches!((time(was), time(is)), (Some(was), Some(is)) if was == is)
}

/// What a null there is shown as here.
fn is_default(is: &Value) -> bool {
    *is == 0.0
        || *is == 0
        || *is == 5
        || *is == true
        || ["New", "standard", "{}"].contains(&word(is).as_str())
}

fn is_status(name: &str) -> bool {
    name.ends_with("status")
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

fn is_same_id(was: &Value, is: &Value) -> bool {
    word(was).trim().eq_ignore_ascii_case(&word(is))
}

fn same_domain(was: &Value, is: &Value) -> bool {
    let name = was.as_str().and_then(|text| DomainName::parse(text).ok());
    name.is_some_and(|name| Some(name.as_str()) == is.as_str()) || word(was).trim() == word(is)
}

fn error(was: &Value, is: &Value) -> Option<&'static str> {
    match (was.as_str().map(str::trim), is.as_str()) {
        (Some(was), Some(is)) if was == is => Some("blanks_removed"),
        (None | Some(""), Some(_)) => Some("error_in_words"),
        (Some(""), None) => Some("blanks_removed"),
        // A scan that completed or was cancelled has none.
        (Some(_), None) => Some("no_error_if_not_failed"),
        _ => None,
    }
}

fn domain_id(was: &Value, row: &Circumstances<'_>) -> Option<&'static str> {
    if was.is_null() {
        return Some("domain_by_name");
    }
    row.noted("domain_of_other_tenant")
        .or(match row.new["_domain"].as_str() {
            Some("merged") => Some("same_site"),
            Some("refused") => Some("domain_refused"),
            None => Some("no_domain"),
            Some(_) => row.noted("tenant_not_uuid"),
        })
}

/// Whether all texts of the four categories are there; other keys and other types have no place.
fn is_stack_of(was: &Value, is: &Value) -> bool {
    ["cms", "frameworks", "analytics", "widgets"]
        .iter()
        .all(|category| {
            let texts = |stack: &Value| -> Vec<String> {
                let items = stack[*category].as_array().into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            texts(was) == texts(is)
        })
}
