//! `sitemap_files` and `sitemap_urls`: facts of the last scan of their domain. The predecessor wrote all of them again
//! with each scan; of several rows for one file the last one counts.

use std::collections::{HashMap, HashSet};

use super::ledger::{self, Entry};
use super::row::OldRow;
use super::{Import, ImportError};
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

/// URLs read from the predecessor at a time, unless one file has more.
const URLS_AT_ONCE: i64 = 20_000;

/// What there is of sitemaps, and the URLs that were read ahead.
pub(super) struct Sitemaps {
    has_files: bool,
    /// `order by` of files and of URLs: as they were written.
    order: String,
    url_order: String,
    /// How many URLs each file has.
    counts: HashMap<String, i64>,
    /// The files whose URLs will be requested, in that order.
    coming: std::collections::VecDeque<String>,
    read: HashMap<String, Vec<OldRow>>,
}

/// Their sealed form.
pub(super) struct SealedSitemaps {
    pub(super) read: Vec<ReadFact>,
    pub(super) totals: ScanTotals,
    pub(super) entries: Vec<Entry>,
}

impl OldSitemaps {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The last row of each file, by its URL.
    fn last_of_each(&self) -> HashMap<String, String> {
        self.0.iter().map(|row| (key(row), row.id())).collect()
    }

    pub(super) fn refused(self, reason: &'static str) -> Vec<Entry> {
        self.0
            .iter()
            .map(|row| Entry::refused(FILES, row.id(), reason))
            .collect()
    }
}

impl Sitemaps {
    pub(super) async fn learn(import: &mut Import<'_>) -> Result<Self, ImportError> {
        let source = &mut *import.source;
        let counts = if source.has(URLS).await? {
            source.counts(URLS, "sitemap_id").await?.into_iter().collect()
        } else {
            HashMap::new()
        };
        Ok(Self {
            has_files: source.has(FILES).await?,
            order: source.order(FILES, &["created_at", "id"]).await?,
            url_order: source.order(URLS, &["created_at", "id"]).await?,
            counts,
            coming: std::collections::VecDeque::new(),
            read: HashMap::new(),
        })
    }

    /// The files of some domains, whose turn comes next.
    pub(super) async fn of_domains(
        &mut self,
        import: &mut Import<'_>,
        domains: &[&OldRow],
    ) -> Result<HashMap<String, OldSitemaps>, ImportError> {
        let mut found: HashMap<String, OldSitemaps> = HashMap::new();
        if domains.is_empty() || !self.has_files {
            return Ok(found);
        }
        let ids: Vec<String> = domains.iter().map(|row| row.id()).collect();
        let rows = import
            .source
            .rows_with(FILES, "domain_id", &ids, &self.order)
            .await?;
        for row in rows {
            let domain = row.text("domain_id").unwrap_or_default();
            found.entry(domain).or_default().0.push(row);
        }
        self.read.clear();
        self.coming = ids
            .iter()
            .filter_map(|id| found.get(id))
            .flat_map(|files| files.last_of_each().into_values())
            .filter(|file| self.counts.contains_key(file))
            .collect();
        Ok(found)
    }

    /// The URLs of a file; those of the files that come after it are read with them, as many as may be.
    async fn urls(&mut self, import: &mut Import<'_>, file: &str) -> Result<Vec<OldRow>, ImportError> {
        if !self.counts.contains_key(file) {
            return Ok(Vec::new());
        }
        if !self.read.contains_key(file) {
            let (mut wanted, mut rows) = (vec![file.to_owned()], self.count(file));
            while let Some(next) = self.coming.pop_front() {
                if next == file || self.read.contains_key(&next) {
                    continue;
                }
                rows += self.count(&next);
                if rows > URLS_AT_ONCE {
                    self.coming.push_front(next);
                    break;
                }
                wanted.push(next);
            }
            let found = import
                .source
                .rows_with(URLS, "sitemap_id", &wanted, &self.url_order)
                .await?;
            for row in found {
                let of = row.text("sitemap_id").unwrap_or_default();
                self.read.entry(of).or_default().push(row);
            }
        }
        Ok(self.read.remove(file).unwrap_or_default())
    }

