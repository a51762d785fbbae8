//! A comparison as a report that a person reads and signs.

use std::fmt::Write;

use super::{Comparison, Difference};

/// What a reason says.
const REASONS: [(&str, &str); 47] = [
    (
        "after_import",
        "The file was written after its domain was imported",
    ),
    (
        "batch_id_missing",
        "The row named no batch of its own; it has an id that is derived from its key",
    ),
    (
        "batch_id_not_uuid",
        "The batch's id is none that ids may look like; it has a derived one",
    ),
    (
        "batch_id_taken",
        "Two rows had the same batch id; the later one has a derived id",
    ),
    ("batch_missing", "The batch that the row named does not exist"),
    (
        "batch_of_other_tenant",
        "The batch that the row named belongs to another tenant",
    ),
    (
        "blanks_removed",
        "Blanks around a value, and nulls within a list, are gone",
    ),
    (
        "counted_anew",
        "Counted over what was taken; the predecessor overwrote the count with its last run's",
    ),
    ("counts_exceed_total", "More were counted than there were"),
    ("domain_by_name", "The row named no domain by id, but by name"),
    (
        "domain_of_other_tenant",
        "The domain's row belongs to another tenant, who scanned it later; here each tenant has one",
    ),
    ("domain_refused", "The domain was not taken"),
    ("error_in_words", "The predecessor noted no error; that is said"),
    (
        "fabricated_metadata",
        "The predecessor had stored a made-up page ('… - Temporary Bypass'); it was not taken",
    ),
    ("file_refused", "The file was not taken"),
    ("follows_the_counts", "The status follows from what was counted"),
    ("follows_the_scan", "The status is that of the domain's scan"),
    ("forgotten", "What was kept of the row was forgotten here since"),
    (
        "four_drawers",
        "`tech_stack` holds texts in four drawers; other keys and types have no place",
    ),
    ("invalid_domain", "No domain name"),
    ("invalid_url", "No URL"),
    (
        "job_id_not_uuid",
        "The job's id is none that ids may look like; it has a derived one",
    ),
    (
        "job_id_taken",
        "Two rows had the same job id; the later one has a derived id",
    ),
    (
        "kept_in_log",
        "The column has no place in the views; the row is kept whole with its event",
    ),
    ("no_domain", "The domain is gone, and nothing else names it"),
    (
        "no_error_if_not_failed",
        "What did not fail has no error here; readers of the old table see it as it was",
    ),
    ("no_file", "The sitemap file is gone"),
    (
        "not_kept",
        "Of a sitemap's URL the address, `lastmod`, `changefreq` and `priority_value` are kept",
    ),
    (
        "nothing_counted",
        "The batch counted nothing, so it did not come to its end",
    ),
    (
        "null_is_default",
        "A null is shown as what it stands for: false, 0, an empty list, the column's default",
    ),
    ("one_form_of_id", "The same id in its one form"),
    (
        "one_name_per_site",
        "The same site by its one name, without scheme, `www.` and path",
    ),
    ("one_word_per_status", "The same status in its one word"),
    ("other_work", "Work of another product"),
    (
        "same_site",
        "Another row was the same site; the one that was scanned last counts",
    ),
    ("scanned_since", "It was scanned here since"),
    (
        "tenant_not_uuid",
        "The tenant was no UUID; the domain's or the default one stands for it",
    ),
    (
        "tenant_of_its_domain",
        "A file belongs to the tenant of its domain",
    ),
    ("time_missing", "The time was missing, or none"),
    (
        "times_out_of_order",
        "It ended before it began; the later time stands for both",
    ),
    ("told_by_its_job", "The row said nothing; one of its jobs did"),
    ("twice_in_file", "A URL that stood twice in one file stands once"),
    ("unfinished", "It never ended there"),
    ("unknown_status", "A status that none of the generations wrote"),
    (
        "unknown_word",
        "A word that the column's type does not know is not shown",
    ),
    (
        "unreadable",
        "The row holds a value that cannot be read, such as a number beyond all bounds",
    ),
    (
        "written_again",
        "Each rescan wrote the same file again; the last one counts",
    ),
];

impl Comparison {
    /// The report. Whoever signs it says that the listed differences are right.
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
            "| table | rows there | same | differ, explained | told by another row | not taken | unexplained | missing | not imported | only here |"
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
            ("Rows that were not taken", 0),
            ("Rows that are told by another row", 1),
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
        list(text, "Examples of those with one", &self.examples)?;
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
        "| table | id | column | there | here | reason |\n|---|---|---|---|---|---|"
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
