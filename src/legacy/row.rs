//! A row of the predecessor, with the columns of any of its generations, and the errors in its values.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::commands::import::ImportTimes;
use crate::values::TenantId;

/// Derives ids for rows that have none of the right form.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c9b_50a4_5d2c_5f0e_9d0c_2f6d_11a7_0008);

/// A row as JSON, with its primary key as text.
#[derive(Clone, Debug)]
pub(super) struct OldRow {
    id: String,
    row: Value,
}

impl OldRow {
    /// Reads a row; one that cannot be read (a number that fits no machine's) has its key and no columns.
    pub(super) fn read(id: String, text: &str) -> Self {
        let row = serde_json::from_str(text).unwrap_or_default();
        Self { id, row }
    }

    /// Whether it could be read.
    pub(super) fn is_readable(&self) -> bool {
        self.row.is_object()
    }

    pub(super) fn value(&self, column: &str) -> &Value {
        &self.row[column]
    }

    /// The text of a column of any type.
    pub(super) fn text(&self, column: &str) -> Option<String> {
        match &self.row[column] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// The same, without blanks around; nothing if nothing is left.
    pub(super) fn trimmed(&self, column: &str) -> Option<String> {
        self.text(column)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    pub(super) fn boolean(&self, column: &str) -> bool {
        self.row[column].as_bool().unwrap_or_default()
    }

    pub(super) fn count(&self, column: &str) -> u64 {
        self.row[column].as_u64().unwrap_or_default()
    }

    /// The texts of an array column; nulls are left out.
    pub(super) fn texts(&self, column: &str) -> Vec<String> {
        let items = self.row[column].as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str())
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    }

    pub(super) fn uuid(&self, column: &str) -> Option<Uuid> {
        Uuid::try_parse(&self.text(column)?).ok()
    }

    pub(super) fn tenant(&self, column: &str) -> Option<TenantId> {
        self.uuid(column).map(TenantId)
    }

    /// A time.
    pub(super) fn time(&self, column: &str) -> Option<DateTime<Utc>> {
        time(&self.row[column])
    }

    /// Its primary key.
    pub(super) fn id(&self) -> String {
        self.id.clone()
    }

    /// The names of its columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.row
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
    }

    /// All of it as text.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.row.to_string().into_bytes()
    }

    /// All of it.
    pub(super) fn whole(&self) -> &Value {
        &self.row
    }

    /// When its work was requested, started and ended, never backwards; notes what was corrected.
    pub(super) fn times(&self, started: &str, ended: &[&str], notes: &mut Vec<&'static str>) -> ImportTimes {
        let known = ended.iter().find_map(|column| self.time(column));
        let requested = self.time("created_at").or(self.time(started)).or(known);
        if requested.is_none() {
            notes.push("time_missing");
        }
        let requested = requested.unwrap_or(DateTime::UNIX_EPOCH);
        let started = self.time(started).unwrap_or(requested);
        let ended = known.unwrap_or(started);
        if started < requested || ended < started {
            notes.push("times_out_of_order");
        }
        let started = started.max(requested);
        ImportTimes {
            requested,
            started,
            ended: ended.max(started),
        }
    }
}

/// A time from JSON; one without a zone is UTC, as the predecessor wrote it.
pub(super) fn time(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str()?;
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
    Some(naive.and_utc())
}

/// An id for a row of a table that has none of the right form.
pub(super) fn derived(table: &str, id: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{table}:{id}").as_bytes())
}

/// A batch's id as rows name it: with and without prefix and dashes it is the same.
pub(super) fn batch_key(text: &str) -> String {
    let bare = text.trim().strip_prefix("batch_").unwrap_or(text.trim());
    Uuid::try_parse(bare).map_or_else(|_| text.trim().to_owned(), |id| id.to_string())
}

/// How far a row's work was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Completed,
    Failed,
    Cancelled,
    Unfinished,
    /// A word that none of the generations wrote.
    Unknown,
}

/// The predecessor's words, which its generations did not agree on.
pub(super) fn progress(status: &str) -> Progress {
    match status.trim().to_ascii_lowercase().as_str() {
        "completed" | "complete" | "scanned" | "success" | "partial" | "submitted" => Progress::Completed,
        "failed" | "error" => Progress::Failed,
        "cancelled" | "canceled" => Progress::Cancelled,
        "new" | "pending" | "queued" | "running" | "processing" | "in_progress" | "inprogress" | "active"
        | "paused" => Progress::Unfinished,
        _ => Progress::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    impl OldRow {
        fn of(row: &Value) -> Self {
            Self::read(String::new(), &row.to_string())
        }
    }

    #[test]
    fn times_with_and_without_a_zone_are_utc_and_never_run_backwards() {
        let row = OldRow::of(
            &json!({ "created_at": "2025-05-07T12:00:00.5", "updated_at": "2025-05-07T11:00:00+00:00" }),
        );
        let mut notes = Vec::new();
        let times = row.times("started_at", &["completed_at", "updated_at"], &mut notes);
        assert_eq!(times.requested.to_rfc3339(), "2025-05-07T12:00:00.500+00:00");
        assert_eq!(
            (times.ended, notes),
            (times.requested, vec!["times_out_of_order"])
        );
        let never = OldRow::of(&json!({ "created_at": "infinity" }));
        let mut notes = Vec::new();
        assert_eq!(
            never.times("started_at", &[], &mut notes).requested,
            DateTime::UNIX_EPOCH
        );
        assert_eq!(notes, ["time_missing"]);
    }

    #[test]
    fn a_batch_has_one_key_however_it_is_named() {
        let id = "0f9ae53b-0001-4000-8000-000000000001";
        assert_eq!(batch_key(id), id);
        assert_eq!(batch_key("batch_0f9ae53b000140008000000000000001"), id);
        assert_eq!(batch_key(" x "), "x");
    }
}
