//! Which columns are compared, how, and what may make them differ.

use serde_json::Value;

use super::Account;
use crate::legacy::import::{OldRow, Progress, batch_key, progress};
use crate::values::DomainName;

/// A table of the predecessor and how its rows are found here.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Key and row of ours, out of stream ids ($1), tenants ($2) and domains ($3).
    pub(super) sql: &'static str,
    /// The key of an account.
    pub(super) key: fn(&Account) -> Option<String>,
    /// Whether a row of ours was changed by what was done since.
    pub(super) touched: fn(&Value, &Account) -> bool,
    pub(super) columns: &'static [Column],
}

/// What a column came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    Same,
    Differs(Option<&'static str>),
}

/// How two values are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Domain,
    Time,
    Flag,
    Texts,
    Stack,
    DomainStatus,
    JobStatus,
    BatchStatus,
    Scraped,
    Batch,
    Tenant,
    /// Counts over files, which the predecessor overwrote with its last run's.
    Counted,
    /// The times of events, which are those of the first and the last.
    EventTime,
    /// What was found; made-up pages are not taken.
    Found,
    SitemapType,
    Error,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    kind: Kind,
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

pub(super) const TABLES: [Table; 4] = [
    Table {
        name: "domains",
        sql: "select d.tenant_id || ' ' || d.domain, to_jsonb(v) || jsonb_build_object('_last_scan', d.last_scan_id, '_status', d.status) \
                from {domains}.domains d join legacy.domains v on v.tenant_id = d.tenant_id and v.domain = d.domain \
               where d.tenant_id = any($2) and d.domain = any($3) and $1::uuid[] is not null",
        key: |account| Some(format!("{} {}", account.tenant_id?, account.domain.as_ref()?)),
        touched: |new, account| {
            new["_last_scan"].as_str() != account.stream_id.map(|id| id.to_string()).as_deref()
        },
        columns: &[
            column("id", Kind::Plain),
            column("tenant_id", Kind::Tenant),
            column("domain", Kind::Domain),
            column("status", Kind::DomainStatus),
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
            column("content_scrape_status", Kind::Scraped),
            column("first_scan", Kind::EventTime),
            column("last_scan", Kind::Time),
            column("created_at", Kind::EventTime),
            column("updated_at", Kind::EventTime),
            column("batch_id", Kind::Batch),
            column("sitemap_urls", Kind::Counted),
            column("total_sitemaps", Kind::Counted),
        ],
    },
    Table {
        name: "jobs",
        sql: "select v.job_id::text, to_jsonb(v) || jsonb_build_object('_round', j.round) \
                from {jobs}.jobs j join legacy.jobs v on v.job_id = j.scan_id \
               where j.scan_id = any($1) and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        touched: |new, _| new["_round"] != 1,
        columns: &[
            column("id", Kind::Plain),
            column("job_id", Kind::Plain),
            column("tenant_id", Kind::Tenant),
            column("job_type", Kind::Plain),
            column("status", Kind::JobStatus),
            column("domain_id", Kind::Plain),
            column("batch_id", Kind::Batch),
            column("progress", Kind::EventTime),
            column("result_data", Kind::Plain),
            column("error", Kind::Error),
            column("created_at", Kind::Time),
            column("completed_at", Kind::Time),
            column("updated_at", Kind::EventTime),
        ],
    },
    Table {
        name: "batch_jobs",
        sql: "select v.batch_id::text, to_jsonb(v) || jsonb_build_object('_round', b.round) \
                from {batch_jobs}.batch_jobs b join legacy.batch_jobs v on v.batch_id = b.batch_id \
               where b.batch_id = any($1) and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        touched: |new, _| new["_round"] != 1,
        columns: &[
            column("id", Kind::Plain),
            column("batch_id", Kind::Batch),
            column("tenant_id", Kind::Tenant),
            column("processor_type", Kind::Plain),
            column("status", Kind::BatchStatus),
            column("total_domains", Kind::Plain),
            column("completed_domains", Kind::Plain),
            column("failed_domains", Kind::Plain),
            column("error", Kind::Error),
            column("created_at", Kind::Time),
            column("end_time", Kind::Time),
        ],
    },
    Table {
        name: "sitemap_files",
        sql: "select r.stream_id::text, to_jsonb(v) from legacy_row r \
                join legacy.sitemap_files v on v.id::text = r.source_id \
               where r.source_table = 'sitemap_files' and r.outcome = 'imported' and r.stream_id = any($1) \
                 and $2::uuid[] is not null and $3::text[] is not null",
        key: |account| Some(account.stream_id?.to_string()),
        touched: |_, _| false,
        columns: &[
            column("id", Kind::Plain),
            column("domain_id", Kind::Plain),
            column("url", Kind::Domain),
            column("sitemap_type", Kind::SitemapType),
            column("url_count", Kind::Counted),
        ],
    },
];