    fn count(&self, file: &str) -> i64 {
        self.counts.get(file).copied().unwrap_or_default()
    }

    /// Accounts for the URLs of a file that is not taken.
    fn untaken(&self, file: &OldRow, outcome: &'static str, reason: &'static str) -> Option<Entry> {
        let items = self.count(&file.id());
        let entry = Entry {
            items,
            ..Entry::new(URLS, format!("{} {reason}", file.id()), outcome, Some(reason))
        };
        (items > 0).then_some(entry)
    }

    /// Makes facts of them.
    pub(super) async fn seal(
        &mut self,
        import: &mut Import<'_>,
        files: OldSitemaps,
        (tenant, domain): (TenantId, &str),
        bodies: &mut ImportBodies,
    ) -> Result<SealedSitemaps, ImportError> {
        let mut sealed = SealedSitemaps {
            read: Vec::new(),
            totals: ScanTotals::default(),
            entries: Vec::new(),
        };
        let last = files.last_of_each();
        for row in &files.0 {
            if url::Url::parse(&key(row)).is_err() {
                sealed
                    .entries
                    .push(Entry::refused(FILES, row.id(), "invalid_url"));
                sealed
                    .entries
                    .extend(self.untaken(row, "refused", "file_refused"));
                continue;
            }
            if last.get(&key(row)) != Some(&row.id()) {
                sealed
                    .entries
                    .push(Entry::new(FILES, row.id(), "merged", Some("written_again")));
                sealed
                    .entries
                    .extend(self.untaken(row, "merged", "written_again"));
                continue;
            }
            let mut entry = Entry::imported(FILES, row);
            // sitelog uses this id; readers of the old table see the original one.
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
            let (urls, accounts) = read_urls(row, self.urls(import, &row.id()).await?);
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
                not_modified: false,
                bytes: row.count("size_bytes"),
                entries: row.count("url_count").max(urls.len() as u64),
                urls: stored,
                problems: Vec::new(),
            });
        }
        Ok(sealed)
    }
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

/// The URLs of a file, each once, and the outcome of the rows.
fn read_urls(file: &OldRow, rows: Vec<OldRow>) -> (Vec<SitemapUrl>, Vec<Entry>) {
    let (mut urls, mut seen) = (Vec::new(), HashSet::new());
    let (mut twice, mut invalid) = (0, 0);
    for row in rows {
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
    (
        urls,
        entries.into_iter().filter(|entry| entry.items > 0).collect(),
    )
}

/// Accounts for files that came with no domain, and URLs that came with no file.
pub(super) async fn record_unmatched_rows(import: &mut Import<'_>) -> Result<(), ImportError> {
    let mut entries = Vec::new();
    let mut files = HashSet::new();
    if import.source.has(FILES).await? {
        let known = ledger::known(import.pool, FILES).await?;
        for [id, domain] in import.source.columns(FILES, ["id", "domain_id"]).await? {
            let (id, domain) = (id.unwrap_or_default(), domain.unwrap_or_default());
            if !known.contains(&id) {
                // Its domain is dealt with; it was not there then.
                let reason = if import.domains.contains_key(&domain) {
                    "after_import"
                } else {
                    "no_domain"
                };
                entries.push(Entry::refused(FILES, id.clone(), reason));
            }
            files.insert(id);
        }
    }
    if import.source.has(URLS).await? {
        let known: HashSet<String> = ledger::known(import.pool, URLS)
            .await?
            .into_iter()
            .filter_map(|id| Some(id.split_once(' ')?.0.to_owned()))
            .collect();
        for (id, items) in import.source.counts(URLS, "sitemap_id").await? {
            if known.contains(&id) {
                continue;
            }
            let reason = if files.contains(&id) {
                "file_refused"
            } else {
                "no_file"
            };
            entries.push(Entry {
                items,
                ..Entry::refused(URLS, format!("{id} {reason}"), reason)
            });
        }
    }
    ledger::note(import.pool, &entries).await
}
