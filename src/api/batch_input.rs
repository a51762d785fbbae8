//! The body of `POST /batches`, whichever of its forms it has.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::problem::Problem;
use super::request::{parse_json, unsupported_media_type};
use crate::commands::request_batch::BatchItem;
pub use crate::values::RejectedLine;
use crate::values::batch_list::{MAX_COLUMNS, MAX_DOMAINS, UnreadableList};
use crate::values::{BatchList, BatchOptions};

/// A list that was read.
#[derive(Clone, Debug)]
pub struct BatchInput {
    /// What will be scanned.
    pub items: Vec<BatchItem>,
    /// Lines that named a domain again.
    pub duplicates: usize,
    /// Lines that are no domain.
    pub rejected: Vec<RejectedLine>,
    /// How it is worked through.
    pub options: BatchOptions,
    /// Days; domains that were scanned since are left out. Only JSON says it in the body.
    pub max_age_days: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct JsonBody {
    #[serde(deserialize_with = "list_of")]
    domains: BatchList,
    max_pages: Option<i64>,
    max_concurrent: Option<i64>,
    max_age_days: Option<f64>,
}

impl BatchInput {
    /// Reads a body by its media type; numbers in a JSON body go before those of the query.
    pub fn read(
        media_type: &str,
        body: &[u8],
        max_pages: Option<i64>,
        max_concurrent: Option<i64>,
    ) -> Result<Self, Problem> {
        let mut options = BatchOptions::new(max_pages, max_concurrent);
        let mut max_age_days = None;
        let list = match media_type {
            "application/json" => {
                let body: JsonBody = parse_json(body)?;
                options = BatchOptions::new(
                    body.max_pages.or(max_pages),
                    body.max_concurrent.or(max_concurrent),
                );
                max_age_days = body.max_age_days;
                body.domains
            }
            "text/csv" => BatchList::from_csv(body)?,
            "text/plain" => BatchList::from_text(body)?,
            "application/x-ndjson" => BatchList::from_ndjson(body)?,
            other => {
                let wanted = [
                    "application/json",
                    "text/csv",
                    "text/plain",
                    "application/x-ndjson",
                ];
                return Err(unsupported_media_type(other, &wanted));
            }
        };
        Ok(Self {
            max_age_days,
            ..Self::of(list, options)?
        })
    }

    fn of(mut list: BatchList, options: BatchOptions) -> Result<Self, Problem> {
        if list.is_too_long() {
            let detail = format!(
                "The list has more than {MAX_DOMAINS} domains, or more than {MAX_DOMAINS} lines that are none; a \
                 batch takes at most {MAX_DOMAINS}. Split it into several batches."
            );
            return Err(Problem::unprocessable("too_many_domains", detail));
        }
        if list.is_too_wide() {
            let detail =
                format!("The list has more than {MAX_COLUMNS} columns; leave out what you do not need back.");
            return Err(Problem::unprocessable("too_many_columns", detail));
        }
        Ok(Self {
            items: BatchItem::of_list(&mut list),
            duplicates: list.duplicates,
            rejected: list.rejected,
            options,
            max_age_days: None,
        })
    }

    /// Refuses a list that is longer than the tenant may send.
    pub fn require_at_most(&self, quota: Option<u32>) -> Result<(), Problem> {
        let Some(quota) = quota.filter(|quota| self.items.len() > *quota as usize) else {
            return Ok(());
        };
        let detail = format!(
            "The list has {} domains; this tenant's batches take at most {quota}. Split it into several batches.",
            self.items.len()
        );
        Err(Problem::unprocessable("too_many_domains", detail).with("quota", quota))
    }

    /// Refuses a list without one acceptable line.
    pub fn require_some(&self) -> Result<(), Problem> {
        if !self.items.is_empty() {
            return Ok(());
        }
        if self.rejected.is_empty() {
            return Err(Problem::unprocessable("empty_batch", "The list has no domains."));
        }
        let detail = format!("None of the {} lines is a domain.", self.rejected.len());
        let rejected = serde_json::to_value(&self.rejected).unwrap_or_default();
        Err(Problem::unprocessable("no_valid_domain", detail).with("rejected", rejected))
    }
}

/// Reads the items one by one, so that no list is held that is too long anyway.
fn list_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BatchList, D::Error> {
    deserializer.deserialize_seq(Items)
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = BatchList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of domains")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<BatchList, A::Error> {
        let mut list = BatchList::default();
        let mut line = 0;
        while !list.is_too_long() && !list.is_too_wide() {
            let Some(item) = items.next_element::<Value>()? else {
                return Ok(list);
            };
            line += 1;
            list.push_json(line, &item);
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(list)
    }
}

impl From<UnreadableList> for Problem {
    fn from(error: UnreadableList) -> Self {
        let (code, line) = match &error {
            UnreadableList::NotUtf8 { line } => ("not_utf8", *line),
            UnreadableList::Csv { line, .. } => ("invalid_csv", *line),
        };
        Self::bad_request(code, format!("{error}.")).with("line", line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(media_type: &str, body: &str) -> Result<BatchInput, Problem> {
        BatchInput::read(media_type, body.as_bytes(), None, None)
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
            "empty_batch"
        );
        let refused = read("text/plain", "localhost\n")
            .unwrap()
            .require_some()
            .unwrap_err();
        assert_eq!(
            (refused.code, refused.more["rejected"][0]["line"].as_u64()),
            ("no_valid_domain", Some(1))
        );
    }

    #[test]
    fn one_domain_too_many_is_refused() {
        let lines: Vec<String> = (0..=MAX_DOMAINS).map(|n| format!("d{n}.com")).collect();
        assert_eq!(
            read("text/plain", &lines.join("\n")).unwrap_err().code,
            "too_many_domains"
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
}