impl Column {
    /// Holds a row of theirs against the one of ours.
    pub(super) fn compare(self, old: &OldRow, new: &Value, notes: &[&str], touched: bool) -> Compared {
        let (was, is) = (old.value(self.name), &new[self.name]);
        if was == is {
            return Compared::Same;
        }
        let noted = |note: &'static str| notes.contains(&note).then_some(note);
        let reason = match self.kind {
            Kind::Plain => return self.plain(old, is, &noted, touched),
            Kind::Domain => same_domain(was, is).then_some("one_name_per_site"),
            Kind::Time => match (old.time(self.name), time(is)) {
                (was, is) if was == is => return Compared::Same,
                (None, _) => Some("time_missing"),
                _ => noted("times_out_of_order").or(noted("unfinished")),
            },
            Kind::EventTime => match (old.time(self.name), time(is)) {
                (Some(was), Some(is)) if was == is => return Compared::Same,
                _ if is.as_f64() == was.as_f64() && was.is_number() => return Compared::Same,
                _ => Some("derived_from_events"),
            },
            Kind::Flag => {
                let is_null = was.is_null() && is == &Value::Bool(false);
                is_null
                    .then_some("null_is_false")
                    .or(noted("fabricated_metadata"))
            }
            Kind::Found => noted("fabricated_metadata"),
            Kind::Texts => {
                let kept = Value::from(old.texts(self.name));
                let is_same = &kept == is;
                match (is_same, was.is_null()) {
                    (true, true) => Some("null_is_empty"),
                    (true, false) => Some("blanks_removed"),
                    _ => noted("fabricated_metadata"),
                }
            }
            Kind::Stack => is_stack_of(was, is)
                .then_some("four_drawers")
                .or(noted("fabricated_metadata")),
            Kind::DomainStatus | Kind::JobStatus | Kind::BatchStatus => {
                let (was, is) = (word(was), word(is));
                if progress(&was) == progress(&is) && progress(&was) != Progress::Unknown {
                    Some("one_word_per_status")
                } else {
                    noted("unfinished")
                        .or(noted("unknown_status"))
                        .or(never(self.kind, &was, &is))
                }
            }
            Kind::Scraped => match (progress(&word(was)), progress(&word(is))) {
                (was, is) if was == is => Some("one_word_per_status"),
                _ => Some("follows_the_scan"),
            },
            Kind::Batch => {
                let is_same = !is.is_null() && batch_key(&word(was)) == batch_key(&word(is));
                is_same
                    .then_some("one_form_of_id")
                    .or(noted("batch_missing"))
                    .or(noted("batch_of_other_tenant"))
                    .or(noted("batch_id_taken"))
                    .or(noted("batch_id_missing"))
                    .or((word(was).trim().is_empty() && is.is_null()).then_some("null_is_empty"))
            }
            Kind::Tenant => {
                let is_same = word(was).eq_ignore_ascii_case(&word(is));
                is_same.then_some("one_form_of_id").or(noted("tenant_not_uuid"))
            }
            Kind::Counted => Some("counted_anew"),
            Kind::SitemapType => noted("type_missing").or(Some("image_video_news_are_standard")),
            Kind::Error => match (was.as_str().map(str::trim), is.as_str()) {
                (Some(was), Some(is)) if was == is => Some("blanks_removed"),
                (None | Some(""), Some(_)) => noted("unfinished").or(Some("error_in_words")),
                (Some(""), None) => Some("null_is_empty"),
                _ => noted("unfinished"),
            },
        };
        let reason = reason.or(touched.then_some("scanned_since"));
        Compared::Differs(reason.or_else(|| by_job(was, is, new)))
    }

    fn plain(
        self,
        old: &OldRow,
        is: &Value,
        noted: &dyn Fn(&'static str) -> Option<&'static str>,
        touched: bool,
    ) -> Compared {
        let was = old.value(self.name);
        if was.is_number() && was.as_f64() == is.as_f64() {
            return Compared::Same;
        }
        let reason = match self.name {
            "job_id" => noted("job_id_not_uuid"),
            // A twin's id, or that of a domain that is gone there.
            "domain_id" => Some(if was.is_null() {
                "domain_by_name"
            } else {
                "same_site"
            }),
            "id" => noted("id_form"),
            _ => None,
        };
        Compared::Differs(reason.or(touched.then_some("scanned_since")))
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(String::new, str::to_owned)
}

fn time(value: &Value) -> Option<chrono::DateTime<chrono::Utc>> {
    OldRow::new(serde_json::json!({ "t": value })).time("t")
}

fn same_domain(was: &Value, is: &Value) -> bool {
    let name = was.as_str().and_then(|text| DomainName::parse(text).ok());
    name.is_some_and(|name| Some(name.as_str()) == is.as_str()) || word(was).trim() == word(is)
}

/// The row itself was never scanned, or failed; what is known here comes from one of its jobs.
fn by_job(was: &Value, is: &Value, new: &Value) -> Option<&'static str> {
    let scanned = new.get("_status").is_none_or(|status| status == "completed");
    let is_time = time(was).is_some() && time(is).is_some();
    let said_nothing =
        was.is_null() || *was == Value::Bool(false) || was.as_array().is_some_and(Vec::is_empty);
    (!scanned && (said_nothing || is_time)).then_some("told_by_its_job")
}

fn never(kind: Kind, was: &str, is: &str) -> Option<&'static str> {
    match (kind, was, is) {
        (Kind::DomainStatus, "active", "completed")
        | (Kind::DomainStatus, "completed" | "pending" | "processing", "active") => Some("follows_the_scan"),
        (Kind::BatchStatus, _, "cancelled") => Some("nothing_counted"),
        _ => None,
    }
}

/// Whether all texts of the four drawers are there; other keys and other types have no place.
fn is_stack_of(was: &Value, is: &Value) -> bool {
    ["cms", "frameworks", "analytics", "widgets"]
        .iter()
        .all(|drawer| {
            let texts = |stack: &Value| -> Vec<String> {
                let items = stack[*drawer].as_array().into_iter().flatten();
                items.filter_map(Value::as_str).map(str::to_owned).collect()
            };
            texts(was) == texts(is)
        })
}
