//! Fetches one sitemap file and reads it as it comes in.

use bytes::BytesMut;
use tokio::time::Instant;
use url::Url;

use super::Tools;
use super::revisit;
use super::sitemap::{SitemapEntry, SitemapReader, SitemapSettings, SitemapSummary};
use crate::fetch::{Answer, Body, FetchError, Limits};
use crate::values::Problem;
use crate::values::report::SitemapReport;
use crate::values::revisit::KnownSitemap;
use crate::values::sitemap::{SitemapKind, SitemapUrl};

const SITEMAP_REDIRECTS: usize = 5;

/// Wire bytes parsed at once: small enough for flat memory, large enough that handing over to a thread is cheap.
const BATCH: usize = 256 * 1024;

/// Distinct URLs remembered within one file.
const MAX_DISTINCT: usize = 1_000_000;

/// Children of one index that are kept.
const MAX_CHILDREN: usize = 5_000;

/// One file that was asked for.
#[derive(Debug)]
pub(super) struct FileRead {
    pub(super) report: SitemapReport,
    /// Where it was in the end; `None` without an answer.
    pub(super) final_url: Option<Url>,
    /// The sitemaps it names.
    pub(super) children: Vec<Url>,
    /// What the next scan may use again, if all that the file names is kept.
    pub(super) keep: Option<KnownSitemap>,
}

/// What the parser collects.
#[derive(Debug, Default)]
struct Collected {
    urls: Vec<SitemapUrl>,
    children: Vec<Url>,
    max_urls: usize,
    left_out: bool,
}

/// Reads a file; whatever happens becomes a report. At most `max_urls` of its pages are kept.
pub(super) async fn read(tools: &Tools, url: &Url, deadline: Instant, max_urls: usize) -> FileRead {
    let limits = Limits {
        deadline,
        redirects: SITEMAP_REDIRECTS,
    };
    let known = tools.known_sitemap(url);
    let condition = known.map(|known| &known.file);
    let answer = match tools.fetcher.get_if_changed(url, limits, condition).await {
        Ok(answer) => answer,
        Err(error) => return failed(url, 0, None, kind_of(&error), problem_of(&error)),
    };
    if let (true, Some(known)) = (answer.not_modified, known) {
        return unchanged(answer, known, max_urls);
    }
    let status = answer.status;
    if let Some(kind) = kind_of_status(status) {
        let problem = Problem::new("http_status", format!("{} answered {status}", answer.url));
        return failed(url, status, Some(answer.url), kind, problem);
    }
    read_answer(tools, url, answer, max_urls).await
}

async fn read_answer(tools: &Tools, url: &Url, answer: Answer, max_urls: usize) -> FileRead {
    let Answer {
        url: final_url,
        status,
        headers,
        body,
        ..
    } = answer;
    let settings = SitemapSettings {
        max_bytes: tools.settings.max_sitemap_bytes,
        max_distinct: MAX_DISTINCT,
    };
    let reader = SitemapReader::new(final_url.clone(), headers.charset().map(str::to_owned), settings);
    let collected = Collected {
        max_urls,
        ..Collected::default()
    };
    let Some((summary, broke, collected)) = parse(tools, reader, body, collected).await else {
        let problem = Problem::new("internal", format!("{url} could not be parsed"));
        return failed(url, status, Some(final_url), SitemapKind::Error, problem);
    };
    let is_whole = broke.is_none() && !collected.left_out;
    let kind = match broke {
        Some(error @ FetchError::Inflation { .. }) => kind_of(&error),
        Some(error) if summary.entries + summary.children == 0 => kind_of(&error),
        _ => summary.kind,
    };
    let children: Vec<String> = collected.children.iter().map(Url::to_string).collect();
    let mut read = FileRead {
        report: SitemapReport {
            url: url.to_string(),
            parent: None,
            kind,
            status,
            not_modified: false,
            bytes: summary.bytes,
            entries: if kind == SitemapKind::Index {
                summary.children
            } else {
                summary.entries
            },
            urls: collected.urls,
            problems: summary.problems,
        },
        final_url: Some(final_url.clone()),
        children: collected.children,
        keep: None,
    };
    if is_whole && (kind.lists_pages() || kind == SitemapKind::Index) {
        let report = &read.report;
        let file = revisit::file(url, &final_url, &headers, report.bytes);
        read.keep = file.map(|file| KnownSitemap {
            file,
            kind,
            entries: report.entries,
            problems: report.problems.clone(),
            children,
            list: None,
            urls: Vec::new(),
        });
    }
    read
}

