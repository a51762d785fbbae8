//! Fetches one sitemap file and parses it as it arrives.

use std::sync::Arc;

use bytes::{Buf, BytesMut};
use tokio::time::Instant;
use url::Url;

use super::ScanContext;
use super::parse_pool::{TURN, of_this_thread};
use super::revisit;
use super::sitemap::{
    FileAudit, SitemapEntry, SitemapReader, SitemapSettings, SitemapSummary, Standard, is_gzip,
};
use crate::fetch::{Answer, Body, FetchError, Limits};
use crate::values::Problem;
use crate::values::report::SitemapReport;
use crate::values::revisit::{KnownSitemap, Repeated};
use crate::values::sitemap::{SitemapKind, SitemapUrl};

const SITEMAP_REDIRECTS: usize = 5;

/// Wire bytes parsed in one batch: small enough for low memory use, large enough that the handover to a thread is
/// cheap.
const BATCH: usize = 256 * 1024;

/// Maximum number of distinct URLs remembered within one file.
const MAX_DISTINCT: usize = 1_000_000;

/// Bytes of a batch that are read between two checks of the clock: with maximum compression, some milliseconds.
const STEP: usize = 16 * 1024;

/// Maximum number of children kept of one index, and bytes of their URLs.
const MAX_CHILDREN: usize = 5_000;
const MAX_CHILDREN_BYTES: usize = 1024 * 1024;

/// One requested file.
#[derive(Debug)]
pub(super) struct FileRead {
    pub(super) report: SitemapReport,
    /// The URL after redirects; `None` without a response.
    pub(super) final_url: Option<Url>,
    /// The sitemaps that it names.
    pub(super) children: Vec<Url>,
    /// The data that the next scan may reuse, if everything that the file names is kept.
    pub(super) keep: Option<KnownSitemap>,
    /// How its entries compare with the site.
    pub(super) audit: FileAudit,
}

impl FileRead {
    /// Number of URLs that it names.
    pub(super) fn named(&self) -> usize {
        self.report.urls.len() + self.children.len()
    }
}

/// The data that the parser collects, up to its limits.
#[derive(Debug, Default)]
struct Collected {
    urls: Vec<SitemapUrl>,
    children: Vec<Url>,
    /// How many more URLs, and how many more bytes of them, may be kept.
    room_for_urls: usize,
    room: usize,
    bytes_of_children: usize,
    urls_left_out: u64,
    children_left_out: u64,
    audit: FileAudit,
}

/// How a file is read.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    pub(super) deadline: Instant,
    /// The site that its entries are compared with.
    pub(super) standard: Arc<Standard>,
}

/// The memory that a kept URL uses.
pub(super) fn bytes_of(url: &SitemapUrl) -> usize {
    let texts = [&url.lastmod, &url.changefreq, &url.priority];
    let texts: usize = texts.into_iter().flatten().map(String::capacity).sum();
    size_of::<SitemapUrl>() + url.loc.capacity() + texts
}

/// Reads a file; any failure becomes part of the report. It keeps at most `max_urls` of the file's URLs.
pub(super) async fn read(context: &ScanContext, url: &Url, how: &Reader, max_urls: usize) -> FileRead {
    let limits = Limits {
        deadline: how.deadline,
        redirects: SITEMAP_REDIRECTS,
    };
    let known = context.known_sitemap(url);
    let condition = known.map(|known| &context.known.sitemaps[known].file);
    let answer = match context.fetcher.get_if_changed(url, limits, condition).await {
        Ok(answer) => answer,
        Err(error) => return failed(url, 0, None, kind_of(&error), problem_of(&error)),
    };
    let status = answer.status;
    if let (true, Some(known)) = (answer.not_modified, known) {
        let (kept, room, final_url) = (
            Arc::clone(&context.known),
            context.compute_budget.room(),
            answer.url.clone(),
        );
        let standard = Arc::clone(&how.standard);
        let read = move || {
            unchanged(
                status,
                final_url,
                &kept.sitemaps[known],
                (max_urls, room),
                &standard,
            )
        };
        return match context.compute(read).await {
            Ok(read) => read,
            Err(error) => {
                let problem = Problem::new("internal", format!("{url}: {error}"));
                failed(url, status, Some(answer.url), SitemapKind::Error, problem)
            }
        };
    }
    if let Some(kind) = kind_of_status(status) {
        let problem = Problem::new("http_status", format!("{} answered {status}", answer.url));
        return failed(url, status, Some(answer.url), kind, problem);
    }
    read_answer(context, url, answer, (max_urls, Arc::clone(&how.standard))).await
}

