//! The body of `POST /batches` in any of its formats.

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;

use super::json_error::{mismatch_in, parse_json};
use super::problem::{Problem, ProblemCode, sentence};
use super::request::unsupported_media_type;
use crate::commands::request_batch::BatchItem;
pub use crate::values::RejectedLine;
use crate::values::amount::{counted, number};
use crate::values::batch_list::{self, ChosenColumn, Form, MAX_COLUMNS, MAX_DOMAINS, Source, UnreadableList};
use crate::values::site_files::{SiteFile, SiteFileSet};
use crate::values::{BatchList, BatchOptions, WantedScan};

/// A list that was read.
#[derive(Clone, Debug, Default)]
pub struct BatchInput {
    /// The domains to scan.
    pub items: Vec<BatchItem>,
    /// Number of duplicates.
    pub duplicates: usize,
    /// The lines that are not domains.
    pub rejected: Vec<RejectedLine>,
    /// The column that the domains were read from.
    pub column: Option<ChosenColumn>,
    /// Notes on how the list was read.
    pub notes: Vec<String>,
    /// The options of the batch.
    pub options: BatchOptions,
    /// Days; domains with a more recent scan are skipped. Only JSON bodies contain it.
    pub max_age_days: Option<f64>,
}

/// The parameters of a request that are not in its body.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListParameters<'a> {
    /// The encoding that the media type declares.
    pub charset: Option<&'a str>,
    /// The column or field to take.
    pub column: Option<&'a str>,
    /// How each domain is scanned.
    pub scan: WantedScan,
    /// Maximum number of concurrent scans.
    pub max_concurrent: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonBody<'a> {
    #[serde(borrow)]
    domains: &'a RawValue,
    max_pages: Option<i64>,
    max_concurrent: Option<i64>,
    max_age_days: Option<f64>,
    files: Option<Vec<SiteFile>>,
    sitemap_sample: Option<i64>,
}

/// Media types of lists.
const MEDIA_TYPES: [&str; 5] = [
    "application/json",
    "text/csv",
    "text/plain",
    "application/x-ndjson",
    XLSX,
];
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

impl BatchInput {
    /// Reads a body by its media type; numbers in a JSON body override those of the query.
    pub fn read(media_type: &str, body: &[u8], beside: ListParameters<'_>) -> Result<Self, Problem> {
        let form = match media_type {
            "application/json" => return Self::read_json(body, beside),
            "text/csv" | "text/plain" | XLSX => Form::Table,
            "application/x-ndjson" => Form::Ndjson,
            other => return Err(unsupported_media_type(other, &MEDIA_TYPES)),
        };
        let source = Source {
            content: body,
            form,
            charset: beside.charset,
            column: beside.column,
        };
        Self::of(
            source.read()?,
            BatchOptions::wanted(beside.scan, beside.max_concurrent),
        )
    }

    fn read_json(body: &[u8], beside: ListParameters<'_>) -> Result<Self, Problem> {
        let body: JsonBody<'_> = parse_json(body)?;
        let list = batch_list::read_array(body.domains.get(), beside.column)
            .map_err(|error| mismatch_in("domains", &error))?;
        let wanted = WantedScan {
            max_pages: body.max_pages.or(beside.scan.max_pages),
            files: body.files.map_or(beside.scan.files, SiteFileSet::from),
            sitemap_sample: body.sitemap_sample.or(beside.scan.sitemap_sample),
        };
        let options = BatchOptions::wanted(wanted, body.max_concurrent.or(beside.max_concurrent));
        Ok(Self {
            max_age_days: body.max_age_days,
            ..Self::of(list?, options)?
        })
    }

    /// A list that was already read, if it is within the limits.
    pub fn of(mut list: BatchList, options: BatchOptions) -> Result<Self, Problem> {
        if list.is_too_long() {
            let detail = format!(
                "The list has more than {MAX_DOMAINS} domains, or more than {MAX_DOMAINS} invalid lines; a batch has at \
                 most {MAX_DOMAINS}. Split the list into several batches."
            );
            return Err(Problem::of(ProblemCode::TooManyDomains, detail));
        }
        if list.is_too_wide() {
            let detail =
                format!("The list has more than {MAX_COLUMNS} columns; remove columns that you do not need.");
            return Err(Problem::of(ProblemCode::TooManyColumns, detail));
        }
        Ok(Self {
            items: BatchItem::of_list(&mut list),
            duplicates: list.duplicates,
            rejected: list.rejected,
            column: list.column,
            notes: list.notes,
            options,
            max_age_days: None,
        })
    }

    /// Refuses a list that exceeds the tenant's quota.
    pub fn require_at_most(&self, quota: Option<u32>) -> Result<(), Problem> {
        let Some(quota) = quota.filter(|quota| self.items.len() > *quota as usize) else {
            return Ok(());
        };
        let detail = format!(
            "The list has {}; the tenant's quota is {} per batch. Split the list into several batches.",
            counted(self.items.len(), "domain"),
            number(quota.into())
        );
        Err(Problem::of(ProblemCode::TooManyDomains, detail).with("quota", quota))
    }

