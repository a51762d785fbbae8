//! `sitelog sitemap`: the entries of a sitemap from a file or a URL. Nothing is recorded.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::input::{BadArgument, require_readable};
use super::sitemap_audit::Auditor;
use super::{note_line, output};
use crate::fetch::{FetchError, FetchSettings, Fetcher, Limits};
use crate::scanner::sitemap::{SitemapEntry, SitemapReader, SitemapSettings, SitemapSummary};
use crate::scanner::sitemap_kind_of_status;
use crate::values::Problem;
use crate::values::revisit::Repeated;
use crate::values::sitemap::SitemapKind;

/// Files that `--follow` reads at most, and how deep.
const MAX_FILES: usize = 50_000;

/// For one file; large ones take their time.
const TIME_LIMIT: Duration = Duration::from_mins(10);

const CHUNK: usize = 256 * 1024;

/// Reads a sitemap from a file or a URL, and prints its entries
#[derive(Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub struct Args {
    /// A file, `-` for standard input, or an http(s) URL
    source: String,
    /// Prints one JSON object per entry; on a terminal, the default is only the URLs
    #[arg(long)]
    json: bool,
    /// Prints one JSON object about the whole document instead of its entries
    #[arg(long)]
    summary: bool,
    /// Also reads the sitemaps that an index lists
    #[arg(long)]
    follow: bool,
    /// The URL of the file, to resolve relative URLs; with --audit, any URL of the site
    #[arg(long, value_name = "BASE")]
    url: Option<Url>,
    /// Compares the entries with their site and with the protocol, and prints counts and examples
    #[arg(long, conflicts_with = "summary")]
    audit: bool,
    /// With --audit: fetches up to N of the URLs, evenly spaced, and checks status, redirects, noindex and canonical
    #[arg(long, value_name = "N", default_value_t = 0, requires = "audit", value_parser = clap::value_parser!(u16).range(0..=1000))]
    sample: u16,
}

/// What is printed with `--summary`.
#[derive(Debug, Serialize)]
struct Summary {
    kind: SitemapKind,
    entries: u64,
    children: u64,
    bytes: u64,
    #[serde(skip)]
    repeated: Repeated,
    problems: Vec<Problem>,
}