async fn read_answer(
    context: &ScanContext,
    url: &Url,
    answer: Answer,
    (max_urls, standard): (usize, Arc<Standard>),
) -> FileRead {
    let Answer {
        url: final_url,
        status,
        headers,
        body,
        ..
    } = answer;
    let settings = SitemapSettings {
        max_bytes: context.settings.max_sitemap_bytes,
        max_distinct: MAX_DISTINCT,
    };
    let reader = SitemapReader::new(final_url.clone(), headers.charset().map(str::to_owned), settings);
    let collected = Collected {
        room_for_urls: max_urls,
        room: context.compute_budget.room(),
        ..Collected::default()
    };
    let Some(Parsed {
        mut summary,
        broke,
        collected,
    }) = parse(context, reader, body, (collected, standard)).await
    else {
        let problem = Problem::new("internal", format!("cannot parse {url}"));
        return failed(url, status, Some(final_url), SitemapKind::Error, problem);
    };
    let is_whole = broke.is_none() && collected.urls_left_out + collected.children_left_out == 0;
    let kind = match broke {
        Some(ReadError::By(error @ FetchError::Inflation { .. })) => kind_of(&error),
        Some(ReadError::By(error)) if summary.entries + summary.children == 0 => kind_of(&error),
        _ => summary.kind,
    };
    if collected.children_left_out > 0 {
        let detail = format!(
            "{} of the {} sitemaps that it lists were skipped: the limits per file are {MAX_CHILDREN} sitemaps and \
             {MAX_CHILDREN_BYTES} bytes of their URLs",
            collected.children_left_out, summary.children
        );
        summary.problems.push(Problem::new("sitemap_limit", detail));
    }
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
        audit: collected.audit,
    };
    read.audit
        .take_repeated(summary.repeated.count, &summary.repeated.examples);
    if is_whole && (kind.lists_pages() || kind == SitemapKind::Index) {
        let report = &read.report;
        let file = revisit::file(url, &final_url, &headers, report.bytes);
        read.keep = file.map(|file| KnownSitemap {
            file,
            kind,
            entries: report.entries,
            problems: report.problems.clone(),
            repeated: summary.repeated,
            children: Vec::new(),
            list: None,
            urls: Vec::new(),
        });
    }
    read
}

/// The last scan's content, if the file is unchanged.
fn unchanged(
    status: u16,
    final_url: Url,
    known: &KnownSitemap,
    (max_urls, room): (usize, usize),
    standard: &Standard,
) -> FileRead {
    let mut collected = Collected {
        room_for_urls: max_urls,
        room,
        ..Collected::default()
    };
    for url in &known.urls {
        collected.audit.take(standard, url);
        collected.take_url(url.clone());
    }
    let Repeated { count, examples } = &known.repeated;
    collected.audit.take_repeated(*count, examples);
    let keep = KnownSitemap {
        file: known.file.clone(),
        kind: known.kind,
        entries: known.entries,
        problems: known.problems.clone(),
        repeated: known.repeated.clone(),
        children: Vec::new(),
        list: known.list.clone(),
        urls: Vec::new(),
    };
    FileRead {
        report: SitemapReport {
            url: known.file.asked.clone(),
            parent: None,
            kind: known.kind,
            status,
            not_modified: true,
            bytes: known.file.bytes,
            entries: known.entries,
            urls: collected.urls,
            problems: known.problems.clone(),
        },
        final_url: Some(final_url),
        children: revisit::urls(&known.children),
        keep: (collected.urls_left_out == 0).then_some(keep),
        audit: collected.audit,
    }
}

/// The result of reading a body.
struct Parsed {
    summary: SitemapSummary,
    broke: Option<ReadError>,
    collected: Collected,
}

/// Why a body was not read to its end.
enum ReadError {
    By(FetchError),
    /// The scan used up its CPU time.
    Compute,
}

/// A document that is currently read.
struct Reading {
    reader: SitemapReader,
    collected: Collected,
    standard: Arc<Standard>,
    batch: BytesMut,
    wire: u64,
}