/// What the last scan read.
fn unchanged(answer: Answer, known: &KnownSitemap, max_urls: usize) -> FileRead {
    let mut keep = known.clone();
    let mut urls = std::mem::take(&mut keep.urls);
    let is_whole = urls.len() <= max_urls;
    urls.truncate(max_urls);
    FileRead {
        report: SitemapReport {
            url: known.file.asked.clone(),
            parent: None,
            kind: known.kind,
            status: answer.status,
            not_modified: true,
            bytes: known.file.bytes,
            entries: known.entries,
            urls,
            problems: known.problems.clone(),
        },
        final_url: Some(answer.url),
        children: revisit::urls(&known.children),
        keep: is_whole.then_some(keep),
    }
}

/// Feeds the body to the reader batch by batch. `None` if the parser panicked.
async fn parse(
    tools: &Tools,
    mut reader: SitemapReader,
    mut body: Body,
    mut collected: Collected,
) -> Option<(SitemapSummary, Option<FetchError>, Collected)> {
    let mut broke = None;
    loop {
        let batch = next_batch(&mut body, &mut broke).await;
        let wire = body.wire_bytes();
        let last = batch.len() < BATCH || broke.is_some();
        if let Some(error) = broke.as_ref().filter(|_| last) {
            reader.note(error.problem_code(), error.to_string());
        }
        let step = move || {
            let wants_more = reader.feed(&batch, wire, &mut |entry| collected.take(entry));
            if last || !wants_more {
                let summary = reader.finish(&mut |entry| collected.take(entry));
                return (None, Some(summary), collected);
            }
            (Some(reader), None, collected)
        };
        let (rest, summary, so_far) = tools.pool.run(step).await.ok()?;
        collected = so_far;
        match (rest, summary) {
            (Some(rest), _) => reader = rest,
            (None, summary) => return Some((summary?, broke, collected)),
        }
    }
}

/// Collects chunks up to a batch; a break is left in `broke`, what came before it counts.
async fn next_batch(body: &mut Body, broke: &mut Option<FetchError>) -> BytesMut {
    let mut batch = BytesMut::new();
    while batch.len() < BATCH {
        match body.next_chunk().await {
            Ok(Some(chunk)) => batch.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => {
                *broke = Some(error);
                break;
            }
        }
    }
    batch
}

impl Collected {
    fn take(&mut self, entry: SitemapEntry) {
        match entry {
            SitemapEntry::Page(page) if self.urls.len() < self.max_urls => self.urls.push(page.into_url()),
            SitemapEntry::Child(child) if self.children.len() < MAX_CHILDREN => {
                self.children.extend(Url::parse(&child.sitemap));
            }
            SitemapEntry::Page(_) | SitemapEntry::Child(_) => self.left_out = true,
        }
    }
}

fn failed(url: &Url, status: u16, final_url: Option<Url>, kind: SitemapKind, problem: Problem) -> FileRead {
    FileRead {
        report: SitemapReport {
            url: url.to_string(),
            parent: None,
            kind,
            status,
            not_modified: false,
            bytes: 0,
            entries: 0,
            urls: Vec::new(),
            problems: vec![problem],
        },
        final_url,
        children: Vec::new(),
        keep: None,
    }
}

fn problem_of(error: &FetchError) -> Problem {
    Problem::new(error.problem_code(), error.to_string())
}

fn kind_of(error: &FetchError) -> SitemapKind {
    match error {
        FetchError::Inflation { .. } => SitemapKind::TooLarge,
        _ => SitemapKind::Error,
    }
}

/// The kind of an answer that is no document; `None` if its body is worth reading.
pub fn kind_of_status(status: u16) -> Option<SitemapKind> {
    match status {
        200..300 => None,
        404 | 410 => Some(SitemapKind::NotFound),
        401 | 403 | 451 => Some(SitemapKind::Blocked),
        429 => Some(SitemapKind::RateLimited),
        _ => Some(SitemapKind::Error),
    }
}
