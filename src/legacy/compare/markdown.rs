//! A comparison as a report that a person reads and signs.

use std::fmt::Write;

use super::{Comparison, Difference};

/// What a reason says.
const REASONS: [(&str, &str); 38] = [
    (
        "batch_id_missing",
        "The row named no batch of its own; it has an id that is derived from its key",
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
    (
        "derived_from_events",
        "Follows from the events: the first request, the last change",
    ),
    ("domain_by_name", "The row named no domain by id, but by name"),
    ("error_in_words", "The predecessor noted no error; that is said"),
    (
        "fabricated_metadata",
        "The predecessor had stored a made-up page ('… - Temporary Bypass'); it was not taken",
    ),
    ("follows_the_scan", "The status is that of the domain's scan"),
    (
        "four_drawers",
        "Only the four lists of tech_stack have a place; all else is in the log",
    ),
    (
        "image_video_news_are_standard",
        "A sitemap that lists pages is 'standard', whatever else it lists",
    ),
    ("job_id_not_uuid", "The id was no UUID; it has a derived one"),
    (
        "nothing_counted",
        "A batch that ended with nothing counted was broken off",
    ),
    ("null_is_empty", "Nothing is said in one way"),
    ("null_is_false", "What was not known to be true is false"),
    ("one_form_of_id", "The same id in its one form"),
    (
        "one_name_per_site",
        "One name per site: no scheme, no www, lower case",
    ),
    ("one_word_per_status", "The same status in other words"),
    ("same_site", "Two rows for one site are one domain"),
    ("scanned_since", "It was scanned or done again since"),
    (
        "tenant_not_uuid",
        "The tenant was no UUID; the row belongs to the domain's or the default tenant",
    ),
    (
        "unfinished",
        "The predecessor left it unfinished; its process is gone, so it failed",
    ),
    (
        "told_by_its_job",
        "The row said nothing, but one of the domain's jobs did",
    ),
    ("time_missing", "The row had no time that could be read"),
    (
        "times_out_of_order",
        "It ended before it began; it has the time at which it began",
    ),
    ("type_missing", "The file had no type"),
    (
        "unknown_status",
        "The status was a word that the predecessor did not write",
    ),
    (
        "written_again",
        "Each rescan wrote the same file again; the last one counts",
    ),
    ("twice_in_file", "A URL that stood twice in one file stands once"),
    ("invalid_url", "No URL"),
    ("invalid_domain", "No domain name"),
    ("no_domain", "The domain is gone, and nothing else names it"),
    ("no_file", "The sitemap file is gone"),
    ("file_refused", "The file was not taken"),
    ("domain_refused", "The domain was not taken"),
    ("counts_exceed_total", "More were counted than there were"),
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