/// Feeds the body to the reader in batches, and each batch in turns. `None` if the parser panicked.
async fn parse(
    context: &ScanContext,
    reader: SitemapReader,
    mut body: Body,
    (collected, standard): (Collected, Arc<Standard>),
) -> Option<Parsed> {
    let mut broke = None;
    // Bytes available so far; a reader may hold all of them back until the end.
    let mut work = 0_usize;
    let mut under_way = Reading {
        reader,
        collected,
        standard,
        batch: BytesMut::new(),
        wire: 0,
    };
    loop {
        let mut error = None;
        under_way.batch = next_batch(&mut body, &mut error).await;
        under_way.wire = body.wire_bytes();
        // Compressed content may be long.
        let read = if is_gzip(&under_way.batch) {
            usize::MAX
        } else {
            under_way.batch.len()
        };
        work = work.saturating_add(read);
        let mut last = under_way.batch.len() < BATCH || error.is_some();
        broke = broke.or(error.map(ReadError::By));
        while !under_way.batch.is_empty() {
            if !context.compute_budget.may_read_sitemaps() {
                broke = Some(ReadError::Compute);
                last = true;
                break;
            }
            let turn = move || under_way.read();
            let (rest, wants_more) = context.compute_on(work, turn).await.ok()?;
            under_way = rest;
            if !wants_more {
                last = true;
                break;
            }
        }
        if last {
            match &broke {
                Some(ReadError::By(error)) => under_way.reader.note(error.problem_code(), error.to_string()),
                Some(ReadError::Compute) => under_way
                    .reader
                    .note("budget_compute", context.compute_budget.ran_out()),
                None => {}
            }
            let finish = move || under_way.finish();
            let (summary, collected) = context.compute_on(work, finish).await.ok()?;
            return Some(Parsed {
                summary,
                broke,
                collected,
            });
        }
    }
}

impl Reading {
    /// Reads as much of the batch as possible in one turn; returns whether the reader wants more.
    fn read(mut self) -> (Self, bool) {
        let start = of_this_thread();
        let mut wants_more = true;
        while wants_more && !self.batch.is_empty() && of_this_thread().saturating_sub(start) < TURN {
            let length = self.batch.len().min(STEP);
            let (collected, standard) = (&mut self.collected, &self.standard);
            let step = &self.batch[..length];
            wants_more = self
                .reader
                .feed(step, self.wire, &mut |entry| collected.take(standard, entry));
            self.batch.advance(length);
        }
        (self, wants_more)
    }

    fn finish(self) -> (SitemapSummary, Collected) {
        let mut collected = self.collected;
        let summary = self
            .reader
            .finish(&mut |entry| collected.take(&self.standard, entry));
        (summary, collected)
    }
}

/// Collects chunks up to a batch. If the connection breaks, the error is stored in `broke` and earlier chunks count.
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
    fn take(&mut self, standard: &Standard, entry: SitemapEntry) {
        match entry {
            SitemapEntry::Page(page) => {
                self.audit.take_page(standard, &page);
                self.take_url(page.into_url());
            }
            SitemapEntry::Child(child) => self.take_child(&child.sitemap),
        }
    }

    fn take_url(&mut self, mut url: SitemapUrl) {
        // A resolved URL has spare capacity.
        url.loc.shrink_to_fit();
        let bytes = bytes_of(&url);
        if self.room_for_urls == 0 || bytes > self.room {
            self.urls_left_out += 1;
            return;
        }
        self.room_for_urls -= 1;
        self.room -= bytes;
        self.urls.push(url);
    }

    fn take_child(&mut self, child: &str) {
        self.bytes_of_children += child.len();
        if self.children.len() >= MAX_CHILDREN || self.bytes_of_children > MAX_CHILDREN_BYTES {
            self.children_left_out += 1;
            return;
        }
        self.children.extend(Url::parse(child));
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
        audit: FileAudit::default(),
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

/// The kind of a response without a document; `None` if its body must be read.
pub fn kind_of_status(status: u16) -> Option<SitemapKind> {
    match status {
        200..300 => None,
        404 | 410 => Some(SitemapKind::NotFound),
        401 | 403 | 451 => Some(SitemapKind::Blocked),
        429 => Some(SitemapKind::RateLimited),
        _ => Some(SitemapKind::Error),
    }
}
