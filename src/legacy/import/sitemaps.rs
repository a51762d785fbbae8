//! `sitemap_files` and `sitemap_urls`: facts that the last scan of their domain read. The predecessor wrote all of them
//! again with each scan; of several rows for one file the last counts.

use std::collections::{HashMap, HashSet};

use sqlx::Row;

use super::ledger::{self, Entry};
use super::row::OldRow;
use super::{Import, ImportError, has_table};
use crate::aggregates::scan::{ReadFact, ScanTotals};
use crate::commands::import::ImportBodies;
use crate::projections::sitemaps::sitemap_id;
use crate::values::TenantId;
use crate::values::sitemap::{SitemapKind, SitemapUrl};

const FILES: &str = "sitemap_files";
const URLS: &str = "sitemap_urls";
const FREQUENCIES: [&str; 7] = [
    "always", "hourly", "daily", "weekly", "monthly", "yearly", "never",
];

/// The rows of one domain, in the order they were written.
#[derive(Debug, Default)]
pub(super) struct OldSitemaps(Vec<OldRow>);

/// What they come to.
pub(super) struct SealedSitemaps {
    pub(super) read: Vec<ReadFact>,
    pub(super) totals: ScanTotals,
    pub(super) entries: Vec<Entry>,
}

impl OldSitemaps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn refused(self, reason: &'static str) -> Vec<Entry> {
        self.0
            .iter()
            .map(|row| Entry::refused(FILES, row.id(), reason))
            .collect()
    }
}

/// The files of some domains.
pub(super) async fn of_domains(
    import: &Import<'_>,
    domains: &[&OldRow],
) -> Result<HashMap<String, OldSitemaps>, ImportError> {
    let mut found: HashMap<String, OldSitemaps> = HashMap::new();
    if domains.is_empty() || !has_table(import.source, FILES).await? {
        return Ok(found);
    }
    let ids: Vec<String> = domains.iter().map(|row| row.id()).collect();
    let rows: Vec<serde_json::Value> = sqlx::query_scalar(
        "select to_jsonb(t) from sitemap_files t where domain_id = any($1::uuid[]) order by created_at, id",
    )
    .bind(ids)
    .fetch_all(import.source)
    .await
    .map_err(ImportError::Source)?;
    for row in rows.into_iter().map(OldRow::new) {
        let domain = row.text("domain_id").unwrap_or_default();
        found.entry(domain).or_default().0.push(row);
    }
    Ok(found)
}

/// Makes facts of them.
pub(super) async fn seal(
    import: &Import<'_>,
    files: OldSitemaps,
    (tenant, domain): (TenantId, &str),
    bodies: &mut ImportBodies,
) -> Result<SealedSitemaps, ImportError> {
    let mut sealed = SealedSitemaps {
        read: Vec::new(),
        totals: ScanTotals::default(),
        entries: Vec::new(),
    };
    let last: HashMap<String, String> = files.0.iter().map(|row| (key(row), row.id())).collect();
    for row in &files.0 {
        if url::Url::parse(&key(row)).is_err() {
            sealed
                .entries
                .push(Entry::refused(FILES, row.id(), "invalid_url"));
            sealed
                .entries
                .extend(urls_of(import, row, "refused", "file_refused").await?);
            continue;
        }
        if last.get(&key(row)) != Some(&row.id()) {
            sealed
                .entries
                .push(Entry::new(FILES, row.id(), "merged", Some("written_again")));
            sealed
                .entries
                .extend(urls_of(import, row, "merged", "written_again").await?);
            continue;
        }
        let mut entry = Entry::new(FILES, row.id(), "imported", None);
        // Under this id it is known here; readers of the old table see its own.
        entry.stream = Some(sitemap_id(tenant, domain, &key(row)));
        let kind = match row.trimmed("sitemap_type").as_deref() {
            Some("index") => SitemapKind::Index,
            Some("standard" | "image" | "video" | "news") => SitemapKind::Urlset,
            _ => {
                entry.notes.push("type_missing");
                SitemapKind::Urlset
            }
        };
        sealed.entries.push(entry);
        let (urls, accounts) = read_urls(import, row).await?;
        sealed.entries.extend(accounts);
        let stored = (!urls.is_empty()).then(|| bodies.seal(&lines(&urls), urls.len() as u64));
        if kind.lists_pages() {
            sealed.totals.sitemaps += 1;
            sealed.totals.sitemap_urls += urls.len() as u64;
        }
        sealed.read.push(ReadFact::Sitemap {
            url: key(row),
            kind,
            status: u16::try_from(row.count("status_code"))
                .ok()
                .filter(|status| *status > 0)
                .unwrap_or(200),
            bytes: row.count("size_bytes"),
            entries: row.count("url_count").max(urls.len() as u64),
            urls: stored,
            problems: Vec::new(),
        });
    }
    Ok(sealed)
}

