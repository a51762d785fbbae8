//! The URLs of sitemaps. They are matched by file and URL, because the predecessor's ids are not kept.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{CompareError, Comparison, Difference, TableComparison};
use crate::legacy::row::{OldRow, time};
use crate::legacy::source::OldDatabase;

const TABLE: &str = "sitemap_urls";
/// Rows of theirs that are read at a time, unless one file has more.
const URLS_AT_ONCE: i64 = 20_000;
/// The compared table.
const COLUMNS: [&str; 3] = ["lastmod", "changefreq", "priority_value"];
/// What readers find out of the file, or as what it is for each new URL, and what is found again by it.
const NOT_KEPT: [&str; 8] = [
    "page_type",
    "status_code",
    "error_message",
    "image_count",
    "video_count",
    "news_count",
    "size_bytes",
    "notes",
];

pub(super) async fn compare(
    pool: &PgPool,
    source: &mut OldDatabase,
    comparison: &mut Comparison,
    on_progress: &dyn Fn(&str, u64),
) -> Result<(), CompareError> {
    let mut counts = TableComparison {
        rows: u64::try_from(source.count(TABLE).await?).unwrap_or_default(),
        ..TableComparison::default()
    };
    let accounted: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "select outcome, reason, sum(items)::bigint from legacy_row \
          where source_table = 'sitemap_urls' and outcome <> 'imported' group by 1, 2",
    )
    .fetch_all(pool)
    .await?;
    for (outcome, reason, items) in accounted {
        let by = if outcome == "merged" {
            &mut counts.merged
        } else {
            &mut counts.refused
        };
        by.insert(
            reason.unwrap_or_default(),
            u64::try_from(items).unwrap_or_default(),
        );
    }
    let taken: Vec<String> = sqlx::query_scalar(
        "select source_id from legacy_row where source_table = 'sitemap_files' and outcome = 'imported' order by 1",
    )
    .fetch_all(pool)
    .await?;
    let sizes: HashMap<String, i64> = source.counts(TABLE, "sitemap_id").await?.into_iter().collect();
    let (mut files, mut rows) = (Vec::new(), 0);
    for file in taken {
        let Some(size) = sizes.get(&file) else { continue };
        if rows + size > URLS_AT_ONCE && !files.is_empty() {
            compare_files(pool, source, &std::mem::take(&mut files), &mut counts, comparison).await?;
            on_progress(TABLE, counts.seen());
            rows = 0;
        }
        rows += size;
        files.push(file);
    }
    compare_files(pool, source, &files, &mut counts, comparison).await?;
    let all: i64 = sqlx::query_scalar("select count(*) from legacy.sitemap_urls")
        .fetch_one(pool)
        .await?;
    counts.only_here =
        all - i64::try_from(counts.same + counts.explained + counts.unexplained).unwrap_or(i64::MAX);
    counts.not_imported = counts.rows.saturating_sub(counts.seen());
    comparison.tables.insert(TABLE, counts);
    Ok(())
}

impl TableComparison {
    /// Rows that were reported.
    fn seen(&self) -> u64 {
        let classified: u64 = self.merged.values().chain(self.refused.values()).sum();
        self.same + self.explained + self.unexplained + self.missing + classified
    }
}

async fn compare_files(
    pool: &PgPool,
    source: &mut OldDatabase,
    files: &[String],
    counts: &mut TableComparison,
    comparison: &mut Comparison,
) -> Result<(), CompareError> {
    if files.is_empty() {
        return Ok(());
    }
    let order = source.order(TABLE, &["created_at", "id"]).await?;
    let theirs = source.rows_with(TABLE, "sitemap_id", files, &order).await?;
    let found: Vec<(String, String, Value, bool)> = sqlx::query_as(
        "select u.sitemap_id::text, u.url, to_jsonb(u), f.job_id is distinct from legacy.as_uuid(r.content ->> 'job_id') \
           from legacy_row r join legacy.sitemap_files f on f.id = legacy.as_uuid(r.source_id) \
           join legacy.sitemap_urls u on u.sitemap_id = f.id \
          where r.source_table = 'sitemap_files' and r.outcome = 'imported' and r.source_id = any($1)",
    )
    .bind(files)
    .fetch_all(pool)
    .await?;
    let again: HashMap<&str, bool> = found.iter().map(|row| (row.0.as_str(), row.3)).collect();
    let mut ours: HashMap<(&str, &str), &Value> = HashMap::with_capacity(found.len());
    for (file, url, row, _) in &found {
        ours.insert((file, url), row);
    }
    let mut seen = std::collections::HashSet::new();
    for old in &theirs {
        let (file, url) = (
            old.text("sitemap_id").unwrap_or_default(),
            old.trimmed("url").unwrap_or_default(),
        );
        // A URL counts once in a file, its first row; an invalid one does not count. The account lists both.
        if url::Url::parse(&url).is_err() || !seen.insert((file.clone(), url.clone())) {
            continue;
        }
        let again = again.get(file.as_str()).copied().unwrap_or_default();
        match ours.get(&(file.as_str(), url.as_str())) {
            Some(new) => counts.note(differences(old, new, again), comparison),
            None if again => *counts.merged.entry("scanned_since".to_owned()).or_default() += 1,
            None => counts.missing += 1,
        }
    }
    Ok(())
}

fn differences(old: &OldRow, new: &Value, again: bool) -> Vec<Difference> {
    let difference = |column: &str, new: &Value, reason: Option<&'static str>| Difference {
        table: TABLE,
        id: old.id(),
        column: column.to_owned(),
        old: old.value(column).clone(),
        new: new.clone(),
        reason,
    };
    let mut found = Vec::new();
    for column in COLUMNS {
        let (was, is) = (old.value(column), &new[column]);
        let same = was == is
            || (was.is_number() && was.as_f64() == is.as_f64())
            || (time(was).is_some() && time(was) == time(is));
        if !same {
            let unknown_word = column == "changefreq" && is.is_null();
            let reason = again
                .then_some("scanned_since")
                .or(unknown_word.then_some("unknown_word"));
            found.push(difference(column, is, reason));
        }
    }
    for column in NOT_KEPT {
        if !old.value(column).is_null() {
            found.push(difference(column, &json!(null), Some("not_kept")));
        }
    }
    found
}
