//! `sitelog sitemap --audit`: a sitemap audit as counts and examples.

use std::time::Duration;

use chrono::Utc;
use serde::Serialize;
use url::Url;

use super::{note_line, output, print_line};
use crate::fetch::{FetchSettings, Fetcher};
use crate::scanner::sitemap::{Audit, FileAudit, PageEntry, Seen, SeenUrls, Standard};
use crate::scanner::{Scanner, ScannerSettings};
use crate::values::Problem;
use crate::values::amount::counted;
use crate::values::revisit::Repeated;
use crate::values::sitemap_audit::{SampledUrl, SitemapAudit};

/// Maximum number of distinct URLs that are stored to detect duplicates, about 16 bytes each.
const MAX_DISTINCT: usize = 7_000_000;
/// The URLs from which a sample is taken.
const MAX_OWN: usize = 50_000;
/// For the sample.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// Audits files as they are read.
pub(super) struct Auditor {
    standard: Standard,
    audit: Audit,
    file: FileAudit,
    seen: SeenUrls,
    /// Of this file, what another one named before.
    known: Vec<String>,
    known_count: u64,
    own: Vec<String>,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    audit: SitemapAudit,
    sample: Vec<SampledUrl>,
    problems: Vec<Problem>,
}

impl Auditor {
    /// For the site at this address.
    pub(super) fn new(site: &Url) -> Self {
        let home = site.join("/").unwrap_or_else(|_| site.clone());
        Self {
            standard: Standard::new(&home, Utc::now()),
            audit: Audit::default(),
            file: FileAudit::default(),
            seen: SeenUrls::with_limit(MAX_DISTINCT),
            known: Vec::new(),
            known_count: 0,
            own: Vec::new(),
        }
    }

    /// Takes an entry into account.
    pub(super) fn take(&mut self, page: &PageEntry) {
        self.file.take_page(&self.standard, page);
        if self.seen.see(&page.loc) == Seen::Again {
            self.known_count += 1;
            if self.known.len() < 10 {
                self.known.push(page.loc.clone());
            }
        } else if self.own.len() < MAX_OWN && self.standard.is_own(&page.loc) {
            self.own.push(page.loc.clone());
        }
    }

    /// Ends a file that names so many URLs, or sitemaps, and has so many bytes.
    pub(super) fn end_file(&mut self, sitemap: &str, named: u64, bytes: u64, repeated: &Repeated) {
        let mut file = std::mem::take(&mut self.file);
        file.take_repeated(repeated.count, &repeated.examples);
        let known = std::mem::take(&mut self.known);
        file.take_repeated(std::mem::take(&mut self.known_count), &known);
        self.audit.add(sitemap, file, named, bytes);
    }

    /// Fetches the sample, and prints all that was found.
    pub(super) async fn finish(
        self,
        settings: FetchSettings,
        sample: usize,
        problems: Vec<Problem>,
        as_json: bool,
    ) -> anyhow::Result<()> {
        let Some(audit) = self.audit.finish(&self.standard) else {
            note_line(
                "no URL was read, so there is nothing to audit; --follow also reads the sitemaps that an index lists",
            );
            for problem in &problems {
                note_line(&format!("{}: {}", problem.code, problem.detail));
            }
            return Ok(());
        };
        let mut report = Report {
            audit,
            sample: Vec::new(),
            problems,
        };
        if sample > 0 {
            let scanner = Scanner::new(Fetcher::new(settings)?, ScannerSettings::default());
            let own: Vec<&str> = self.own.iter().map(String::as_str).collect();
            let (urls, problem) = scanner.check_urls(&own, sample, TIME_LIMIT).await?;
            report.sample = urls;
            report.problems.extend(problem);
        }
        if as_json || !output::is_terminal() {
            return Ok(print_line(&serde_json::to_string(&report)?)?);
        }
        print_report(&report)
    }
}

fn print_report(report: &Report) -> anyhow::Result<()> {
    let audit = &report.audit;
    print_line(&format!(
        "{} compared with {}; {} with lastmod",
        counted(audit.entries, "URL"),
        audit.home,
        audit.with_lastmod
    ))?;
    if audit.faults.is_empty() {
        print_line("no problems found")?;
    }
    for fault in &audit.faults {
        print_line(&format!("{}: {}", fault.check.label(), fault.count))?;
        for example in &fault.examples {
            let parts = [&example.url, &example.value, &example.sitemap];
            let parts: Vec<&str> = parts
                .into_iter()
                .map(String::as_str)
                .filter(|part| !part.is_empty())
                .collect();
            print_line(&format!("  {}", parts.join("  ")))?;
        }
    }
    for url in &report.sample {
        print_line(&format!("{}  {}", status_of(url), url.url))?;
        for (what, value) in [
            ("redirects to", &url.redirects_to),
            ("noindex:", &url.noindex),
            ("canonical is", &url.canonical),
            ("", &url.error),
        ] {
            if let Some(value) = value {
                print_line(format!("     {what} {value}").trim_end())?;
            }
        }
    }
    for problem in &report.problems {
        print_line(&format!("{}: {}", problem.code, problem.detail))?;
    }
    Ok(())
}

fn status_of(url: &SampledUrl) -> String {
    match url.status {
        0 => "---".to_owned(),
        status => status.to_string(),
    }
}