fn key(row: &OldRow) -> String {
    row.trimmed("url").unwrap_or_default()
}

fn lines(urls: &[SitemapUrl]) -> Vec<u8> {
    let mut content = Vec::new();
    for url in urls {
        serde_json::to_writer(&mut content, url).expect("plain data into memory");
        content.push(b'\n');
    }
    content
}

/// The URLs of a file, each once, and what became of the rows.
async fn read_urls(import: &Import<'_>, file: &OldRow) -> Result<(Vec<SitemapUrl>, Vec<Entry>), ImportError> {
    if !has_urls(import).await? {
        return Ok((Vec::new(), Vec::new()));
    }
    let rows: Vec<serde_json::Value> = sqlx::query_scalar(
        "select to_jsonb(t) from sitemap_urls t where sitemap_id = $1::uuid order by created_at, id",
    )
    .bind(file.id())
    .fetch_all(import.source)
    .await
    .map_err(ImportError::Source)?;
    let (mut urls, mut seen) = (Vec::new(), HashSet::new());
    let (mut twice, mut invalid) = (0, 0);
    for row in rows.into_iter().map(OldRow::new) {
        let loc = key(&row);
        if url::Url::parse(&loc).is_err() {
            invalid += 1;
        } else if !seen.insert(loc.clone()) {
            twice += 1;
        } else {
            urls.push(SitemapUrl {
                loc,
                lastmod: row.text("lastmod"),
                changefreq: row
                    .trimmed("changefreq")
                    .filter(|word| FREQUENCIES.contains(&word.as_str())),
                priority: row.text("priority_value"),
            });
        }
    }
    let account = |outcome: &'static str, reason: Option<&'static str>, items: i64| Entry {
        items,
        ..Entry::new(
            URLS,
            format!("{} {}", file.id(), reason.unwrap_or(outcome)),
            outcome,
            reason,
        )
    };
    let entries = [
        account("imported", None, i64::try_from(urls.len()).unwrap_or(i64::MAX)),
        account("merged", Some("twice_in_file"), twice),
        account("refused", Some("invalid_url"), invalid),
    ];
    Ok((
        urls,
        entries.into_iter().filter(|entry| entry.items > 0).collect(),
    ))
}

/// Accounts for the URLs of a file that is not taken.
async fn urls_of(
    import: &Import<'_>,
    file: &OldRow,
    outcome: &'static str,
    reason: &'static str,
) -> Result<Option<Entry>, ImportError> {
    if !has_urls(import).await? {
        return Ok(None);
    }
    let items: i64 = sqlx::query_scalar("select count(*) from sitemap_urls where sitemap_id = $1::uuid")
        .bind(file.id())
        .fetch_one(import.source)
        .await
        .map_err(ImportError::Source)?;
    let entry = Entry {
        items,
        ..Entry::new(URLS, format!("{} {reason}", file.id()), outcome, Some(reason))
    };
    Ok((items > 0).then_some(entry))
}

async fn has_urls(import: &Import<'_>) -> Result<bool, ImportError> {
    has_table(import.source, URLS).await
}

/// Accounts for files without a domain, and URLs without a file that was dealt with.
pub(super) async fn account_for_the_rest(import: &Import<'_>) -> Result<(), ImportError> {
    let mut entries = Vec::new();
    if has_table(import.source, FILES).await? {
        let known = ledger::known(import.pool, FILES).await?;
        let ids: Vec<String> = sqlx::query_scalar("select id::text from sitemap_files")
            .fetch_all(import.source)
            .await
            .map_err(ImportError::Source)?;
        let rest = ids.into_iter().filter(|id| !known.contains(id));
        entries.extend(rest.map(|id| Entry::refused(FILES, id, "no_domain")));
    }
    if has_urls(import).await? {
        let known: HashSet<String> = ledger::known(import.pool, URLS)
            .await?
            .into_iter()
            .filter_map(|id| Some(id.split_once(' ')?.0.to_owned()))
            .collect();
        let files = sqlx::query("select sitemap_id::text, count(*) from sitemap_urls group by 1")
            .fetch_all(import.source)
            .await
            .map_err(ImportError::Source)?;
        for row in files {
            let id: Option<String> = row.try_get(0).map_err(ImportError::Source)?;
            let items: i64 = row.try_get(1).map_err(ImportError::Source)?;
            let id = id.unwrap_or_default();
            if !known.contains(&id) {
                entries.push(Entry {
                    items,
                    ..Entry::refused(URLS, format!("{id} no_file"), "no_file")
                });
            }
        }
    }
    ledger::note(import.pool, &entries).await
}
