//! The comparison as a Markdown report that a person reads and signs.

use std::fmt::Write;

use super::{Comparison, Difference};

/// A reason in words.
const REASONS: [(&str, &str); 47] = [
    (
        "after_import",
        "The file was written after its domain was imported",
    ),
    (
        "batch_id_missing",
        "The row had no batch ID; it has an ID that is derived from its key",
    ),
    (
        "batch_id_not_uuid",
        "The batch's ID is not a UUID; it has a derived ID",
    ),
    (
        "batch_id_taken",
        "Two rows had the same batch ID; the later one has a derived ID",
    ),
    ("batch_missing", "The batch of the row does not exist"),
    (
        "batch_of_other_tenant",
        "The batch of the row belongs to another tenant",
    ),
    (
        "blanks_removed",
        "Spaces around a value, and nulls in a list, were removed",
    ),
    (
        "counted_anew",
        "Counted over the imported rows; the predecessor overwrote the count with that of its last run",
    ),
    ("counts_exceed_total", "The count was larger than the total"),
    (
        "domain_by_name",
        "The row had the domain's name instead of its ID",
    ),
    (
        "domain_of_other_tenant",
        "The domain's row belongs to another tenant, who scanned it later; in sitelog each tenant has its own row",
    ),
    ("domain_refused", "The domain was rejected"),
    (
        "error_in_words",
        "The predecessor recorded no error; sitelog says so",
    ),
    (
        "fabricated_metadata",
        "The predecessor had stored a made-up page ('… - Temporary Bypass'); it was not imported",
    ),
    ("file_refused", "The file was rejected"),
    ("follows_the_counts", "The status follows from the counts"),
    ("follows_the_scan", "The status is that of the domain's scan"),
    (
        "forgotten",
        "The data of the row was erased in sitelog since then",
    ),
    (
        "four_drawers",
        "`tech_stack` contains texts in four groups; other keys and types are not supported",
    ),
    ("invalid_domain", "Not a domain name"),
    ("invalid_url", "Not a URL"),
    (
        "job_id_not_uuid",
        "The job's ID is not a UUID; it has a derived ID",
    ),
    (
        "job_id_taken",
        "Two rows had the same job ID; the later one has a derived ID",
    ),
    (
        "kept_in_log",
        "The views do not have this column; the whole row is kept with its event",
    ),
    (
        "no_domain",
        "The domain no longer exists, and no other row names it",
    ),
    (
        "no_error_if_not_failed",
        "Only failed scans have an error in sitelog; readers of the old table see the original value",
    ),
    ("no_file", "The sitemap file no longer exists"),
    (
        "not_kept",
        "Only the address, `lastmod`, `changefreq` and `priority_value` of a sitemap's URL are kept",
    ),
    (
        "nothing_counted",
        "The batch counted nothing, so it was not completed",
    ),
    (
        "null_is_default",
        "A null is shown as the value it means: false, 0, an empty list or the column's default",
    ),
    ("one_form_of_id", "The same ID in its standard form"),
    (
        "one_name_per_site",
        "The same site under its standard name, without scheme, `www.` and path",
    ),
    ("one_word_per_status", "The same status under its standard name"),
    ("other_work", "Work of another product"),
    (
        "same_site",
        "Another row had the same site; the one scanned last counts",
    ),
    ("scanned_since", "It was scanned by sitelog since then"),
    (
        "tenant_not_uuid",
        "The tenant was not a UUID; the domain's or the default tenant is used",
    ),
    (
        "tenant_of_its_domain",
        "A file belongs to the tenant of its domain",
    ),
    ("time_missing", "The time was missing or invalid"),
    (
        "times_out_of_order",
        "It ended before it started; the later time is used for both",
    ),
    (
        "told_by_its_job",
        "The value was missing; it was taken from one of its jobs",
    ),
    ("twice_in_file", "A URL that was twice in one file is kept once"),
    ("unfinished", "It never ended in the predecessor"),
    (
        "unknown_status",
        "A status that no version of the predecessor wrote",
    ),
    (
        "unknown_word",
        "A value that is invalid for the column's type is not shown",
    ),
    (
        "unreadable",
        "The row contains a value that cannot be read, such as a number out of range",
    ),
    (
        "written_again",
        "Each rescan wrote the same file again; the last version counts",
    ),
];

impl Comparison {
    /// The report. A signature confirms that the listed differences are correct.
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).expect("writing into memory cannot fail");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let verdict = if self.holds() {
            "**Every row is accounted for, and every difference has a known reason.**"
        } else {
            "**Not every row is accounted for, or a difference has no known reason. See below.**"
        };
        writeln!(
            text,
            "# Data validation: the predecessor's tables and sitelog's\n\n{verdict}\n"
        )?;
        writeln!(
            text,
            "Compared at {}, log position {}.\n",
            self.compared_at.to_rfc3339(),
            self.position
        )?;
        writeln!(
            text,
            "| table | rows there | same | differ, explained | merged into another row | rejected | unexplained | missing | not imported | only here |"
        )?;
        writeln!(text, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for (name, table) in &self.tables {
            writeln!(
                text,
                "| `{name}` | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                table.rows,
                table.same,
                table.explained,
                table.merged.values().sum::<u64>(),
                table.refused.values().sum::<u64>(),
                table.unexplained,
                table.missing,
                table.not_imported,
                table.only_here
            )?;
        }
        for (title, pick) in [
            ("Rejected rows", 0),
            ("Rows merged into another row", 1),
            ("Columns that differ for a known reason", 2),
        ] {
            writeln!(
                text,
                "\n## {title}\n\n| table | reason | count | |\n|---|---|--:|---|"
            )?;
            for (name, table) in &self.tables {
                let counts = [&table.refused, &table.merged, &table.reasons][pick];
                for (reason, count) in counts {
                    let words = REASONS
                        .iter()
                        .find(|(known, _)| known == reason)
                        .map_or("", |(_, words)| words);
                    writeln!(text, "| `{name}` | `{reason}` | {count} | {words} |")?;
                }
            }
        }
        list(text, "Differences without a known reason", &self.unexplained)?;
        list(
            text,
            "Examples of differences with a known reason",
            &self.examples,
        )?;
        writeln!(
            text,
            "\n## Signed\n\n| | |\n|---|---|\n| Checked by | |\n| Date | |\n| The differences above are accepted (yes/no) | |\n| Signature | |"
        )
    }
}

fn list(text: &mut String, title: &str, differences: &[Difference]) -> std::fmt::Result {
    writeln!(text, "\n## {title}\n")?;
    if differences.is_empty() {
        return writeln!(text, "None.");
    }
    writeln!(
        text,
        "| table | ID | column | there | here | reason |\n|---|---|---|---|---|---|"
    )?;
    for difference in differences {
        writeln!(
            text,
            "| `{}` | {} | `{}` | {} | {} | {} |",
            difference.table,
            difference.id,
            difference.column,
            cell(&difference.old),
            cell(&difference.new),
            difference.reason.unwrap_or("")
        )?;
    }
    Ok(())
}

/// A value short enough for a table, with nothing in it that would break one.
fn cell(value: &serde_json::Value) -> String {
    let text: String = value.to_string().chars().take(80).collect();
    text.replace('|', "\\|").replace('\n', " ")
}