    /// Refuses a list without one acceptable line.
    pub fn require_some(&self) -> Result<(), Problem> {
        if !self.items.is_empty() {
            return Ok(());
        }
        if self.rejected.is_empty() {
            return Err(Problem::of(ProblemCode::EmptyBatch, "The list has no domains."));
        }
        let detail = match self.rejected.as_slice() {
            [only] => format!("The only line contains no valid domain: {}.", only.error),
            lines => format!(
                "None of the {} contains a valid domain.",
                counted(lines.len(), "line")
            ),
        };
        let rejected = serde_json::to_value(&self.rejected).unwrap_or_default();
        Err(Problem::of(ProblemCode::NoValidDomain, detail).with("rejected", rejected))
    }
}

/// Maximum number of lists that are read concurrently; each may briefly need several times its size.
static READING: Semaphore = Semaphore::const_new(2);

/// Reads a list on a background thread, so that other requests do not wait.
#[expect(clippy::disallowed_methods, reason = "there are no more at once than turns")]
pub async fn in_background<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let _turn = READING.acquire().await;
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|panic| {
        tracing::error!(error = %panic, "Cannot read a list");
        Err(Problem::internal())
    })
}

impl From<UnreadableList> for Problem {
    fn from(error: UnreadableList) -> Self {
        let code = match error {
            UnreadableList::NotText {
                encoding: "UTF-8", ..
            } => ProblemCode::NotUtf8,
            UnreadableList::NotText { .. } | UnreadableList::UnknownEncoding(_) => ProblemCode::WrongEncoding,
            UnreadableList::AnotherKind(_) => ProblemCode::NotAList,
            UnreadableList::Workbook(_) => ProblemCode::InvalidWorkbook,
            UnreadableList::Quote { .. } => ProblemCode::InvalidCsv,
            UnreadableList::ColumnName { .. } => ProblemCode::ColumnNameTooLong,
            UnreadableList::UnknownColumn { .. } => ProblemCode::UnknownColumn,
        };
        let problem = Self::of(code, sentence(&error));
        match error.line() {
            Some(line) => problem.with("line", line),
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, body: &str) -> Result<BatchInput, Problem> {
        BatchInput::read(media_type, body.as_bytes(), ListParameters::default())
    }

    #[test]
    fn json_items_that_are_no_texts_are_rejected_by_their_place() {
        let input = read(
            "application/json",
            r#"{"domains": ["a.com", 5, ""], "max_concurrent": 7}"#,
        )
        .unwrap();
        assert_eq!((input.items.len(), input.options.max_concurrent), (1, 7));
        assert_eq!(
            input.rejected.iter().map(|line| line.line).collect::<Vec<_>>(),
            [2, 3]
        );
    }

    #[test]
    fn a_list_without_a_domain_is_refused_and_says_why() {
        assert_eq!(
            read("text/plain", "\n\n")
                .unwrap()
                .require_some()
                .unwrap_err()
                .code,
            ProblemCode::EmptyBatch
        );
        let refused = read("text/plain", "localhost\n")
            .unwrap()
            .require_some()
            .unwrap_err();
        assert_eq!(
            (refused.code, refused.more["rejected"][0]["line"].as_u64()),
            (ProblemCode::NoValidDomain, Some(1))
        );
    }

    #[test]
    fn one_domain_too_many_is_refused() {
        let lines: Vec<String> = (0..=MAX_DOMAINS).map(|n| format!("d{n}.com")).collect();
        assert_eq!(
            read("text/plain", &lines.join("\n")).unwrap_err().code,
            ProblemCode::TooManyDomains
        );
        assert_eq!(
            read("text/plain", &lines[1..].join("\n")).unwrap().items.len(),
            MAX_DOMAINS
        );
    }

    #[test]
    fn other_media_types_are_refused_by_name() {
        let refused = read("application/pdf", "").unwrap_err();
        assert_eq!(refused.status, 415);
        assert!(refused.detail.contains("application/pdf"));
    }

    #[test]
    fn broken_json_is_named_by_line_and_column() {
        let refused = read("application/json", "{\"domains\": [\n\"a.com\",\n").unwrap_err();
        assert_eq!((refused.status, refused.more["line"].as_u64()), (400, Some(3)));
    }

    #[test]
    fn a_list_that_is_none_is_refused_with_what_is_wanted() {
        for body in [r#"{"domains": "a.com"}"#, r#"{"domains": {"a": 1}}"#] {
            let refused = read("application/json", body).unwrap_err();
            assert_eq!((refused.status, refused.code), (422, ProblemCode::InvalidField));
            assert!(refused.detail.contains("a list of domains"), "{}", refused.detail);
        }
    }

    #[test]
    fn an_encoding_and_a_column_come_from_beside_the_body() {
        let beside = ListParameters {
            charset: Some("windows-1252"),
            column: Some("B"),
            ..ListParameters::default()
        };
        let input = BatchInput::read("text/csv", b"domain,B\na.com,m\xfcnchen.de\n", beside).unwrap();
        assert_eq!(input.items[0].domain(), Some("xn--mnchen-3ya.de"));
    }
}