/// Prints the entries of the source; exit code 1 if it is not a sitemap.
pub async fn run(args: &Args, settings: FetchSettings) -> anyhow::Result<ExitCode> {
    let site = args.url.clone().or_else(|| web_url(&args.source));
    if args.audit && site.is_none() {
        let why = "--audit compares the entries with their site: name it with --url https://…";
        return Err(BadArgument(why.to_owned()).into());
    }
    let mut printer = Printer {
        out: BufWriter::new(output::lines()),
        args,
        json: args.json || !output::is_terminal(),
        follow: VecDeque::new(),
        auditor: site.filter(|_| args.audit).map(|site| Auditor::new(&site)),
        failed: None,
    };
    let mut total = match web_url(&args.source) {
        Some(url) => read_url(&Fetcher::new(settings.clone())?, &url, &mut printer).await,
        None => read_local(args, &mut printer)?,
    };
    printer.end_file(&args.source, &total);
    if args.follow {
        follow_all(
            &Fetcher::new(settings.clone())?,
            &args.source,
            &mut printer,
            &mut total,
        )
        .await;
    }
    let is_sitemap = total.kind.lists_pages() || total.kind == SitemapKind::Index;
    if args.summary {
        printer.line(&total);
    } else if !is_sitemap {
        let why = total
            .problems
            .first()
            .map_or(String::new(), |problem| format!(": {}", problem.detail));
        note_line(&if total.kind == SitemapKind::Error {
            format!("cannot read {}{why}", args.source)
        } else {
            format!("{} is not a sitemap ({}){why}", args.source, total.kind.as_str())
        });
    }
    if let Some(auditor) = printer.auditor.take() {
        let problems = std::mem::take(&mut total.problems);
        auditor
            .finish(settings, args.sample.into(), problems, args.json)
            .await?;
    }
    printer.finish()?;
    Ok(if is_sitemap {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// Reads the children of indexes, each once; what they come to is added to the total.
async fn follow_all(fetcher: &Fetcher, source: &str, printer: &mut Printer<'_>, total: &mut Summary) {
    let mut asked = HashSet::from([source.to_owned()]);
    while let Some(url) = printer.follow.pop_front() {
        if asked.len() >= MAX_FILES || !asked.insert(url.to_string()) {
            continue;
        }
        let child = read_url(fetcher, &url, printer).await;
        printer.end_file(url.as_str(), &child);
        total.entries += child.entries;
        total.children += child.children;
        total.bytes += child.bytes;
        let of_child = child.problems.into_iter().map(|problem| Problem {
            detail: format!("{url}: {}", problem.detail),
            ..problem
        });
        total
            .problems
            .extend(of_child.take(1_000_usize.saturating_sub(total.problems.len())));
    }
}

fn read_local(args: &Args, printer: &mut Printer<'_>) -> anyhow::Result<Summary> {
    let path = Path::new(&args.source);
    let (mut input, base): (Box<dyn Read>, Option<Url>) = if args.source == "-" {
        (Box::new(std::io::stdin()), None)
    } else {
        require_readable(path)?;
        let failed = || format!("cannot read {}", path.display());
        let file = File::open(path).with_context(failed)?;
        let full = std::path::absolute(path).with_context(failed)?;
        (Box::new(file), Url::from_file_path(full).ok())
    };
    let base = args.url.clone().or(base);
    let base = base.map_or_else(|| Url::parse("file:///"), Ok)?;
    let mut reader = SitemapReader::new(base, None, SitemapSettings::default());
    let mut chunk = vec![0; CHUNK];
    let mut wire = 0;
    loop {
        let length = input
            .read(&mut chunk)
            .with_context(|| format!("cannot read {}", args.source))?;
        wire += length as u64;
        let wants_more = reader.feed(&chunk[..length], wire, &mut |entry| printer.entry(&entry));
        if length == 0 || !wants_more || printer.failed.is_some() {
            return Ok(reader.finish(&mut |entry| printer.entry(&entry)).into());
        }
    }
}

async fn read_url(fetcher: &Fetcher, url: &Url, printer: &mut Printer<'_>) -> Summary {
    let limits = Limits {
        deadline: Instant::now() + TIME_LIMIT,
        redirects: 5,
    };
    let answer = match fetcher.get(url, limits).await {
        Ok(answer) => answer,
        Err(error) => return Summary::failed(kind_of(&error), error.reason().as_str(), error.to_string()),
    };
    if let Some(kind) = sitemap_kind_of_status(answer.status) {
        let detail = format!("{} answered {}", answer.url, answer.status);
        return Summary::failed(kind, "http_status", detail);
    }
    let charset = answer.headers.charset().map(str::to_owned);
    let mut reader = SitemapReader::new(answer.url, charset, SitemapSettings::default());
    let mut body = answer.body;
    let mut broke = None;
    loop {
        match body.next_chunk().await {
            Ok(Some(chunk)) => {
                let wants_more = reader.feed(&chunk, body.wire_bytes(), &mut |entry| printer.entry(&entry));
                if !wants_more || printer.failed.is_some() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                reader.note(error.reason().as_str(), error.to_string());
                broke = Some(error);
                break;
            }
        }
    }
    let mut summary = Summary::from(reader.finish(&mut |entry| printer.entry(&entry)));
    if let Some(error) = broke
        .filter(|error| summary.entries + summary.children == 0 || error.reason().as_str() == "too_large")
    {
        summary.kind = kind_of(&error);
    }
    summary
}

fn kind_of(error: &FetchError) -> SitemapKind {
    match error {
        FetchError::Inflation { .. } => SitemapKind::TooLarge,
        _ => SitemapKind::Error,
    }
}

/// Prints entries as they come, so that memory stays flat.
struct Printer<'a> {
    out: BufWriter<Box<dyn Write>>,
    args: &'a Args,
    json: bool,
    follow: VecDeque<Url>,
    /// Instead of printing entries.
    auditor: Option<Auditor>,
    failed: Option<std::io::Error>,
}

impl Printer<'_> {
    fn entry(&mut self, entry: &SitemapEntry) {
        if let (SitemapEntry::Child(child), true) = (entry, self.args.follow)
            && self.follow.len() < MAX_FILES
        {
            self.follow.extend(Url::parse(&child.sitemap));
        }
        if let Some(auditor) = &mut self.auditor {
            if let SitemapEntry::Page(page) = entry {
                auditor.take(page);
            }
            return;
        }
        if self.args.summary {
            return;
        }
        if self.json {
            self.line(entry);
            return;
        }
        let loc = match entry {
            SitemapEntry::Page(page) => &page.loc,
            SitemapEntry::Child(child) => &child.sitemap,
        };
        let written = writeln!(self.out, "{loc}");
        self.failed = self.failed.take().or(written.err());
    }

    fn end_file(&mut self, url: &str, file: &Summary) {
        if let Some(auditor) = &mut self.auditor {
            let named = file.entries.max(file.children);
            auditor.end_file(url, named, file.bytes, &file.repeated);
        }
    }

    fn line(&mut self, value: &impl Serialize) {
        let written = serde_json::to_writer(&mut self.out, value).map_err(std::io::Error::from);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        self.failed = self.failed.take().or(written.err());
    }

    /// A reader that closed its end (`| head`) is not an error.
    fn finish(mut self) -> anyhow::Result<()> {
        let flushed = self.out.flush();
        match self.failed.or(flushed.err()) {
            Some(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Summary {
    fn failed(kind: SitemapKind, code: &str, detail: String) -> Self {
        Self {
            kind,
            entries: 0,
            children: 0,
            bytes: 0,
            repeated: Repeated::default(),
            problems: vec![Problem::new(code, detail)],
        }
    }
}

impl From<SitemapSummary> for Summary {
    fn from(summary: SitemapSummary) -> Self {
        let SitemapSummary {
            kind,
            entries,
            children,
            bytes,
            repeated,
            problems,
        } = summary;
        Self {
            kind,
            entries,
            children,
            bytes,
            repeated,
            problems,
        }
    }
}
